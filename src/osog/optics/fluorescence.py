"""Widefield fluorescence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.exit_wave import interrupt
from osog.optics.band import Band, intensity_grid, real_image
from osog.optics.optical_image import OpticalImage
from osog.optics.propagate import kappa, phasor
from osog.optics.pupil import Pupil

if TYPE_CHECKING:
    from torch import Tensor

    from osog.exit_wave.wave import EmissionSlabs
    from osog.sample import Values


def fluorescence(emission: EmissionSlabs, values: Values) -> OpticalImage:
    """Widefield fluorescence: every slab of emitters is blurred by its own defocused PSF.

    I = Σ_k F⁻¹[ŝ_k OTF(f; z_focus − z_k)] + background with
    PSF(r; z) = |F⁻¹[P(f) exp(iκ z)]|² and OTF(0) = 1, so that a slab gives the same light in every
    plane of focus. The pixel mean of the slabs is divided out by sinc(f_x p_x) sinc(f_y p_y).

    Parameters
    ----------
    emission : EmissionSlabs
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance in units of 1 µm of emission 1 per µm, in focus.

    Notes
    -----
    Born & Wolf §8.8; the pupil is uniform and scalar. In focus the OTF of a clear pupil is
    (2/π)(acos ν − ν√(1 − ν²)), ν = fλ/2NA (Hopkins 1955).
    """
    plan = emission.plan
    pupil = Pupil.of(values, emission.wavelength_um, emission.medium_index, plan.frequency_step)
    fine, grid = plan.fine_shape, plan.grid_shape
    whole = Band.around((0.0, 0.0), pupil.cutoff, fine, plan.frequency_step)
    fx, fy = whole.frequencies(emission.slabs)
    aperture = pupil(fx, fy)
    # Evanescent waves are cut by the pupil already.
    turn_per_um = kappa(fx, fy, None, emission.wavelength_um, emission.medium_index)
    power = (aperture.real.square() + aperture.imag.square()).sum()
    # The OTF on the smallest grid that holds it; beyond its band it is zero.
    small = intensity_grid(whole.shape, fine)
    focus = values.number("microscope.focus_um").to(emission.slabs)
    rows = (min(small[0], grid[0], fine[0]) - 1) // 2
    columns = (min(small[1], grid[1], fine[1]) - 1) // 2

    def low(spectrum: Tensor) -> Tensor:
        """Half spectrum up to the frequencies that all the grids share."""
        top, bottom = spectrum[: rows + 1, : columns + 1], spectrum[-rows or None :, : columns + 1]
        return torch.cat([top, bottom], 0) if rows else top

    total: Tensor | None = None
    for slab, z in zip(emission.slabs, emission.z_um, strict=True):
        interrupt.checkpoint()
        if not slab.requires_grad and not bool(slab.any()):
            continue
        spread = whole.modulus_squared(aperture * phasor(turn_per_um * (focus - z)), small)
        transfer = torch.fft.rfft2(spread, norm="forward") / power
        part = low(torch.fft.rfft2(slab, norm="forward")) * low(transfer)
        total = part if total is None else total + part
    background = values.number("microscope.modality.background").to(emission.slabs)
    if total is None:
        return OpticalImage(background.expand(fine).clone())
    step_y, step_x = plan.frequency_step
    pitch_y, pitch_x = plan.pitch_um
    index = torch.arange(max(rows, columns) + 1).to(emission.slabs)
    across = torch.sinc(index[: columns + 1] * (step_x * pitch_x))
    along = torch.sinc(index[: rows + 1] * (step_y * pitch_y))
    along = torch.cat([along, along[1:].flip(0)])
    image = real_image(total / (along[:, None] * across[None, :]), fine)
    return OpticalImage(image.clamp(min=0.0) + background)

"""Light-sheet fluorescence."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.optics.band import intensity_grid
from osog.optics.emission import PointSpread, blurred

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.exit_wave.wave import EmissionSlabs
    from osog.optics.optical_image import OpticalImage
    from osog.sample import Values


def light_sheet(emission: EmissionSlabs, values: Values) -> OpticalImage:
    """Light sheet: a Gaussian sheet along x excites a layer, seen in widefield from above.

    Emission at height z is weighted by the irradiance of the sheet relative to the middle of its
    waist, (w₀/w) exp(−2 (z − z_s)²/w²), with z_s = focus + `sheet_offset_um`,
    w(x) = w₀ √(1 + ((x − x₀)/x_R)²) and x_R = π n w₀²/λ_ex. x₀ lies at `waist_position` of the
    frame's width.

    Parameters
    ----------
    emission : EmissionSlabs
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance in units of 1 µm of emission 1 per µm in the middle of the waist.

    Notes
    -----
    Gaussian beam focused by a cylindrical lens (Siegman, Lasers, §17; Huisken et al. 2004): waists
    above about λ_ex/n, where the beam is paraxial. Absorption, refraction and shadows of the
    particles in the sheet are not modelled.
    """
    spread = PointSpread.of(emission, values, emission.wavelength_um)
    grid = intensity_grid(spread.band.shape, emission.plan.fine_shape)
    # Slabs that the sheet does not reach add less than rounding does, or than a draft shows.
    least = torch.finfo(emission.slabs.dtype).eps ** 1.25
    if emission.plan.accuracy == "draft":
        least = max(least, 1e-5)
    lit = [
        (slab * light, z)
        for slab, light, z in zip(
            emission.slabs, _sheet(emission, values), emission.z_um, strict=True
        )
        if float(light.detach().amax()) > least
    ]
    slabs, z_um = [slab for slab, _ in lit], [z for _, z in lit]
    return blurred(emission, values, slabs, lambda distance: spread.at(distance, grid), z_um)


def _sheet(emission: EmissionSlabs, values: Values) -> Iterator[Tensor]:
    """Relative irradiance (Gx,) of the sheet in every slab."""
    plan, optics = emission.plan, "microscope.modality"
    like = emission.slabs
    columns = plan.grid_shape[1]
    x = torch.arange(columns, dtype=like.dtype, device=like.device) * plan.pitch_um[1]
    x = x + plan.corner_um[1]
    # The frame reaches half a pixel beyond the centres of its first and last columns.
    position = values.number(f"{optics}.waist_position").to(like)
    middle = (position * plan.frame_shape[1] - 0.5) * plan.pixel_size_um
    waist = values.number(f"{optics}.waist_um").to(like)
    wavelength = values.number(f"{optics}.excitation_wavelength_um").to(like)
    rayleigh = pi * emission.medium_index * waist.square() / wavelength
    squared = waist.square() * (1 + ((x - middle) / rayleigh).square())
    peak = waist / squared.sqrt()
    focus = values.number("microscope.focus_um").to(like)
    height = focus + values.number(f"{optics}.sheet_offset_um").to(like)
    for z in emission.z_um:
        off = 2 * (height - z).square() / squared
        # A hat-weighted slab stands for emission around its plane: a linear interpolation of the
        # sheet, whose mean error −(dz²/12) g″ is taken back.
        bend = (1 / squared) * (8 * off - 4) * (plan.slab_um**2 / 12)
        yield peak * torch.exp(-off) * (1 - bend).clamp(min=0.0)

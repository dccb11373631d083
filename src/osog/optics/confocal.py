"""Confocal laser scanning fluorescence."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.optics.band import intensity_grid, real_image
from osog.optics.bessel import jinc
from osog.optics.contrast import GRID, contrast_of, point_spread, spread_axis
from osog.optics.emission import PointSpread, blurred, blurred_alike, gathered, with_background
from osog.optics.pupil import Pupil
from osog.optics.radial import RadialConfocal
from osog.optics.vectorial import is_vectorial
from osog.scene import Confocal

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from osog.exit_wave.wave import EmissionSlabs
    from osog.optics.contrast import TransferCurve
    from osog.optics.optical_image import OpticalImage
    from osog.sample import Values


def confocal(emission: EmissionSlabs, values: Values) -> OpticalImage:
    """Confocal fluorescence: a focused spot excites, and a pinhole sees only what it lights.

    Every slab at distance z from the focus is blurred by the product
    PSF_ex(r; z, λ_ex) · [PSF_em(r; z, λ_em) ∗ pinhole]. The pinhole is a disc of
    `pinhole_airy_units` × 1.22 λ_em/NA in diameter, seen in the sample.

    Parameters
    ----------
    emission : EmissionSlabs
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance in units of 1 µm of emission 1 per µm. The spot has the same power in every
        plane, and the second factor is the share of the collected light that passes the pinhole:
        with an open pinhole a layer gives the light it gives in widefield, whatever its height,
        blurred by the excitation alone; a smaller pinhole takes light away, most of it where the
        sample is out of focus.

    Notes
    -----
    Wilson & Sheppard, Theory and Practice of Scanning Optical Microscopy (1984). Scalar, with the
    same objective both ways, no saturation and no light lost in the sample. The disc is exact in
    frequency space, 2J₁(2πaf)/(2πaf), so that the image is smooth in its size. A pinhole wider
    than the padded domain counts as one of that width, which passes all light there is.
    """
    plan = emission.plan
    optics, scan = values.microscope, values.microscope.modality
    assert isinstance(scan, Confocal)
    exciting = scan.excitation_wavelength_um.to(emission.wavelength_um)
    airy = 1.22 * emission.wavelength_um / optics.numerical_aperture
    radius = scan.pinhole_airy_units * airy / 2
    radius = torch.minimum(radius, torch.full_like(radius, min(plan.extent_um) / 2))

    def pinhole(frequency: Tensor) -> Tensor:
        return pi * radius.square() * jinc(2 * pi * radius * frequency)

    focus = optics.focus_plane_um.to(emission.slabs)
    slabs, z_um = gathered(emission, focus)
    if not is_vectorial(values):
        seen, lit = (
            Pupil.of(values, w, emission.medium_index, plan.frequency_step)
            for w in (emission.wavelength_um, exciting)
        )
        distance = focus - torch.tensor(z_um, dtype=focus.dtype, device=focus.device)
        if seen.is_round and lit.is_round:
            farthest = float(distance.detach().abs().max())
            alike = RadialConfocal(seen, lit, pinhole, farthest)
            if alike.affordable:
                light = blurred_alike(emission, slabs, alike.table(distance), alike.step)
                return with_background(light, scan.background)
    spread = _in_the_plane(emission, values, exciting, pinhole)
    return with_background(blurred(emission, focus, slabs, spread, z_um), scan.background)


def _in_the_plane(
    emission: EmissionSlabs,
    values: Values,
    exciting: Tensor,
    pinhole: Callable[[Tensor], Tensor],
) -> Callable[[Tensor], Tensor]:
    """Point spread on a grid of the plane, for pupils of any form."""
    plan = emission.plan
    emitted = PointSpread.of(emission, values, emission.wavelength_um)
    excited = PointSpread.of(emission, values, exciting)
    widths = zip(emitted.band.shape, excited.band.shape, strict=True)
    rows, columns = (a + b for a, b in widths)
    # The spot of the emission alone has half the band of the product.
    half = intensity_grid(emitted.band.shape, plan.fine_shape)
    grid = intensity_grid((rows, columns), plan.fine_shape)
    step_y, step_x = plan.frequency_step
    fy = torch.fft.fftfreq(half[0], 1 / half[0]).to(exciting)[:, None] * step_y
    fx = torch.fft.rfftfreq(half[1], 1 / half[1]).to(exciting) * step_x
    hole = pinhole(torch.sqrt(fx * fx + fy * fy)) / (plan.extent_um[0] * plan.extent_um[1])

    def spread(distance: Tensor) -> Tensor:
        spot = excited.at(distance, grid)
        seen = torch.fft.rfft2(emitted.at(distance, half), norm="forward") * hole
        return spot * real_image(seen, grid)

    return spread


def contrast_curve(values: Values, points: int) -> TransferCurve:
    """Contrast of a grating that shines, for the product of both point spreads."""
    optics, scan = values.microscope, values.microscope.modality
    assert isinstance(scan, Confocal)
    wavelength, exciting = optics.wavelength_um, scan.excitation_wavelength_um
    passing = min(float(optics.numerical_aperture), float(values.medium.index))
    # The OTF of a product is as wide as both together.
    axis = spread_axis(2 * passing / float(torch.minimum(wavelength, exciting)) / (GRID / 2))
    radius = scan.pinhole_airy_units * 0.61 * wavelength / optics.numerical_aperture
    frequency = torch.sqrt(axis[None, :] * axis[None, :] + axis[:, None] * axis[:, None])
    hole = jinc(2 * pi * radius * frequency)
    seen = torch.fft.ifft2(torch.fft.fft2(point_spread(values, wavelength, axis)) * hole).real
    spread = seen * point_spread(values, exciting, axis)
    cutoff = 2 * passing / float(wavelength) + 2 * passing / float(exciting)
    return contrast_of(spread, axis, cutoff, points)

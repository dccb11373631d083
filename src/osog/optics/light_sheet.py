"""Light-sheet fluorescence."""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING

import torch

from osog.optics.band import intensity_grid
from osog.optics.emission import PointSpread, blurred, with_background
from osog.scene import LightSheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.exit_wave.wave import EmissionSlabs
    from osog.optics.optical_image import OpticalImage
    from osog.sample import Values


_DIFFERENCES = (-32 / 9, 25 / 12, -1 / 3, 1 / 36)
"""δ² − δ⁴/6 + δ⁶/36 as weights of the middle and of the first, second and third neighbours."""


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
    sheet = values.microscope.modality
    assert isinstance(sheet, LightSheet)
    focus = values.microscope.focus_plane_um
    spread = PointSpread.of(emission, values, emission.wavelength_um)
    grid = intensity_grid(spread.band.shape, emission.plan.fine_shape)
    # Slabs that the sheet does not reach add less than rounding does, or than a draft shows.
    least = torch.finfo(emission.slabs.dtype).eps ** 1.25
    if emission.plan.accuracy == "draft":
        least = max(least, 1e-5)
    lit = [
        (number, light)
        for number, light in enumerate(_lit(emission, sheet, focus))
        if float(light.detach().abs().amax()) > least
    ]
    # One at a time: all of them are as large as the sample.
    # Taken apart once: the gradient of each row would fill all slabs with zeros.
    apart = emission.slabs.unbind(0)
    slabs = (apart[number] * light for number, light in lit)
    z_um = [emission.z_um[number] for number, _ in lit]
    light = blurred(emission, focus, slabs, lambda distance: spread.at(distance, grid), z_um)
    return with_background(light, sheet.background)


def _lit(emission: EmissionSlabs, sheet: LightSheet[Tensor], focus: Tensor) -> Iterator[Tensor]:
    """Relative irradiance (Gx,) of the sheet in every slab."""
    plan, like = emission.plan, emission.slabs
    columns = plan.grid_shape[1]
    # A few numbers per slab, in double precision because their differences count.
    x = torch.arange(columns, dtype=torch.float64) * plan.pitch_um[1]
    x = x + plan.corner_um[1]
    # The frame reaches half a pixel beyond the centres of its first and last columns.
    position = sheet.waist_position.to("cpu", torch.float64)
    middle = (position * plan.frame_shape[1] - 0.5) * plan.pixel_size_um
    waist = sheet.waist_um.to("cpu", torch.float64)
    wavelength = sheet.excitation_wavelength_um.to("cpu", torch.float64)
    rayleigh = pi * emission.medium_index.to("cpu", torch.float64) * waist.square() / wavelength
    squared = waist.square() * (1 + ((x - middle) / rayleigh).square())
    peak = waist / squared.sqrt()
    height = focus.to("cpu", torch.float64) + sheet.sheet_offset_um.to("cpu", torch.float64)
    width = squared.sqrt()
    for z in emission.z_um:
        yield (peak * _slab_mean(z - height, width, plan.slab_um)).to(like)


def _slab_mean(off: Tensor, width: Tensor, slab: float) -> Tensor:
    """Weight of a slab whose plane lies `off` from a Gaussian exp(−2u²/w²), all in µm.

    The emission of a slab is weighted by a triangular kernel of half width h, so slabs with weights
    c interpolate the sheet linearly. c = m − δ²m/6 + δ⁴m/36, where m is the mean of the Gaussian
    over that kernel, is its projection onto these kernels to the order of h⁴, and h Σc is its
    integral however coarse the slabs are. As m = δ²E/h² with E″ the Gaussian, all of it is a sum of
    seven E.
    """
    if slab < 1e-3 * float(width.detach().min()):
        # The differences would drown in rounding; this is their limit to the order of h⁴.
        u = 2 * (off / width).square()
        return torch.exp(-u) * (1 - (8 * u - 4) * (slab / width).square() / 12)
    total = torch.zeros_like(width)
    for k in range(-3, 4):
        weight, u = _DIFFERENCES[abs(k)], (off + k * slab).abs()
        # E without its straight part, which only rounding would keep in the sheet's surroundings.
        ratio = sqrt(2) * u / width
        fall = width / sqrt(2 * pi) * torch.exp(-ratio.square()) - u * torch.erfc(ratio)
        total = total + weight * fall
        if float(off.detach().abs()) <= 3 * slab:
            total = total + weight * u
    return sqrt(pi / 8) * width * total / slab**2

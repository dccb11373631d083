"""Differential interference contrast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from osog.optics.abbe import abbe_sum
from osog.optics.contrast import transmitted
from osog.optics.lens import coherent_field, is_coherent
from osog.optics.optical_image import OpticalImage
from osog.optics.weak_object import weak_sum
from osog.scene import DIC

if TYPE_CHECKING:
    from torch import Tensor

    from osog.exit_wave.wave import ExitWave
    from osog.optics.contrast import TransferCurve
    from osog.optics.lens import Transfer
    from osog.sample import Values

DARK_BIAS_RAD = 0.1
"""Bias below which the background is too dark to serve as the unit of irradiance."""


def dic(wave: ExitWave, values: Values) -> OpticalImage:
    """Nomarski DIC with shear s, bias b and extinction leak e.

    The crossed field ½[e^{ib/2} U(r + s/2) − e^{−ib/2} U(r − s/2)] is the transfer function
    D(f) = i sin(π f·s + b/2); the parallel one is cos(π f·s + b/2), of which the share e leaks
    through the analyser: I = |U_crossed|² + e |U_parallel|². f is relative to the incident wave,
    since the condenser's prism compensates what depends on the source point. b = 0 is extinction;
    for 0 < b < π the image brightens where the phase rises along +s.

    Parameters
    ----------
    wave : ExitWave
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance relative to its background, sin²(b/2)(1 − e) + e at the microscope's wavelength,
        or to the incident light when the bias lies within 0.1 rad of extinction. The field is the
        crossed one, relative to the incident wave.

    Notes
    -----
    Nomarski (1955); Preza, Snyder & Conchello, J. Opt. Soc. Am. A 16, 2185 (1999); Mehta &
    Sheppard, Opt. Express 16, 19462 (2008).
    """
    prism, stated = values.microscope.modality, values.stated.microscope.modality
    assert isinstance(prism, DIC) and isinstance(stated, DIC)
    leak = prism.extinction
    leaking = values.acts(leak)
    shear, bias = _shear_and_bias(prism)

    def crossed(fx: Tensor, fy: Tensor) -> Tensor:
        return dic_transfer(fx, fy, shear, bias)

    def parallel(fx: Tensor, fy: Tensor) -> Tensor:
        return torch.cos(half_angle(fx, fy, shear, bias))

    field = None
    if is_coherent(wave) and not wave.first_order:
        field, _ = coherent_field(wave, values, crossed)
        irradiance = field.real.square() + field.imag.square()
        if leaking:
            leaked, _ = coherent_field(wave, values, parallel)
            irradiance = irradiance + leak * (leaked.real.square() + leaked.imag.square())
    else:
        light: list[tuple[Tensor | float, Transfer]] = [(1.0, crossed)]
        if leaking:
            light.append((leak, parallel))
        total = weak_sum if wave.first_order else abbe_sum
        irradiance = total(wave, values, light)
    # One unit for all wavelengths of a spectrum, or the colour of the bias would be lost.
    unit = torch.deg2rad(stated.bias_retardance_deg)
    wrapped = math.remainder(float(unit.detach()), 2 * math.pi)
    if abs(wrapped) > DARK_BIAS_RAD:
        irradiance = irradiance / (torch.sin(unit / 2).square() * (1 - leak) + leak)
    return OpticalImage(irradiance, field)


def dic_transfer(fx: Tensor, fy: Tensor, shear_um: tuple[Tensor, Tensor], bias: Tensor) -> Tensor:
    """Factor of crossed polars on a wave relative to the direct light, i sin(π f·s + b/2).

    Parameters
    ----------
    fx, fy : Tensor
        Frequencies relative to the incident wave, cycles/µm; they broadcast.
    shear_um : (0-dim Tensor, 0-dim Tensor)
        s along (x, y).
    bias : 0-dim Tensor
        b in radians.

    Returns
    -------
    complex Tensor
    """
    sine = torch.sin(half_angle(fx, fy, shear_um, bias))
    return torch.complex(torch.zeros_like(sine), sine)


def half_angle(fx: Tensor, fy: Tensor, shear_um: tuple[Tensor, Tensor], bias: Tensor) -> Tensor:
    """Half of the phase between the two images of a plane wave, π f·s + b/2.

    Parameters
    ----------
    fx, fy, shear_um, bias
        As for `dic_transfer`.
    """
    return math.pi * (fx * shear_um[0] + fy * shear_um[1]) + bias / 2


def contrast_curve(values: Values, points: int) -> TransferCurve:
    """Contrast of a weak grating across the shear."""
    prism = values.microscope.modality
    assert isinstance(prism, DIC)
    shear, bias = _shear_and_bias(prism)

    def crossed(fx: Tensor, fy: Tensor) -> Tensor:
        return dic_transfer(fx, fy, shear, bias)

    return transmitted(values, points, factor=crossed, azimuth_deg=float(prism.azimuth_deg))


def _shear_and_bias(prism: DIC[Tensor]) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Shear along (x, y) in µm, and bias in radians."""
    azimuth = torch.deg2rad(prism.azimuth_deg)
    shear = prism.shear_um * torch.cos(azimuth), prism.shear_um * torch.sin(azimuth)
    return shear, torch.deg2rad(prism.bias_retardance_deg)

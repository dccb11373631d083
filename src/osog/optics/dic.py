"""Differential interference contrast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from osog.optics.abbe import abbe_sum, coherent_field, is_coherent
from osog.optics.optical_image import OpticalImage
from osog.optics.weak_object import weak_sum

if TYPE_CHECKING:
    from torch import Tensor

    from osog.exit_wave.wave import ExitWave
    from osog.optics.abbe import Transfer
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
    shear = values.number("microscope.modality.shear_um")
    azimuth = torch.deg2rad(values.number("microscope.modality.azimuth_deg"))
    bias = torch.deg2rad(values.number("microscope.modality.bias_retardance_deg"))
    leak = values.number("microscope.modality.extinction")
    leaking = values.given("microscope.modality.extinction") is not None or float(leak) != 0.0
    along_x, along_y = shear * torch.cos(azimuth), shear * torch.sin(azimuth)

    def angle(fx: Tensor, fy: Tensor) -> Tensor:
        return math.pi * (fx * along_x + fy * along_y) + bias / 2

    def crossed(fx: Tensor, fy: Tensor) -> Tensor:
        sine = torch.sin(angle(fx, fy))
        return torch.complex(torch.zeros_like(sine), sine)

    def parallel(fx: Tensor, fy: Tensor) -> Tensor:
        return torch.cos(angle(fx, fy))

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
    stated = torch.deg2rad(values.stated.number("microscope.modality.bias_retardance_deg"))
    wrapped = math.remainder(float(stated.detach()), 2 * math.pi)
    if abs(wrapped) > DARK_BIAS_RAD:
        irradiance = irradiance / (torch.sin(stated / 2).square() * (1 - leak) + leak)
    return OpticalImage(irradiance, field)

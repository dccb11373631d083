"""Taking out what the grids have smeared: the triangular kernel of slabs, splines, pixels.

Particles are spread over slab planes with the weights of `splat_weights`, and over samples as pixel
means. In frequency space both are products with sinc functions, which are divided out again, as in
cloud-in-cell gridding (Hockney & Eastwood 1981).
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.waves.phase_factors import sinc

if TYPE_CHECKING:
    from torch import Tensor

    from osog.waves.plane_waves import BandWaves, ForwardWaves
    from osog.waves.sampling_plan import SamplingPlan

_LEAST_DIVISOR = 0.3
"""Floor of the deconvolutions along z: what a kernel has nearly erased is not blown up."""


def triangular_kernel_transfer(kappa: Tensor, slab_um: float) -> Tensor:
    """sinc²(κ dz/2π): transfer of linear interpolation between slab planes.

    Parameters
    ----------
    kappa : Tensor
        Axial wavenumber relative to the incident wave in rad/µm.
    slab_um : float
        Spacing dz of the planes.
    """
    return sinc(kappa * (slab_um / (2 * pi))) ** 2


def cubic_spline_transfer(kappa: Tensor, slab_um: float) -> Tensor:
    """sinc⁴(κ dz/2π): transfer of cubic B-splines between slab planes; arguments as above."""
    return sinc(kappa * (slab_um / (2 * pi))) ** 4


def pixel_transfer(waves: BandWaves, plan: SamplingPlan) -> Tensor:
    """sinc(f_y p_y) sinc(f_x p_x): transfer of means over samples of the field grid, (By, Bx)."""
    return sinc(waves.fy * plan.pitch_um[0])[:, None] * sinc(waves.fx * plan.pitch_um[1])


def deconvolved(amplitude: Tensor, along: Tensor, across: Tensor) -> Tensor:
    """Divide an amplitude by the transfer of its kernels.

    Parameters
    ----------
    amplitude : Tensor
        Factor of a spectrum.
    along, across : Tensor
        Transfer along z, used down to 0.3, and within a plane.
    """
    return amplitude / (along.clamp(min=_LEAST_DIVISOR) * across)


def slab_correction(waves: ForwardWaves, plan: SamplingPlan) -> Tensor:
    """Factor of the scattered spectrum of slabs at the frequencies of the band, (S, By, Bx).

    Obliquity over the transfer of the triangular kernel and of the pixel, and one more slab of the
    decay of waves that are nearly evanescent.
    """
    inner = (slice(None), waves.rows[:, None], waves.columns)
    along = triangular_kernel_transfer(waves.kappa[inner], plan.slab_um)
    shape = deconvolved(waves.obliquity, along, pixel_transfer(waves, plan))
    return shape * torch.exp(-waves.decay[inner] * plan.slab_um)


__all__ = [
    "cubic_spline_transfer",
    "deconvolved",
    "pixel_transfer",
    "slab_correction",
    "triangular_kernel_transfer",
]

"""Taking out what the grids have smeared: the triangular kernel of slabs, splines, pixels.

Particles are spread over slab planes with the weights of `splat_weights`, and over samples as pixel
means. In frequency space both are products with sinc functions, which are divided out again, as in
cloud-in-cell gridding (Hockney & Eastwood 1981).
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.derivatives import followed
from osog.geometry.edges import SPREAD, kernel_transfer
from osog.waves.bundles import bundles
from osog.waves.phase_factors import sinc
from osog.waves.plane_waves import in_band

if TYPE_CHECKING:
    from torch import Tensor

    from osog.waves.plane_waves import BandWaves, ForwardWaves
    from osog.waves.sampling_plan import SamplingPlan

_LEAST_DIVISOR = 0.3
"""Floor of the deconvolutions along z: what a kernel has nearly erased is not blown up."""

_SHARPNESS = SPREAD**2 / 24
"""Half of the kernel's variance in samples."""
_TOGETHER = 2**26
"""Samples that a GPU sharpens at once."""
_LEAST_TRANSFER = 0.02
"""Floor of the deconvolution within a plane, beyond the frequencies that a pupil passes."""


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


def binned_transfer(waves: BandWaves, plan: SamplingPlan, parts: int) -> Tensor:
    """Transfer of bodies drawn on ``parts`` × ``parts`` sub-samples that are added, (By, Bx)."""
    y, x = waves.fy * plan.pitch_um[0], waves.fx * plan.pitch_um[1]
    kernel = kernel_transfer(torch.hypot(y[:, None], x) * (SPREAD / parts))
    along, across = (sinc(f) / sinc(f / parts) for f in (y, x))
    return kernel * along[:, None] * across


def drawing_transfer(fx: Tensor, fy: Tensor, plan: SamplingPlan) -> Tensor:
    """Transfer of the kernel with which bodies are drawn on the field grid, (By, Bx).

    Parameters
    ----------
    fx, fy : Tensor, shapes (Bx,), (By,)
        Frequencies in cycles/µm.
    plan : SamplingPlan
    """
    y, x = (fy * plan.pitch_um[0])[:, None], fx * plan.pitch_um[1]
    transfer = kernel_transfer(torch.hypot(y, x) * SPREAD)
    steep = torch.sin(pi * y) ** 2 + torch.sin(pi * x) ** 2
    return transfer.clamp(min=_LEAST_TRANSFER) * (4 * _SHARPNESS * steep + 1)


def sharpened(slabs: Tensor) -> Tensor:
    """Take back most of what the kernel has smeared, before phases become factors of the field.

    A factor exp(iφ) of smeared phases is not the smeared factor, and no division behind the
    sample can mend that. The difference to the neighbours' mean is added here, as much of it as
    restores the second moment of the kernel; the filter is periodic and its own adjoint.

    Parameters
    ----------
    slabs : Tensor, shape (K, Gy, Gx)
        Changed in place.
    """
    # One slab stays in the cache of a processor; a GPU wants much at a time.
    together = 1 if slabs.device.type == "cpu" else max(1, _TOGETHER // slabs[0].numel())
    for some in slabs.split(together):
        mean = some * (4 * _SHARPNESS)
        mean[:, 1:].sub_(some[:, :-1], alpha=_SHARPNESS)
        mean[:, :-1].sub_(some[:, 1:], alpha=_SHARPNESS)
        mean[..., 1:].sub_(some[..., :-1], alpha=_SHARPNESS)
        mean[..., :-1].sub_(some[..., 1:], alpha=_SHARPNESS)
        # The domain is periodic: a plate across all of it has no border.
        mean[:, 0].sub_(some[:, -1], alpha=_SHARPNESS)
        mean[:, -1].sub_(some[:, 0], alpha=_SHARPNESS)
        mean[..., 0].sub_(some[..., -1], alpha=_SHARPNESS)
        mean[..., -1].sub_(some[..., 0], alpha=_SHARPNESS)
        some += mean
    return slabs


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


def sharpened_copy(slabs: Tensor) -> Tensor:
    """`sharpened` by plain operations, for derivatives of any order."""
    across = slabs.roll(1, 2) + slabs.roll(-1, 2)
    around = across + slabs.roll(1, 1) + slabs.roll(-1, 1)
    return slabs + (4 * slabs - around) * _SHARPNESS


def slab_correction(waves: ForwardWaves, plan: SamplingPlan) -> Tensor:
    """Factor of the scattered spectrum of slabs at the frequencies of the band, (S, By, Bx).

    Obliquity over the transfer of the triangular kernel and of the pixel, and one more slab of the
    decay of waves that are nearly evanescent.
    """
    across = drawing_transfer(waves.fx, waves.fy, plan)

    def correction(some: slice) -> Tensor:
        kappa, decay = (
            in_band(t[some], waves.rows, waves.columns) for t in (waves.kappa, waves.decay)
        )
        along = triangular_kernel_transfer(kappa, plan.slab_um)
        shape = deconvolved(waves.obliquity[some], along, across)
        return shape * torch.exp(-decay * plan.slab_um)

    if followed(waves.kappa, waves.obliquity):
        return correction(slice(None))
    return torch.cat(
        [correction(some) for some in bundles(0, len(waves.kappa), across.numel(), across)]
    )


__all__ = [
    "binned_transfer",
    "cubic_spline_transfer",
    "deconvolved",
    "drawing_transfer",
    "sharpened",
    "sharpened_copy",
    "slab_correction",
    "triangular_kernel_transfer",
]

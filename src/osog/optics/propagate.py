"""Angular spectrum: how each plane wave turns between two depths."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def phasor(phase: Tensor) -> Tensor:
    """exp(i phase) as cosine and sine, several times faster than the complex exponential."""
    return torch.complex(torch.cos(phase), torch.sin(phase))


def propagating(fx: Tensor, fy: Tensor, wavelength_um: Tensor, medium_index: Tensor) -> Tensor:
    """Whether a plane wave of this transverse frequency travels in the medium.

    Parameters
    ----------
    fx, fy : Tensor
        Transverse frequencies in cycles/µm; they broadcast.
    wavelength_um, medium_index : 0-dim Tensor
        Vacuum wavelength and index of the medium.

    Returns
    -------
    bool Tensor
        True where |f| < n/λ. The only hard cut of the optics.
    """
    return fx * fx + fy * fy < (medium_index / wavelength_um).detach() ** 2


def axial_wavenumber(fx: Tensor, fy: Tensor, wavelength_um: Tensor, medium_index: Tensor) -> Tensor:
    """k_z = 2π √((n/λ)² − |f|²) in rad/µm; next to nothing for evanescent waves.

    Parameters
    ----------
    fx, fy : Tensor
        Transverse frequencies in cycles/µm; they broadcast.
    wavelength_um, medium_index : 0-dim Tensor
        Vacuum wavelength and index of the medium.
    """
    radius = (medium_index / wavelength_um) ** 2
    # The floor keeps the root's derivative finite; what lies there is cut by `propagating`.
    inside = (radius - fx * fx - fy * fy).clamp(min=1e-6 * float(radius.detach()))
    return 2 * math.pi * torch.sqrt(inside)


def kappa(
    fx: Tensor,
    fy: Tensor,
    source: Tensor | None,
    wavelength_um: Tensor,
    medium_index: Tensor,
) -> Tensor:
    """Axial wavenumber relative to the incident wave, κ_s(f) = k_z(f + f_s) − k_z(f_s), rad/µm.

    Parameters
    ----------
    fx, fy : Tensor
        Frequencies relative to the incident wave, cycles/µm; they broadcast.
    source : Tensor (2,), optional
        Transverse frequency (x, y) of the incident wave; on axis when omitted.
    wavelength_um, medium_index : 0-dim Tensor
        Vacuum wavelength and index of the medium.

    Notes
    -----
    Angular spectrum (Goodman, Introduction to Fourier Optics, §3.10). The difference of the two
    roots is written as −(2π)² (|f + f_s|² − |f_s|²) / (k_z(f + f_s) + k_z(f_s)), which keeps the
    3–4 digits that the difference itself loses in single precision.
    """
    if source is None:
        zero = torch.zeros_like(wavelength_um)
        source = torch.stack((zero, zero))
    sx, sy = source[0], source[1]
    rise = fx * (fx + 2 * sx) + fy * (fy + 2 * sy)
    scattered = axial_wavenumber(fx + sx, fy + sy, wavelength_um, medium_index)
    incident = axial_wavenumber(sx, sy, wavelength_um, medium_index)
    return -((2 * math.pi) ** 2) * rise / (scattered + incident)


def propagator(
    fx: Tensor,
    fy: Tensor,
    source: Tensor | None,
    distance_um: Tensor,
    wavelength_um: Tensor,
    medium_index: Tensor,
) -> Tensor:
    """exp(iκ_s(f) Δz), the free propagation by Δz along the light, 0 for evanescent waves.

    Parameters
    ----------
    fx, fy, source, wavelength_um, medium_index
        As in `kappa`.
    distance_um : 0-dim Tensor
        Δz = plane seen − plane known; positive along the light.

    Returns
    -------
    complex Tensor
        In the shape of ``fx`` and ``fy`` together.
    """
    turn = phasor(kappa(fx, fy, source, wavelength_um, medium_index) * distance_um)
    if source is not None:
        fx, fy = fx + source[0], fy + source[1]
    return turn * propagating(fx, fy, wavelength_um, medium_index)

"""Angular spectrum: how each plane wave turns between two depths."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.waves.evanescence import LEAST_COSINE, propagating, root_with_floor
from osog.waves.phase_factors import phasor

if TYPE_CHECKING:
    from torch import Tensor


def kappa(
    fx: Tensor, fy: Tensor, source: tuple[Tensor, Tensor], scattered: Tensor, incident: Tensor
) -> Tensor:
    """Axial wavenumber relative to the incident wave, κ_s(f) = k_z(f + f_s) − k_z(f_s), rad/µm.

    Parameters
    ----------
    fx, fy : Tensor
        Frequencies relative to the incident wave, cycles/µm; they broadcast.
    source : (Tensor, Tensor)
        Transverse frequency (x, y) of the incident wave.
    scattered, incident : Tensor
        k_z(f + f_s) and k_z(f_s) in rad/µm, by any rule for evanescent waves.

    Notes
    -----
    Angular spectrum (Goodman, Introduction to Fourier Optics, §3.10). The difference of the two
    roots is written as −(2π)² (|f + f_s|² − |f_s|²) / (k_z(f + f_s) + k_z(f_s)), which keeps the
    3–4 digits that the difference itself loses in single precision.
    """
    sx, sy = source
    rise = fx * (fx + 2 * sx) + fy * (fy + 2 * sy)
    return -((2 * pi) ** 2) * rise / (scattered + incident)


def axial_wavenumber(fx: Tensor, fy: Tensor, wavelength_um: Tensor, medium_index: Tensor) -> Tensor:
    """k_z = 2π √((n/λ)² − |f|²) in rad/µm; next to nothing for evanescent waves.

    Parameters
    ----------
    fx, fy : Tensor
        Transverse frequencies in cycles/µm; they broadcast.
    wavelength_um, medium_index : 0-dim Tensor
        Vacuum wavelength and index of the medium.
    """
    limit = (medium_index / wavelength_um) ** 2
    least = LEAST_COSINE**2 * float(limit.detach())
    return 2 * pi * root_with_floor(limit - fx * fx - fy * fy, least)


def defocus_per_um(
    fx: Tensor, fy: Tensor, source: Tensor | None, wavelength_um: Tensor, medium_index: Tensor
) -> Tensor:
    """κ_s(f) of the waves that a lens collects: the phase in rad per µm of defocus.

    Parameters
    ----------
    fx, fy : Tensor
        Frequencies relative to the incident wave, cycles/µm; they broadcast.
    source : Tensor (2,), optional
        Transverse frequency (x, y) of the incident wave; on axis when omitted.
    wavelength_um, medium_index : 0-dim Tensor
        Vacuum wavelength and index of the medium.
    """
    if source is None:
        zero = torch.zeros_like(wavelength_um)
        source = torch.stack((zero, zero))
    sx, sy = source[0], source[1]
    scattered = axial_wavenumber(fx + sx, fy + sy, wavelength_um, medium_index)
    incident = axial_wavenumber(sx, sy, wavelength_um, medium_index)
    return kappa(fx, fy, (sx, sy), scattered, incident)


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
        As in `defocus_per_um`.
    distance_um : 0-dim Tensor
        Δz = plane seen − plane known; positive along the light.

    Returns
    -------
    complex Tensor
        In the shape of ``fx`` and ``fy`` together.
    """
    factor = phasor(defocus_per_um(fx, fy, source, wavelength_um, medium_index) * distance_um)
    if source is not None:
        fx, fy = fx + source[0], fy + source[1]
    return factor * propagating(fx, fy, wavelength_um, medium_index)


__all__ = ["axial_wavenumber", "defocus_per_um", "kappa", "propagator"]

"""Where plane waves cease to travel: every rule of the program for waves near |f| = n/λ.

A wave of transverse frequency |f| ≥ n/λ is evanescent, and its k_z = 2π√((n/λ)² − |f|²) has no
derivative on the border. No single rule suits all who meet it; they differ in what the light still
does behind the border:

==================  =================================  =============================================
who                 rule                               why
==================  =================================  =============================================
choice of grids     `STEEPEST` 0.98 n/λ                tan α of the cone of light stays finite
slabs               fade from `FADING` 0.98 to 0.995   the field goes from slab to slab, hundreds of
                    of n/λ, then `FADED_NEPERS`        times: a hard border would let the image jump
                    per slab                           whenever a frequency crosses it
light sent back     hard border at `CUT_OFF` 0.99 n/λ  it is summed once, directly in frequencies;
                                                       k_zs/k_z would exceed 7 beyond
lens and detector   hard border at n/λ, roots not      pupils end there, softly if the NA is less;
                    below `LEAST_COSINE`² of (n/λ)²    the floor keeps derivatives finite
==================  =================================  =============================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

STEEPEST = 0.98
"""Largest sine of an angle in the medium that grids are planned for."""
FADING = (0.98, 0.995)
"""Shares of n/λ between which waves between slabs fade out."""
FADED_NEPERS = 40.0
"""Nepers that a faded wave loses from slab to slab."""
NEGLIGIBLE_NEPERS = 8.0
"""Loss from slab to slab from which the light of exact spheres is left out."""
CUT_OFF = 0.99
"""Share of n/λ from which light that is sent back counts as evanescent."""
LEAST_COSINE = 1e-3
"""Floor of k_z/k behind the sample, so that its root has a derivative."""


def decay_per_um(sine_squared: Tensor, slab_um: float) -> Tensor:
    """Loss of amplitude of waves between slabs, in nepers/µm.

    Parameters
    ----------
    sine_squared : Tensor
        (|f| λ/n)².
    slab_um : float
        Spacing of the slabs.

    Returns
    -------
    Tensor
        40 t² (3 − 2t) per slab, with t the share of the way from the square of the first border to
        that of the second; 0 up to 0.98 n/λ.
    """
    first, last = (share**2 for share in FADING)
    t = ((sine_squared - first) / (last - first)).clamp(0.0, 1.0)
    return (FADED_NEPERS / slab_um) * t**2 * (3 - 2 * t)


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


def root_within(square: Tensor, limit: Tensor, share: float) -> Tensor:
    """√(limit² − square) up to a share of the limit, and the value that it has there beyond.

    Parameters
    ----------
    square : Tensor
        Square of a transverse wavenumber.
    limit : 0-dim Tensor
        Wavenumber of the medium.
    share : float
        Below 1.
    """
    travels = square.detach() < share**2 * limit.detach() ** 2
    floor = (1 - share**2) * limit.detach() ** 2
    return torch.sqrt(torch.where(travels, limit**2 - square, floor))


def root_with_floor(square: Tensor, least: float | Tensor) -> Tensor:
    """√square with a floor that keeps the derivative finite, for waves that are cut elsewhere."""
    return torch.sqrt(square.clamp(min=least))


__all__ = [
    "CUT_OFF",
    "FADED_NEPERS",
    "FADING",
    "LEAST_COSINE",
    "NEGLIGIBLE_NEPERS",
    "STEEPEST",
    "decay_per_um",
    "propagating",
    "root_with_floor",
    "root_within",
]

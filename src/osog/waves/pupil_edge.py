"""The soft edge of a pupil, of its stops and of the rings in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

RAISED_COSINE = 1
"""Frequency steps that the usual edge extends to either side."""
SHARP = 4
"""Frequency steps of the edge that acts as a hard one within the frame."""
_SHARP_WEIGHTS = (1.0, 1.0, 0.95, 0.5, 0.05)
"""Weight of the light that lands j/8 of the domain away from the edge's ray, j = 1, 2, …"""


def soft_edge(inside: Tensor, step: float | Tensor, reach: int = RAISED_COSINE) -> Tensor:
    """Soft edge of an aperture: 1 well inside, 0 well outside, ½ on the edge.

    Parameters
    ----------
    inside : Tensor
        Distance inside the edge, f_c − |f|, in cycles/µm.
    step : float or 0-dim Tensor
        Frequency step df in cycles/µm.
    reach : int
        Steps over which it extends to either side. 1 is a raised cosine. More is the step
        function convolved with a kernel of 2 × `reach` steps that leaves the image of a hard edge
        as it is within three eighths of the domain and takes it away from five eighths on, where
        it would wrap around; it overshoots by 9 % as every band-limited step does.

    Returns
    -------
    Tensor
        With t = (f_c − |f|)/df: ½ + ½ sin(πt/2), or ½ + t/2W + Σ_j c_j sin(πjt/W)/(πj) for W =
        `reach`, t clamped to ±W. With a hard edge the derivative with respect to the NA would be
        zero.
    """
    if reach > 1:
        t = (inside / step).clamp(-reach, reach) / reach
        total = 0.5 + 0.5 * t
        for j, weight in enumerate(_SHARP_WEIGHTS, start=1):
            total = total + (weight / (math.pi * j)) * torch.sin(math.pi * j * t)
        return total
    return 0.5 + 0.5 * torch.sin(0.5 * math.pi * (inside / step).clamp(-1.0, 1.0))


__all__ = ["RAISED_COSINE", "SHARP", "soft_edge"]

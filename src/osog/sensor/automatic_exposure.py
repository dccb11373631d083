"""The exposure that gives a picture its mean grey level, as an automatic camera chooses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.derivatives import array

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

_MOST_ELECTRONS = 1e9
_HALVINGS = 60
_CLOSE_COUNTS = 1e-3


def electrons_for(
    target: float | Tensor, light: Tensor, counts: Callable[[Tensor], Tensor]
) -> Tensor:
    """Electrons at the irradiance 1 for which the mean of a noise-free picture is the target.

    Parameters
    ----------
    target : float or 0-dim Tensor
        Mean grey level.
    light : Tensor
        Irradiance per pixel.
    counts : callable
        Noise-free grey levels at an exposure, a 0-dim tensor; they do not fall as it grows.

    Returns
    -------
    0-dim Tensor
        To 0.01 counts, full wells and clipped pixels included, by halving; where the light is too
        weak for the target, 10⁹ electrons. Differentiable to any order in all that `target` and
        `counts` depend on, as long as the pixels that are full stay the same ones.
    """

    def level(at_one: float) -> Tensor:
        return counts(torch.as_tensor(at_one, dtype=light.dtype, device=light.device)).mean()

    with torch.no_grad():
        wanted = float(array(target)) if not isinstance(target, float) else target
        low, high = 0.0, 1.0
        while high < _MOST_ELECTRONS and float(array(level(high))) < wanted:
            low, high = high, 4 * high
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            now = float(array(level(middle)))
            low, high = (middle, high) if now < wanted else (low, middle)
            if abs(now - wanted) < _CLOSE_COUNTS or high - low < 1e-9 * high:
                break
    found = min(0.5 * (low + high), _MOST_ELECTRONS)
    # The level is a straight line between the exposures at which one more pixel is full: the
    # crossing of that line with the target has the derivatives of the solution.
    first, last = 0.99 * found, 1.01 * found
    below, above = level(first), level(last)
    if float(array(above)) - float(array(below)) <= 0:
        return torch.as_tensor(found, dtype=light.dtype, device=light.device)
    return first + (target - below) * ((last - first) / (above - below))

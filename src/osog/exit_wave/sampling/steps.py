"""Numbers in steps, so that a small change of a scene leaves its grids as they are."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, floor, log


def step_up(value: float, ratio: float) -> float:
    """Return the next whole power of a ratio from here upward."""
    return float(ratio ** ceil(log(value) / log(ratio) - 1e-9))


def step_down(value: float, ratio: float) -> float:
    """Return the next whole power of a ratio from here downward."""
    return float(ratio ** floor(log(value) / log(ratio) + 1e-9))


def at_least(wanted: float, steps: tuple[int, ...], most: int) -> int:
    """Return the first of ascending steps that reaches what is wanted; at most `most`."""
    for step in steps:
        if step >= min(wanted, most):
            return min(step, most)
    return most


@lru_cache(256)
def fast_length(length: float, slack: float = 0.0) -> int:
    """Even 2^a 3^b 5^c of at least `length` (less a share `slack`) with the cheapest transform."""
    best, lowest_cost = 0, float("inf")
    for a in range(1, 15):
        for b in range(9):
            for c in range(6):
                size = 2**a * 3**b * 5**c
                if length * (1 - slack) <= size < 1.3 * length + 4:
                    # Relative costs of radix 2, 3 and 5 passes, as measured.
                    cost = size**2 * (a + 1.6 * b + 2.6 * c)
                    if cost < lowest_cost:
                        best, lowest_cost = size, cost
    return best


__all__ = ["at_least", "fast_length", "step_down", "step_up"]

"""The recursions of Lorenz-Mie theory: Riccati-Bessel functions and angular functions.

Everything is computed in double precision. Of tensors it is differentiable by autograd; of arrays
of NumPy, whose operations on a few numbers cost a fifth, the results are the same. Bohren & Huffman
(1983), chapter 4 and appendix A.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osog.cancellation import raise_if_cancelled
from osog.derivatives import outside_func

Numbers = TypeVar("Numbers", Tensor, NDArray[Any])
"""Tensors, or arrays of NumPy."""
_KEPT_ANGULAR = 250_000
"""Nodes times orders of angular functions that are kept: 8 MB, a sphere of 10 µm in air."""


def functions_of(numbers: Tensor | NDArray[Any]) -> Any:
    """Module with the functions of tensors or of arrays; those used here have the same names."""
    return torch if isinstance(numbers, Tensor) else np


def constant(numbers: Numbers) -> Numbers:
    """Return the same numbers without their history."""
    return numbers.detach() if isinstance(numbers, Tensor) else numbers


def logarithmic_derivative(y: Numbers, count: int) -> Numbers:
    """ψ_n'(y)/ψ_n(y) for n = 0 … count, shape (N, count + 1), by downward recursion.

    It starts max(n, |y|) + 16 + 8 |y|^⅓ orders up, from where 14 digits are reached.
    """
    xp = functions_of(y)
    largest = float(abs(constant(y)).max())
    start = ceil(max(count, largest) + 16 + 8 * largest ** (1 / 3))
    inverse = 1 / y
    value = xp.zeros_like(y)
    kept = []
    for n in range(start, 0, -1):
        raise_if_cancelled()
        if n <= count:
            kept.append(value)
        over = n * inverse
        value = over - 1 / (value + over)
    kept.append(value)
    stacked: Numbers = xp.stack(kept[::-1], 1)
    return stacked


def riccati_bessel(y: Numbers, needed: Numbers, count: int) -> tuple[Numbers, Numbers]:
    """ψ_n(y) and ξ_n(y) = ψ_n − iχ_n for n = 0 … count, each (N, count + 1).

    ψ comes times e^−s and ξ times e^s, s = `growth_exponent`(y), for else they leave the range of
    numbers. ψ runs upward to n = |y| and from there by the stable ratio 1/(D_n + n/y), which serves
    from the start where absorption makes ψ fall with n; ξ runs upward. Both stand still beyond the
    order needed, before ξ overflows.
    """
    xp = functions_of(y)
    inverse = 1 / y
    d = logarithmic_derivative(y, count)
    edge = abs(constant(y))
    shift = growth_exponent(y)
    ahead_grown = xp.exp(1j * y + shift)
    # Where it is shifted, e^iy is next to e^−iy too small for cancellation.
    shifted, plain = shift > 0, xp.where(shift > 0, 0.0, y)
    back, ahead = xp.exp(-1j * y - shift), ahead_grown * xp.exp(-2 * shift)
    sine = xp.where(shifted, (ahead - back) / 2j, xp.sin(plain))
    cosine = xp.where(shifted, (ahead + back) / 2, xp.cos(plain))
    psi = [sine, sine * inverse - cosine]
    xi = [-1j * ahead_grown, -1j * ahead_grown * inverse - ahead_grown]
    # Below |y| ≈ 1 even the first order belongs to the ratio.
    small = edge < 1
    first_ratio = psi[0] / xp.where(small, d[:, 1] + inverse, 1.0)
    psi[1] = xp.where(small, first_ratio, psi[1])
    for n in range(2, count + 1):
        raise_if_cancelled()
        going = n <= needed
        upward = (n <= edge) & ~shifted
        ratio = psi[-1] / xp.where(upward, 1.0, d[:, n] + n * inverse)
        climbed = xp.where(upward, (2 * n - 1) * inverse * psi[-1] - psi[-2], ratio)
        grown = (2 * n - 1) * inverse * xi[-1] - xi[-2]
        psi.append(xp.where(going, climbed, psi[-1]))
        xi.append(xp.where(going, grown, xi[-1]))
    return xp.stack(psi, 1), xp.stack(xi, 1)


def growth_exponent(y: Numbers) -> Numbers:
    """Exponent by which ψ(y) grows and ξ(y) falls; 0 where it is small."""
    growth = constant(y).imag
    exponent: Numbers = functions_of(y).where(growth > 1, growth, 0.0)
    return exponent


def angular(cosine: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """π_n and τ_n, each (count, C), by upward recursion."""
    pi_n, tau_n, _, _ = angular_slopes(cosine, count)
    return pi_n, tau_n


def angular_slopes(cosine: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """π_n, τ_n and their derivatives in the cosine, each (count, C)."""
    before, now = torch.zeros_like(cosine), torch.ones_like(cosine)
    slope_before, slope = torch.zeros_like(cosine), torch.zeros_like(cosine)
    rows: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    for n in range(1, count + 1):
        raise_if_cancelled()
        if n > 1:
            following = ((2 * n - 1) * cosine * now - n * before) / (n - 1)
            steeper = ((2 * n - 1) * (now + cosine * slope) - n * slope_before) / (n - 1)
            before, now, slope_before, slope = now, following, slope, steeper
        tau = n * cosine * now - (n + 1) * before
        tau_slope = n * (now + cosine * slope) - (n + 1) * slope_before
        rows.append((now, tau, slope, tau_slope))
    first, second, third, fourth = (torch.stack(column) for column in zip(*rows, strict=True))
    return first, second, third, fourth


def angular_at_steps(
    step: float, nodes: int, count: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`angular_slopes` at evenly spaced angles from 0, which images of many spheres share.

    The last few are kept unless they are large.
    """
    make = kept_angular if nodes * count <= _KEPT_ANGULAR else _angular_at_steps
    return make(step, nodes, count, device)


def _angular_at_steps(
    step: float, nodes: int, count: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    with outside_func(), torch.inference_mode(mode=False), torch.no_grad():
        angle = torch.arange(nodes, dtype=torch.float64, device=device) * step
        return angular_slopes(torch.cos(angle), count)


kept_angular = lru_cache(maxsize=4)(_angular_at_steps)
"""The same, kept."""


__all__ = [
    "Numbers",
    "angular",
    "angular_at_steps",
    "angular_slopes",
    "constant",
    "functions_of",
    "growth_exponent",
    "kept_angular",
    "logarithmic_derivative",
    "riccati_bessel",
]

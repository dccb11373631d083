"""The recursions of Lorenz-Mie theory: Riccati-Bessel functions and angular functions.

Everything is computed in double precision and is differentiable by autograd. Bohren & Huffman
(1983), chapter 4 and appendix A.
"""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor

from osog.cancellation import raise_if_cancelled


def logarithmic_derivative(y: Tensor, count: int) -> Tensor:
    """ψ_n'(y)/ψ_n(y) for n = 0 … count, shape (N, count + 1), by downward recursion.

    It starts max(n, |y|) + 16 + 8 |y|^⅓ orders up, from where 14 digits are reached.
    """
    largest = float(y.detach().abs().max())
    start = ceil(max(count, largest) + 16 + 8 * largest ** (1 / 3))
    inverse = 1 / y
    value = torch.zeros_like(y)
    kept: list[Tensor] = []
    for n in range(start, 0, -1):
        raise_if_cancelled()
        if n <= count:
            kept.append(value)
        over = n * inverse
        value = over - 1 / (value + over)
    kept.append(value)
    return torch.stack(kept[::-1], 1)


def riccati_bessel(y: Tensor, needed: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """ψ_n(y) and ξ_n(y) = ψ_n − iχ_n for n = 0 … count, each (N, count + 1).

    ψ comes times e^−s and ξ times e^s, s = `growth_exponent`(y), for else they leave the range of
    numbers. ψ runs upward to n = |y| and from there by the stable ratio 1/(D_n + n/y), which serves
    from the start where absorption makes ψ fall with n; ξ runs upward. Both stand still beyond the
    order needed, before ξ overflows.
    """
    inverse = 1 / y
    d = logarithmic_derivative(y, count)
    edge = y.detach().abs()
    shift = growth_exponent(y)
    ahead_grown = torch.exp(1j * y + shift)
    # Where it is shifted, e^iy is next to e^−iy too small for cancellation.
    shifted, plain = shift > 0, torch.where(shift > 0, 0.0, y)
    back, ahead = torch.exp(-1j * y - shift), ahead_grown * torch.exp(-2 * shift)
    sine = torch.where(shifted, (ahead - back) / 2j, torch.sin(plain))
    cosine = torch.where(shifted, (ahead + back) / 2, torch.cos(plain))
    psi = [sine, sine * inverse - cosine]
    xi = [-1j * ahead_grown, -1j * ahead_grown * inverse - ahead_grown]
    # Below |y| ≈ 1 even the first order belongs to the ratio.
    small = edge < 1
    first_ratio = psi[0] / torch.where(small, d[:, 1] + inverse, 1.0)
    psi[1] = torch.where(small, first_ratio, psi[1])
    for n in range(2, count + 1):
        raise_if_cancelled()
        going = n <= needed
        upward = (n <= edge) & ~shifted
        ratio = psi[-1] / torch.where(upward, 1.0, d[:, n] + n * inverse)
        climbed = torch.where(upward, (2 * n - 1) * inverse * psi[-1] - psi[-2], ratio)
        grown = (2 * n - 1) * inverse * xi[-1] - xi[-2]
        psi.append(torch.where(going, climbed, psi[-1]))
        xi.append(torch.where(going, grown, xi[-1]))
    return torch.stack(psi, 1), torch.stack(xi, 1)


def growth_exponent(y: Tensor) -> Tensor:
    """Exponent by which ψ(y) grows and ξ(y) falls; 0 where it is small."""
    growth = y.detach().imag
    return torch.where(growth > 1, growth, 0.0)


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


__all__ = [
    "angular",
    "angular_slopes",
    "growth_exponent",
    "logarithmic_derivative",
    "riccati_bessel",
]

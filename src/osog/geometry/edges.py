"""Means of the profiles that silhouettes have, over a smooth kernel: roots, walls and ramps.

A body is drawn at a sample as its mean over a round kernel (1 − ρ²)^{3/2} about it, whose profile
along any direction is k(τ) = 15/16 (1 − τ²)², |τ| < 1. A mean over a square pixel has corners:
what it leaves of the frequencies that a grid cannot hold changes with the place of the body
between the samples, and with it the image. This kernel leaves ten times less.
"""

from __future__ import annotations

from math import factorial, pi, prod
from typing import Any

import torch
from torch import Tensor

from osog.derivatives import needs_plain_operations

FLOOR = 1e-12
"""Smallest argument of a square root, so that its slope stays finite."""
REACH = (7 / 3) ** 0.5
"""Half width of the kernel over half the side of the square cell of equal variance."""
SPREAD = 1.201
"""Side of that cell in samples of the grid. The transfer of the kernel is then 0 at one cycle a
sample, as that of a square pixel: walls along the grid keep their volume wherever they are."""
HAIR = 0.03
"""Shortest rise from one value to another, as a part of the kernel; what is shorter cancels."""

_START = (4 / 7, -8 / 21, 16 / 231)
"""∫ √(X − s) k ds = X^{7/2} Σ a_i X^i from where the kernel begins to hold the body (X = 0)."""
_DEEP = (-0.016427730697472914, -0.00403040791856371)
"""Beyond X = 2 it is √x (1 + a x⁻² + b x⁻⁴) with x = X − 1: what the curvature of the root takes
away, to 3e-4 and with equal slope."""
_WHOLE = 1 + _DEEP[0] + _DEEP[1]
_COVER = (5 / 4, -15 / 16, 3 / 16)
"""∫ k ds = X³ Σ a_i X^i."""
_DEPTH = (5 / 16, -3 / 16, 1 / 32)
"""∫∫ k ds² = X⁴ Σ a_i X^i."""
_SIGN = (15 / 8, -5 / 4, 3 / 8)
_ABS = (5 / 16, 15 / 16, -5 / 16, 1 / 16)
"""Means of the sign of t and of |t|: t Σ a_i t^{2i} and Σ a_i t^{2i} for |t| < 1."""


_SERIES = tuple(15 / ((-2.0) ** k * factorial(k) * prod(range(2 * k + 5, 0, -2))) for k in range(9))
"""15 j₂(q)/q² in powers of q²; its closed form cancels at small q."""


def kernel_transfer(cells: Tensor) -> Tensor:
    """Fourier transform of the kernel: 15 j₂(q)/q².

    Parameters
    ----------
    cells : Tensor
        Frequency in cycles over the side of the square cell of equal variance.
    """
    q = cells * (pi * REACH)
    square = q.clamp(max=2.0) ** 2
    near: Tensor | float = 0.0
    for coefficient in reversed(_SERIES):
        near = near * square + coefficient
    q = q.clamp(min=2.0)
    square = q * q
    far = ((3 - square) * torch.sin(q) - 3 * q * torch.cos(q)) * (15 / (square**2 * q))
    return torch.where(cells * (pi * REACH) < 2, near, far)


def root_mean(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of √e₊ for e that varies linearly across the kernel.

    Parameters
    ----------
    e : Tensor
        Level function at the sample, positive inside, curvature term included: its mean over
        the cell, p²/24 per second derivative along each side p.
    half_range : Tensor
        h > 0, p/2 times the slope of e: half the range of e over a cell of side p that has the
        variance of the kernel.

    Returns
    -------
    coverage : Tensor
        Part c of the kernel where e is positive, in [0, 1].
    covered_mean : Tensor
        Mean of √e over that part; the mean over the kernel is the product of both.
    """
    reach = half_range * REACH
    x = e / reach
    inside = (x + 1).clamp(1e-9, 2.0)
    cover = _polynomial(inside, _COVER)
    coverage = inside**3 * cover
    partly = torch.sqrt(inside) * _polynomial(inside, _START) / cover
    return coverage, torch.sqrt(reach) * (partly + _deep(x)[0] - _WHOLE)


def root_mean_product(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
    """Return the covered part and the mean of √e₊ over the kernel.

    Spheres and ellipsoids come in tens of thousands and need only the product, whose
    derivatives are written by hand.

    Parameters
    ----------
    e, half_range : Tensor
        As for `root_mean`.

    Returns
    -------
    coverage, mean : Tensor
    """
    if needs_plain_operations(e, half_range):
        coverage, mean = root_mean(e, half_range)
        return coverage, coverage * mean
    if e.requires_grad or half_range.requires_grad:
        mean = _RootMean.apply(e, half_range)  # type: ignore[no-untyped-call]
    else:
        mean = _root_mean(e, half_range)
    return coverage_of(e, half_range), mean


def coverage_of(depth: Tensor, half_range: Tensor) -> Tensor:
    """Part of the kernel that lies behind an edge, 0 to 1.

    Parameters
    ----------
    depth : Tensor
        Distance behind the edge, or a level function that is positive inside.
    half_range : Tensor
        Half of the side of the cell of equal variance, or its range of the level function.
    """
    inside = (depth / (half_range * REACH) + 1).clamp(0.0, 2.0)
    return inside**3 * _polynomial(inside, _COVER)


def covered_depth(depth: Tensor, half_range: Tensor) -> Tensor:
    """Mean depth of the part of the kernel that lies behind an edge.

    Parameters
    ----------
    depth, half_range : Tensor
        As for `coverage_of`.
    """
    reach = half_range * REACH
    x = depth / reach
    inside = (x + 1).clamp(0.0, 2.0)
    mean = inside * _polynomial(inside, _DEPTH) / _polynomial(inside, _COVER)
    return reach * (mean + (x - 1).clamp_min(0.0))


def smaller_side(pitch_um: tuple[float, float]) -> float:
    """Smaller side of a pixel, whose sides may be expressions (`exit_wave.compiled`)."""
    py, px = pitch_um
    return min(py, px) if isinstance(py, float | int) else torch.minimum(py, px)


def smooth_abs(x: Tensor, reach: Tensor) -> Tensor:
    """Mean of |x| over the kernel, whose half width is ``reach`` > 0 in units of x."""
    square = (x / reach).clamp(-1.0, 1.0) ** 2
    return reach * (_polynomial(square, _ABS) - 1) + torch.maximum(x.abs(), reach)


def smooth_sign(x: Tensor, reach: Tensor) -> Tensor:
    """Mean of the sign of x over the kernel: the slope of `smooth_abs`."""
    t = (x / reach).clamp(-1.0, 1.0)
    return t * _polynomial(t * t, _SIGN)


def smooth_clamp(x: Tensor, half: Tensor, reach: Tensor) -> Tensor:
    """Mean over the kernel of x / half, held to ± 1.

    Parameters
    ----------
    x : Tensor
    half : Tensor
        Half of the length over which it rises, floored at a hair of the kernel.
    reach : Tensor
        Half width of the kernel in units of x.
    """
    half = torch.sqrt(half * half + (HAIR * reach) ** 2)
    held = torch.maximum(torch.minimum(x, half), -half)
    # smooth_abs(x + half) − smooth_abs(x − half), without the cancellation far outside.
    bend = _bend(x + half, reach) - _bend(x - half, reach)
    return (held + bend / 2) / half


def _bend(x: Tensor, reach: Tensor) -> Tensor:
    """How much the mean of |x| over the kernel exceeds |x|."""
    t = (x.abs() / reach).clamp_max(1.0)
    return reach * (_polynomial(t * t, _ABS) - t)


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    total = x * coefficients[-1] + coefficients[-2]
    for c in coefficients[-3::-1]:
        total = total * x + c
    return total


def _deep(x: Tensor) -> tuple[Tensor, Tensor]:
    """√y (1 + a/y² + b/y⁴) of y = x held to 1 and more, and y."""
    y = x.clamp_min(1.0)
    z = (y * y).reciprocal()
    return torch.sqrt(y) * (z * (_DEEP[1] * z + _DEEP[0]) + 1), y


def _root_mean(e: Tensor, half_range: Tensor) -> Tensor:
    """Mean of √e₊, with few passes over memory."""
    reach = half_range * REACH
    x = torch.div(e, reach)
    z = x.clamp_min(1.0)
    x.add_(1.0).clamp_(0.0, 2.0)
    mean = torch.mul(x, _START[2]).add_(_START[1]).mul_(x).add_(_START[0])
    mean.mul_(torch.sqrt(x)).mul_(x)
    mean.mul_(x.mul_(x))
    deep = torch.sqrt(z)
    z.mul_(z).reciprocal_()
    deep.mul_(torch.mul(z, _DEEP[1]).add_(_DEEP[0]).mul_(z).add_(1.0))
    return mean.add_(deep).sub_(_WHOLE).mul_(reach.sqrt_())


def _slopes(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives of the mean of √e₊ in e and h."""
    reach = half_range * REACH
    x = e / reach
    inside = (x + 1).clamp(0.0, 2.0)
    power = inside * inside * torch.sqrt(inside.clamp_min(FLOOR))
    start = tuple((3.5 + i) * a for i, a in enumerate(_START))
    slope = power * _polynomial(inside, start)
    mean = power * inside * _polynomial(inside, _START)
    deep, y = _deep(x)
    z = (y * y).reciprocal()
    # Beyond the start its slope is zero, before the depth that of the depth.
    slope = torch.where(
        x < 1, slope, (z * (-3.5 * _DEEP[1] * z - 1.5 * _DEEP[0]) + 0.5) / torch.sqrt(y)
    )
    mean = mean + deep - _WHOLE
    scale = torch.rsqrt(reach)
    return slope * scale, (mean / 2 - x * slope) * (scale * REACH)


class _RootMean(torch.autograd.Function):
    """Mean of √e₊ of e and h, with hand-written derivatives.

    A chain of clamps and roots costs several times as much backward.
    """

    @staticmethod
    def forward(ctx: Any, e: Tensor, half_range: Tensor) -> Tensor:
        ctx.save_for_backward(e, half_range)
        return _root_mean(e, half_range)

    @staticmethod
    def backward(ctx: Any, *by_mean: Tensor) -> tuple[Tensor, Tensor]:
        by_e, by_range = _slopes(*ctx.saved_tensors)
        return by_mean[0] * by_e, by_mean[0] * by_range

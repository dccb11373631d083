"""Pixel means of the profiles that silhouettes have: square-root edges, ramps and walls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.derivatives import gradient_with_graph, needs_plain_operations

if TYPE_CHECKING:
    from collections.abc import Callable

FLOOR = 1e-12
"""Smallest argument of a square root, so that its slope stays finite."""
HAIR = 0.03
"""Least softening of a wall, as a part of the pixel: a wall exactly on the border of two pixels
would otherwise have a gradient in both or in none of them, as rounding decides."""


def root_mean(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel mean of √e₊ for e that varies linearly across the pixel.

    With A² = (e + h)₊ and B² = (e − h)₊ the mean is c · (2/3)(A + B² / (A + B)), where
    c = clamp(½ + e / 2h) is the covered fraction; it equals (2/3)(A² + AB + B²)/(A + B) inside
    and (2/3) A³ / 2h on the edge, and has no infinite slope.

    Parameters
    ----------
    e : Tensor
        Level function at the pixel centre, positive inside, curvature term included.
    half_range : Tensor
        h > 0, half the range of e over the pixel.

    Returns
    -------
    coverage : Tensor
        c in [0, 1].
    covered_mean : Tensor
        Mean of √e over the covered part; the pixel mean is the product of both.
    """
    if needs_plain_operations(e, half_range):
        coverage, mean = _plain_covered_mean(e, half_range)
    elif e.requires_grad or half_range.requires_grad:
        coverage, mean = _CoveredMean.apply(e, half_range)  # type: ignore[no-untyped-call]
    else:
        coverage, mean, _ = _root_mean(e, half_range)
    return coverage, mean * (2 / 3)


def root_mean_product(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
    """Return the covered fraction and 3/2 of the pixel mean.

    Spheres and ellipsoids come in tens of thousands and need only the product, whose
    derivatives are simpler than those of its factors: ∂S/∂e = c / (A + B).

    Parameters
    ----------
    e, half_range : Tensor
        As for `root_mean`.

    Returns
    -------
    coverage, scaled_mean : Tensor
        c, and 3/2 of the pixel mean of √e₊.
    """
    if needs_plain_operations(e, half_range):
        return _plain_pixel_mean(e, half_range)
    if e.requires_grad or half_range.requires_grad:
        coverage, mean = _PixelMean.apply(e, half_range)  # type: ignore[no-untyped-call]
        return coverage, mean
    coverage, mean, _ = _root_mean(e, half_range)
    return coverage, mean.mul_(coverage)


def _root_mean(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return c, 3/2 of the covered mean, and A + B, with few passes over memory."""
    a = torch.add(e, half_range).clamp_min_(FLOOR).sqrt_()
    lower = torch.sub(e, half_range).clamp_min_(FLOOR)
    half = torch.full((), 0.5, dtype=e.dtype, device=e.device)
    coverage = torch.addcdiv(half, e, half_range, value=0.5).clamp_(0, 1)
    both = torch.sqrt(lower).add_(a)
    return coverage, a.addcdiv_(lower, both), both


def _plain_covered_mean(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
    """`_root_mean` without work in place, for derivatives of any order."""
    a = (e + half_range).clamp_min(FLOOR).sqrt()
    lower = (e - half_range).clamp_min(FLOOR)
    return (0.5 + 0.5 * e / half_range).clamp(0, 1), a + lower / (lower.sqrt() + a)


def _plain_pixel_mean(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
    coverage, mean = _plain_covered_mean(e, half_range)
    return coverage, coverage * mean


class _PixelMean(torch.autograd.Function):
    """(c, c · covered mean) of e and h, with hand-written derivatives.

    A chain of clamps and roots costs three times as much backward, and multiplies 0 by
    infinity where a root starts.
    """

    @staticmethod
    def forward(ctx: Any, e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
        coverage, mean, both = _root_mean(e, half_range)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(coverage, both, e, half_range)
        return coverage, mean.mul_(coverage)

    @staticmethod
    def backward(
        ctx: Any, by_coverage: Tensor | None, by_mean: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        coverage, both, e, half_range = ctx.saved_tensors
        if torch.is_grad_enabled() or needs_plain_operations(by_coverage, by_mean):
            return _with_graph(ctx, _plain_pixel_mean, e, half_range, by_coverage, by_mean)
        by_e = by_range = None
        if by_mean is not None:
            slope = by_mean * 1.5 / both
            by_e = slope * coverage
            # Mean over the covered part of the edge, or curvature of the root inside.
            inside = (half_range / both).div_(both).mul_(-2 / 3)
            edge = coverage * torch.add(1.0, coverage, alpha=-4 / 3)
            by_range = slope.mul_(torch.where(coverage < 1, edge, inside))
        return _with_coverage(by_coverage, coverage, half_range, by_e, by_range)


class _CoveredMean(torch.autograd.Function):
    """(c, covered mean) of e and h, with hand-written derivatives."""

    @staticmethod
    def forward(ctx: Any, e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
        coverage, mean, both = _root_mean(e, half_range)
        a = (e + half_range).clamp_min_(FLOOR).sqrt_()
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(coverage, both, e, half_range, a)
        return coverage, mean

    @staticmethod
    def backward(
        ctx: Any, by_coverage: Tensor | None, by_mean: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        coverage, both, e, half_range, a = ctx.saved_tensors
        if torch.is_grad_enabled() or needs_plain_operations(by_coverage, by_mean):
            return _with_graph(ctx, _plain_covered_mean, e, half_range, by_coverage, by_mean)
        by_e = by_range = None
        if by_mean is not None:
            slope = by_mean * 0.5 / (both * both)
            # ∂/∂A² = (A + 2B) / 2(A + B)², ∂/∂B² = (2A + B) / 2(A + B)².
            by_upper = torch.where(coverage > 0, slope * (2 * both - a), 0.0)
            by_lower = torch.where(coverage < 1, 0.0, slope * (both + a))
            by_e, by_range = by_upper + by_lower, by_upper - by_lower
        return _with_coverage(by_coverage, coverage, half_range, by_e, by_range)


def _with_graph(
    ctx: Any,
    function: Callable[..., Any],
    e: Tensor,
    half_range: Tensor,
    by_coverage: Tensor | None,
    by_mean: Tensor | None,
) -> tuple[Tensor | None, Tensor | None]:
    by_e, by_range = gradient_with_graph(
        function, (e, half_range), ctx.needs_input_grad, (by_coverage, by_mean)
    )
    return by_e, by_range


def _with_coverage(
    by_coverage: Tensor | None,
    coverage: Tensor,
    half_range: Tensor,
    by_e: Tensor | None,
    by_range: Tensor | None,
) -> tuple[Tensor | None, Tensor | None]:
    """Add the derivatives of c = clamp(½ + e / 2h) to those in e and h."""
    if by_coverage is None:
        return by_e, by_range
    slope = torch.where((coverage > 0) & (coverage < 1), by_coverage / half_range, 0.0)
    across = slope * (0.5 - coverage)
    slope = slope * 0.5
    return (
        slope if by_e is None else by_e + slope,
        across if by_range is None else by_range + across,
    )


def step_mean(depth: Tensor, wide: Tensor, narrow: Tensor) -> Tensor:
    """Cumulative of two boxes one after another: the part of a pixel that a half-plane covers.

    Parameters
    ----------
    depth : Tensor
        Signed distance of the pixel centre behind the edge.
    wide, narrow : Tensor
        Widths of the pixel's sides seen along the edge's normal, wide ≥ narrow ≥ 0.

    Returns
    -------
    Tensor
        0 to 1.
    """
    return (_rise(depth, wide, narrow) / wide + 0.5).clamp(0, 1)


def _rise(offset: Tensor, wide: Tensor, narrow: Tensor) -> Tensor:
    """Return wide · (cumulative of two boxes − ½), without the cancellation of squares."""
    # Not abs() and sign(): their slopes vanish at 0, where a wall crosses a pixel's centre.
    side = torch.copysign(offset.new_ones(()), offset.detach())
    distance = offset * side
    inner = (wide - narrow) / 2
    bend = torch.minimum((distance - inner).clamp_min(0), narrow)
    bent = bend - bend * bend * (0.5 / (narrow + FLOOR))
    return side * (torch.minimum(distance, inner) + bent)


def box_overlap(x: Tensor, first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """Convolution of three unit boxes, one after another, at the offset x.

    The chord through a rectangle that lies obliquely is the convolution of two boxes; the
    pixel is the third. Written with the widths sorted, so that any of them may vanish.

    Parameters
    ----------
    x : Tensor
        Offset from the common centre.
    first, second, third : Tensor
        Widths ≥ 0, at least one of them positive.

    Returns
    -------
    Tensor
        Value of the unit-area spline.
    """
    low, high = torch.minimum(first, second), torch.maximum(first, second)
    widest = torch.maximum(high, third)
    middle = torch.maximum(low, torch.minimum(high, third))
    narrow = torch.minimum(low, third)
    half = widest / 2
    both = _rise(half + x, middle, narrow) + _rise(half - x, middle, narrow)
    return both / (widest * middle + FLOOR)

"""Pixel means of the profiles that silhouettes have: square-root edges, ramps and walls."""

from __future__ import annotations

import torch
from torch import Tensor

FLOOR = 1e-12
"""Smallest argument of a square root, so that its slope stays finite."""


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
    coverage, mean = _root_mean(e, half_range)
    return coverage, mean * (2 / 3)


def _root_mean(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
    a = (e + half_range).clamp_min(FLOOR).sqrt()
    lower = (e - half_range).clamp_min(FLOOR)
    half = torch.full((), 0.5, dtype=e.dtype, device=e.device)
    coverage = torch.addcdiv(half, e, half_range, value=0.5).clamp(0, 1)
    return coverage, torch.addcdiv(a, lower, a + lower.sqrt())


def root_mean_product(e: Tensor, half_range: Tensor) -> tuple[Tensor, Tensor]:
    """Return the covered fraction and 3/2 of the pixel mean; both arguments may be overwritten.

    The same numbers as `root_mean`, with half the memory traffic where no gradient is wanted:
    spheres and ellipsoids come in tens of thousands.
    """
    if e.requires_grad or half_range.requires_grad:
        coverage, mean = _root_mean(e, half_range)
        return coverage, mean * coverage
    a = torch.add(e, half_range).clamp_min_(FLOOR).sqrt_()
    lower = torch.sub(e, half_range).clamp_min_(FLOOR)
    half = torch.full((), 0.5, dtype=e.dtype, device=e.device)
    coverage = torch.addcdiv(half, e, half_range, value=0.5).clamp_(0, 1)
    torch.sqrt(lower, out=half_range).add_(a)
    return coverage, a.addcdiv_(lower, half_range).mul_(coverage)


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

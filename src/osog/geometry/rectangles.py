"""Rectangles of least area around silhouettes."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

_DIRECTIONS = 720
"""Directions around an outline, a multiple of 4: half a degree."""


def least_rectangle(
    corner: Tensor, mask: Tensor, normals: Tensor, usable: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Least rectangle around polygons, with a side along one of their edges.

    Parameters
    ----------
    corner : Tensor, shape (n, V, 2)
    mask : Tensor, shape (n, V), bool
        False where a corner is padding.
    normals : Tensor, shape (n, E, 2)
        Unit normals of the edges.
    usable : Tensor, shape (n, E), bool
        False where an edge is padding.

    Returns
    -------
    centre, half, angle : Tensor, shape (n, 2), (n, 2) and (n,)
        As in `Shape.box`.
    """
    along = torch.stack([-normals[..., 1], normals[..., 0]], dim=-1)

    def extent(direction: Tensor) -> tuple[Tensor, Tensor]:
        reach = direction @ corner.transpose(-1, -2)
        low = torch.where(mask[:, None, :], reach, torch.inf).amin(-1)
        high = torch.where(mask[:, None, :], reach, -torch.inf).amax(-1)
        return (low + high) / 2, (high - low) / 2

    (mid_a, half_a), (mid_n, half_n) = extent(along), extent(normals)
    best = torch.where(usable, half_a * half_n, torch.inf).argmin(-1, keepdim=True)

    def pick(values: Tensor) -> Tensor:
        return torch.gather(values, 1, best)

    direction = torch.gather(along, 1, best[..., None].expand(-1, -1, 2)).squeeze(1)
    across = torch.gather(normals, 1, best[..., None].expand(-1, -1, 2)).squeeze(1)
    centre = pick(mid_a) * direction + pick(mid_n) * across
    half = torch.cat([pick(half_a), pick(half_n)], dim=-1)
    return centre, half, torch.atan2(direction[:, 1], direction[:, 0])


def least_rectangle_of_outline(
    outline: Callable[[Tensor], Tensor], like: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Least rectangle around silhouettes, among directions half a degree apart.

    Parameters
    ----------
    outline : callable
        Points (n, V, 2) of the silhouettes that lie farthest along unit vectors (V, 2).
    like : Tensor
        Gives type and device.

    Returns
    -------
    centre, half, angle : Tensor, shape (n, 2), (n, 2) and (n,)
        As in `Shape.box`.
    """
    direction, angle = support_directions(like)
    # Of all points and not only of the one that belongs to the direction: outlines may be uneven.
    return least_rectangle_of_support(
        (outline(direction) @ direction.transpose(-1, -2)).amax(1), direction, angle
    )


def support_directions(like: Tensor) -> tuple[Tensor, Tensor]:
    """Directions (V, 2) half a degree apart, and their angles (V,)."""
    angle = torch.arange(_DIRECTIONS, dtype=like.dtype, device=like.device) * (2 * pi / _DIRECTIONS)
    return torch.stack([angle.cos(), angle.sin()], dim=-1), angle


def least_rectangle_of_support(
    reach: Tensor, direction: Tensor, angle: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Least rectangle around bodies that reach so far (n, V) along `support_directions`."""
    high, low = reach, -reach.roll(_DIRECTIONS // 2, -1)
    middle, half = (high + low) / 2, (high - low) / 2
    quarter = _DIRECTIONS // 4
    across = half.roll(-quarter, -1)
    best = (half * across)[:, :quarter].argmin(-1, keepdim=True)

    def pick(values: Tensor) -> Tensor:
        return torch.gather(values, 1, best)

    first, second = direction[best[:, 0]], direction[best[:, 0] + quarter]
    centre = pick(middle) * first + pick(middle.roll(-quarter, -1)) * second
    return centre, torch.cat([pick(half), pick(across)], dim=-1), angle[best[:, 0]]

"""Points around convex bodies, for tests of contact."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from osog.derivatives import array

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from osog.geometry.shape import Bodies

Array = NDArray[np.float64]


@lru_cache(maxsize=1)
def around_ball() -> Array:
    """Corners (V, 3) of a polyhedron that holds the unit ball and reaches 1 % farther."""
    from scipy.spatial import ConvexHull  # a quarter of a second that few need

    points = even_directions(420)
    nearest = float(-ConvexHull(points).equations[:, 3].max())
    result: Array = points / nearest
    return result


def even_directions(count: int) -> Array:
    """Unit vectors (count, 3) spread evenly over the sphere, along a spiral of the golden angle."""
    k = np.arange(count) + 0.5
    height, turn = 1 - 2 * k / count, np.pi * (1 + np.sqrt(5)) * k
    across = np.sqrt(1 - height**2)
    return np.stack([across * np.cos(turn), across * np.sin(turn), height], 1)


def hull_of_outlines(
    outline: Callable[[Bodies, Tensor], Tensor], bodies: Bodies
) -> tuple[Tensor, Tensor]:
    """Corners between 120 planes that touch each body, found by looking at it from many sides.

    Parameters and returns as for `Shape.outline` and `Shape.hull`.
    """
    from scipy.spatial import HalfspaceIntersection

    like = bodies.size
    normals = torch.arange(90, dtype=like.dtype, device=like.device) * (2 * np.pi / 90)
    flat = torch.stack([normals.cos(), normals.sin()], -1)
    directions = even_directions(120)
    reach = np.empty((len(like), len(directions)))
    for k, (x, y, z) in enumerate(directions):
        # The turn that lays this direction of the body along the world's x.
        half = np.array([1 + x, 0.0, z, -y])
        if np.linalg.norm(half) < 1e-6:
            half = np.array([0.0, 0.0, 0.0, 1.0])
        laid = like.new_tensor(half / np.linalg.norm(half)).expand(len(like), 4)
        seen = outline(bodies.laid(laid), flat)
        reach[:, k] = array(seen[..., 0].amax(-1))
    reach *= 1.001  # the outline was looked at every four degrees
    sets = []
    for row in reach:
        planes = np.concatenate([directions, -row[:, None]], 1)
        sets.append(HalfspaceIntersection(planes, np.zeros(3)).intersections)
    widest = max((len(points) for points in sets), default=0)
    padded = [np.concatenate([p, np.repeat(p[:1], widest - len(p), 0)]) for p in sets]
    return like.new_tensor(np.array(padded).reshape(-1, widest, 3)), like.new_zeros(len(like))

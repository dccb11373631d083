"""Points around convex bodies, for tests of contact."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from osog.derivatives import array

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

Array = NDArray[np.float64]

_AROUND = 32
_SIDES = 9
_ROOM = 1.005
"""What points that go evenly around an outline may miss of its farthest."""


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
    outline: Callable[[Tensor, Tensor], Tensor], like: Tensor
) -> tuple[Tensor, Tensor]:
    """Corners between 290 planes that touch each body, found by looking at it from nine sides.

    Parameters
    ----------
    outline : callable
        Points (n, V, 2) around the silhouettes of the bodies, from the quaternions (n, 4) that
        turn them and the directions (V, 2).
    like : Tensor, shape (n, ...)
        Dtype, device and number of bodies.

    Returns
    -------
    points, radius
        As for `Shape.hull`.
    """
    from scipy.spatial import HalfspaceIntersection

    turn = np.arange(_AROUND) * (2 * np.pi / _AROUND)
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    fine = np.arange(4 * _AROUND) * (np.pi / (2 * _AROUND))
    rim = like.new_tensor(np.stack([np.cos(fine), np.sin(fine)], 1))
    directions, reach = [], []
    for side in np.arange(_SIDES) * (np.pi / _SIDES):
        # Turned about its own x axis, so that each look shows a circle of directions through x.
        half = [np.cos(side / 2), np.sin(side / 2), 0.0, 0.0]
        laid = like.new_tensor(half).expand(len(like), 4)
        seen = array(outline(laid, rim)).astype(np.float64)
        apart = (seen @ circle.T).max(1)
        x, y = circle.T
        around = np.stack([x, y * np.cos(side), -y * np.sin(side)], 1)
        # The ends of the x axis are seen in every look.
        kept = np.ones(_AROUND, bool) if side == 0 else np.abs(y) > 1e-9
        directions.append(around[kept])
        reach.append(apart[:, kept])
    normals, distance = np.concatenate(directions), np.concatenate(reach, 1) * _ROOM
    sets = []
    for row in distance:
        planes = np.concatenate([normals, -row[:, None]], 1)
        sets.append(HalfspaceIntersection(planes, np.zeros(3)).intersections)
    widest = max((len(points) for points in sets), default=0)
    padded = [np.concatenate([p, np.repeat(p[:1], widest - len(p), 0)]) for p in sets]
    return like.new_tensor(np.array(padded).reshape(-1, widest, 3)), like.new_zeros(len(like))

"""Polygons in the image plane: cut at the frame, and the least rectangle around them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cut(polygon: Array, shape: tuple[int, int]) -> Array:
    """Cut a polygon at the frame, side by side (Sutherland & Hodgman 1974).

    Parameters
    ----------
    polygon : ndarray, shape (k, 2)
        Corners (x, y) in px, in order; the frame reaches from −½ to X − ½ and Y − ½.
    shape : tuple of int
        (Y, X).

    Returns
    -------
    ndarray, shape (m, 2)
        Empty where nothing is inside.
    """
    limits = ((0, -0.5, 1), (0, shape[1] - 0.5, -1), (1, -0.5, 1), (1, shape[0] - 0.5, -1))
    for axis, limit, side in limits:
        if not len(polygon):
            break
        distance = side * (polygon[:, axis] - limit)
        inside = distance >= 0
        if inside.all():
            continue
        after = np.concatenate([polygon[1:], polygon[:1]])
        next_distance = np.concatenate([distance[1:], distance[:1]])
        leaves = inside != np.concatenate([inside[1:], inside[:1]])
        with np.errstate(divide="ignore", invalid="ignore"):
            share = distance / (distance - next_distance)
            crossing = polygon + share[:, None] * (after - polygon)
        both = np.stack([polygon, crossing], 1).reshape(-1, 2)
        polygon = both[np.stack([inside, leaves], 1).reshape(-1)]
    return polygon


def hull(points: Array) -> Array:
    """Convex hull of points (k, 2), in order (monotone chain, Andrew 1979)."""
    ordered = sorted(set(map(tuple, points.tolist())))
    if len(ordered) < 3:
        return np.array(ordered).reshape(-1, 2)

    # Plain numbers: for the few corners of a box, arrays cost more than the sums.
    def chain(sequence: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
        out: list[tuple[float, ...]] = []
        for x, y in sequence:
            while len(out) > 1:
                (x0, y0), (x1, y1) = out[-2:]
                if (x1 - x0) * (y - y1) - (y1 - y0) * (x - x1) > 0:
                    break
                out.pop()
            out.append((x, y))
        return out[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))


def least_rectangle(points: Array) -> Array:
    """Rectangle of least area around points; one of its sides lies on their hull.

    Parameters
    ----------
    points : ndarray, shape (k, 2)

    Returns
    -------
    ndarray, shape (5,)
        Centre x, y, width ≥ height, angle of the width in [−π/2, π/2); zeros without points.
    """
    corners = hull(points)
    if not len(corners):
        return np.zeros(5)
    edges = np.roll(corners, -1, 0) - corners
    edges = edges[np.hypot(*edges.T) > 1e-9]
    if not len(edges):
        return np.array([*corners[0], 0.0, 0.0, 0.0])
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    along = np.stack([np.cos(angles), np.sin(angles)], -1)
    across = np.stack([-along[:, 1], along[:, 0]], -1)
    reach_a, reach_c = corners @ along.T, corners @ across.T
    width, height = np.ptp(reach_a, axis=0), np.ptp(reach_c, axis=0)
    # Equal areas: the first by angle, so that the answer does not hang on rounding.
    best = int(np.argmin(np.round(width * height, 6)))
    middle_a = (reach_a[:, best].max() + reach_a[:, best].min()) / 2
    middle_c = (reach_c[:, best].max() + reach_c[:, best].min()) / 2
    centre = middle_a * along[best] + middle_c * across[best]
    return upright(np.array([*centre, width[best], height[best], angles[best]]))


def upright(box: Array) -> Array:
    """Return a box (5,) with width ≥ height and its angle in [−π/2, π/2)."""
    x, y, width, height, angle = box
    if height > width:
        width, height, angle = height, width, angle + math.pi / 2
    return np.array([x, y, width, height, (angle + math.pi / 2) % math.pi - math.pi / 2])


def area(polygon: Array) -> float:
    """Area of a polygon (k, 2)."""
    if len(polygon) < 3:
        return 0.0
    x, y = polygon.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)

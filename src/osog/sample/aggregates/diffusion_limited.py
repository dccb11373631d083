"""Clusters with a stated fractal dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.sample.aggregates.parts import (
    Array,
    Members,
    Seed,
    along,
    any_rotation,
    turn_about,
)

if TYPE_CHECKING:
    from osog.scene.aggregates import DiffusionLimited

_TRIES = 60
_STRAY = (0.0, -0.02, 0.02, -0.05, 0.05, -0.1, 0.1, -0.2, 0.2, 0.4)
"""Shares by which the distance of two middles is changed when clusters do not fit together."""


def diffusion_limited(model: DiffusionLimited, seed: Seed) -> Members:
    """Join the two smallest clusters until one is left."""
    radius = float(seed.half.min())
    clusters = [np.zeros((1, 3)) for _ in range(seed.members)]
    while len(clusters) > 1:
        clusters.sort(key=len)
        first, second = clusters.pop(0), clusters.pop(0)
        wanted = _distance(first, second, model, radius)
        clusters.append(_joined(first, second, wanted, radius, seed.rng))
    offset = clusters[0]
    rotation = np.array([any_rotation(seed.rng) for _ in offset])
    return Members(offset, rotation, seed.factors(len(offset)))


def gyration(points: Array, radius: float) -> float:
    """Squared radius of gyration of equal balls about their mean."""
    return float(((points - points.mean(0)) ** 2).sum(1).mean()) + 0.6 * radius**2


def _distance(first: Array, second: Array, model: DiffusionLimited, radius: float) -> float:
    """Distance of both middles with which the joined cluster obeys the law."""
    n, m = len(first), len(second)
    total = n + m
    wanted = radius**2 * (total / model.prefactor) ** (2 / model.fractal_dimension)
    own = n * gyration(first, radius) + m * gyration(second, radius)
    square = (total * wanted - own) * total / (n * m)
    return float(np.sqrt(max(square, (2 * radius) ** 2)))


def _joined(
    first: Array, second: Array, wanted: float, radius: float, rng: np.random.Generator
) -> Array:
    """Both clusters with one contact and no overlap, their middles as far apart as wanted."""
    reach_a, reach_b = (np.linalg.norm(points, axis=1) for points in (first, second))
    farthest = reach_a.max() + reach_b.max() + 2 * radius
    for stray in _STRAY:
        distance = min(wanted * (1 + stray), farthest)
        near = np.maximum(distance - reach_a[:, None], np.abs(reach_b - 2 * radius))
        far = np.minimum(distance + reach_a[:, None], reach_b + 2 * radius)
        pairs = np.argwhere(near <= far)
        for _ in range(_TRIES if len(pairs) else 0):
            i, j = pairs[rng.integers(len(pairs))]
            placed = _touching(
                first, second, (i, j), distance, (near[i, j], far[i, j]), radius, rng
            )
            if placed is None:
                continue
            a, b = placed
            apart = ((a[:, None] - b[None]) ** 2).sum(2)
            if apart.min() >= (2 * radius * (1 - 1e-6)) ** 2:
                both = np.concatenate([a, b])
                result: Array = both - both.mean(0)
                return result
    return _from_afar(first, second, radius, rng)


def _touching(
    first: Array,
    second: Array,
    pair: tuple[int, int],
    distance: float,
    bounds: tuple[float, float],
    radius: float,
    rng: np.random.Generator,
) -> tuple[Array, Array] | None:
    """Turn both clusters so that two of their balls touch."""
    own, other = first[pair[0]], second[pair[1]]
    r, s = float(np.linalg.norm(own)), float(np.linalg.norm(other))
    x = np.array([1.0, 0.0, 0.0])
    middle = distance * x
    # The first ball lies at this distance from the second cluster's middle …
    away = rng.uniform(*bounds)
    if r > 1e-9 * radius:
        cosine = np.clip((r**2 + distance**2 - away**2) / (2 * r * distance), -1, 1)
        place = r * np.array([cosine, np.sqrt(1 - cosine**2), 0.0])
    else:
        place, away = np.zeros(3), distance
    # … and the second one on a circle about the line from there to that ball.
    towards = (place - middle) / away if away > 0 else x
    if s > 1e-9 * radius:
        cosine = (s**2 + away**2 - (2 * radius) ** 2) / (2 * s * away) if away > 0 else 2.0
        if abs(cosine) > 1:
            return None
        frame = along(towards, 2 * np.pi * rng.uniform())
        reach = frame @ np.array([cosine, np.sqrt(1 - cosine**2), 0.0])
        b = second @ _taking(other / s, reach, rng).T + middle
    elif abs(away - 2 * radius) < 1e-6 * radius:
        b = second + middle
    else:
        return None
    a = first @ (_taking(own / r, place / r, rng) if r > 1e-9 * radius else any_rotation(rng)).T
    return a, b


def _taking(start: Array, end: Array, rng: np.random.Generator) -> Array:
    """Rotation that takes one unit vector to another, with any spin about it."""
    spin = turn_about(end, 2 * np.pi * rng.uniform())
    result: Array = spin @ along(end, 0.0) @ along(start, 0.0).T
    return result


def _from_afar(first: Array, second: Array, radius: float, rng: np.random.Generator) -> Array:
    """Let the second cluster come on a straight line until it touches the first."""
    back, turned = any_rotation(rng)[0], second @ any_rotation(rng).T
    stop = -np.inf
    for ball in turned:
        aim = first - ball
        along_back = aim @ back
        aside = (aim**2).sum(1) - along_back**2
        free = (2 * radius) ** 2 - aside
        if (free > 0).any():
            stop = max(stop, float((along_back + np.sqrt(np.clip(free, 0, None)))[free > 0].max()))
    both = np.concatenate([first, turned + max(stop, 2 * radius) * back])
    result: Array = both - both.mean(0)
    return result

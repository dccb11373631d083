"""Smaller bodies on the surface of one, or grown into its faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.sample.aggregates.parts import Heap, Members, Seed, any_rotation, turn_about

if TYPE_CHECKING:
    from osog.sample.aggregates.parts import Array
    from osog.scene.aggregates import Intergrown, Satellites


def satellites(model: Satellites, seed: Seed) -> Members:
    """Let smaller bodies, turned at random, come to the first one."""
    return _around_first(model, seed, [any_rotation(seed.rng) for _ in range(seed.members)])


def intergrown(model: Intergrown, seed: Seed) -> Members:
    """Let smaller bodies come to the first one nearly parallel to it."""
    angles = np.deg2rad(model.misorientation_deg) * seed.normal(seed.members)
    return _around_first(model, seed, [turn_about(seed.direction(), a) for a in angles])


def _around_first(model: Satellites, seed: Seed, rotations: list[Array]) -> Members:
    heap = Heap(seed)
    heap.add(np.zeros(3), np.eye(3), 1.0)
    corners = seed.body.points
    factors = model.size_ratio * seed.factors(seed.members)
    for rotation, factor in zip(rotations[1:], factors[1:], strict=True):
        # Long bodies are hit all along them, not in the middle alone.
        aim = seed.rng.dirichlet(np.full(min(len(corners), 8), 0.5)) @ _some(corners, seed)
        push = model.embedded * 2 * factor * float(seed.half.min())
        heap.come(aim, seed.direction(), rotation, factor, push, among=0)
    return heap.members()


def _some(corners: Array, seed: Seed) -> Array:
    """Up to eight of the corners."""
    if len(corners) <= 8:
        return corners
    return corners[seed.rng.choice(len(corners), 8, replace=False)]

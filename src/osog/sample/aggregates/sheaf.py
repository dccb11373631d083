"""Bundles that are tied in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.sample.aggregates.parts import Members, Seed, tilted, turn_about

if TYPE_CHECKING:
    from osog.scene.aggregates import Sheaf


def sheaf(model: Sheaf, seed: Seed) -> Members:
    """Let all bodies pass through the waist, each in a direction of its own."""
    count = seed.members
    x = np.array([1.0, 0.0, 0.0])
    rolls = seed.rng.uniform(0, 2 * np.pi, count)
    rotation = np.array([tilted(seed, model.spread_deg) @ turn_about(x, r) for r in rolls])
    offset = model.waist_um * seed.normal(count, 3)
    offset[:, 0] = 0.1 * seed.half[0] * seed.normal(count)  # ends that are not all in one place
    return Members(offset, rotation, seed.factors(count))

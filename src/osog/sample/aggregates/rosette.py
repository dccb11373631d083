"""Bodies that grow out of one point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.sample.aggregates.parts import Members, Seed, along, tilted

if TYPE_CHECKING:
    from osog.scene.aggregates import Rosette


def rosette(model: Rosette, seed: Seed) -> Members:
    """Spread directions over the cap along a spiral of the golden angle."""
    count, rng = seed.members, seed.rng
    lowest = np.cos(np.deg2rad(model.cap_deg))
    height = 1 - (1 - lowest) * (np.arange(count) + 0.5) / count
    turn = np.pi * (1 + np.sqrt(5)) * np.arange(count) + 2 * np.pi * rng.uniform()
    aside = np.sqrt(np.clip(1 - height**2, 0, None))
    even = np.stack([height, aside * np.cos(turn), aside * np.sin(turn)], 1)
    rolls = rng.uniform(0, 2 * np.pi, count)
    rotation = np.array(
        [
            along(direction, roll) @ tilted(seed, model.jitter_deg)
            for direction, roll in zip(even, rolls, strict=True)
        ]
    )
    factor = seed.factors(count)
    length = model.core_um + factor * seed.half[0]
    return Members(rotation[:, :, 0] * length[:, None], rotation, factor)

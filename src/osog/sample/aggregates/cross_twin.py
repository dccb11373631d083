"""Bodies grown through one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.sample.aggregates.parts import Members, Seed, turn_about

if TYPE_CHECKING:
    from osog.scene.aggregates import CrossTwin


def cross_twin(model: CrossTwin, seed: Seed) -> Members:
    """Turn each body against the one before about the third axis of both."""
    steps = np.arange(model.members) - 0.5 * (model.members - 1)
    turns = np.deg2rad(model.angle_deg) * steps
    rotation = np.array([turn_about(np.array([0.0, 0.0, 1.0]), turn) for turn in turns])
    return Members(np.zeros((model.members, 3)), rotation, seed.factors(model.members))

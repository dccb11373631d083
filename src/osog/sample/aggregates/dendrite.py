"""A trunk with arms, and arms of arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.sample.aggregates.parts import Array, Members, Seed, turn_about

if TYPE_CHECKING:
    from osog.scene.aggregates import Dendrite

_SMALLEST = 0.03
"""Arms that are shorter than this share of the trunk are left out."""


def dendrite(model: Dendrite, seed: Seed) -> Members:
    """Grow arms out of the trunk's axis; they lengthen evenly from the tip to the foot."""
    half = float(seed.half[0])
    found: list[tuple[Array, Array, float]] = [(np.zeros(3), np.eye(3), 1.0)]
    grown = list(found)
    for _ in range(model.generations):
        grown = [arm for parent in grown for arm in _arms(parent, half, model, seed)]
        found += grown
    offset, rotation, factor = (np.array(column) for column in zip(*found, strict=True))
    return Members(offset, rotation, factor).centred()


def _arms(
    parent: tuple[Array, Array, float], half: float, model: Dendrite, seed: Seed
) -> list[tuple[Array, Array, float]]:
    """Arms of one member: their middles, rotations and factors."""
    middle, frame, size = parent
    x, z = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
    arms = []
    count = max(1, round(model.arms * size)) if size < 1 else model.arms
    for side in range(model.fold):
        spin = turn_about(x, 2 * np.pi * side / model.fold)
        rotation = frame @ spin @ turn_about(z, np.deg2rad(model.angle_deg))
        for place in (np.arange(count) + 0.5) / count:  # 0 at the foot, 1 at the tip
            factor = size * model.ratio * (1 - place) * float(seed.factors(1)[0])
            if factor < _SMALLEST:
                continue
            root = middle + frame @ x * half * size * (2 * place - 1)
            arms.append((root + rotation @ x * half * factor, rotation, factor))
    return arms

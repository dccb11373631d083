"""Bodies on top of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.sample.aggregates.parts import Heap, Members, Seed, turn_about

if TYPE_CHECKING:
    from osog.scene.aggregates import Stack


def stack(model: Stack, seed: Seed) -> Members:
    """Lay each body on the one before, along the shortest of its axes."""
    axis = np.eye(3)[int(seed.half.argmin())]
    twist = np.deg2rad(model.twist_deg) * seed.normal(seed.members)
    shift = model.shift * seed.normal(seed.members, 3) * seed.half * (1 - axis)
    heap = Heap(seed)
    for k, factor in enumerate(seed.factors(seed.members)):
        rotation = turn_about(axis, twist[k])
        if k == 0:
            heap.add(shift[k], rotation, factor)
        else:
            last = float(heap.bodies[-1][1] @ axis)
            heap.come(last * axis + shift[k], axis, rotation, factor, among=k - 1)
    return heap.members().centred()

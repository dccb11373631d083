"""Bodies that stick where they meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.sample.aggregates.parts import Heap, Members, Seed, any_rotation

if TYPE_CHECKING:
    from osog.scene.aggregates import RandomHeap


def random_heap(model: RandomHeap, seed: Seed) -> Members:
    """Let one body after the other come to a random one of those that are there."""
    heap, factors = Heap(seed), seed.factors(seed.members)
    heap.add(np.zeros(3), any_rotation(seed.rng), factors[0])
    push = model.overlap * float(seed.half.min())
    for factor in factors[1:]:
        aim = heap.bodies[int(seed.rng.integers(len(heap.bodies)))][1]
        heap.come(aim, seed.direction(), any_rotation(seed.rng), factor, push * factor)
    return heap.members().centred()

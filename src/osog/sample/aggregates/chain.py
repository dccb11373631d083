"""Bodies end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.sample.aggregates.parts import Heap, Members, Seed, tilted, turn_about

if TYPE_CHECKING:
    from osog.scene.aggregates import Chain


def chain(model: Chain, seed: Seed) -> Members:
    """Let each body touch the end of the one before, with a bend between them."""
    x, heap = np.array([1.0, 0.0, 0.0]), Heap(seed)
    rotation = np.eye(3)
    for k, factor in enumerate(seed.factors(seed.members)):
        if k == 0:
            heap.add(np.zeros(3), rotation, factor)
            continue
        spin = turn_about(x, 2 * np.pi * seed.rng.uniform())
        following = rotation @ spin @ tilted(seed, model.bend_deg) @ spin.T
        back = rotation @ x + following @ x
        back = back / max(float(np.linalg.norm(back)), 1e-9)
        heap.come(heap.bodies[-1][1], back, following, factor, among=k - 1)
        rotation = following
    return heap.members().centred()

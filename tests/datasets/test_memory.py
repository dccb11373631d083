"""Streams that run for days hold no more memory than on the first day."""

from __future__ import annotations

import gc
import tracemalloc

import torch

from osog.datasets import stream


def held() -> int:
    """Bytes of all tensors, and of what NumPy and Python hold."""
    gc.collect()
    every = (each for each in gc.get_objects() if issubclass(type(each), torch.Tensor))
    tensors = (each for each in every if each.layout == torch.strided)  # others have no storage
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return sum(storages.values()) + tracemalloc.get_traced_memory()[0]


def test_a_further_pass_holds_no_more_memory_than_the_last(scene) -> None:
    frames = stream(scene, 3, count=4)
    after = []
    tracemalloc.start()
    try:
        for _ in range(3):
            size = sum(sample["image"].nbytes for sample in frames)
            after.append(held())
    finally:
        tracemalloc.stop()
    assert after[2] - after[1] < size / 4  # one picture kept of every pass

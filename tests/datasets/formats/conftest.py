"""A small dataset of every kind of frame, and a way to write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.labelled_frames import NAMES, PIXEL_UM, SHAPE, labelled, rectangle, tilted
from osog.datasets import FORMATS
from osog.datasets.formats.base import DatasetFacts


def every_kind():
    """Frames with their splits: grey, 16 bits, colour, without a camera, empty, crossing."""
    rng = np.random.default_rng(5)
    known = rectangle(4, 7, 3, 2)
    long = tilted(15.3, 11.6, 18, 3.4, 0.6)
    cross = tilted(16.1, 12.2, 15, 4, -0.9)
    edge = rectangle(28, 0, 4, 5)
    sixteen = rng.integers(0, 4096, SHAPE, dtype=np.uint16)
    colour = rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
    floating = rng.normal(1, 0.2, SHAPE).astype(np.float32)
    return [
        (labelled([known], index=0), "train"),
        (
            labelled(
                [long, cross, edge, known], index=1, image=sixteen, white=4095.0,
                states=["counted", "difficult", "counted", "ignored"], classes=[0, 1, 1, 0],
            ),
            "train",
        ),
        (labelled([long, known], index=1, view=1, image=colour, states=["counted", "none"]), "val"),
        (labelled([], index=2), "train"),
        (labelled([edge, cross], index=3, image=floating, white=2.0), "val"),
    ]  # fmt: skip


def written(name: str, folder: Path, frames=None) -> Path:
    """Write frames in shards of two, the last shard first, and finish."""
    frames = every_kind() if frames is None else frames
    folder.mkdir()
    shards = [frames[k : k + 2] for k in range(0, len(frames), 2)]
    listed = []
    for number, shard in reversed(list(enumerate(shards))):
        writer = FORMATS[name].begin(folder, number)
        for frame, split in shard:
            writer.add(frame, split)
        listed += writer.close()
    order = [split for _, split in frames]
    splits = {s: order.count(s) for s in ("train", "val", "test") if s in order}
    facts = DatasetFacts(
        name=folder.name, class_names=NAMES, splits=splits, shards=len(shards),
        pixel_size_um=PIXEL_UM,
    )  # fmt: skip
    listed += FORMATS[name].finish(folder, facts)
    assert sorted(listed) == sorted(p for p in folder.rglob("*") if p.is_file())
    return folder


@pytest.fixture(name="write")
def _write(tmp_path):
    return lambda name, frames=None: written(name, tmp_path / name, frames)


@pytest.fixture(name="frames")
def _frames():
    return every_kind()

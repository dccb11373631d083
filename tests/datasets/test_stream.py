"""Streams: each frame once, the same pixels, whoever makes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from osog.datasets import DatasetError, FrameSource, collate, stream
from osog.scene import Uniform

COUNT = 11


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("ranks", [1, 2])
def test_every_index_comes_once_with_the_same_pixels(scene, monkeypatch, workers, ranks) -> None:
    expected = {s["index"]: s["image"] for s in stream(scene, 9, count=COUNT)}
    assert sorted(expected) == list(range(COUNT))
    found = {}
    for rank in range(ranks):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", str(ranks))
        for sample in DataLoader(stream(scene, 9, count=COUNT), None, num_workers=workers):
            assert sample["index"] not in found
            found[sample["index"]] = sample["image"]
    assert sorted(found) == list(range(COUNT))
    assert all((found[k] == expected[k]).all() for k in expected)


def test_a_stream_goes_on_in_the_middle(scene) -> None:
    whole = [s["seed"] for s in stream(scene, 2, count=6)]
    first = stream(scene, 2, count=6)
    begun = iter(first)
    head = [next(begun)["seed"] for _ in range(3)]
    # The third frame is not done with before the fourth is asked for.
    assert first.state_dict() == {"passed": 2}
    second = stream(scene, 2, count=6)
    second.load_state_dict(first.state_dict())
    tail = [s["seed"] for s in second]
    assert head[:2] + tail == whole
    assert [s["seed"] for s in second] == whole  # the next pass begins at the start
    with pytest.raises(DatasetError, match="passed = -1"):
        second.load_state_dict({"passed": -1})


def test_samples_are_tensors_that_a_network_takes(scene) -> None:
    loader = DataLoader(stream(scene, 1, count=4), 2, collate_fn=collate)
    batch = next(iter(loader))
    assert batch["image"].shape == (2, 1, 64, 80) and batch["image"].dtype == torch.float32
    assert 0 <= float(batch["image"].min()) and float(batch["image"].max()) <= 1
    assert len(batch["boxes"]) == len(batch["classes"]) == len(batch["image_of_box"])
    assert torch.nn.Conv2d(1, 2, 3)(batch["image"]).sum().backward() is None
    frame = FrameSource(scene, 1, device="cpu")[0]
    boxes = frame.objects.in_state("counted", "difficult").box
    mine = batch["boxes"][batch["image_of_box"] == 0].numpy()
    np.testing.assert_allclose(mine, boxes, rtol=1e-6)


def test_frames_are_made_as_wished(scene) -> None:
    stems = list(stream(scene, 1, start=5, count=8, views=2, transform=lambda f: f.stem))
    assert stems == [f"{k:07d}{v}" for k in (5, 6, 7, 8, 9, 10, 11, 12) for v in ("", "-1")]
    with pytest.raises(DatasetError, match="start = -1"):
        stream(scene, 1, start=-1)


def test_samples_rendered_together_are_those_rendered_alone(scene, monkeypatch) -> None:
    varying = scene.updated({"microscope.focus_um": Uniform(low=-1.0, high=1.0)})
    for each, shares in ((scene, True), (varying, False)):
        source = FrameSource(each, 4, device="cpu")
        assert source.shares_optics == shares
        asked = []
        monkeypatch.setattr(FrameSource, "together", recorded(asked))
        found = list(stream(each, 4, start=2, count=10, transform=lambda frame: frame))
        assert asked == ([8, 2] if shares else [])
        assert [frame.index for frame in found] == list(range(2, 12))
        for frame in found[:3] + found[-1:]:
            alone = source[frame.index]
            assert (frame.image == alone.image).all()
            assert (frame.objects.box == alone.objects.box).all()
        monkeypatch.undo()


TOGETHER = FrameSource.together


def recorded(asked: list[int]):
    def together(source, indices):
        asked.append(len(indices))
        return TOGETHER(source, indices)

    return together


def test_samples_made_ahead_are_the_same(scene, monkeypatch) -> None:
    """A stream of a GPU is made in a thread, and knows all the same how far it has come."""
    from osog.datasets import frames

    expected = [s["image"] for s in stream(scene, 2, count=5)]
    # A device whose name is not "cpu", with the thread and without a GPU.
    away = property(lambda self: torch.device("meta"))
    monkeypatch.setattr(frames.FrameSource, "device", away)
    ahead = stream(scene, 2, count=5)
    begun = iter(ahead)
    found = [next(begun)["image"] for _ in range(3)]
    assert ahead.state_dict() == {"passed": 2}
    begun.close()
    again = stream(scene, 2, count=5)
    again.load_state_dict({"passed": 3})
    found += [s["image"] for s in again]
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))

"""Frames straight into a training loop: nothing is written, nothing comes twice."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from osog.datasets.ahead import made_ahead
from osog.datasets.errors import DatasetError
from osog.datasets.frames import FrameSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from osog.datasets.labelled_frame import LabelledFrame
    from osog.datasets.settings import LabelSettings
    from osog.scene import Scene

Sample = dict[str, Any]

_AHEAD = 8
"""Samples that are rendered together where all have the same optics."""


def as_sample(frame: LabelledFrame) -> Sample:
    """Turn a labelled frame into tensors.

    Returns
    -------
    dict
        ``image`` float32 (1 or 3, Y, X), 0 black and 1 white; ``boxes`` float32 (n, 5): centre x,
        y, width, height in px and angle in rad from +x towards +y; ``classes`` int64 (n,);
        ``difficult`` bool (n,); ``instances`` int32 (Y, X), k + 1 on object k of all objects;
        ``index``, ``view`` and ``seed`` int. Only counted and difficult objects have boxes.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(frame.image.astype(np.float32)))
    pixels = (pixels / frame.white).clamp(0.0, 1.0)
    pixels = pixels[None] if pixels.ndim == 2 else pixels.movedim(-1, 0).contiguous()
    objects = frame.objects.in_state("counted", "difficult")
    return {
        "image": pixels,
        "boxes": torch.from_numpy(objects.box.astype(np.float32)),
        "classes": torch.from_numpy(objects.class_id),
        "difficult": torch.tensor([s == "difficult" for s in objects.state], dtype=torch.bool),
        "instances": torch.from_numpy(np.ascontiguousarray(frame.instances)),
        "index": frame.index,
        "view": frame.view,
        "seed": frame.seed,
    }


class Stream(IterableDataset[Any]):
    """Labelled frames without end, or a stretch of them, as a torch dataset.

    Worker w of W on rank r of R makes the frames start + r·W + w, and every R·W-th after it: each
    once, with the same pixels however many there are. Ranks are those of `torch.distributed` where
    it is set up, else of the variables RANK and WORLD_SIZE. Where no number of the microscope or
    the medium is a law, eight samples are rendered at a time, which is faster; the first of them
    comes later, and the pixels are the same. On a GPU the next sample is rendered by a thread, in a
    stream of its own, while the last one is trained on.

    Parameters
    ----------
    scene, seed, labels, views, accuracy, device
        As for `FrameSource`; in the workers of a DataLoader ``auto`` is the CPU, and no other
        device can be had.
    start : int
        Number of the first sample. An epoch of n samples that should differ from the one before
        begins at epoch · n.
    count : int or None
        Samples of one pass; endless where it is left out.
    transform : callable, optional
        What becomes of each `LabelledFrame`; `as_sample` where it is left out.
    """

    def __init__(
        self,
        scene: Scene,
        seed: int = 0,
        *,
        start: int = 0,
        count: int | None = None,
        labels: LabelSettings | None = None,
        views: int = 1,
        accuracy: str | None = None,
        device: str = "cpu",
        transform: Callable[[LabelledFrame], Any] | None = None,
    ) -> None:
        super().__init__()
        if start < 0 or (count is not None and count < 0):
            raise DatasetError(f"start = {start} and count = {count} must not be negative.")
        self._make = {
            "scene": scene, "seed": seed, "labels": labels, "views": views, "accuracy": accuracy,
            "device": device,
        }  # fmt: skip
        # Refuses in words, here and not in a worker; all workers draw in the same way.
        self._make["compiled"] = FrameSource(**self._make).compiled  # type: ignore[arg-type]
        self.start, self.count = start, count
        self.transform = transform or as_sample
        self._passed = 0

    def __iter__(self) -> Iterator[Any]:
        """Make this worker's frames, one after another."""
        worker, workers, rank, ranks = _places()
        make = dict(self._make)
        if get_worker_info() is not None:
            if str(make["device"]) not in ("cpu", "auto"):
                raise DatasetError(
                    f"device = '{make['device']}' is not for workers of a DataLoader; use "
                    "num_workers=0, or device cpu."
                )
            make["device"] = "cpu"
        source = FrameSource(**make)  # type: ignore[arg-type]
        made = self._samples(source, rank * workers + worker, ranks * workers)
        if source.device.type != "cpu":
            made = made_ahead(made, source.device)
        for number, samples in made:
            yield from samples
            self._passed = number + 1
        self._passed = 0

    def _samples(
        self, source: FrameSource, place: int, stride: int
    ) -> Iterator[tuple[int, list[Any]]]:
        """Number of each sample among those of this process, and its pictures."""
        step, ahead = self._passed, _AHEAD if source.shares_optics else 1
        while self.count is None or step * stride + place < self.count:
            ours = [(step + k) * stride + place for k in range(ahead)]
            indices = [self.start + i for i in ours if self.count is None or i < self.count]
            for pictures in _made(source, indices):
                yield step, [self.transform(frame) for frame in pictures]
                step += 1

    def state_dict(self) -> dict[str, int]:
        """Return how many samples this process has made, for `load_state_dict`.

        It is exact where the frames are made in the process that trains (num_workers=0), and in
        the workers of torchdata's StatefulDataLoader, each of which keeps its own.
        """
        return {"passed": self._passed}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where a state was taken, in the middle of a pass."""
        passed = state.get("passed")
        if not isinstance(passed, int) or passed < 0:
            raise DatasetError(f"passed = {passed} must be 0 or a positive whole number.")
        self._passed = passed


def _made(source: FrameSource, indices: list[int]) -> Iterator[Iterable[LabelledFrame]]:
    """Pictures of samples, together where there are several."""
    if len(indices) > 1:
        yield from source.together(indices)
    else:
        yield from (source.pictures(index) for index in indices)


def stream(scene: Scene, seed: int = 0, **options: Any) -> Stream:
    """Labelled frames as a torch `IterableDataset`; the arguments are those of `Stream`."""
    return Stream(scene, seed, **options)


def collate(samples: Sequence[Sample]) -> Sample:
    """Put samples into a batch; boxes of all images in one tensor, with the image of each.

    Returns
    -------
    dict
        ``image`` (B, C, Y, X), ``instances`` (B, Y, X), ``boxes`` (Σn, 5), ``classes`` (Σn,),
        ``difficult`` (Σn,), ``image_of_box`` (Σn,) int64, ``index``, ``view``, ``seed`` (B,) int64.
    """
    counts = torch.tensor([len(s["boxes"]) for s in samples])
    batch: Sample = {
        name: torch.stack([s[name] for s in samples]) for name in ("image", "instances")
    }
    for name in ("boxes", "classes", "difficult"):
        batch[name] = torch.cat([s[name] for s in samples])
    batch["image_of_box"] = torch.repeat_interleave(torch.arange(len(samples)), counts)
    for name in ("index", "view", "seed"):
        batch[name] = torch.tensor([s[name] for s in samples], dtype=torch.int64)
    return batch


def _places() -> tuple[int, int, int, int]:
    """Worker, workers, rank, ranks."""
    info = get_worker_info()
    worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return worker, workers, torch.distributed.get_rank(), torch.distributed.get_world_size()
    return worker, workers, int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))

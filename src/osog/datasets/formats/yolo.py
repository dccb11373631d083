"""Ultralytics YOLO: pictures, and a text file of normalised corners for each.

A line is ``class x1 y1 x2 y2 …`` with x and y counted from the corner of the first pixel and
divided by width and height (Ultralytics documentation, *Oriented Bounding Boxes* and *Instance
Segmentation datasets*). The reader drops a whole image when a number leaves [0, 1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import yaml

from osog.datasets.formats.base import WRITTEN, DatasetFacts, Format, ShardWriter
from osog.datasets.formats.pictures import png_bytes, write_bytes, write_lines

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from osog.datasets.labelled_frame import LabelledFrame
    from osog.datasets.objects import Objects


class _Writer(ShardWriter):
    def __init__(self, folder: Path, kind: type[_Yolo]) -> None:
        self.folder, self.kind = folder, kind
        self.files: list[Path] = []

    def add(self, frame: LabelledFrame, split: str) -> None:
        objects = frame.objects.in_state(*WRITTEN)
        height, width = frame.shape
        lines = []
        for class_id, corners in zip(objects.class_id, self.kind.corners(objects), strict=True):
            if len(corners) < 3:
                continue
            shares = np.clip((corners + 0.5) / [width, height], 0.0, 1.0)
            lines.append(" ".join([str(int(class_id)), *(f"{v:.6f}" for v in shares.ravel())]))
        image = self.folder / "images" / split / f"{frame.stem}.png"
        labels = self.folder / "labels" / split / f"{frame.stem}.txt"
        self.files.append(write_bytes(image, png_bytes(frame.picture)))
        # Rows that are the same would be dropped by the reader, with a warning for each image.
        self.files.append(write_lines(labels, list(dict.fromkeys(lines))))

    def close(self) -> list[Path]:
        return self.files


class _Yolo(Format):
    @classmethod
    def corners(cls, objects: Objects) -> list[NDArray[np.float64]]:
        """Corners (k, 2) of every object as (x, y)."""
        raise NotImplementedError

    def begin(self, folder: Path, shard: int) -> ShardWriter:
        """Begin a shard."""
        return _Writer(folder, type(self))

    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        """Write ``data.yaml``.

        It names no ``path``: Ultralytics then looks beside the file, wherever the folder goes.
        """
        data: dict[str, object] = {s: f"images/{s}" for s in facts.splits}
        # The trainer wants both, even where a dataset is all of one kind.
        first = next(iter(data.values()))
        data = {"train": data.get("train", first), "val": data.get("val", first)} | data
        data["names"] = dict(enumerate(facts.class_names))
        path = folder / "data.yaml"
        write_bytes(path, yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode("utf-8"))
        return [path]


class YoloObb(_Yolo):
    """Oriented boxes."""

    name: ClassVar[str] = "yolo-obb"
    title: ClassVar[str] = "Ultralytics YOLO, oriented boxes"

    @classmethod
    def corners(cls, objects: Objects) -> list[NDArray[np.float64]]:
        """Corners of the oriented boxes."""
        return list(objects.corners)


class YoloSeg(_Yolo):
    """Outlines."""

    name: ClassVar[str] = "yolo-seg"
    title: ClassVar[str] = "Ultralytics YOLO, outlines"

    @classmethod
    def corners(cls, objects: Objects) -> list[NDArray[np.float64]]:
        """Outlines inside the frame."""
        return list(objects.polygons)

"""Ultralytics YOLO: oriented boxes and outlines."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import yaml
from typing_extensions import override

from osog.datasets.formats import files
from osog.datasets.formats.base import DatasetFacts, Format, ShardWriter
from osog.io import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from osog.datasets.labelled_frame import LabelledFrame


class _Yolo(Format):
    """``images/<split>``, ``labels/<split>`` and ``data.yaml``.

    A line is a class from 0 and points x y, from the corner of the first pixel, divided by width
    and height and clipped to 0 … 1: Ultralytics drops an image with one value farther outside than
    0.01. Difficult objects are written as the others; ignored ones are background.
    """

    @abstractmethod
    def shapes(self, frame: LabelledFrame) -> list[tuple[int, NDArray[np.float64]]]:
        """Classes and points (k, 2) in px."""

    @override
    def begin(self, folder: Path, shard: int) -> ShardWriter:
        return _Writer(folder, self)

    @override
    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        where = {name: f"images/{name}" for name in facts.splits}
        lines = []
        # The reader insists on both.
        for name, instead in (("train", "val"), ("val", "train")):
            if name not in where:
                lines.append(f"# No image was set apart as '{name}'.\n")
                spare = instead if instead in where else next(iter(where))
                where[name] = where[spare]
        # Without `path` the folders are looked for beside this file, wherever it is moved.
        known: dict[str, Any] = {
            name: where[name] for name in ("train", "val", "test") if name in where
        }
        content = {**known, "names": dict(enumerate(facts.class_names))}
        text = "".join(lines) + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        atomic.write_text(folder / "data.yaml", text)
        return [folder / "data.yaml"]


class YoloObb(_Yolo):
    """Four corners of each oriented box."""

    name: ClassVar[str] = "yolo-obb"
    title: ClassVar[str] = "Ultralytics YOLO, oriented boxes"

    @override
    def shapes(self, frame: LabelledFrame) -> list[tuple[int, NDArray[np.float64]]]:
        objects = frame.objects
        corners = objects.corners
        return [(int(objects.class_id[k]), corners[k]) for k in files.numbers_of(objects)]


class YoloSeg(_Yolo):
    """Outline of each object, whole where others cover it."""

    name: ClassVar[str] = "yolo-seg"
    title: ClassVar[str] = "Ultralytics YOLO, outlines"

    @override
    def shapes(self, frame: LabelledFrame) -> list[tuple[int, NDArray[np.float64]]]:
        objects = frame.objects
        numbers = files.numbers_of(objects)
        return [(int(objects.class_id[k]), objects.polygons[k]) for k in numbers]


class _Writer(ShardWriter):
    def __init__(self, folder: Path, style: _Yolo) -> None:
        self._folder, self._style = folder, style
        self._files: list[Path] = []

    @override
    def add(self, frame: LabelledFrame, split: str) -> None:
        size = np.array(frame.shape[::-1], dtype=np.float64)
        lines = []
        for kind, points in self._style.shapes(frame):
            inside = np.clip((points + 0.5) / size, 0.0, 1.0) + 0.0
            if _area(inside * size) > 0:
                lines.append(" ".join([str(kind), *(f"{v:.6f}" for v in inside.ravel())]) + "\n")
        image = self._folder / "images" / split / f"{frame.stem}.png"
        text = self._folder / "labels" / split / f"{frame.stem}.txt"
        self._files.append(files.put(image, files.png(frame.picture)))
        self._files.append(files.put(text, "".join(lines)))

    @override
    def close(self) -> list[Path]:
        return self._files


def _area(points: NDArray[np.float64]) -> float:
    """Area of a polygon, to 10⁻³ px² (what six decimals tell apart)."""
    if len(points) < 3:
        return 0.0
    x, y = points.T
    twice = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    return round(abs(twice) / 2, 3)

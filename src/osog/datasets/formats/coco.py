"""COCO: one index for each split, with whole masks, outlines and oriented boxes."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from osog.datasets.formats import files, rle
from osog.datasets.formats.base import SHOWN, WRITTEN, DatasetFacts, Format, ShardWriter
from osog.io import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame
    from osog.datasets.objects import Mask, Objects

_PARTS = "parts"
_KEYPOINTS = {"keypoints": ["tip 1", "tip 2", "centre"], "skeleton": [[1, 3], [3, 2]]}
_SAID = (
    "Pixels are counted from the corner of the first one. obb: centre x, y, width, height in px "
    "and the angle of the width in degrees from +x towards +y, clockwise as seen. difficult: 1 "
    "where missing the object should cost nothing; iscrowd: 1 where it should not be judged."
)


class Coco(Format):
    """Masks as compressed run lengths: pixel for pixel, overlaps kept.

    A mask is that of the whole silhouette inside the frame, and so are ``bbox`` and ``area``. Ids
    count from 1 in the order of the images: a longer dataset begins with those of a shorter one.
    Ignored objects have ``iscrowd`` 1, which COCO's evaluation leaves out of account.
    """

    name: ClassVar[str] = "coco"
    title: ClassVar[str] = "COCO, masks as run lengths"

    @override
    def begin(self, folder: Path, shard: int) -> ShardWriter:
        return _Writer(folder, shard, self)

    def segmentation(self, objects: Objects, k: int, shape: tuple[int, int]) -> Any:
        """Of one object, as COCO writes it."""
        return rle.packed(objects.masks[k], shape)

    @override
    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        out = []
        for split in facts.splits:
            path = folder / "annotations" / f"{split}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic.writing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
                categories = [
                    {"id": k + 1, "name": name, "supercategory": "particle", **_KEYPOINTS}
                    for k, name in enumerate(facts.class_names)
                ]
                head = {"info": {"description": _SAID}, "licenses": [], "categories": categories}
                file.write(_line(head)[:-1] + ',"images":[\n')
                for number, (record, _) in enumerate(_records(folder, facts, split)):
                    file.write(",\n" if number else "")
                    file.write(_line(record["image"]))
                file.write('\n],"annotations":[\n')
                annotation = 0
                for record, image in _records(folder, facts, split):
                    for found in record["annotations"]:
                        file.write(",\n" if annotation else "")
                        annotation += 1
                        file.write(_line({"id": annotation, "image_id": image, **found}))
                file.write("\n]}\n")
            out.append(path)
        return out


class CocoPolygons(Coco):
    """Outlines as polygons, for readers that know no run lengths.

    Ignored objects keep their run lengths, which ``iscrowd`` takes.
    """

    name: ClassVar[str] = "coco-polygons"
    title: ClassVar[str] = "COCO, outlines as polygons"

    @override
    def segmentation(self, objects: Objects, k: int, shape: tuple[int, int]) -> Any:
        points = objects.polygons[k]
        if objects.state[k] not in WRITTEN or len(points) < 3:
            return super().segmentation(objects, k, shape)
        return [_rounded((points + 0.5).ravel())]


class _Writer(ShardWriter):
    def __init__(self, folder: Path, shard: int, style: Coco) -> None:
        self._folder, self._style = folder, style
        self._part = _part(folder, shard)
        self._lines: list[str] = []
        self._files: list[Path] = []

    @override
    def add(self, frame: LabelledFrame, split: str) -> None:
        image = self._folder / "images" / split / f"{frame.stem}.png"
        self._files.append(files.put(image, files.png(frame.picture)))
        rows, columns = frame.shape
        record = {
            "split": split,
            "image": {
                "file_name": image.name, "width": columns, "height": rows,
                "index": frame.index, "view": frame.view, "seed": frame.seed,
                "pixel_size_um": files.plain(frame.pixel_size_um),
            },
            "annotations": [
                _annotation(frame, k, self._style.segmentation(frame.objects, k, frame.shape))
                for k in files.numbers_of(frame.objects, SHOWN)
                if frame.objects.masks[k].pixels.any()
            ],
        }  # fmt: skip
        self._lines.append(_line(record) + "\n")

    @override
    def close(self) -> list[Path]:
        return [*self._files, files.put(self._part, "".join(self._lines))]


def _annotation(frame: LabelledFrame, k: int, segmentation: Any) -> dict[str, Any]:
    objects = frame.objects
    x, y, width, height, angle = objects.box[k]
    points = _keypoints(frame, k)
    return {
        "category_id": int(objects.class_id[k]) + 1,
        "bbox": _extent(objects.masks[k]),
        "area": int(objects.masks[k].pixels.sum()),
        "iscrowd": int(objects.state[k] == "ignored"),
        "segmentation": segmentation,
        "obb": _rounded([x + 0.5, y + 0.5, width, height, math.degrees(angle)]),
        "difficult": int(objects.state[k] == "difficult"),
        "keypoints": points,
        "num_keypoints": sum(v > 0 for v in points[2::3]),
        "visible_fraction": files.plain(objects.visible_fraction[k]),
        "group": int(objects.group[k]),
        "object": k + 1,
    }


def _extent(mask: Mask) -> list[int]:
    """Upright box of a mask's pixels: left edge, upper edge, width, height."""
    rows, columns = (np.flatnonzero(mask.pixels.any(axis)) for axis in (1, 0))
    left, top = int(columns[0]), int(rows[0])
    return [
        mask.column + left, mask.row + top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1
    ]  # fmt: skip


def _keypoints(frame: LabelledFrame, k: int) -> list[float]:
    """Points x, y, v in turn; v is 0 outside the frame, 1 below another object, else 2."""
    out: list[float] = []
    rows, columns = frame.shape
    for x, y in frame.objects.keypoints[k]:
        column, row = round(float(x)), round(float(y))
        if not (0 <= column < columns and 0 <= row < rows):
            out += [0, 0, 0]
            continue
        above = int(frame.instances[row, column])
        out += [*_rounded([x + 0.5, y + 0.5]), 2 if above in (0, k + 1) else 1]
    return out


def _rounded(values: Any) -> list[float]:
    return [round(float(v), 3) + 0.0 for v in values]


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _part(folder: Path, shard: int) -> Path:
    return folder / _PARTS / f"{shard:06d}.jsonl"


def _records(folder: Path, facts: DatasetFacts, split: str) -> Iterator[tuple[dict[str, Any], int]]:
    """Images of a split in their order, with their ids; one in memory at a time."""
    number = 0
    for shard in range(facts.shards):
        with _part(folder, shard).open(encoding="utf-8") as file:
            for text in file:
                record = json.loads(text)
                if record["split"] == split:
                    number += 1
                    record["image"] = {"id": number, **record["image"]}
                    yield record, number

"""COCO: one JSON for each split, with outlines or masks that overlap as the objects do."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from osog.datasets.formats.base import WRITTEN, DatasetFacts, Format, ShardWriter
from osog.datasets.formats.pictures import png_bytes, write_bytes
from osog.datasets.formats.run_length import counts_of, encoded

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame

_PARTS = "parts"


class _Writer(ShardWriter):
    def __init__(self, folder: Path, shard: int) -> None:
        self.folder, self.shard = folder, shard
        self.files: list[Path] = []
        self.images: list[dict[str, Any]] = []

    def add(self, frame: LabelledFrame, split: str) -> None:
        height, width = frame.shape
        name = f"{frame.stem}.png"
        path = self.folder / "images" / split / name
        self.files.append(write_bytes(path, png_bytes(frame.picture)))
        self.images.append(
            {
                "split": split,
                "image": {"file_name": f"{split}/{name}", "width": width, "height": height},
                "annotations": described_objects(frame),
            }
        )

    def close(self) -> list[Path]:
        text = json.dumps(self.images, separators=(",", ":"))
        part = self.folder / _PARTS / f"{self.shard:06d}.json"
        return [*self.files, write_bytes(part, text.encode("ascii"))]


def described_objects(frame: LabelledFrame) -> list[dict[str, Any]]:
    """Describe the objects of a frame, without numbers for images and annotations."""
    objects = frame.objects.in_state(*WRITTEN, "ignored")
    out = []
    for k, mask in enumerate(objects.masks):
        whole = mask.in_frame(frame.shape)
        rows, columns = np.flatnonzero(whole.any(1)), np.flatnonzero(whole.any(0))
        if not len(rows):
            continue
        x, y = int(columns[0]), int(rows[0])
        box = [x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y]
        cx, cy, *sides, angle = objects.box[k]
        turned = (cx + 0.5, cy + 0.5, *sides, math.degrees(angle))
        out.append(
            {
                "category_id": int(objects.class_id[k]) + 1,
                "segmentation": {"size": list(frame.shape), "counts": encoded(counts_of(whole))},
                "area": int(whole.sum()),
                "bbox": box,
                "iscrowd": int(objects.state[k] == "ignored"),
                "difficult": objects.state[k] == "difficult",
                # Degrees from +x towards +y, which is clockwise as a picture is looked at.
                "obb": [round(float(v), 3) for v in turned],
                "visible_fraction": round(float(objects.visible_fraction[k]), 4),
                "group": int(objects.group[k]),
            }
        )
    return out


class Coco(Format):
    """Masks, upright and oriented boxes."""

    name: ClassVar[str] = "coco"
    title: ClassVar[str] = "COCO, whole masks and boxes in one JSON for each split"

    def begin(self, folder: Path, shard: int) -> ShardWriter:
        """Begin a shard."""
        return _Writer(folder, shard)

    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        """Join the parts of all shards; images and annotations are numbered in their order."""
        files = []
        parts = [folder / _PARTS / f"{k:06d}.json" for k in range(facts.shards)]
        entries = [e for part in parts for e in json.loads(part.read_text(encoding="ascii"))]
        categories = [
            {"id": k + 1, "name": name, "supercategory": "object"}
            for k, name in enumerate(facts.class_names)
        ]
        for split in facts.splits:
            images: list[dict[str, Any]] = []
            found: list[dict[str, Any]] = []
            for entry in entries:
                if entry["split"] != split:
                    continue
                images.append({"id": len(images) + 1, **entry["image"]})
                for one in entry["annotations"]:
                    found.append({"id": len(found) + 1, "image_id": images[-1]["id"], **one})
            whole = {"images": images, "annotations": found, "categories": categories}
            text = json.dumps(whole, separators=(",", ":"), ensure_ascii=True)
            path = folder / "annotations" / f"{split}.json"
            files.append(write_bytes(path, text.encode("ascii")))
        return files

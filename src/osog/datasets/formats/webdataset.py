"""WebDataset: tar files that are read in one go."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from osog.datasets.formats import files, rle
from osog.datasets.formats.base import SHOWN, DatasetFacts, Format, ShardWriter
from osog.io import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame


class WebDataset(Format):
    """``<split>/shard-000000.tar`` and ``<split>.txt``, a list of them.

    Members of a sample follow each other: ``x.json`` with the objects, ``x.masks.npz`` with the
    visible instances as array ``instances``, and ``x.png``, the image in 8 bits. The label image is
    not PNG, because readers that decode every PNG as a picture cut it to 8 bits. The JSON counts
    pixels from the centre of the first one.
    """

    name: ClassVar[str] = "webdataset"
    title: ClassVar[str] = "WebDataset, tar shards"

    @override
    def begin(self, folder: Path, shard: int) -> ShardWriter:
        return _Writer(folder, shard)

    @override
    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        out = []
        for split in facts.splits:
            names = [f"{split}/{_tar(shard)}" for shard in range(facts.shards)]
            # A shard may hold no image of a small split.
            there = [name for name in names if (folder / name).exists()]
            atomic.write_text(folder / f"{split}.txt", "".join(name + "\n" for name in there))
            out.append(folder / f"{split}.txt")
        return out


class _Writer(ShardWriter):
    def __init__(self, folder: Path, shard: int) -> None:
        self._folder, self._shard = folder, shard
        self._open: dict[str, tuple[Path, tarfile.TarFile]] = {}

    @override
    def add(self, frame: LabelledFrame, split: str) -> None:
        if split not in self._open:
            path = self._folder / split / _tar(self._shard)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[split] = path, tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
        _, tar = self._open[split]
        said = json.dumps(_record(frame), ensure_ascii=False, allow_nan=False)
        labels = io.BytesIO()
        np.savez_compressed(labels, instances=files.label_image(frame, SHOWN))
        for ending, content in (
            ("json", said.encode("utf-8")),
            ("masks.npz", labels.getvalue()),
            ("png", files.png(frame.picture)),
        ):
            member = tarfile.TarInfo(f"{frame.stem}.{ending}")  # of nobody, from 1970
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))

    @override
    def close(self) -> list[Path]:
        for _, tar in self._open.values():
            tar.close()
        return [path for path, _ in self._open.values()]


def _tar(shard: int) -> str:
    return f"shard-{shard:06d}.tar"


def _record(frame: LabelledFrame) -> dict[str, Any]:
    objects = frame.objects
    numbers = files.numbers_of(objects, SHOWN)
    corners = objects.corners
    return {
        "index": frame.index,
        "view": frame.view,
        "seed": frame.seed,
        "shape": list(frame.shape),
        "pixel_size_um": files.plain(frame.pixel_size_um),
        "white": files.plain(frame.white),
        "class_names": list(objects.class_names),
        "objects": [
            {
                **row,
                "class_id": int(objects.class_id[k]),
                "corners": np.round(corners[k], 3).tolist(),
                "polygon": np.round(objects.polygons[k], 3).tolist(),
                "keypoints": np.round(objects.keypoints[k], 3).tolist(),
                "mask": rle.packed(objects.masks[k], frame.shape),
            }
            for k, row in zip(numbers, files.rows_of(objects, numbers), strict=True)
        ],
    }

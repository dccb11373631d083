"""WebDataset: tar files with the members of one sample next to each other."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any, ClassVar

from osog.datasets.formats.base import WRITTEN, Format, ShardWriter
from osog.datasets.formats.coco import described_objects
from osog.datasets.formats.pictures import label_image, png_bytes, written_instances

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame


class _Writer(ShardWriter):
    def __init__(self, folder: Path, shard: int) -> None:
        self.folder, self.shard = folder, shard
        self.open: dict[str, tuple[Path, tarfile.TarFile]] = {}

    def add(self, frame: LabelledFrame, split: str) -> None:
        kept = [k for k, state in enumerate(frame.objects.state) if state in WRITTEN]
        labels = label_image(written_instances(frame.instances, kept)).astype("uint16")
        # A dot would end the name that the members of a sample share.
        described = {
            "index": frame.index,
            "view": frame.view,
            "seed": frame.seed,
            "pixel_size_um": frame.scene.grid.pixel_size_um,
            "classes": list(frame.objects.class_names),
            "objects": described_objects(frame),
        }
        text = json.dumps(described, separators=(",", ":"), ensure_ascii=True)
        tar = self._tar(split)
        _member(tar, f"{frame.stem}.json", text.encode("ascii"))
        _member(tar, f"{frame.stem}.masks.png", png_bytes(labels))
        _member(tar, f"{frame.stem}.png", png_bytes(frame.picture))

    def _tar(self, split: str) -> tarfile.TarFile:
        if split not in self.open:
            path = self.folder / split / f"shard-{self.shard:06d}.tar"
            path.parent.mkdir(parents=True, exist_ok=True)
            tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
            self.open[split] = path, tar
        return self.open[split][1]

    def close(self) -> list[Path]:
        for _, tar in self.open.values():
            tar.close()
        return [path for path, _ in self.open.values()]


def _member(tar: Any, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), 0, 0o644
    tar.addfile(info, io.BytesIO(content))


class WebDataset(Format):
    """Shards to be read in a row."""

    name: ClassVar[str] = "webdataset"
    title: ClassVar[str] = "WebDataset shards: picture, masks and objects"

    def begin(self, folder: Path, shard: int) -> ShardWriter:
        """Begin a shard."""
        return _Writer(folder, shard)

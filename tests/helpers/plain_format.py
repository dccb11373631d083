"""A format of datasets for tests: one file of pixels and one of boxes for each image."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from osog.datasets.formats.base import DatasetFacts, Format, ShardWriter

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets import LabelledFrame


class _Writer(ShardWriter):
    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, []

    def add(self, frame: LabelledFrame, split: str) -> None:
        place = self.folder / split
        place.mkdir(exist_ok=True)
        np.save(place / f"{frame.stem}.npy", frame.image)
        text = "\n".join(" ".join(f"{v:.4f}" for v in box) for box in frame.objects.box)
        (place / f"{frame.stem}.txt").write_text(text, encoding="utf-8")
        self.files += [place / f"{frame.stem}.npy", place / f"{frame.stem}.txt"]

    def close(self) -> list[Path]:
        return self.files


class Plain(Format):
    """Registers nothing by itself."""

    name, title = "plain", "Pixels and boxes"

    def begin(self, folder: Path, shard: int) -> ShardWriter:
        return _Writer(folder)

    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        path = folder / "facts.txt"
        path.write_text(f"{facts.class_names} {dict(facts.splits)}", encoding="utf-8")
        return [path]


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip

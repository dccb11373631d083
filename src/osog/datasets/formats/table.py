"""One row for each object, with what is true of it, as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from osog.datasets.formats.base import DatasetFacts, Format, ShardWriter
from osog.datasets.formats.pictures import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame

_PARTS = "parts"


class _Writer(ShardWriter):
    def __init__(self, folder: Path, shard: int) -> None:
        self.path = folder / _PARTS / f"{shard:06d}.csv"
        self.text = io.StringIO()
        self.writer = csv.writer(self.text, lineterminator="\n")
        self.begun = False

    def add(self, frame: LabelledFrame, split: str) -> None:
        columns = frame.objects.columns()
        if not self.begun:
            self.writer.writerow(["image", "split", "seed", "object", *columns])
            self.begun = True
        for k in range(len(frame.objects)):
            own = [_written(column[k]) for column in columns.values()]
            self.writer.writerow([frame.stem, split, frame.seed, k + 1, *own])

    def close(self) -> list[Path]:
        return [write_bytes(self.path, self.text.getvalue().encode("utf-8"))]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | np.integer):
        return str(int(value))
    return "" if value != value else f"{float(value):.8g}"


class Table(Format):
    """Truth of every object, objects of all states included."""

    name: ClassVar[str] = "table"
    title: ClassVar[str] = "CSV with one row for each object and all that is true of it"

    def begin(self, folder: Path, shard: int) -> ShardWriter:
        """Begin a shard."""
        return _Writer(folder, shard)

    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        """Join the parts of all shards."""
        parts = (folder / _PARTS / f"{k:06d}.csv" for k in range(facts.shards))
        texts = [part.read_text(encoding="utf-8").splitlines(keepends=True) for part in parts]
        head = next((lines[:1] for lines in texts if lines), [])
        body = [line for lines in texts for line in lines[1:]]
        path = folder / "objects.csv"
        return [write_bytes(path, "".join([*head, *body]).encode("utf-8"))]

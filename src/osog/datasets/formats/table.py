"""Tables of true numbers, one row for each object, without images."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from osog.datasets.formats import files
from osog.datasets.formats.base import DatasetFacts, Format, ShardWriter
from osog.datasets.objects import STATES
from osog.io import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame

_WORDS = ("image", "split", "class", "state")
_WHOLE = ("index", "view", "seed", "object", "group")
_ROWS_AT_ONCE = 50_000


class Table(Format):
    """``objects.csv``: objects of every state, in the order of the images.

    Scenes whose laws choose between materials or shapes give rows with different columns; the table
    has all of them, and what a row does not know stays empty.
    """

    name: ClassVar[str] = "table"
    title: ClassVar[str] = "Table of objects, CSV"

    @override
    def begin(self, folder: Path, shard: int) -> ShardWriter:
        return _Writer(folder, shard)

    @override
    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        path = folder / "objects.csv"
        names = _columns(folder, facts)
        with (
            atomic.writing(path) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            out = csv.DictWriter(file, names, restval="", lineterminator="\n")
            out.writeheader()
            out.writerows(_rows(folder, facts))
        return [path]


class Parquet(Table):
    """``objects.parquet``: the same with types of numbers, a tenth as long."""

    name: ClassVar[str] = "parquet"
    title: ClassVar[str] = "Table of objects, Parquet"
    needs: ClassVar[str | None] = "parquet"
    module: ClassVar[str | None] = "pyarrow"

    @override
    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        import pyarrow as pa
        from pyarrow import parquet

        path = folder / "objects.parquet"
        names = _columns(folder, facts)
        kinds = {name: pa.string() for name in _WORDS} | {name: pa.int64() for name in _WHOLE}
        schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in names])
        with (
            atomic.writing(path) as temporary,
            parquet.ParquetWriter(temporary, schema, compression="zstd") as out,
        ):
            rows: list[dict[str, Any]] = []
            for row in _rows(folder, facts):
                rows.append({name: _typed(name, row.get(name, "")) for name in names})
                if len(rows) == _ROWS_AT_ONCE:
                    out.write_table(pa.Table.from_pylist(rows, schema))
                    rows = []
            out.write_table(pa.Table.from_pylist(rows, schema))
        return [path]


class _Writer(ShardWriter):
    def __init__(self, folder: Path, shard: int) -> None:
        self._path = _part(folder, shard)
        self._rows: list[dict[str, Any]] = []
        self._names: dict[str, None] = {}

    @override
    def add(self, frame: LabelledFrame, split: str) -> None:
        # Columns are known even where a frame is empty.
        self._names |= dict.fromkeys((*_WORDS[:2], *_WHOLE[:4], *frame.objects.columns()))
        image = {
            "image": frame.stem, "split": split, "index": frame.index, "view": frame.view,
            "seed": frame.seed,
        }  # fmt: skip
        numbers = files.numbers_of(frame.objects, STATES)
        self._rows += [{**image, **row} for row in files.rows_of(frame.objects, numbers)]

    @override
    def close(self) -> list[Path]:
        out = io.StringIO()
        table = csv.DictWriter(out, list(self._names), restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(self._rows)
        return [files.put(self._path, out.getvalue())]


def _part(folder: Path, shard: int) -> Path:
    return folder / "parts" / f"{shard:06d}.csv"


def _columns(folder: Path, facts: DatasetFacts) -> list[str]:
    """Names of all columns, in the order in which they come."""
    names: dict[str, None] = {}
    for shard in range(facts.shards):
        with _part(folder, shard).open(encoding="utf-8", newline="") as file:
            names |= dict.fromkeys(next(csv.reader(file), ()))
    return list(names)


def _rows(folder: Path, facts: DatasetFacts) -> Iterator[dict[str, str]]:
    for shard in range(facts.shards):
        with _part(folder, shard).open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _typed(name: str, text: str) -> str | int | float | None:
    if name in _WORDS:
        return text
    if text == "":
        return None
    return int(text) if name in _WHOLE else float(text)

"""All formats through `export`: every file is listed, and a second run finds all of them whole."""

from __future__ import annotations

from helpers.plain_format import contents
from osog.datasets import FORMATS, DatasetError, export


def _here(name: str) -> bool:
    try:
        FORMATS[name].check()
    except DatasetError:
        return False
    return True


def test_every_format_goes_through_a_dataset(scene, tmp_path) -> None:
    names = tuple(name for name in FORMATS if _here(name))
    made = export(scene, tmp_path / "d", 5, names, 1, shard_size=2)
    assert made.complete
    before = contents(tmp_path / "d")
    assert {f["path"] for r in made.records for f in r["files"]} <= set(before)
    assert {p.split("/")[0] for p in before} >= set(names)
    again = export(scene, tmp_path / "d", 5, names, 1, shard_size=2)
    assert again.made == 0 and contents(tmp_path / "d") == before

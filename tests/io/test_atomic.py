"""A file is written whole or not at all, and by one function only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from osog.io import atomic


def test_a_file_takes_its_name_when_the_block_has_ended(tmp_path: Path) -> None:
    target = tmp_path / "picture.ome.tif"
    target.write_text("old")
    with atomic.writing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
        assert temporary.suffix == ".tif", "writers that go by the suffix know what to write"
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == [target.name]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "fit.json"
    target.write_text("old")
    with pytest.raises(type(error)), atomic.writing(target) as temporary:
        temporary.write_text("half of")
        raise error
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == [target.name]


def test_remains_of_a_killed_writer_are_cleared_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "records.v2" / "000003.json"
    target.parent.mkdir()
    kept = [
        target,
        target.with_name(".000003.json"),
        target.with_name(".000004.json.ab0d_fgh.json"),
    ]
    for path in kept:
        path.write_text("kept")
    interrupted = atomic.writing(target)
    left = interrupted.__enter__()
    left.write_text("half of")
    assert left in set(target.parent.iterdir())
    atomic.clear_remains([target])
    assert sorted(target.parent.iterdir()) == sorted(kept)
    assert all(path.read_text() == "kept" for path in kept)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no modes")
def test_others_may_read_the_file(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "scene.yaml", "n: 1.33 µ\n")
    assert (tmp_path / "scene.yaml").read_bytes() == "n: 1.33 µ\n".encode()
    assert stat.S_IMODE((tmp_path / "scene.yaml").stat().st_mode) == 0o644


def test_a_relative_name_and_a_missing_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    atomic.write_text("here.txt", "text")
    assert (tmp_path / "here.txt").read_text() == "text"
    with pytest.raises(FileNotFoundError):
        atomic.write_text("nowhere/here.txt", "text")


def test_no_other_module_makes_temporary_files(root: Path) -> None:
    makers = [
        path.relative_to(root / "src").as_posix()
        for path in sorted((root / "src").rglob("*.py"))
        if "mkstemp" in (text := path.read_text()) or "os.replace(" in text
    ]
    assert makers == ["osog/io/atomic.py"]

"""Datasets on disk: the same bytes whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from helpers.plain_format import contents
from osog import Scene, SceneError
from osog.cancellation import Cancelled
from osog.datasets import DatasetError, export, exporting, read_manifest
from osog.datasets.recipe import Recipe
from osog.exit_wave.compiled import choice

_ROOT = Path(__file__).resolve().parents[2]


def _export(scene, out, count=7, **options):
    options = {"shard_size": 3, "seed": 4, **options}
    return export(scene, out, count, ("plain",), **options)


def test_a_dataset_is_whole_and_says_how_it_was_made(scene, tmp_path) -> None:
    made = _export(scene, tmp_path / "a")
    assert (made.made, made.kept, made.complete) == (3, 0, True)
    recipe, manifest = read_manifest(tmp_path / "a")
    assert manifest["samples"] == manifest["images"] == 7 == sum(manifest["splits"].values())
    assert set(manifest["objects"]) <= {
        f"{c}: {s}" for c in ("rods", "beads") for s in ("counted", "difficult")
    }
    listed = [f for shard in manifest["shards"] for f in shard["files"]]
    assert len(listed) == 14
    # Any image again, bit for bit.
    for path in (p for p in (tmp_path / "a").rglob("*.npy") if p.stem in ("0000000", "0000005")):
        again = recipe.source()[int(path.stem)]
        assert (np.load(path) == again.image).all()


def test_another_run_on_the_folder_makes_nothing_and_a_longer_one_goes_on(scene, tmp_path) -> None:
    _export(scene, tmp_path / "a")
    before = contents(tmp_path / "a")
    again = _export(scene, tmp_path / "a")
    assert (again.made, again.kept) == (0, 3)
    assert contents(tmp_path / "a") == before
    longer = _export(scene, tmp_path / "a", count=9)
    assert (longer.made, longer.kept) == (1, 2)
    _export(scene, tmp_path / "b", count=9)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_damaged_and_missing_files_are_made_again(scene, tmp_path) -> None:
    _export(scene, tmp_path / "a")
    before = contents(tmp_path / "a")
    pictures = sorted((tmp_path / "a").rglob("*.npy"))
    damaged = pictures[1].read_bytes()
    pictures[1].write_bytes(damaged[:-1] + bytes([damaged[-1] ^ 1]))
    pictures[-1].unlink()
    mended = _export(scene, tmp_path / "a")
    assert mended.made in (1, 2)
    assert contents(tmp_path / "a") == before


def test_a_killed_run_ends_with_the_same_bytes(scene, tmp_path) -> None:
    scene.save(tmp_path / "scene.yaml")
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from helpers.plain_format import Plain\n"
        "from osog import Scene\nfrom osog.datasets import FORMATS, export\n"
        "FORMATS['plain'] = Plain()\n"
        f"export(Scene.load(r'{tmp_path / 'scene.yaml'}'), r'{tmp_path / 'a'}', 30, ('plain',), 4,"
        " shard_size=3)"
    )
    run = subprocess.Popen([sys.executable, "-c", program], cwd=_ROOT)
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "a").rglob("*.npy"))) < 8 and time.monotonic() < deadline:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    run.wait()
    assert not (tmp_path / "a" / "manifest.json").exists()
    made = export(scene, tmp_path / "a", 30, ("plain",), 4, shard_size=3)
    assert 0 < made.kept < 10
    export(scene, tmp_path / "b", 30, ("plain",), 4, shard_size=3)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_what_a_killed_worker_was_writing_is_cleared(scene, tmp_path) -> None:
    whole = _export(scene, tmp_path / "a", shard=(0, 2))
    assert not whole.complete
    left = tmp_path / "a" / "records" / ".000001.json.kgtci95d.json"
    left.write_text("{", encoding="utf-8")
    picture = next((tmp_path / "a").rglob("*.npy"))
    beside = picture.with_name(f".{picture.name}.a_b1c2d3.npy")
    beside.write_bytes(b"half")
    _export(scene, tmp_path / "a", shard=(0, 2))
    assert left.exists(), "others may still be at work"
    assert _export(scene, tmp_path / "a").complete
    assert not left.exists() and not beside.exists()


def test_shards_may_be_made_in_several_runs(scene, tmp_path) -> None:
    for k in (1, 0):
        part = _export(scene, tmp_path / "a", shard=(k, 2))
        assert part.complete is (k == 0)
    _export(scene, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_folders_of_something_else_are_left_alone(scene, tmp_path) -> None:
    _export(scene, tmp_path / "a")
    before = contents(tmp_path / "a")
    with pytest.raises(DatasetError, match="begun with another seed"):
        _export(scene, tmp_path / "a", seed=5)
    with pytest.raises(DatasetError, match="begun with another scene"):
        _export(scene.updated({"microscope.focus_um": 1.0}), tmp_path / "a")
    assert contents(tmp_path / "a") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(DatasetError, match="holds other files"):
        _export(scene, tmp_path / "mine")
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]


def test_bad_wishes_get_one_sentence(scene, tmp_path, monkeypatch) -> None:
    for options, words in (
        ({"count": 0}, "count = 0 must be 1 or more"),
        ({"split": (0.8, 0.3)}, "add up to 1"),
        ({"shard": (2, 2)}, "k/K"),
        ({"shard_size": 0}, "shard_size = 0"),
        ({"workers": 0}, "workers = 0"),
    ):
        with pytest.raises(DatasetError, match=words):
            _export(scene, tmp_path / "a", **options)
    with pytest.raises(DatasetError, match="format = 'vhs' is not one of"):
        export(scene, tmp_path / "a", 3, ("vhs",))
    with pytest.raises(DatasetError, match="cannot be written to"):
        (tmp_path / "file").write_text("")
        _export(scene, tmp_path / "file" / "x")
    assert not (tmp_path / "a").exists()
    usage = type("usage", (), {"free": 1000.0})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(DatasetError, match=r"room for 0\.0 GB"):
        _export(scene, tmp_path / "a")


def test_splits_have_their_shares_in_any_stretch(scene) -> None:
    recipe = Recipe.of(
        scene, seed=0, labels=None, formats=("plain",), split=(0.7, 0.2, 0.1), views=1,
        accuracy=None, device="cpu", shard_size=10,
    )  # fmt: skip
    for first in (0, 500, 12345):
        found = [recipe.split_of(k) for k in range(first, first + 1000)]
        for name, share in zip(("train", "val", "test"), (0.7, 0.2, 0.1), strict=True):
            assert abs(found.count(name) - 1000 * share) <= 3


def test_images_of_a_volume_that_has_changed_are_not_made_again(scene, tmp_path) -> None:
    def write(label: int) -> None:
        np.save(tmp_path / "cell.npy", np.full((4, 5, 6), label, np.uint8))

    write(1)
    shape = {"kind": "volume", "array": str(tmp_path / "cell.npy"), "voxel_um": 0.2}
    cells = {"name": "cells", "shape": shape, "material": {"index": 1.37}, "count": 2}
    data = {**scene.model_dump(), "populations": [cells]}
    made = _export(Scene.parse(data), tmp_path / "a", 1)
    assert made.complete
    recipe, _ = read_manifest(tmp_path / "a")
    assert recipe.source()[0].image.shape == scene.grid.shape
    write(2)
    with pytest.raises(SceneError, match="has changed since the scene was saved"):
        recipe.source()


def test_the_manifest_is_free_of_times(scene, tmp_path) -> None:
    _export(scene, tmp_path / "a", count=2)
    text = (tmp_path / "a" / "manifest.json").read_text(encoding="utf-8")
    assert " ms" not in text and str(tmp_path) not in text
    json.loads(text)


@pytest.fixture
def compilers(monkeypatch, tmp_path):
    """Nothing is compiled yet; what is to be, and a process that seems to do it."""
    pytest.importorskip("numba")
    monkeypatch.setenv("OSOG_COMPILED_LOOPS", "auto")
    monkeypatch.setenv("OSOG_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(choice, "_STATE", choice._State())
    monkeypatch.setattr(choice, "_FILES", {})
    monkeypatch.setattr(exporting, "WORTH_COMPILING", 3)
    asked: list[list[str]] = []

    def compiler(keys):
        asked.append([name for name, _, _ in keys])
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"])

    monkeypatch.setattr(choice, "_compiler", compiler)
    return asked


def test_a_large_dataset_compiles_what_draws_it_first(scene, tmp_path, compilers) -> None:
    said: list[str] = []
    _export(scene, tmp_path / "small", count=2, said=said.append)
    assert not compilers and not said
    made = _export(scene, tmp_path / "large", count=4, said=said.append)
    assert [sorted(names) for names in compilers] == [["RodGeometry", "SphereGeometry"]]
    assert said == [line for line in said if line.startswith("Compiling")] and len(said) == 1
    assert not made.recipe.compiled  # the process of this test has compiled nothing
    _export(scene, tmp_path / "large", count=5, said=said.append)
    assert len(compilers) == 1


def test_a_dataset_is_stopped_while_it_waits_for_a_compiler(scene, tmp_path, compilers) -> None:
    with pytest.raises(Cancelled):
        _export(scene, tmp_path / "a", count=4, stop=lambda: bool(compilers))
    assert not (tmp_path / "a").exists()

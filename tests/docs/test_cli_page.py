"""The page on JSON output lists exactly the keys that the commands print."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from osog.cli import main

SCENE = """
grid: {shape: [40, 40], pixel_size_um: 0.2}
medium: {index: 1.335}
populations:
  - shape: {kind: sphere}
    material: {index: 1.36}
    particles: [{x_um: 4.0, y_um: 4.0, radius_um: 1.5}]
microscope: {modality: {kind: phase}, numerical_aperture: 0.6, wavelength_um: 0.6}
"""


@pytest.fixture
def documented(root: Path):
    page = (root / "docs" / "cli.md").read_text(encoding="utf-8")

    def keys(command: str) -> set[str]:
        section = page.partition(f"{{ #json-{command} }}")[2].partition("\n### ")[0]
        return set(re.findall(r"^\| `(\w+)` \|", section, flags=re.M))

    return keys


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]):
    def run(*arguments: object) -> dict:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in (*arguments, "--json")])
        printed = capsys.readouterr()
        assert left.value.code == 0, printed.err
        return json.loads(printed.out)

    return run


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE, encoding="utf-8")
    return path


def test_info_keys_are_documented(documented, answer) -> None:
    assert set(answer("info")) == documented("info")


def test_render_detect_and_fit_keys_are_documented(
    documented, answer, scene: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image.npy"
    assert set(answer("render", scene, "--out", image)) == documented("render")
    noisy = np.load(image) + np.random.default_rng(0).normal(0, 0.01, (40, 40))
    np.save(image, noisy.astype(np.float32))

    found = answer("detect", image, scene)
    assert set(found) == documented("detect")

    fitted = answer(
        "fit", image, scene, "--free", "particles[0].radius_um", "--start", "scene",
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert set(fitted) == documented("fit")
    saved = json.loads((tmp_path / "run" / "fit.json").read_text())
    assert set(saved) == (documented("fit") - {"image", "notes", "files"}) | {"history"}


def test_dataset_keys_are_documented(documented, answer, scene: Path, tmp_path: Path) -> None:
    made = answer("dataset", scene, "-n", 2, "--out", tmp_path / "data")
    assert set(made) == documented("dataset")
    assert made["complete"] and made["shards_made"] == 1
    again = answer("dataset", scene, "-n", 2, "--out", tmp_path / "data")
    assert (again["shards_made"], again["shards_kept"]) == (0, 1)
    sheet = answer("dataset", scene, "-n", 2, "--sheet", tmp_path / "sheet.png")
    assert sheet == {"sheet": str(tmp_path / "sheet.png"), "frames": 2}
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_compare_keys_are_documented(documented, answer, tmp_path: Path) -> None:
    path = tmp_path / "needles.yaml"
    path.write_text(
        "grid: {shape: [128, 128], pixel_size_um: 0.2}\n"
        "populations: [{shape: {kind: rod, length_um: 6}, material: {index: 1.4}, count: 6}]\n"
        "microscope: {modality: {kind: dic, azimuth_deg: 30}}\n"
        "camera: {}\n",
        encoding="utf-8",
    )
    image, sheet = tmp_path / "image.tif", tmp_path / "sheet.png"
    answer("render", path, "--out", image)
    compared = answer("compare", image, path, "--renders", 1, "--out", sheet)
    assert set(compared) == documented("compare")
    # The same seed, so the same picture.
    assert compared["distances"]["histogram"] == 0
    assert set(compared["own_distances"]) == set(compared["distances"])
    assert sheet.stat().st_size > 2000


def test_every_command_has_its_json_on_the_page(root: Path) -> None:
    from osog.cli.app import app

    page = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    names = {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}
    missing = {name for name in names if f"{{ #json-{name} }}" not in page}
    assert not missing

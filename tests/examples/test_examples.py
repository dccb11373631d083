"""Every example runs as it stands, and finds what it promises."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import osog
from osog.io import read_micrograph
from osog.scene import MODALITY_TITLES, Scene

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def example(name: str, *arguments: str) -> dict[str, Any]:
        path = EXAMPLES / name
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(path), str(tmp_path), *arguments])
        return runpy.run_path(str(path), run_name="__main__")

    return example


def test_every_example_is_tested() -> None:
    tested = {
        *("find_the_focus.py", "fit_a_hologram.py", "labelled_frame.py", "render_and_save.py"),
        "train_on_a_stream.py",
    }
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


def test_train_on_a_stream(run: Any, tmp_path: Path) -> None:
    names = run("train_on_a_stream.py", "6")  # too few to learn much; the loss falls at once
    assert len(names["losses"]) == 6 and names["losses"][-1] < names["losses"][0]
    assert np.asarray(Image.open(tmp_path / "found.png")).shape == (96, 4 * 96, 3)


MODALITIES = {
    "brightfield": ("brightfield-coherent", "brightfield-koehler"),
    "confocal": ("confocal",),
    "darkfield": ("darkfield",),
    "dic": ("dic-relief", "dic-extinction"),
    "fluorescence": ("fluorescence",),
    "hologram": ("hologram",),
    "iscat": ("iscat",),
    "light_sheet": ("light-sheet",),
    "off_axis_hologram": ("off-axis-hologram", "off-axis-phase"),
    "phase": ("phase",),
    "phase_contrast": ("phase-contrast-positive", "phase-contrast-negative"),
    "polarized": ("polarized-crossed", "polarized-red-plate"),
    "reflection": ("reflection-bright", "reflection-dark"),
    "shadowgraph": ("shadowgraph",),
}


def test_every_modality_has_an_example_and_a_place_in_the_gallery(root: Path) -> None:
    assert set(MODALITIES) == set(MODALITY_TITLES)
    assert {path.stem for path in (EXAMPLES / "modalities").glob("*.py")} == set(MODALITIES)
    page = (root / "docs" / "gallery.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"images/gallery/([\w-]+)\.png", page))
    drawn = {picture for pictures in MODALITIES.values() for picture in pictures}
    of_presets = {name for name in shown if name.startswith("preset-")}
    assert shown - of_presets == drawn
    assert {f"preset-{name}" for name in osog.presets.names()} >= of_presets
    assert {path.stem for path in (root / "docs" / "images" / "gallery").glob("*.png")} == shown


@pytest.mark.parametrize("kind", MODALITIES)
def test_example_of_a_modality(run: Any, tmp_path: Path, kind: str) -> None:
    names = run(f"modalities/{kind}.py")
    assert {path.stem for path in tmp_path.glob("*.png")} == set(MODALITIES[kind])
    for name in MODALITIES[kind]:
        picture = np.asarray(Image.open(tmp_path / f"{name}.png"))
        assert picture.dtype == np.uint8 and picture.shape[0] > 100
        assert picture.std() > 3, "a picture of nothing"
        assert (picture == 255).mean() < 0.05, "burnt out"
    frames = names.get("frames", {"": names.get("frame")})
    for frame in frames.values():
        assert frame.scene.microscope.modality.kind == kind
        assert not [c.text for c in frame.warnings if "wrap" in c.text or "error" in c.text]
    if kind == "phase_contrast":
        cell = (
            frames["positive"].particles.position[0, :2]
            / frames["positive"].scene.grid.pixel_size_um
        )
        x, y = (int(v) for v in cell)
        dark, bright = (np.asarray(f.image) for f in (frames["positive"], frames["negative"]))
        assert dark[y, x] < np.median(dark) and bright[y, x] > np.median(bright)
    if kind == "off_axis_hologram":
        assert names["found"] == pytest.approx(names["expected"], rel=0.05)


def test_render_and_save(run: Any, tmp_path: Path) -> None:
    names = run("render_and_save.py")
    micrograph = read_micrograph(tmp_path / "rods.tif")
    assert micrograph.image.shape == (256, 320)
    assert micrograph.pixel_size_um is not None
    assert micrograph.pixel_size_um.value == pytest.approx(0.12)
    assert np.array_equal(micrograph.image, names["frame"].image.numpy())
    assert Scene.load(tmp_path / "rods.yaml") == names["scene"]


def test_find_the_focus(run: Any) -> None:
    assert run("find_the_focus.py")["focus"].item() == pytest.approx(2.0, abs=0.01)


def test_fit_a_hologram(run: Any) -> None:
    names = run("fit_a_hologram.py")
    result, truth = names["result"], names["truth"].populations[0].particles[0]
    assert result.success
    for name in names["free"]:
        true = getattr(truth, name.rsplit(".", 1)[1])
        assert abs(result.values[name] - true) < 5 * result.sigma[name]


def test_labelled_frame(run: Any, tmp_path: Path) -> None:
    names = run("labelled_frame.py")
    labels = np.loadtxt(tmp_path / "needles.txt")
    assert labels.shape == (len(names["lines"]), 9)
    assert len(labels) > 100
    assert labels[:, 1:].min() >= 0 and labels[:, 1:].max() <= 1
    assert read_micrograph(tmp_path / "needles.mask.png").image.max() <= len(names["boxes"])
    # The pixels of a needle lie inside its box.
    mask, boxes = names["mask"], names["boxes"]
    number = int(np.bincount(mask[mask > 0]).argmax())
    y, x = np.nonzero(mask == number)
    centre_x, centre_y, width, height, angle = boxes[number - 1]
    along = (x - centre_x) * np.cos(angle) + (y - centre_y) * np.sin(angle)
    across = -(x - centre_x) * np.sin(angle) + (y - centre_y) * np.cos(angle)
    assert np.abs(along).max() <= 0.5 * width + 1
    assert np.abs(across).max() <= 0.5 * height + 1

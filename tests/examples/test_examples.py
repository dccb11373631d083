"""Every example runs as it stands, and finds what it promises."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osog.io import read_micrograph
from osog.scene import Scene

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def example(name: str) -> dict[str, Any]:
        path = EXAMPLES / name
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(path), str(tmp_path)])
        return runpy.run_path(str(path), run_name="__main__")

    return example


def test_every_example_is_tested() -> None:
    tested = {"find_the_focus.py", "fit_a_hologram.py", "labelled_frame.py", "render_and_save.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


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

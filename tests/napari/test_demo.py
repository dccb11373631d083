"""The demo, from outside, as ``make demo`` calls it."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys

import pytest
from PIL import Image

from napari_osog import demo

from .test_fit_parts import a_result

CENTRE_UM = tuple(pixels * 0.107 for pixels in demo.CENTRE_PX)
X, Y = "particles[0].x_um", "particles[0].y_um"
RADIUS, INDEX = "populations.cell.shape.radius_um", "populations.cell.material.index"


def good_fit():
    return dataclasses.replace(
        a_result(demo.start_scene()),
        values={X: CENTRE_UM[0], Y: CENTRE_UM[1], RADIUS: demo.RADIUS_UM, INDEX: 1.365},
        undetermined={INDEX: "The grey scale is unknown."},
    )


def test_a_fit_that_agrees_with_the_reference_passes():
    assert demo.checked(good_fit()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"converged": False}, "did not converge"),
        ({"undetermined": {}}, "index was given a number"),
        ({"values": good_fit().values | {RADIUS: 7.2}}, "radius 7.20 µm is not 6.98"),
        ({"values": good_fit().values | {X: CENTRE_UM[0] + 0.3}}, "centre's column"),
        ({"values": good_fit().values | {Y: CENTRE_UM[1] - 0.3}}, "centre's row"),
    ],
)
def test_a_fit_that_does_not_is_named(changes, words):
    (sentence,) = demo.checked(dataclasses.replace(good_fit(), **changes))
    assert words in sentence


def test_a_folder_that_cannot_be_made_is_answered_in_a_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert demo.main(["--out", str(tmp_path / "file" / "out"), "--headless"]) == 1
    assert "cannot be made" in capsys.readouterr().err


SMALLER_CROWD = """
import runpy, sys
from helpers.smaller import smaller
from osog import presets

load = presets.load
presets.load = lambda name: smaller(load(name), 192)
sys.argv[0] = "napari_osog.demo"
runpy.run_module("napari_osog.demo", run_name="__main__", alter_sys=True)
"""
"""``python -m napari_osog.demo`` with a tenth of its crystals, which take most of its time."""


@pytest.mark.viewer
@pytest.mark.slow
def test_the_demo_fits_the_cell_and_shows_crystals_live(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SMALLER_CROWD, "--out", str(tmp_path / "out"), "--headless"],
        env={**os.environ, "NAPARI_CONFIG": "", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Index: not determined." in done.stdout
    assert re.search(r"^Showed \d\d crystals in DIC", done.stdout, re.M), done.stdout
    found = {path.name for path in (tmp_path / "out").iterdir()}
    shots = {"simulate.png", "overlay.png", "fit-running.png", "fit-result.png"}
    assert found == shots | {"fit.json"}
    for name in shots:
        with Image.open(tmp_path / "out" / name) as shot:
            assert shot.size == demo.WINDOW
            assert len(shot.convert("L").getcolors() or ()) > 100, f"{name} shows nothing"
    data = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert data["converged"] and INDEX in data["undetermined"]
    assert data["values"][RADIUS] == pytest.approx(demo.RADIUS_UM, abs=demo.TOLERANCE_UM)
    assert 0 < data["sigma"][RADIUS] < 0.5

"""The command ``track``."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

import osog
from helpers.beads import scene_of
from osog.cli.app import app


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    small = {"grid": {"shape": [40, 42], "pixel_size_um": 0.1}}
    for t in range(2):
        scene = scene_of((1.9 + 0.2 * t, 2.1, 0.3, 0.45, 1.44), **small)
        image = osog.render(scene, device="cpu", seed=t).image.numpy()
        np.save(folder / f"frame{t}.npy", image)
    scene_of().save(folder / "scene.yaml")
    arguments = [
        "track", str(folder / "frame*.npy"), str(folder / "scene.yaml"), "--out",
        str(folder / "out"), "--free", "x_um,y_um,z_um", "--rounds", "0", "--json",
    ]  # fmt: skip
    return folder, CliRunner().invoke(app, arguments)


def test_a_pattern_becomes_a_table(run):
    folder, done = run
    assert done.exit_code == 0, done.output
    with (folder / "out" / "particles.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["frame"] for row in rows] == ["0", "1"]
    assert {row["particle"] for row in rows} == {"0"}
    assert float(rows[1]["x_um"]) - float(rows[0]["x_um"]) == pytest.approx(0.2, abs=0.02)
    answer = json.loads(done.stdout)
    assert answer["frames"] == 2
    assert answer["diffusion"] == []
    assert set(answer["files"]) == {"scene", "model", "residual", "table"}
    assert osog.Scene.load(folder / "out" / "scene.yaml").grid.shape == (40, 42)


def test_a_folder_without_images_is_one_sentence(tmp_path):
    scene_of().save(tmp_path / "scene.yaml")
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(
        app, ["track", str(tmp_path / "empty"), str(tmp_path / "scene.yaml"), "--out", "x"]
    )
    assert done.exit_code != 0
    assert "Traceback" not in done.output

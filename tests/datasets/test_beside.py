"""The sheet on which a dataset stands beside a micrograph."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from osog.cli import main
from osog.datasets import FrameSource, LabelSettings
from osog.datasets.beside import ROWS, beside
from osog.scene import Scene
from osog.statistics import region_shapes

DATA = {
    "grid": {"shape": [288, 288], "pixel_size_um": 0.2},
    "medium": {"index": 1.33},
    "populations": [
        {
            "name": "rods",
            "shape": {"kind": "rod", "length_um": 10.0, "radius_um": 0.7},
            "material": {"index": 1.37, "absorption_per_um": 0.3},
            "count": 14,
            "placement": {"law": "non_overlapping"},
            "orientation": {"law": "planar"},
        }
    ],
    "microscope": {"numerical_aperture": 0.5},
    "camera": {"background_electrons": 9000, "gain_electrons_per_count": 60, "bit_depth": 8},
    "numerics": {"accuracy": "draft"},
}


def test_bars_and_discs_have_their_sizes() -> None:
    y, x = np.mgrid[0:300, 0:300].astype(float)
    bar = (np.abs((x - 80) * 0.8 + (y - 90) * 0.6) < 30) & (
        np.abs((y - 90) * 0.8 - (x - 80) * 0.6) < 8
    )
    disc = np.hypot(x - 210, y - 200) < 25
    cut = (x < 6) & (y > 250)
    contrast = -0.4 * (bar | disc | cut)
    lengths, widths = region_shapes(contrast, 0.5, 0.001)
    assert len(lengths) == 2, "what touches the border is left out"
    assert lengths == pytest.approx([30, 25 * np.sqrt(3) / 2], abs=1.6)
    assert widths == pytest.approx([8, 25 * np.sqrt(3) / 2], abs=1.6)
    noisy = np.random.default_rng(0).normal(0, 0.05, (200, 200))
    assert len(region_shapes(noisy, 0.5, 0.05)[0]) == 0


def test_a_dataset_beside_itself_is_alike_and_beside_another_is_not() -> None:
    scene = Scene.parse(DATA)
    source = FrameSource(scene, 2, labels=LabelSettings(), device="cpu")
    frames = [source[0], source[1]]
    found = beside(frames, source[2].image, 0.2)
    assert set(found.rows) == set(ROWS)
    for name in ("length_um", "line_width_um", "line_depth", "background", "noise"):
        image, mean, low, high = found.rows[name]
        assert mean == pytest.approx(image, rel=0.3), name
        assert low <= mean <= high
    assert found.rows["dark_share"][0] > 0.9 and found.rows["dark_share"][1] > 0.9
    assert found.labels["length_um"] == pytest.approx(10, abs=0.3)
    assert found.rows["length_um"][1] == pytest.approx(10, rel=0.2)
    halves = scene.updated({"populations.rods.shape.length_um": 5.0})
    short = beside([FrameSource(halves, 2, device="cpu")[0]], source[2].image, 0.2)
    assert short.rows["length_um"][1] < 0.7 * short.rows["length_um"][0]


def test_the_command_writes_both_sheets(tmp_path, capsys) -> None:
    scene = Scene.parse(DATA)
    scene.save(tmp_path / "scene.yaml")
    image = FrameSource(scene, 9, device="cpu")[0].picture
    Image.fromarray(image).save(tmp_path / "mine.png")
    sheet = tmp_path / "sheet.png"
    command = ["dataset", str(tmp_path / "scene.yaml"), "--sheet", str(sheet), "-n", "2"]
    with pytest.raises(SystemExit):
        main([*command[:2], "--beside", str(tmp_path / "mine.png")])
    assert "--beside IMAGE needs --sheet" in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        main([*command, "--beside", str(tmp_path / "mine.png"), "--pixel-size-um", "0.2", "--json"])
    assert left.value.code in (0, None)
    answer = json.loads(capsys.readouterr().out)
    assert answer["frames"] == 2 and sheet.exists()
    assert set(answer["statistics"]) == set(ROWS)
    with Image.open(tmp_path / "sheet-beside.png") as drawn:
        shown = np.asarray(drawn.convert("L"))
    assert shown.shape[1] > 1000 and 20 < shown.std()

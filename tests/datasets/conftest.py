"""A quick scene with labelled and unlabelled particles, and a format that needs no library."""

from __future__ import annotations

import pytest

from helpers.plain_format import Plain
from osog import Scene
from osog.datasets import FORMATS

SCENE = {
    "grid": {"shape": [64, 80], "pixel_size_um": 0.2},
    "medium": {"index": 1.33},
    "populations": [
        {
            "name": "rods",
            "shape": {"kind": "rod", "length_um": 4.0, "radius_um": 0.5},
            "material": {"index": 1.37},
            "count": 6,
            "placement": {"z_um": [-2, 2]},
            "orientation": {"law": "planar"},
        },
        {
            "name": "dust",
            "shape": {"kind": "sphere", "radius_um": 0.4},
            "material": {"index": 1.4},
            "count": 3,
            "labelled": False,
        },
        {
            "name": "beads",
            "shape": {"kind": "sphere", "radius_um": {"law": "uniform", "low": 0.5, "high": 1.0}},
            "material": {"index": 1.36},
            "count": 4,
        },
    ],
    "microscope": {"numerical_aperture": 0.5, "wavelength_um": 0.55},
    "camera": {"background_electrons": 6000},
    "numerics": {"accuracy": "draft"},
}


@pytest.fixture
def scene() -> Scene:
    return Scene.parse(SCENE)


@pytest.fixture(autouse=True)
def plain_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "plain", Plain())

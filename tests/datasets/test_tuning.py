"""Boxes as wide as those that somebody drew."""

from __future__ import annotations

import numpy as np
import pytest

from osog.datasets import DatasetError, FrameSource, LabelSettings, tuned
from osog.datasets.tuning import relative_widths
from osog.scene import Scene

SCENE = Scene.parse(
    {
        "grid": {"shape": [128, 160], "pixel_size_um": 0.2},
        "medium": {"index": 1.33},
        "populations": [
            {
                "name": "rods",
                "shape": {"kind": "rod", "length_um": 8.0, "radius_um": 0.5},
                "material": {"index": 1.35, "absorption_per_um": 0.4},
                "count": 6,
                "placement": {"margin_um": 0},
                "orientation": {"law": "planar"},
            }
        ],
        "microscope": {"numerical_aperture": 0.5},
        "camera": {"background_electrons": 9000},
        "numerics": {"accuracy": "draft"},
    }
)


def test_width_of_a_gaussian_line_is_its_half_width() -> None:
    y, x = np.mgrid[0:100, 0:120].astype(float)
    line = 1 - 0.4 * np.exp(-0.5 * (((y - 50) * 0.8 - (x - 60) * 0.6) / 3.0) ** 2)
    angle = np.arctan2(0.6, 0.8)
    boxes = np.array([[60, 50, 50, 14.0, angle], [60, 50, 50, 21.0, angle], [5, 5, 50, 14, angle]])
    fwhm = 2.3548 * 3.0
    assert relative_widths(line, boxes) == pytest.approx([14 / fwhm, 21 / fwhm], rel=0.05)


def test_the_share_that_boxes_were_drawn_with_is_found_again() -> None:
    drawn = LabelSettings(box="visible", peak_share=0.4)
    frames = [FrameSource(SCENE, 8, labels=drawn, device="cpu")[k] for k in range(2)]
    found = tuned(
        SCENE, [f.image for f in frames], [f.objects.full_box for f in frames], seed=3, frames=1
    )
    assert found.box == "visible" and 0.25 < found.peak_share < 0.6


def test_too_few_boxes_are_refused() -> None:
    with pytest.raises(DatasetError, match="0 drawn boxes can be measured"):
        tuned(SCENE, [np.ones((50, 50))], [np.zeros((0, 5))])

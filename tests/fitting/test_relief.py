"""DIC stated the wrong way round: the direction of the relief is found, not asked."""

from __future__ import annotations

import pytest

import osog

AZIMUTH = "microscope.modality.azimuth_deg"


def sphere(azimuth_deg: float) -> osog.Scene:
    return osog.Scene.parse(
        {
            "grid": {"shape": [32, 32], "pixel_size_um": 0.12},
            "populations": [
                {
                    "name": "bead",
                    "shape": {"kind": "sphere", "radius_um": 0.5},
                    "material": {"index": 1.38},
                    "scattering": "projection",
                    "particles": [{"x_um": 1.9, "y_um": 1.85, "z_um": 0.0}],
                }
            ],
            "microscope": {
                "modality": {
                    "kind": "dic", "shear_um": 0.25, "azimuth_deg": azimuth_deg,
                    "bias_retardance_deg": 80,
                },
                "numerical_aperture": 0.8,
                "focus_um": 0.4,
            },
            "camera": None,
        }
    )  # fmt: skip


@pytest.mark.parametrize("stated", [18.0, 198.0])
def test_a_relief_stated_the_wrong_way_round_is_found(stated: float) -> None:
    image = osog.forward(sphere(18.0), {}).numpy()
    start = sphere(stated).updated({"particles[0].x_um": 1.95})
    free = ("particles[0].x_um", "particles[0].y_um", "particles[0].radius_um")
    found = osog.fit(image, start, free=free, start="scene", optics="exact")
    assert found.scene.get(AZIMUTH) == 18.0
    assert found.values["particles[0].radius_um"] == pytest.approx(0.5, rel=1e-3)
    told = [words for words in found.warnings if "opposite shear" in words]
    assert len(told) == (stated == 198.0)

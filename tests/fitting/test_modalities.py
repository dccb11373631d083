"""Fits in the light of the newer modalities recover what was rendered."""

from __future__ import annotations

import pytest

import osog

START = {"x_um": 4.9, "y_um": 4.7, "z_um": 0.2, "radius_um": 0.9}
TRUE = {"x_um": 5.1, "y_um": 4.85, "z_um": 0.5, "radius_um": 1.0}


def scene(kind: str, particle: dict[str, float]) -> osog.Scene:
    modality: dict[str, object] = {"kind": kind}
    if kind == "darkfield":
        modality |= {"inner_numerical_aperture": 0.7, "outer_numerical_aperture": 0.85}
    electrons = 1e6 if kind == "darkfield" else 2e4
    return osog.Scene.parse(
        {
            "grid": {"shape": [48, 48], "pixel_size_um": 0.2},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "bead",
                    "shape": {"kind": "sphere", "radius_um": 1.0},
                    "material": {"index": 1.37},
                    "scattering": "slabs",
                    "particles": [particle],
                }
            ],
            "microscope": {
                "modality": modality,
                "numerical_aperture": 0.6,
                "focus_um": 2.0,
                "source_points": 4,
            },
            "camera": {
                "background_electrons": electrons,
                "full_well_electrons": 1e6,
                "gain_electrons_per_count": 10,
                "bit_depth": 16,
            },
            "numerics": {"accuracy": "fine"},
        }
    )


@pytest.mark.parametrize("kind", ["phase_contrast", "darkfield", "shadowgraph", "confocal"])
def test_a_bead_is_found_again(kind: str) -> None:
    image = osog.render(scene(kind, TRUE), seed=3).image
    free = [f"particles[0].{name}" for name in TRUE]
    result = osog.fit(image.numpy(), scene(kind, START), free=free)
    assert result.success, result.warnings
    for name, value in TRUE.items():
        found, sigma = result.values[f"particles[0].{name}"], result.sigma[f"particles[0].{name}"]
        assert found == pytest.approx(value, abs=max(5 * sigma, 0.01)), name
        assert sigma < 0.2

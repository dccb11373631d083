"""Indices that follow the wavelength, against the Abbe number's definition and measurements."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from osog.sample import Values, dispersed, sample
from osog.sample.dispersion import C_LINE_UM, D_LINE_UM, F_LINE_UM, medium_index
from osog.scene import Scene
from osog.scene.material import ABBE_NUMBERS, INDICES

DOUBLE = torch.float64


def scene_of(medium: dict[str, Any], *materials: dict[str, Any], **shape: Any) -> Scene:
    return Scene.parse(
        {
            "medium": medium,
            "populations": [
                {
                    "name": f"p{i}",
                    "shape": shape or {"kind": "sphere"},
                    "material": material,
                    "particles": [{"x_um": 1.0, "y_um": 2.0}],
                }
                for i, material in enumerate(materials)
            ],
            "microscope": {"wavelength_um": 0.55},
        }
    )


def at(wavelength: float) -> torch.Tensor:
    return torch.tensor(wavelength, dtype=DOUBLE)


def index_at(scene: Scene, wavelength: float) -> float:
    return float(medium_index(Values(scene, dtype=DOUBLE), at(wavelength)))


@pytest.mark.parametrize("abbe", [20.0, 55.8, 95.0])
def test_abbe_number_is_that_of_the_definition(abbe: float) -> None:
    scene = scene_of({"index": 1.5, "abbe_number": abbe})
    assert index_at(scene, 0.55) == pytest.approx(1.5, abs=1e-12)
    d, f, c = (index_at(scene, line) for line in (D_LINE_UM, F_LINE_UM, C_LINE_UM))
    assert (d - 1) / (f - c) == pytest.approx(abbe)


def water(wavelength: float) -> float:
    """Index of water at 20 °C (Daimon & Masumura 2007, four Sellmeier terms)."""
    strengths = (5.684027565e-1, 1.726177391e-1, 2.086189578e-2, 1.130748688e-1)
    poles = (5.101829712e-3, 1.821153936e-2, 2.620722293e-2, 1.069792721e1)
    square = wavelength**2
    terms = (a * square / (square - b) for a, b in zip(strengths, poles, strict=True))
    return float((1 + sum(terms)) ** 0.5)


def crown(wavelength: float) -> float:
    """Index of N-BK7 (Schott)."""
    strengths = (1.03961212, 0.231792344, 1.01046945)
    poles = (0.00600069867, 0.0200179144, 103.560653)
    square = wavelength**2
    terms = (a * square / (square - b) for a, b in zip(strengths, poles, strict=True))
    return float((1 + sum(terms)) ** 0.5)


@pytest.mark.parametrize(
    ("measured", "abbe", "tolerance"),
    [(water, ABBE_NUMBERS["water"], 1e-3), (crown, ABBE_NUMBERS["glass"], 1e-3)],
)
def test_two_terms_follow_measured_indices(measured: Any, abbe: float, tolerance: float) -> None:
    scene = scene_of({"index": measured(0.55), "abbe_number": abbe})
    for wavelength in (0.42, 0.486, 0.6, 0.656, 0.7):
        assert index_at(scene, wavelength) == pytest.approx(measured(wavelength), abs=tolerance)
    assert (measured(D_LINE_UM) - 1) / (measured(F_LINE_UM) - measured(C_LINE_UM)) == pytest.approx(
        abbe, rel=5e-3
    )


def test_particles_and_medium_move_together() -> None:
    scene = scene_of(
        {"index": 1.33, "abbe_number": 55.8},
        {"index": 1.6, "abbe_number": 31.0},
        {"index": 1.45},
    )
    values = Values(scene, dtype=DOUBLE)
    batch = sample(scene, values=values)
    blue = dispersed(batch, values, at(0.45))
    alone = [index_at(scene_of({"index": 1.6, "abbe_number": 31.0}), 0.45), 1.45]
    medium = index_at(scene, 0.45)
    assert (blue.delta_index + medium).tolist() == pytest.approx(alone)
    same = dispersed(batch, values, at(0.55))
    torch.testing.assert_close(same.delta_index, batch.delta_index)
    plain = scene_of({"index": 1.33}, {"index": 1.6})
    assert dispersed(batch, Values(plain, dtype=DOUBLE), at(0.45)) is batch


def test_cores_have_the_dispersion_of_their_population() -> None:
    scene = scene_of(
        {"index": 1.33},
        {"index": 1.5, "abbe_number": 40.0},
        kind="coated_sphere", radius_um=1.0, core_radius_um=0.5, core_index=1.7,
    )  # fmt: skip
    values = Values(scene, dtype=DOUBLE)
    blue = dispersed(sample(scene, values=values), values, at(0.45))
    shell = 1.33 + float(blue.delta_index)
    core = index_at(scene_of({"index": 1.7, "abbe_number": 40.0}), 0.45)
    assert shell + float(blue.core_index_step) == pytest.approx(core)


def test_names_bring_their_abbe_number() -> None:
    scene = scene_of({"name": "water"}, {"name": "Polystyrene"}, {"name": "lysozyme"})
    assert scene.medium.abbe_number == ABBE_NUMBERS["water"]
    assert scene.populations[0].material.abbe_number == ABBE_NUMBERS["polystyrene"]
    assert scene.populations[1].material.abbe_number is None
    own = scene_of({"name": "water", "abbe_number": 40.0})
    assert own.medium.abbe_number == 40
    assert scene_of({"name": "water", "abbe_number": None}).medium.abbe_number is None
    assert Scene.parse(scene.to_dict()) == scene
    assert set(ABBE_NUMBERS) <= set(INDICES)


def test_gradients() -> None:
    scene = scene_of({"index": 1.33, "abbe_number": 55.8}, {"index": 1.6, "abbe_number": 31.0})
    names = (
        "medium.index", "medium.abbe_number", "populations.p0.material.index",
        "populations.p0.material.abbe_number", "microscope.wavelength_um",
    )  # fmt: skip

    def difference(*numbers: torch.Tensor) -> torch.Tensor:
        values = Values(scene, dict(zip(names, numbers, strict=True)), dtype=DOUBLE)
        return dispersed(sample(scene, values=values), values, at(0.45)).delta_index

    start = [torch.tensor(v, dtype=DOUBLE, requires_grad=True) for v in (1.33, 55.8, 1.6, 31, 0.55)]
    assert torch.autograd.gradcheck(difference, start)

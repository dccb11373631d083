"""Indices that follow the wavelength, against the Abbe number's definition and measurements."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from osog import materials
from osog.sample import Values, dispersed, sample
from osog.sample.dispersion import C_LINE_UM, D_LINE_UM, F_LINE_UM, medium_index
from osog.scene import Scene

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
    [(water, 55.8, 1e-3), (crown, 64.2, 1e-3)],
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


def test_names_bring_their_dispersion() -> None:
    scene = scene_of({"name": "water"}, {"name": "Polystyrene"}, {"index": 1.5})
    assert scene.medium.dispersion == "water" and scene.medium.abbe_number is None
    assert scene.populations[0].material.dispersion == "polystyrene"
    assert scene.populations[1].material.dispersion is None
    own = scene_of({"name": "water", "abbe_number": 40.0})
    assert (own.medium.abbe_number, own.medium.dispersion) == (40, None)
    # Files from before the table say on purpose that there is none.
    assert scene_of({"name": "water", "abbe_number": None}).medium.dispersion is None
    assert Scene.parse(scene.to_dict()) == scene


def index_of(name: str, wavelength: float) -> float:
    return materials.index(name, wavelength)


def test_each_colour_meets_the_table() -> None:
    """Medium, index, birefringence and absorption at other wavelengths than the microscope's."""
    scene = scene_of({"name": "water"}, {"name": "calcite"}, {"name": "red blood cell"})
    values = Values(scene, dtype=DOUBLE)
    batch = sample(scene, values=values)
    for wavelength in (0.43, 0.55, 0.68):
        found = dispersed(batch, values, at(wavelength))
        medium = index_at(scene, wavelength)
        assert medium == pytest.approx(index_of("water", wavelength), abs=2e-6)
        own = (medium + found.delta_index).tolist()
        expected = [index_of(name, wavelength) for name in ("calcite", "red blood cell")]
        assert own == pytest.approx(expected, abs=2e-6)
        split = materials.birefringence("calcite", wavelength)
        assert found.birefringence.tolist() == pytest.approx([split, 0.0], abs=2e-6)
        taken = materials.absorption_per_um("red blood cell", wavelength)
        assert found.absorption_per_um.tolist() == pytest.approx([0.0, taken], rel=0.01)


def test_other_numbers_than_the_table_keep_their_proportion() -> None:
    porous = {"name": "polystyrene", "index": 1.4, "absorption_per_um": 0.0}
    thin = {"name": "calcite", "birefringence": -0.05}
    scene = scene_of({"index": 1.33}, porous, thin)
    values = Values(scene, dtype=DOUBLE)
    blue = dispersed(sample(scene, values=values), values, at(0.45))
    refractivity = [index_of("polystyrene", w) - 1 for w in (0.45, 0.55)]
    expected = 1 + 0.4 * refractivity[0] / refractivity[1]
    assert 1.33 + float(blue.delta_index[0]) == pytest.approx(expected)
    ratio = materials.birefringence("calcite", 0.45) / materials.birefringence("calcite", 0.55)
    assert float(blue.birefringence[1]) == pytest.approx(-0.05 * ratio)


def test_gradients_through_the_table() -> None:
    scene = scene_of({"name": "water"}, {"name": "calcite"}, {"name": "red blood cell"})
    names = (
        "medium.index", "populations.p0.material.index", "populations.p0.material.birefringence",
        "populations.p1.material.absorption_per_um", "microscope.wavelength_um",
    )  # fmt: skip

    def numbers(line: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
        values = Values(scene, dict(zip(names, given, strict=True)), dtype=DOUBLE)
        found = dispersed(sample(scene, values=values), values, line)
        return torch.stack((found.delta_index, found.birefringence, found.absorption_per_um))

    plain = (0.4317, 1.334, 1.66, -0.17, 0.05, 0.5531)
    start = [torch.tensor(v, dtype=DOUBLE, requires_grad=True) for v in plain]
    assert torch.autograd.gradcheck(numbers, start, atol=1e-5, rtol=1e-3)


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

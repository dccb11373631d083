"""Bad scenes are refused in one sentence that names field, value and range."""

from __future__ import annotations

from typing import Any

import pytest

from osog.scene import Camera, Microscope, Scene, SceneError
from osog.scene.model import SceneModel


def population(**fields: Any) -> dict[str, Any]:
    return {"populations": [{"name": "p", **fields}]}


def sphere(radius: Any) -> dict[str, Any]:
    return population(shape={"kind": "sphere", "radius_um": radius})


def microscope(**fields: Any) -> dict[str, Any]:
    return {"microscope": fields}


CASES: list[tuple[Any, str]] = [
    (None, "A scene is a mapping"),
    ([1], "A scene is a mapping"),
    ({"nope": 1}, "nope: is not a known field here."),
    ({"schema_version": 2}, "schema_version: must be one of 1, not 2."),
    ({"grid": {"shape": [0, 10]}}, "grid: shape = 0 must lie between 1 and 8192 px."),
    ({"grid": {"shape": 10}}, "grid.shape: must be a list, not 10."),
    ({"grid": {"shape": ["a", 3]}}, "grid.shape[0]: must be a whole number, not 'a'."),
    ({"grid": {"pixel_size_um": -1}}, "pixel_size_um = -1 must lie between 0.001 and 100 µm."),
    ({"medium": 3}, "medium: must be a mapping, not 3."),
    ({"medium": "beer"}, "medium.name = 'beer' is not known; known names are air,"),
    ({"medium": {"name": "beer"}}, "medium.name = 'beer' is not known; known names are air,"),
    ({"medium": {"index": 0.5}}, "medium: index = 0.5 must lie between 1 and 4."),
    ({"populations": [3]}, "populations[0]: must be a mapping, not 3."),
    (population(name="a.b"), "populations[0].name: must not contain dots or brackets"),
    (population(name=""), "populations[0].name: must not be empty"),
    ({"populations": [{"name": "a"}, {"name": "a"}]}, "'a' occurs twice"),
    (
        population(shape={"kind": "cube"}),
        "'cube' is not one of sphere, coated_sphere, ellipsoid,",
    ),
    (population(shape={"radius_um": 1}), "populations[0].shape: needs a 'kind'."),
    (sphere(-1), "populations[0].shape: radius_um = -1 must lie between 0.005 and 2000 µm."),
    (sphere("big"), "populations[0].shape.radius_um: must be a number, not 'big'."),
    (sphere(float("nan")), "populations[0].shape.radius_um: must be a finite number, not nan."),
    (sphere({"law": "gamma"}), "'gamma' is not one of number, uniform, normal, lognormal."),
    (sphere({"low": 1}), "radius_um: needs a 'law': uniform, normal or lognormal."),
    (sphere({"law": "uniform", "low": 2, "high": 1}), "low = 2 must not exceed high = 1."),
    (
        sphere({"law": "normal", "mean": 1, "std": 1}),
        "radius_um may be drawn from -3 to 5, but must lie between 0.005 and 2000 µm.",
    ),
    (
        population(shape={"kind": "rod", "length_um": 1, "radius_um": 2}),
        "length_um = 1 must be at least twice radius_um = 2",
    ),
    (
        population(shape={"kind": "rod"}, particles=[{"length_um": 1}]),
        "particles[0].length_um = 1 must be at least twice radius_um = 0.75, since a rod is",
    ),
    (
        population(shape={"kind": "polyhedron", "habit": "dodo"}),
        "populations[0].shape.habit: must be one of octahedron, hexagonal_prism,",
    ),
    (
        population(shape={"kind": "polyhedron", "half_spaces": [[1, 0, 0, 1]]}),
        "half_spaces = 1 rows must enclose a finite body around the origin",
    ),
    (population(count=3, particles=[]), "give only one of count and particles"),
    (population(count=-1), "populations[0].count: must be at least 0, not -1."),
    (population(count=10**7), "populations[0].count: must be at most 1e+06, not 10000000."),
    (population(count=2.5), "populations[0].count: must be a whole number, not 2.5."),
    (population(density_per_mm2=-2), "density_per_mm2: must be at least 0, not -2."),
    (
        population(placement={"law": "grid"}),
        "populations[0].placement: 'grid' is not one of poisson, n",
    ),
    (population(placement={"z_um": [1, 2, 3]}), "must be a number, a law or [low, high]."),
    (population(placement={"z_um": ["a", "b"]}), "must be a number, a law or [low, high]."),
    (population(placement={"z_um": [2, 1]}), "low = 2 must not exceed high = 1."),
    (population(particles=[{"radius_um": -1}]), "particles[0].radius_um = -1 must lie between"),
    (population(particles=[{"length_um": 3}]), "does not belong to a sphere; its sizes are rad"),
    (population(particles=[{"index": 9}]), "particles[0].index = 9 must lie between 0.02 and 4."),
    (population(particles=[{"q": 9}]), "populations[0].particles[0].q: is not a known field"),
    (population(scattering="guess"), "scattering: must be one of auto, slabs"),
    (
        microscope(numerical_aperture=1.2, immersion_index=1.0),
        "numerical_aperture = 1.2 needs an immersion index above it; immersion_index is 1 (air).",
    ),
    (microscope(numerical_aperture=0), "numerical_aperture = 0 must lie between 0.02 and 1.6."),
    (
        microscope(modality={"kind": "xray"}),
        "'xray' is not one of brightfield, phase_contrast, dic,",
    ),
    (
        microscope(
            modality={
                "kind": "darkfield",
                "inner_numerical_aperture": 0.9,
                "outer_numerical_aperture": 1.4,
            }
        ),
        "outer_numerical_aperture: light up to NA 1.4 must stay below the medium index 1.333",
    ),
    (microscope(modality="dic"), "microscope.modality: must be a mapping with a 'kind', not 'dic'"),
    (microscope(modality={"kind": "dic", "shear": 1}), "microscope.modality.shear: is not a know"),
    (
        microscope(condenser_numerical_aperture=1.4, numerical_aperture=1.3),
        "light up to NA 1.4 must stay below the medium index 1.333",
    ),
    (microscope(aberrations={"zernike": {1: 0.1}}), "zernike index 1 must lie between 2 and 120"),
    (microscope(aberrations={"zernike": {11: 9}}), "zernike[11] = 9 must lie between -5 and 5"),
    (microscope(wavelength_um=550), "wavelength_um = 550 must lie between 0.2 and 2 µm."),
    ({"camera": {"offset_counts": 300}}, "must lie below the white level 255 of 8 bits."),
    ({"camera": {"bit_depth": 17}}, "camera: bit_depth = 17 must lie between 1 and 16 bit."),
    ({"camera": {"noise": "maybe"}}, "camera.noise: must be true or false, not 'maybe'."),
    ({"numerics": {"accuracy": "best"}}, "accuracy: must be one of auto, draft, standard, fine"),
]


@pytest.mark.parametrize(("data", "words"), CASES, ids=[words[:40] for _, words in CASES])
def test_bad_scene_is_refused_in_one_sentence(data: Any, words: str) -> None:
    with pytest.raises(SceneError) as caught:
        Scene.parse(data)
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
    assert "pydantic" not in message


def test_every_fault_is_named() -> None:
    with pytest.raises(SceneError) as caught:
        Scene.parse({"grid": {"pixel_size_um": -1}, "medium": {"index": 9}})
    assert len(str(caught.value).splitlines()) == 2


def test_substances_are_known_by_name() -> None:
    scene = Scene.parse({"medium": {"name": "Water"}, **population(material={"name": "silica"})})
    assert scene.medium.index == pytest.approx(1.3347, abs=1e-4)  # at the microscope's 0.55 µm
    assert scene.populations[0].material.index == pytest.approx(1.4599, abs=1e-4)


def test_immersion_follows_the_aperture_when_left_out() -> None:
    for aperture, index in ((0.8, 1.0), (1.2, 1.333), (1.4, 1.473), (1.49, 1.518)):
        assert Microscope(numerical_aperture=aperture).immersion_index == index


def test_scenes_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Scene().grid = None  # type: ignore[misc,assignment]


def limited_fields() -> list[tuple[type[SceneModel], str, float, float]]:
    """Every plain number with limits, of the blocks that stand alone."""
    from osog.scene import DIC, Box, Cylinder, Fluorescence, Grid, Material, Medium, Sphere
    from osog.scene.orientation import Aligned
    from osog.scene.placement import Clustered

    blocks = (Box, Camera, Cylinder, DIC, Fluorescence, Grid, Material, Medium, Microscope,
              Aligned, Clustered, Sphere)  # fmt: skip
    return [
        (block, name, *info.json_schema_extra["limits"])  # type: ignore[index,call-overload]
        for block in blocks
        for name, info in block.model_fields.items()
        if isinstance(info.json_schema_extra, dict) and "limits" in info.json_schema_extra
    ]


@pytest.mark.parametrize(
    ("block", "name", "low", "high"),
    [pytest.param(*row, id=f"{row[0].__name__}.{row[1]}") for row in limited_fields()],
)
def test_limits_hold_at_both_ends(
    block: type[SceneModel], name: str, low: float, high: float
) -> None:
    default = block.model_fields[name].get_default(call_default_factory=True)
    whole = isinstance(default, int) and not isinstance(default, bool)
    wide = len(default) if isinstance(default, tuple) else 0
    for beyond in (low - 1, high + 1):
        value: Any = int(beyond) if whole or (block.__name__ == "Grid" and wide) else float(beyond)
        with pytest.raises(ValueError, match=r"must lie between|needs an immersion"):
            block.model_validate({name: [value] * wide if wide else value})
    assert low < high
    assert block.model_fields[name].title, "a panel row needs a title"
    assert block.model_fields[name].description, "a panel row needs a tooltip"


def test_a_boolean_is_not_a_number() -> None:
    with pytest.raises(SceneError, match="radius_um = true must be a number"):
        Scene.parse({"populations": [{"shape": {"kind": "sphere", "radius_um": True}}]})
    assert Scene.parse({"camera": {"noise": False}}).camera.noise is False

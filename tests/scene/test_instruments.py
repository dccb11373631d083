"""Objectives, condensers, lights and cameras fill what a scene does not state."""

from __future__ import annotations

import pytest

from osog import instruments
from osog.scene import Camera, Microscope, Scene, SceneError

ROWS = [(kind, name) for kind, table in instruments.TABLES.items() for name in table]


@pytest.mark.parametrize(("kind", "name"), ROWS)
def test_every_row_makes_a_scene_and_has_a_source(kind: str, name: str) -> None:
    block, field = instruments.PLACES[kind]  # type: ignore[index]
    oil = {"index": 1.518}  # even the steepest light enters
    scene = Scene.parse({"medium": oil, block: {field: name}})
    assert scene.get(f"{block}.{field}") == name
    for dotted, value in instruments.TABLES[kind][name].fields.items():  # type: ignore[index]
        found = scene.get(dotted)
        assert (found.model_dump() if hasattr(found, "model_dump") else found) == value
    assert instruments.TABLES[kind][name].source  # type: ignore[index]
    assert Scene.parse(scene.to_dict()) == scene


def test_pixel_size_from_objective_tube_lens_and_camera() -> None:
    lens = instruments.objectives["Evident UPLXAPO60XO"]
    camera = instruments.cameras["Hamamatsu ORCA-Fusion BT"]
    assert instruments.pixel_size_um(lens, camera) == pytest.approx(6.5 / 60, abs=1e-6)
    # A tube lens of 200 mm where 180 mm was meant magnifies 66.7 times.
    found = instruments.pixel_size_um(lens, camera, tube_lens_mm=200.0, relay=0.5, binning=2)
    assert found == pytest.approx(6.5 * 2 / (60 * 200 / 180 * 0.5), abs=1e-6)
    scene = Scene.parse(
        {"microscope": {"objective": "evident uplxapo60xo"}, "camera": "Hamamatsu ORCA-Fusion BT"}
    )
    assert scene.grid.pixel_size_um == pytest.approx(6.5 / 60, abs=1e-6)
    assert scene.microscope.numerical_aperture == 1.42
    assert scene.camera is not None and scene.camera.full_well_electrons == 15000
    assert Scene.parse(scene.to_dict()) == scene


def test_what_is_stated_wins() -> None:
    optics = Microscope.model_validate(
        {"objective": "Evident UPLXAPO60XO", "numerical_aperture": 1.3, "light": "mercury e 546.1"}
    )
    assert (optics.numerical_aperture, optics.immersion_index) == (1.3, 1.518)
    assert optics.wavelength_um == 0.546074 and optics.spectrum.monochromatic
    camera = Camera.model_validate({"model": "Thorlabs CS505CU", "bit_depth": 8})
    assert (camera.bit_depth, camera.colour) == (8, "bayer")
    scene = Scene.parse(
        {
            "grid": {"pixel_size_um": 0.2},
            "microscope": {"objective": "Evident UPLXAPO20X"},
            "camera": "Thorlabs CS505CU",
        }
    )
    assert scene.grid.pixel_size_um == 0.2


def test_a_light_gives_materials_their_colour() -> None:
    scene = Scene.parse({"medium": "water", "microscope": {"light": "mercury h 404.7"}})
    assert scene.medium.index == pytest.approx(1.3432, abs=2e-4)


def test_a_condenser_opens_with_the_objective_and_no_further() -> None:
    name = "Evident IX2-LWUCD"
    wide = {"objective": "Evident UPLXAPO20X", "condenser": name}
    assert Microscope.model_validate(wide).condenser_numerical_aperture == 0.55
    narrow = {"objective": "Evident UPLXAPO10X", "condenser": name}
    assert Microscope.model_validate(narrow).condenser_numerical_aperture == pytest.approx(0.32)
    dark = Microscope.model_validate({"condenser": "Evident U-DCD dry"})
    assert dark.condenser_stop == pytest.approx(0.80 / 0.92, abs=1e-4)
    with pytest.raises(SceneError, match=r"0\.8: the Evident IX2-LWUCD opens to 0\.55"):
        Scene.parse({"microscope": {**wide, "condenser_numerical_aperture": 0.8}})


def test_edits_choose_and_leave_an_instrument() -> None:
    scene = Scene.parse({"camera": "Thorlabs CS505MU"})
    seen = scene.with_objective("Evident UPLXAPO20X")
    assert (seen.microscope.numerical_aperture, seen.microscope.immersion_index) == (0.8, 1.0)
    assert seen.grid.pixel_size_um == pytest.approx(3.45 / 20)
    other = seen.with_objective("Nikon CFI Plan Apo Lambda 60X Oil")
    assert other.grid.pixel_size_um == pytest.approx(3.45 / 60)
    assert other.microscope.immersion_dispersion == "immersion oil"
    own = other.updated({"microscope.numerical_aperture": 1.2})
    assert own.microscope.objective is None and own.microscope.immersion_index == 1.518
    camera = other.with_camera("Andor Sona 4.2B-11")
    assert camera.grid.pixel_size_um == pytest.approx(11.0 / 60, abs=1e-6)
    assert camera.updated({"camera.read_noise_electrons": 3.0}).get("camera.model") is None
    assert camera.updated({"camera.background_electrons": 50.0}).get("camera.model") is not None
    with pytest.raises(SceneError, match=r"microscope\.objective = 'x' is not in the table"):
        scene.with_objective("x")
    with pytest.raises(SceneError, match=r"camera\.model = 'x' is not in the table of cameras"):
        Scene.parse({"camera": "x"})

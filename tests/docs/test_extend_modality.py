"""The modality that the page builds works wherever one of the package does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osog.optics import IMAGINGS, Imaging, register
from osog.optics.transfer import pupil_map, transfer_curve
from osog.rendering import Renderer
from osog.scene import (
    DIC,
    MODALITIES,
    MODALITY_TITLES,
    ModalityModel,
    Scene,
    SceneError,
)
from osog.scene.parameters import continuous


@pytest.fixture(scope="module")
def page(root: Path) -> Iterator[dict[str, Any]]:
    """Names that the program on the page leaves behind."""
    text = (root / "docs" / "extend-modality.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S))
    names: dict[str, Any] = {"__name__": "schlieren"}
    exec(compile(program, "extend-modality.md", "exec", dont_inherit=True), names)
    yield names
    MODALITIES.remove("schlieren")
    del MODALITY_TITLES["schlieren"], IMAGINGS["schlieren"]


def test_the_picture_is_in_relief(page: dict[str, Any]) -> None:
    image = page["frame"].image
    left, right = image[26:38, 20:32].mean(), image[26:38, 32:44].mean()
    assert float(right - left) > 0.05 or float(left - right) > 0.05
    above, below = image[20:32, 26:38].mean(), image[32:44, 26:38].mean()
    assert abs(float(above - below)) < 0.01
    assert page["frame"].explain.startswith("Schlieren | ")


def test_the_derivative_is_that_of_the_image(page: dict[str, Any]) -> None:
    import osog

    def contrast(place: float) -> float:
        name = "microscope.modality.knife_numerical_aperture"
        return float(osog.forward(page["scene"], {name: place}).std())

    difference = (contrast(-0.02 + 1e-4) - contrast(-0.02 - 1e-4)) / 2e-4
    assert float(page["place"].grad) == pytest.approx(difference, rel=1e-4)


def test_the_scene_file_names_it(page: dict[str, Any], tmp_path: Path) -> None:
    scene: Scene = page["scene"]
    scene.save(tmp_path / "scene.yaml")
    assert Scene.load(tmp_path / "scene.yaml") == scene
    assert "microscope.modality.azimuth_deg" in {p.name for p in continuous(scene)}
    with pytest.raises(SceneError, match=r"^microscope.modality: azimuth_deg = 400 must lie"):
        scene.updated({"microscope.modality.azimuth_deg": 400.0})
    with pytest.raises(SceneError, match=r"^microscope.modality.azimuth: is not a known field"):
        Scene.parse({"microscope": {"modality": {"kind": "schlieren", "azimuth": 1.0}}})
    with pytest.raises(SceneError, match=r"'schliere' is not one of brightfield, .*, schlieren"):
        Scene.parse({"microscope": {"modality": {"kind": "schliere"}}})
    with pytest.raises(SceneError, match="not available for the modality schlieren"):
        scene.updated({"microscope.pupil.vectorial": True})


def test_the_rest_of_the_program_knows_it(page: dict[str, Any]) -> None:
    scene: Scene = page["scene"]
    assert MODALITY_TITLES["schlieren"] == "Schlieren"
    assert pupil_map(scene).source is not None
    assert set(transfer_curve(scene).curves) == {"phase", "amplitude"}
    lamp = scene.updated({"microscope.spectrum": {"kind": "halogen"}})
    bent = scene.updated({"microscope.field_aberrations.coma": 0.2})
    for changed in (lamp, bent):
        assert bool(Renderer("cpu").render(changed).image.isfinite().all())


def test_a_class_without_traits_is_refused() -> None:
    class Bare(ModalityModel):
        kind: str = "bare"

    with pytest.raises(ValueError, match=r"Bare must state backdrop, condenser, light, title"):
        register(Imaging(Bare, lambda wave, values: None))  # type: ignore[arg-type,return-value]
    with pytest.raises(ValueError, match="'dic' comes with the package"):
        register(Imaging(DIC, lambda wave, values: None))  # type: ignore[arg-type,return-value]
    assert "bare" not in MODALITIES

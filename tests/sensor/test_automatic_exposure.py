"""The camera meets its target grey level, whatever haze, offset and colours do."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import osog
from osog.scene import Scene, SceneError

BASE: dict[str, Any] = {
    "grid": {"shape": [80, 80], "pixel_size_um": 0.2},
    "populations": [{"count": 6}],
    "microscope": {"modality": {"kind": "dic"}},
}


def scene_of(camera: dict[str, Any], **more: Any) -> Scene:
    return Scene.parse({**BASE, "camera": {"target_counts": 110.0, **camera}, **more})


@pytest.mark.parametrize(
    ("camera", "background"),
    [
        ({}, {}),
        ({"offset_counts": 40.0}, {"haze": 0.8, "gradient_x": 0.3, "vignette": 0.3}),
        ({"offset_counts": 0.0, "colour": "bayer", "sharpening": 1.0}, {"haze": 0.1}),
        ({"em_gain": 30.0, "dark_electrons": 20.0}, {"haze": 0.4}),
        ({"full_well_electrons": 6000.0}, {"gradient_x": 1.0}),
        ({"bit_depth": 12, "target_counts": 1500.0, "gain_electrons_per_count": 2.0}, {}),
    ],
)
def test_the_mean_grey_level_is_the_target(
    camera: dict[str, Any], background: dict[str, Any]
) -> None:
    scene = scene_of(camera, background=background)
    assert scene.camera is not None and scene.camera.target_counts is not None
    for seed in (1, 2):
        mean = float(osog.render(scene, seed=seed).image.mean())
        assert mean == pytest.approx(scene.camera.target_counts, abs=1.0)
    expected = float(osog.forward(scene, seed=1).mean())
    assert expected == pytest.approx(scene.camera.target_counts, abs=1e-2)


def test_it_is_the_exposure_that_is_set() -> None:
    """A stated exposure that happens to be the right one gives the same expected picture."""
    automatic = osog.forward(scene_of({"gain_electrons_per_count": 40.0}), seed=1)
    base = scene_of({"gain_electrons_per_count": 40.0, "target_counts": None})
    level = float(osog.forward(base, seed=1).mean())
    electrons = 8000 * (110 - 5) / (level - 5)
    by_hand = osog.forward(base.updated({"camera.background_electrons": electrons}), seed=1)
    torch.testing.assert_close(automatic, by_hand, rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "value", "step"),
    [
        ("camera.target_counts", 110.0, 1e-3),
        ("background.haze", 0.3, 1e-5),
        ("camera.offset_counts", 20.0, 1e-3),
        ("microscope.modality.shear_um", 0.3, 1e-5),
    ],
)
def test_gradients_are_those_of_the_solution(name: str, value: float, step: float) -> None:
    scene = scene_of({"offset_counts": 20.0}, background={"haze": 0.3}, grid={"shape": [40, 40]})
    weights = torch.linspace(-1, 2, 1600, dtype=torch.float64).reshape(40, 40)

    def loss(number: torch.Tensor) -> torch.Tensor:
        return ((osog.forward(scene, {name: number}, seed=1) / 100) ** 2 * weights).mean()

    number = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(number), number)
    with torch.no_grad():
        wanted = (loss(number + step) - loss(number - step)) / (2 * step)
    assert float(gradient) == pytest.approx(float(wanted), rel=1e-3)


@pytest.mark.parametrize("target", [5.0, 3.0, 245.5, 255.0])
def test_targets_out_of_reach_are_refused_in_words(target: float) -> None:
    with pytest.raises(SceneError, match=r"target_counts = .* must lie between the level without"):
        scene_of({"target_counts": target})


def test_a_dark_picture_has_all_the_light_that_there_is() -> None:
    scene = Scene.parse(
        {"grid": {"shape": [16, 16]}, "microscope": {"modality": {"kind": "fluorescence"}},
         "camera": {"target_counts": 100}}
    )  # fmt: skip
    image = osog.render(scene).image
    assert float(image.max()) < 10 and bool(image.isfinite().all())

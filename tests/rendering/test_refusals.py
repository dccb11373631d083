"""What cannot be rendered is refused in one sentence."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import osog
from osog.rendering import Renderer

SCENE = osog.Scene.parse({"grid": {"shape": [8, 8]}})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: osog.render({"grid": {}}), "scene is a dict; it must be a Scene"),  # type: ignore[arg-type]
        (lambda: osog.render(SCENE, seed=1.5), "seed = 1.5 must be 0 or a positive whole"),  # type: ignore[arg-type]
        (lambda: osog.render(SCENE, seed=None), "seed = None must be 0 or a positive whole"),  # type: ignore[arg-type]
        (lambda: osog.render(SCENE, outputs=("imago",)), "outputs = 'imago' is not one of"),
        (lambda: Renderer("cpu").render(SCENE, accuracy="foo"), "accuracy = 'foo' is not one of"),
        (lambda: osog.forward(SCENE, {"microscope.focus_um": "a"}), "takes one number, not 'a'"),
        (lambda: osog.forward(SCENE, {"microscope.focus_um": None}), "takes one number, not None"),
        (
            lambda: osog.forward(SCENE, {"microscope.focus_um": torch.tensor(1j)}),
            "takes one real number",
        ),
        (lambda: osog.forward(SCENE, dtype=torch.int32), "must be a floating type"),
    ],
)
def test_refused_in_words(call: Any, words: str) -> None:
    with pytest.raises(osog.SceneError, match=words):
        call()


def test_one_output_may_stand_alone() -> None:
    assert osog.render(SCENE, outputs="instances").instances is not None


def test_a_camera_lists_the_exposure_that_acts() -> None:
    from osog.scene.parameters import continuous

    def exposure(camera: dict[str, float]) -> set[str]:
        names = {
            p.name.removeprefix("camera.") for p in continuous(SCENE.updated({"camera": camera}))
        }
        return names & {"background_electrons", "background_photons", "quantum_efficiency"}

    assert exposure({"gain_electrons_per_count": 40.0}) == {"background_electrons"}
    assert exposure({"background_photons": 1e4}) == {"background_photons", "quantum_efficiency"}

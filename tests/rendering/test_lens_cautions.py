"""What a render says about its lens."""

from __future__ import annotations

from typing import Any

from osog.cautions import Caution
from osog.rendering import render
from osog.scene import Scene
from osog.scene.parameters import continuous, replaced


def scene_of(**optics: Any) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [32, 32], "pixel_size_um": 0.1},
            "populations": [
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 0.2},
                    "particles": [{"x_um": 1.6, "y_um": 1.6, "z_um": 0.0}],
                }
            ],
            "microscope": {
                "modality": {"kind": "fluorescence"}, "numerical_aperture": 0.8, **optics,
            },
        }
    )  # fmt: skip


def said(scene: Scene, words: str) -> list[Caution]:
    return [c for c in render(scene, "cpu").warnings if words in c.text]


def test_stage_scale_that_misses_the_particles() -> None:
    scene = scene_of(immersion_index=1.0, cover_glass={"depth_um": 40.0})
    (found,) = said(scene, "travel of the stage")
    # d n_s/n_i = 40 · 1.333 is sharp: 13.3 µm too deep.
    assert "z = -13.3 µm is sharp instead of 0 µm" in found.text
    assert not said(replaced(scene, found.remedy), "travel of the stage")


def test_particles_inside_the_glass() -> None:
    scene = scene_of(cover_glass={"depth_um": 0.0})
    (found,) = said(scene, "cover glass begins at 0 µm")
    assert not said(replaced(scene, found.remedy), "cover glass begins")


def test_coarse_field_and_unmoved_labels() -> None:
    assert said(scene_of(field_aberrations={"coma": 4.0}), "change fast over the frame")
    assert not said(scene_of(field_aberrations={"coma": 0.1}), "change fast over the frame")
    assert said(scene_of(field_aberrations={"distortion_percent": 1.0}), "not the labels")
    assert not said(scene_of(), "")


def test_the_immersion_counts_only_below_a_cover_glass() -> None:
    def names(scene: Scene) -> list[str]:
        return [parameter.name for parameter in continuous(scene)]

    assert "microscope.immersion_index" not in names(scene_of())
    assert "microscope.immersion_index" in names(scene_of(cover_glass={}))

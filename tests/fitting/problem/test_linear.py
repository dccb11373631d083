"""The linear part suits the modality, and leaves out what a free number already does."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.problem.linear import linear_part


@pytest.mark.parametrize(
    ("kind", "camera", "level", "text"),
    [
        ("brightfield", False, 1.0, "gain+slopes"),
        ("dic", True, 100.0, "gain+slopes"),
        ("hologram", False, 1.0, "none"),
        ("hologram", False, 90.0, "gain+slopes"),
        ("phase", False, 0.0, "offset+slopes"),
        ("fluorescence", True, 50.0, "gain+offset"),
    ],
)
def test_linear_part_suits_the_modality(sphere_scene, kind, camera, level, text):
    blocks = {"microscope": {"modality": {"kind": kind}}}
    scene = sphere_scene(**blocks) if camera else sphere_scene(camera=None, **blocks)
    part = linear_part("auto", scene, np.full((40, 40), level), ("particles[0].x_um",))
    assert part.text == text
    assert part.pedestal == (20.0 if camera else 0.0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("camera.background_electrons", "slopes"),
        ("camera.em_gain", "slopes"),
        ("background.gradient_x", "gain"),
        ("camera.offset_counts", "gain+slopes"),
    ],
)
def test_a_term_is_left_out_where_a_number_of_the_scene_stands_for_it(sphere_scene, name, text):
    part = linear_part("auto", sphere_scene(), np.ones((40, 40)), (name,))
    assert part.text == text


def test_an_offset_is_left_out_where_the_glow_of_the_background_is_free(sphere_scene):
    scene = sphere_scene(microscope={"modality": {"kind": "confocal"}})
    free = ("microscope.modality.background",)
    assert linear_part("auto", scene, np.ones((40, 40)), free).text == "gain"

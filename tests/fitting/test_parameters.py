"""Default ranges keep a search where the engine and the physics make sense."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.linear import linear_part
from osog.fitting.parameters import free_parameters
from osog.scene.parameters import replaced


def _range(scene, name):
    free = free_parameters(scene, (name,))
    return float(free.low[0]), float(free.high[0])


def test_index_stays_on_its_side_of_the_medium(sphere_scene):
    scene = sphere_scene()
    low, high = _range(scene, "particles[0].index")
    assert 1.333 < low < 1.36
    assert high > 1.6
    lighter = replaced(scene, {"particles[0].index": 1.30})
    low, high = _range(lighter, "particles[0].index")
    assert high < 1.333


def test_positions_stay_near_the_frame_and_depths_within_reach(sphere_scene):
    scene = sphere_scene()
    assert _range(scene, "particles[0].x_um") == pytest.approx((-0.4, 4.4))
    low, high = _range(scene, "microscope.focus_um")
    assert 2 + 10 <= high < 60
    assert low == pytest.approx(2 - (high - 2))
    assert _range(scene, "particles[0].radius_um") == pytest.approx((0.0625, 4.0))


def test_aperture_stays_below_the_immersion_index(sphere_scene):
    assert _range(sphere_scene(), "microscope.numerical_aperture")[1] == pytest.approx(0.999)


def test_scaled_values_come_back(sphere_scene):
    names = ("microscope.focus_um", "particles[0].radius_um")
    free = free_parameters(sphere_scene(), names, {names[0]: (-1.0, 5.0)})
    np.testing.assert_allclose(free.scaled({}), 0.0)
    back = free.values(free.scaled({names[0]: 3.5, names[1]: 0.7}))
    assert back == pytest.approx({names[0]: 3.5, names[1]: 0.7})
    # Beyond the bounds they are clipped.
    assert free.values(free.scaled({names[0]: 99.0}))[names[0]] == 5.0


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


def test_gain_is_left_out_where_a_camera_number_stands_for_it(sphere_scene):
    image = np.ones((40, 40))
    part = linear_part("auto", sphere_scene(), image, ("camera.background_electrons",))
    assert part.text == "slopes"

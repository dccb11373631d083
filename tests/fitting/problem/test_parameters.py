"""Default ranges keep a search where the engine and the physics make sense."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.problem.parameters import free_parameters
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


def test_condenser_stays_below_the_medium(sphere_scene):
    high = _range(sphere_scene(), "microscope.condenser_numerical_aperture")[1]
    assert high == pytest.approx(1.332)


def test_index_of_a_cover_glass_is_none_of_a_particle(sphere_scene):
    """Its name ends like a particle's, and it may lie on either side of the medium."""
    scene = sphere_scene()
    optics = {**scene.to_dict()["microscope"], "cover_glass": {"index": 1.45}}
    scene = sphere_scene(microscope=optics, medium={"index": 1.40})
    name = "microscope.cover_glass.index"
    assert _range(scene, name) == (1.3, 2.2)
    assert free_parameters(scene, (name,)).named("index") == []


@pytest.mark.parametrize(
    "term", ["spherical", "coma_x", "trefoil_y", "defocus", "zernike[12]", "osa[14]"]
)
def test_every_aberration_moves_within_one_wave_on_one_scale(sphere_scene, term):
    scene = replaced(
        sphere_scene(),
        {
            f"microscope.aberrations.{name}": value
            for name, value in (("zernike", {12: 0.1}), ("osa", {14: 0.1}))
        },
    )
    free = free_parameters(scene, (f"microscope.aberrations.{term}",))
    assert free.high[0] - free.start[0] == pytest.approx(1.0)
    assert free.scale[0] == 0.2


def test_roles_tell_what_a_number_means_whatever_it_is_called(sphere_scene):
    names = (
        "microscope.focus_um",
        "particles[0].z_um",
        "populations.beads.particles[0].radius_um",
        "populations.beads.material.absorption_per_um",
        "medium.index",
        "particles[0].index",
        "particles[0].x_um",
        "microscope.aberrations.coma_x",
    )
    free = free_parameters(sphere_scene(), names)
    assert free.roles == (
        "focus", "z", "radius", "absorption", "medium_index", "index", "x", None,
    )  # fmt: skip
    assert free.named("z", "focus") == ["microscope.focus_um", "particles[0].z_um"]
    rest = free.without({"medium.index", "particles[0].z_um"})
    assert rest.roles == ("focus", "radius", "absorption", "index", "x", None)
    assert rest.joined(free_parameters(sphere_scene(), ("medium.index",))).roles[-1] == (
        "medium_index"
    )


def test_scaled_values_come_back(sphere_scene):
    names = ("microscope.focus_um", "particles[0].radius_um")
    free = free_parameters(sphere_scene(), names, {names[0]: (-1.0, 5.0)})
    np.testing.assert_allclose(free.scaled({}), 0.0)
    back = free.values(free.scaled({names[0]: 3.5, names[1]: 0.7}))
    assert back == pytest.approx({names[0]: 3.5, names[1]: 0.7})
    # Beyond the bounds they are clipped.
    assert free.values(free.scaled({names[0]: 99.0}))[names[0]] == 5.0

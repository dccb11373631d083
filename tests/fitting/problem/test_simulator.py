"""A simulator that has seen other values gives the image of a fresh one."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.problem.simulator import Simulator, Simulators
from osog.optics.directions import Directions
from osog.scene.parameters import describe, replaced

NAME = "microscope.numerical_aperture"
OVERFILLED = {
    "brightfield": {"condenser_numerical_aperture": 0.9},
    "dic": {"condenser_numerical_aperture": 0.9},
    "reflection": {},
}


@pytest.mark.parametrize("kind", OVERFILLED)
def test_the_aperture_of_an_overfilled_objective_moves_its_light(sphere_scene, kind):
    modality = {"kind": kind}
    if kind == "reflection":
        modality["illumination_numerical_aperture"] = 0.9
    optics = {"modality": modality, "numerical_aperture": 0.6, **OVERFILLED[kind]}
    scene = sphere_scene(
        microscope=optics, grid={"shape": [20, 20], "pixel_size_um": 0.1}, camera=None
    )
    kept, fresh = Simulator(scene, accuracy="draft"), Simulator(scene, accuracy="draft")
    before = kept({NAME: 0.6})
    after = kept({NAME: 0.57})
    np.testing.assert_array_equal(after, fresh({NAME: 0.57}))
    assert np.abs(after - before).max() > 1e-4
    assert not kept.reuses_wave(NAME)


def test_the_lens_leaves_the_wave_of_light_along_the_axis(sphere_scene):
    simulator = Simulator(sphere_scene())
    for name in (NAME, "microscope.focus_um", "microscope.aberrations.coma_x"):
        assert simulator.reuses_wave(name)
    for name in ("particles[0].x_um", "medium.index", "microscope.wavelength_um"):
        assert not simulator.reuses_wave(name)


def test_images_of_all_simulators_are_counted(sphere_scene):
    scene = replaced(sphere_scene(), {"numerics.accuracy": "fine"})
    made = Simulators(None, "cpu")
    made.coarse(scene)({})
    fine = made.fine(scene)
    fine({})
    fine({NAME: 0.55})
    assert made.renders == 3


@pytest.mark.parametrize(("scattering", "most"), [("mie", 1e-6), ("slabs", 0.1)])
def test_a_step_sideways_moves_the_light_behind_the_particle(sphere_scene, scattering, most):
    scene = sphere_scene(camera=None)
    (population,) = scene.populations
    update = {"populations": (population.model_copy(update={"scattering": scattering}),)}
    simulator = Simulator(scene.model_copy(update=update))
    before = simulator({})
    for name in ("particles[0].x_um", "particles[0].y_um"):
        assert simulator.nudges(name)
        start = describe(scene, name).value
        there = simulator({name: start + 1e-5}) - before
        nudged = simulator.nudged({name: start}, name, 1e-5) - before
        assert np.linalg.norm(nudged - there) < most * np.linalg.norm(there)
    assert not simulator.nudges("particles[0].z_um")


def test_only_the_light_of_a_lone_particle_moves_with_it(sphere_scene):
    scene = sphere_scene()
    (population,) = scene.populations
    two = population.model_copy(update={"particles": (population.particles or ()) * 2})
    crowd = scene.model_copy(update={"populations": (two,)})
    assert not Simulator(crowd).nudges("particles[0].x_um")
    glowing = sphere_scene(microscope={"modality": {"kind": "fluorescence"}})
    assert not Simulator(glowing).nudges("particles[0].x_um")


@pytest.mark.parametrize("kind", ["brightfield", "dic"])
def test_a_step_of_the_particle_keeps_what_the_lens_does(sphere_scene, monkeypatch, kind):
    optics = {
        "modality": {"kind": kind}, "numerical_aperture": 0.6, "condenser_numerical_aperture": 0.4,
        "focus_um": 1.0,
    }  # fmt: skip
    scene = sphere_scene(microscope=optics, grid={"shape": [20, 20], "pixel_size_um": 0.1})
    kept = Simulator(scene, accuracy="draft")
    through = Directions.through
    calls = []
    monkeypatch.setattr(Directions, "through", lambda *given: calls.append(1) or through(*given))
    kept({"microscope.focus_um": 1.0, "particles[0].radius_um": 0.5})
    made = len(calls)
    assert made > 0
    for values, more in (
        ({"microscope.focus_um": 1.0, "particles[0].radius_um": 0.51}, 0),
        ({"microscope.focus_um": 1.1, "particles[0].radius_um": 0.5}, made),
        ({"microscope.focus_um": 1.0, "particles[0].radius_um": 0.52}, 0),
    ):
        calls.clear()
        image = kept.stepped(values)
        assert len(calls) == more
        np.testing.assert_array_equal(image, Simulator(scene, accuracy="draft")(values))

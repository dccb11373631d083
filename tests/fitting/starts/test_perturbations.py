"""Perturbations of a rod hold one of its ends, or turn its tilt over."""

from __future__ import annotations

import numpy as np

from osog.fitting.problem.parameters import free_parameters
from osog.fitting.starts.perturbations import perturbations
from osog.fitting.starts.single_particle import single_particle
from osog.scene.parameters import get, replaced


def test_perturbations_hold_one_end(rod_scene, rod_names):
    scene = rod_scene()
    free = free_parameters(scene, rod_names)
    single = single_particle(scene, free)
    values = {name: float(get(scene, name)) for name in rod_names}
    made = perturbations(single, values)
    assert len(made) == 13
    azimuth, elevation = np.deg2rad(62.0), np.deg2rad(14.0)
    axis = np.array([np.cos(azimuth), np.sin(azimuth)]) * np.cos(elevation)
    centre = np.array([2.9, 3.2])
    ends = [centre - 1.6 * axis, centre + 1.6 * axis]
    for change in made[:10]:
        half = change["particles[0].length_um"] / 2
        now = np.array([change["particles[0].x_um"], change["particles[0].y_um"]])
        held = [np.allclose(now + s * half * axis, e) for s, e in zip((-1, 1), ends, strict=True)]
        assert sum(held) == 1
    assert made[10]["particles[0].orientation_deg[1]"] == -14.0
    sphere = replaced(scene, {})
    names = ("particles[0].x_um", "particles[0].y_um")
    assert perturbations(single_particle(sphere, free_parameters(sphere, names)), values) == []

"""The other side of focus as a start."""

from __future__ import annotations

import numpy as np
import pytest

from osog import fit, forward
from osog.fitting.problem.parameters import free_parameters
from osog.fitting.starts.mirror import mirrored_in_focus
from osog.fitting.starts.single_particle import single_particle
from osog.scene.parameters import replaced

FOCUS, Z, TILT = "microscope.focus_um", "particles[0].z_um", "particles[0].orientation_deg[1]"
BALL = ("particles[0].x_um", "particles[0].y_um", FOCUS, "particles[0].radius_um",
        "particles[0].index")  # fmt: skip


def _mirrored(scene, names, bounds=None, field=0.5, **values):
    free = free_parameters(scene, names, bounds)
    single = single_particle(scene, free)
    start = dict(zip(names, free.start.tolist(), strict=True)) | values
    return mirrored_in_focus(single, start, free, field)


def test_focus_and_depth_are_mirrored_in_each_other(sphere_scene):
    scene = replaced(sphere_scene(), {Z: 0.5})
    assert _mirrored(scene, (FOCUS,), **{FOCUS: 2.0}) == {FOCUS: -1.0}
    assert _mirrored(scene, (Z,), **{Z: 0.75}) == {Z: 3.25}


def test_a_tilt_is_mirrored_too(rod_scene):
    assert _mirrored(rod_scene(), (FOCUS, TILT)) == {FOCUS: -1.5, TILT: -14.0}


def test_there_is_no_other_side_in_focus_or_beyond_the_bounds(sphere_scene):
    scene = sphere_scene()
    assert _mirrored(scene, (FOCUS,), **{FOCUS: 0.02}) is None
    assert _mirrored(scene, (FOCUS,), {FOCUS: (0.0, 3.0)}) is None
    assert _mirrored(scene, ("particles[0].radius_um",)) is None


def _phase_scene(sphere_scene, **values):
    scene = sphere_scene(
        camera=None,
        microscope={
            "modality": {"kind": "phase"}, "wavelength_um": 0.532, "numerical_aperture": 0.9,
        },
    )  # fmt: skip
    return replaced(scene, values)


def test_a_phase_image_is_not_fitted_on_the_wrong_side_of_focus(sphere_scene):
    """The wrong side explains 95 % of the contrast, and leaves rings in the residual."""
    true = {FOCUS: 1.04, "particles[0].radius_um": 0.58, "particles[0].index": 1.4025}
    scene = _phase_scene(sphere_scene, **true)
    noise = np.random.default_rng(202).normal(0, 0.02, scene.grid.shape)
    image = forward(scene).numpy() + noise
    start = replaced(
        scene, {FOCUS: -0.75, "particles[0].radius_um": 0.59, "particles[0].index": 1.387}
    )
    result = fit(image, start, BALL, optics="exact")
    assert result.success
    assert result.values[FOCUS] == pytest.approx(1.04, abs=0.06)
    # Held there, it is no success.
    held = fit(image, start, BALL, {FOCUS: (-3.0, -0.1)}, optics="exact", start="scene")
    assert held.converged
    assert not held.success
    assert held.r_squared > 0.9


def test_a_fluorescent_bead_may_lie_on_either_side(sphere_scene):
    """Its image is the same on both, so that the scene's side is kept and the user told."""
    scene = sphere_scene(
        microscope={
            "modality": {"kind": "fluorescence"}, "wavelength_um": 0.532,
            "numerical_aperture": 0.6, "focus_um": 1.2,
        },
        camera=None,
    )  # fmt: skip
    light = forward(scene).numpy()
    image = light + np.random.default_rng(3).normal(0, 0.01 * light.max(), light.shape)
    start = replaced(scene, {FOCUS: 1.0, "particles[0].radius_um": 0.45})
    result = fit(image, start, (FOCUS, "particles[0].radius_um"), start="scene")
    assert result.values[FOCUS] == pytest.approx(1.2, abs=5 * result.sigma[FOCUS])
    assert any("other side of focus" in words for words in result.warnings)

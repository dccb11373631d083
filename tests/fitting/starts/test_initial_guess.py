"""What templates and moments of an image say about where a fit should begin."""

from __future__ import annotations

import pytest

from osog import render
from osog.fitting.problem.setup import fit_setup
from osog.fitting.starts.initial_guess import initial_guesses, principal_azimuth
from osog.fitting.starts.single_particle import single_particle
from osog.fitting.starts.template_matching import contrast
from osog.scene.parameters import replaced


@pytest.mark.parametrize("azimuth", [10.0, 62.0, 90.0, 145.0])
def test_direction_is_found_without_a_model(rod_scene, azimuth):
    scene = rod_scene(orientation_deg=[azimuth, 5.0, 0.0])
    image = render(scene, device="cpu", seed=1).image.numpy().astype(float)
    found = principal_azimuth(contrast(image, "bright"), 0.5 * 0.1 / 0.4)
    assert abs((found - azimuth + 90) % 180 - 90) < 3.0


@pytest.mark.parametrize(("true", "stated"), [(2.0, 4.0), (4.6, 2.6)])
def test_the_length_of_a_rod_is_guessed_from_its_image(rod_scene, rod_names, true, stated):
    scene = rod_scene(length_um=true)
    image = render(scene, device="cpu", seed=1).image.numpy()
    length = "particles[0].length_um"
    bounds = {length: (1.5, 6.0), "particles[0].radius_um": (0.25, 0.7)}
    start = replaced(scene, {length: stated})
    setup = fit_setup(
        image, start, rod_names, bounds, None, seed=0, priors=None, optics="exact", linear="auto",
        region=None, max_iterations=40, device="cpu",
    )  # fmt: skip
    single = single_particle(setup.scene, setup.parameters)
    best, *_ = initial_guesses(setup, single, candidates=1)
    assert abs(best[length] / true - 1) < 0.3
    assert abs(best["particles[0].x_um"] - scene.get("particles[0].x_um")) < 0.3

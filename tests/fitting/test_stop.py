"""A fit and a search for particles are left at once, wherever they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import osog
from osog.cancellation import Cancelled, cancellable
from osog.detection import detect
from osog.exit_wave.lorenz_mie.coefficients import highest_order
from osog.exit_wave.lorenz_mie.recursions import kept_angular
from osog.fitting import fit
from osog.fitting.starts.template_matching import KEPT
from osog.rendering import Renderer
from osog.scene import (
    Grid,
    Hologram,
    Material,
    Microscope,
    Particle,
    Population,
    Scene,
    Sphere,
)

FREE = ("particles[0].x_um", "particles[0].y_um", "particles[0].radius_um")


def lone_sphere(radius_um: float = 2.0, x_um: float = 6.6) -> Scene:
    return Scene(
        grid=Grid(shape=(64, 64), pixel_size_um=0.2),
        populations=(
            Population(
                name="beads", shape=Sphere(radius_um=radius_um), material=Material(index=1.45),
                scattering="mie", particles=(Particle(x_um=x_um, y_um=6.2),),
            ),
        ),
        microscope=Microscope(modality=Hologram(), focus_um=4.0),
        camera=None,
    )  # fmt: skip


class After:
    """Stops from a number of questions on, or of accepted steps."""

    def __init__(self, questions: int = 10**9, steps: int = 10**9) -> None:
        self.questions, self.steps = questions, steps
        self.asked = self.taken = self.since = 0

    def __call__(self) -> bool:
        self.asked += 1
        stop = self.asked > self.questions or self.taken >= self.steps
        self.since += stop
        return stop

    def step(self, progress: object) -> None:
        self.taken += 1


def test_a_fit_that_is_left_keeps_its_best_and_makes_no_image_more() -> None:
    image = osog.render(lone_sphere()).image.numpy()
    stop = After(steps=3)
    with cancellable(stop):
        result = fit(
            image, lone_sphere(2.1, 6.5), FREE, callback=stop.step, start="scene", optics="exact"
        )
    assert result.stopped and not result.success and stop.since == 1
    best = min(result.history, key=lambda step: step["rms"])
    assert result.rms == pytest.approx(best["rms"])
    assert {n: result.values[n] for n in FREE} == pytest.approx(best["values"])
    assert "stopped early" in result.warnings[0]
    assert all(np.isfinite(s) for s in result.sigma.values()), "from the last derivatives"
    assert result.to_dict()["stopped"] is True


def test_errors_of_a_fit_that_never_took_all_derivatives_are_unknown() -> None:
    image = osog.render(lone_sphere()).image.numpy()
    stop = After(steps=1)
    start = lone_sphere(2.1, 6.5)
    with cancellable(stop):  # the search of starts holds the optics
        result = fit(image, start, FREE, callback=stop.step, start="detect")
    assert result.stopped and result.undetermined == {}
    assert all(s == float("inf") for s in result.sigma.values())
    with pytest.raises(Cancelled), cancellable(After(questions=2)):
        fit(image, start, FREE)


def test_large_spheres_and_templates_ask_often() -> None:
    stop = After()
    with torch.inference_mode():
        Renderer("cpu").render(lone_sphere(30.0), stop=stop)
    x = 2 * np.pi * 1.333 * 30.0 / lone_sphere().microscope.wavelength_um
    assert stop.asked > 2 * highest_order(x), "at every order of the series"
    image = osog.render(lone_sphere()).image.numpy()
    stop = After()
    KEPT.clear()
    kept_angular.cache_clear()
    with cancellable(stop):
        assert detect(image, lone_sphere())
    for share in (0.1, 0.5, 0.98):
        KEPT.clear()  # kept templates and angular functions need no questions
        kept_angular.cache_clear()
        with pytest.raises(Cancelled), cancellable(After(questions=int(share * stop.asked))):
            detect(image, lone_sphere())

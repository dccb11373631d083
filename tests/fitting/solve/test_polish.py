"""The polish: to the optimum of the fine grid, with few of its images where they are slow."""

from __future__ import annotations

from dataclasses import replace as replace_view
from types import SimpleNamespace

import numpy as np
import pytest

from osog import fit, render
from osog.fitting.problem.simulator import SEARCHED, Corrected, Simulators
from osog.fitting.solve import polish
from osog.scene.parameters import get, replaced

FREE = (
    "microscope.focus_um",
    *(f"particles[0].{name}" for name in ("x_um", "y_um", "radius_um", "index")),
)
FOCUS, RADIUS = FREE[0], FREE[3]


@pytest.fixture
def open_light(sphere_scene):
    """A bead in the light of an open condenser, of which a search follows a part."""
    scene = sphere_scene(grid={"shape": [32, 32], "pixel_size_um": 0.1})
    numbers = {
        "microscope.condenser_numerical_aperture": 0.5, "particles[0].index": 1.55,
        "particles[0].x_um": 1.53, "particles[0].y_um": 1.58, "microscope.focus_um": 1.2,
    }  # fmt: skip
    return replaced(scene, numbers)


def test_a_corrected_image_is_the_fine_one_and_moves_as_the_standard_one(open_light):
    made = Simulators(None, "cpu")
    fine, base = made.fine(open_light), made.standard(open_light)
    assert fine.source_points > SEARCHED
    here = {RADIUS: 0.5}
    corrected = Corrected(base, fine(here) - base(here))
    np.testing.assert_allclose(corrected(here), fine(here), atol=1e-12)
    for name, step in ((RADIUS, 1e-5), (FOCUS, 1e-5)):
        there = {**here, name: get(open_light, name) + step}
        before, after = corrected(here), corrected.stepped(there)
        true = (fine(there) - fine(here)) / step
        assert np.abs((after - before) / step - true).max() < 0.05 * np.abs(true).max()
    sideways = []
    for simulator in (corrected, fine):
        still = simulator(here)
        sideways.append(simulator.nudged(here, FREE[1], 1e-5) - still)
    near, true = sideways
    assert np.abs(near - true).max() < 0.05 * np.abs(true).max()


def test_an_open_condenser_takes_few_fine_images(open_light, monkeypatch):
    image = render(open_light, device="cpu", seed=2).image.numpy()
    fine, made = [], Simulators.fine

    def counted(self, scene):
        fine.append(made(self, scene))
        return fine[-1]

    monkeypatch.setattr(Simulators, "fine", counted)
    off = replaced(open_light, {FOCUS: 1.1, RADIUS: 0.52})
    result = fit(image, off, FREE, optics="exact", start="scene")
    few = sum(simulator.renders for simulator in fine)
    assert result.success
    assert any("refined on a finer grid" in words for words in result.warnings)
    assert few <= 2
    pulls = [(result.values[n] - get(open_light, n)) / result.sigma[n] for n in FREE]
    assert max(map(abs, pulls)) < 3.5
    # The same fit without the short cut.
    monkeypatch.setattr(polish.Polish, "_corrected", lambda self, view: view)
    slow = fit(image, result.scene, FREE, optics="exact", start="scene")
    apart = [(result.values[n] - slow.values[n]) / result.sigma[n] for n in FREE]
    assert max(map(abs, apart)) < 0.15


def test_a_difference_of_grids_is_taken_anew_once_the_image_has_changed(blob):
    """By the energy of the difference times the share of the image that changed."""
    problem = blob.problem(blob.image() + np.random.default_rng(0).normal(0, 1, blob.shape), 1.0)
    true = problem.parameters.scaled(dict(zip(blob.names, blob.true, strict=True)))
    start = problem.evaluate(true)
    kept = 0.01 * (start.image - 1)
    for step, outgrown in ((0.001, False), (0.2, True)):
        end = SimpleNamespace(problem=problem, point=problem.evaluate(true + step))
        assert polish._outgrown(end, start, kept) is outgrown
        assert not polish._outgrown(end, start, 0 * kept)


@pytest.mark.parametrize(("outgrown", "images"), [((True, False), 1), ((True, True, True), 2)])
def test_the_difference_of_grids_is_taken_where_the_fit_has_come_to(monkeypatch, outgrown, images):
    """Once more when it has outgrown, with the derivatives of the steps before."""
    seen, made_fine, answers = [], [], iter(outgrown)
    monkeypatch.setattr(polish, "_outgrown", lambda *_: next(answers))
    finer = SimpleNamespace(evaluate=lambda u: made_fine.append(u) or f"fine at {u}")
    ended = SimpleNamespace(
        point=SimpleNamespace(u="the end"),
        problem=SimpleNamespace(with_model=lambda *_: finer),
        descent=SimpleNamespace(jacobian="of the steps"),
    )
    made = object.__new__(polish.Polish)
    made._monitor = SimpleNamespace(stopped=False)
    made._corrected = lambda view: replace_view(view, kept=np.ones(1))
    made._stepped = lambda trial, view, jacobian: seen.append((view.point, jacobian)) or ended
    first = polish._View(None, (), None, None, "fine at the start", None, 0.0)
    assert made._walked(None, first, "as given") is ended
    again = [("fine at the end", "of the steps")] * images
    assert seen == [("fine at the start", "as given"), *again]
    assert len(made_fine) == images, "a fine image that nobody looks at costs seconds"

"""The model of scattering is settled at the optimum: by the image, or within σ where it cannot."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from osog import fit, forward, render
from osog.fitting.problem.simulator import Simulators, with_models
from osog.fitting.report import messages
from osog.fitting.solve.polish import Polish
from osog.scene.parameters import get, replaced

FREE = (
    "microscope.focus_um",
    *(f"particles[0].{name}" for name in ("x_um", "y_um", "radius_um", "index")),
)


@pytest.fixture
def bead(sphere_scene):
    """A bead for which slabs are a little worse than what they may be."""
    numbers = {
        "particles[0].index": 1.445, "particles[0].radius_um": 0.6,
        "microscope.numerical_aperture": 0.9, "microscope.focus_um": 2.0,
    }  # fmt: skip
    return replaced(sphere_scene(), numbers)


def _pulls(result, truth):
    return {n: (result.values[n] - get(truth, n)) / result.sigma[n] for n in FREE}


@pytest.mark.parametrize(("made_by", "start"), [("mie", 1.425), ("slabs", 1.465)])
def test_a_start_with_the_other_model_does_not_mislead(bead, made_by, start):
    image = render(with_models(bead, (made_by,)), device="cpu", seed=3).image.numpy()
    off = replaced(bead, {"particles[0].index": start, "microscope.focus_um": 1.9})
    result = fit(image, off, FREE, optics="exact", start="scene")
    assert result.success
    assert max(map(abs, _pulls(result, bead).values())) < 3.5
    # What the fitted scene renders is what was compared.
    again = forward(result.scene.model_copy(update={"camera": None})).numpy()
    gain = result.linear["gain"] if "gain" in result.linear else 1.0
    compared = result.model / gain
    assert np.corrcoef(again.ravel(), compared.ravel())[0, 1] > 0.9999
    stated = result.scene.populations[0].scattering
    assert stated == ("auto" if made_by == "mie" else "slabs")


def test_where_the_image_cannot_decide_both_answers_lie_within_sigma(bead, monkeypatch):
    dim = replaced(bead, {"camera.background_electrons": 200.0})
    image = render(with_models(dim, ("mie",)), device="cpu", seed=3).image.numpy()
    monkeypatch.setattr(Polish, "_holds", lambda self, models, values: True)
    result = fit(image, dim, FREE, optics="exact", start="scene")
    slabs = fit(image, with_models(dim, ("slabs",)), FREE, optics="exact", start="scene")
    between = {n: abs(slabs.values[n] - result.values[n]) / result.sigma[n] for n in FREE}
    assert 0.7 < max(between.values()) <= 1.05
    told = next(words for words in result.warnings if "explain this image equally well" in words)
    assert max(between, key=between.__getitem__) in told
    assert "populations.beads.scattering" in told


def test_models_are_near_each_other_where_one_takes_over(bead):
    simulators = Simulators(None, "cpu")
    assert simulators.models_near(bead, 2.0) == [("mie",), ("slabs",)]
    assert simulators.models_near(bead, 1.0) == [("mie",)]
    weak, strong = (replaced(bead, {"particles[0].index": n}) for n in (1.36, 1.59))
    assert simulators.models_near(weak, 2.0) == [("slabs",)]
    assert simulators.models_near(strong, 2.0) == [("mie",)]
    # A scene that states its model leaves nothing to choose.
    assert simulators.models_near(with_models(bead, ("slabs",)), 2.0) == [("slabs",)]


def test_only_numbers_that_the_models_tell_apart_are_named(bead):
    parameters = SimpleNamespace(names=("a", "b"))
    spread = SimpleNamespace(sigma=np.array([1.1, 1.0]))
    (words,) = messages.two_models(parameters, np.array([1.0, 0.1]), spread, bead)
    assert "different a:" in words
    assert messages.two_models(parameters, np.array([0.1, 0.1]), spread, bead) == []
    assert messages.two_models(parameters, None, spread, bead) == []


def test_numbers_that_differ_across_focus_are_named():
    parameters = SimpleNamespace(names=("a", "b"))
    spread = SimpleNamespace(sigma=np.array([1.1, 1.0]))
    first, second = messages.both_sides(parameters, np.array([1.0, 0.1]), spread)
    assert first == messages.BOTH_SIDES
    assert second.startswith("There, a would differ")
    for nothing in (None, np.array([0.1, 0.1])):
        assert messages.both_sides(parameters, nothing, spread) == [messages.BOTH_SIDES]

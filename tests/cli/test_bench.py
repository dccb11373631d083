"""What the benches time is what they say."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from osog import forward
from osog.cli.bench import exam, fits, growth
from osog.cli.bench.gradients import works
from osog.cli.bench.scenes import crowd
from osog.fitting.report.messages import BOTH_SIDES
from osog.sample import draw

CPU = torch.device("cpu")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds of the samples that are drawn, and not taken over from the images before."""
    seeds: list[int] = []
    plain = draw.draw_groups

    def noted(scene: object, seed: int) -> list[draw.Drawn]:
        seeds.append(seed)
        return plain(scene, seed)  # type: ignore[arg-type]

    monkeypatch.setattr(draw, "draw_groups", noted)
    return seeds


def test_every_image_and_every_gradient_draws_one_sample_of_its_own(drawn: list[int]) -> None:
    size = {"populations.bodies.shape.radius_um": 1.0}
    pieces = works(crowd(growth.BODIES["sphere"], 2, 32), size, CPU).pieces
    drawn.clear()
    for name in ("forward", "backward") * 2:
        pieces[name]()
    assert drawn == [1, 2, 3, 4]


def test_growth_is_timed_on_new_samples(drawn: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "BODIES", {"sphere": growth.BODIES["sphere"]})
    growth.growth_cases(counts=(2,), side=32, repeats=2)
    assert drawn[:3] == [1, 2, 3]


@pytest.mark.parametrize("kind", ["brightfield", "phase"])
def test_targets_of_an_exam_are_what_the_engine_means_by_a_pixel(kind: str) -> None:
    """The light on all of a pixel, and the phase at its centre; the engine's own, by another grid.

    Spheres of this index are made by an exact theory, which knows no grid.
    """
    one = exam.Exam(0, {"kind": kind}, "sphere", (), pixels=24)
    values = {exam.X: 1.13, exam.Y: 1.18, exam.FOCUS: 1.2, exam.R: 0.3, exam.N: 1.5}
    scene = exam._scene(one, values).updated({"numerics.accuracy": "fine"})
    own = forward(scene).numpy() * (exam.GAIN / exam.WELL if one.has_camera else 1.0)
    assert np.ptp(own) > 0.3
    assert np.abs(exam.noise_free(one, values) - own).max() < 1e-6


def test_either_side_of_focus_is_right_where_the_fit_says_so() -> None:
    truth = {exam.FOCUS: 1.0, exam.TILT: 10.0, exam.R: 0.5}
    one = exam.problem(exam.EXACT["brightfield-rod"], 200)
    one = replace(one, truth=truth, widths=dict.fromkeys(truth, 1.0))
    values = {exam.FOCUS: -1.1, exam.TILT: -12.0, exam.R: 0.6}
    sided = {exam.FOCUS: -2.1, exam.TILT: -22.0, exam.R: 0.1}
    either = {exam.FOCUS: 0.1, exam.TILT: 2.0, exam.R: 0.1}
    for warnings, expected in (((), sided), ((BOTH_SIDES,), either)):
        result = SimpleNamespace(values=values, warnings=warnings)
        assert fits._errors(one, result) == pytest.approx(expected)  # type: ignore[arg-type]

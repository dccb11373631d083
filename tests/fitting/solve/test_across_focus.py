"""An answer on the other side of focus that explains the image as well."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from osog import fit, render
from osog.fitting.problem.parameters import free_parameters
from osog.fitting.report.messages import BOTH_SIDES
from osog.fitting.solve.search import Search
from osog.fitting.starts.single_particle import single_particle

FOCUS, X, RADIUS = "microscope.focus_um", "particles[0].x_um", "particles[0].radius_um"


def test_it_is_compared_on_this_side(sphere_scene) -> None:
    scene = sphere_scene()
    free = free_parameters(scene, (FOCUS, RADIUS), None)
    search: Any = object.__new__(Search)
    search._setup = SimpleNamespace(scene=scene, parameters=free)

    def trial(focus: float, radius: float) -> Any:
        values = {FOCUS: focus, RADIUS: radius}
        point = SimpleNamespace(u=free.scaled(values), values=values)
        return SimpleNamespace(point=point, problem=SimpleNamespace(parameters=free))

    kept = trial(1.5, 0.5)
    across = search._across(single_particle(scene, free), kept, trial(-1.4, 0.6))
    there = free.values(kept.point.u + across)
    assert there == pytest.approx({FOCUS: 1.4, RADIUS: 0.6})


def test_what_differs_there_is_counted_into_sigma_and_named(sphere_scene, monkeypatch) -> None:
    scene, names = sphere_scene(), (X, RADIUS)
    image = render(scene, device="cpu", seed=1).image.numpy()
    asked = {"optics": "exact", "start": "scene", "advice": False}
    alone = fit(image, scene, names, **asked)
    inner = Search.best
    monkeypatch.setattr(Search, "both_sides", True)
    monkeypatch.setattr(Search, "best", lambda *a: replace(inner(*a), across=np.array([0.0, 0.2])))
    both = fit(image, scene, names, **asked)
    scale = free_parameters(scene, names, None).scale[1]
    assert both.sigma[X] == pytest.approx(alone.sigma[X])
    assert both.sigma[RADIUS] ** 2 == pytest.approx(alone.sigma[RADIUS] ** 2 + (0.2 * scale) ** 2)
    assert BOTH_SIDES in both.warnings and BOTH_SIDES not in alone.warnings
    assert any(words.startswith(f"There, {RADIUS} would differ") for words in both.warnings)

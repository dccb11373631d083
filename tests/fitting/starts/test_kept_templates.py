"""Templates are rendered once for the same optics, and again for others."""

from __future__ import annotations

import numpy as np

from osog.fitting.problem.simulator import Simulator
from osog.fitting.starts.template_matching import KEPT, TemplateAxes, rendered_templates
from osog.scene.parameters import replaced


def test_templates_follow_the_optics(sphere_scene, monkeypatch):
    KEPT.clear()
    calls = []
    right = Simulator.__call__
    monkeypatch.setattr(
        Simulator, "__call__", lambda self, values: calls.append(1) or right(self, values)
    )
    axes = TemplateAxes([1.0, 2.0], [0.5], [1.4])
    scene = sphere_scene()
    first = rendered_templates(scene, scene.populations[0], axes, 24)
    again = rendered_templates(scene, scene.populations[0], axes, 24)
    assert len(calls) == 1
    assert all(a is b for a, b in zip(first, again, strict=True))
    other = replaced(scene, {"microscope.numerical_aperture": 0.5})
    wider = rendered_templates(other, other.populations[0], axes, 24)
    assert len(calls) == 2
    assert not np.array_equal(first[0].image, wider[0].image)

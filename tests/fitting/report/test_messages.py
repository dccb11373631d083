"""Words about what an image does not determine."""

from __future__ import annotations

import numpy as np
import pytest

import osog
from osog.fitting.report.messages import best_known_product
from osog.scene.parameters import replaced


def test_product_of_size_and_index_is_the_best_known_one():
    rng = np.random.default_rng(0)
    radius = 0.2 * (1 + 0.05 * rng.normal(size=20000))
    delta = 0.05 * (radius / 0.2) ** -2.4 * (1 + 0.01 * rng.normal(size=20000))
    correlation = float(np.corrcoef(radius, delta)[0, 1])
    power, product, relative = best_known_product(
        0.2, 0.05, float(radius.std()), float(delta.std()), correlation
    )
    spread = np.std(radius**power * delta) / np.mean(radius**power * delta)
    assert power == pytest.approx(2.4, abs=0.1)
    assert product == pytest.approx(0.2**power * 0.05)
    assert 0.9 * spread < relative < 2 * spread


def test_optics_that_end_where_their_tolerance_ends_are_named(sphere_scene):
    scene = sphere_scene()
    aperture = "microscope.numerical_aperture"
    counts = osog.render(replaced(scene, {aperture: 0.95}), seed=2).image.numpy()
    free = ("particles[0].radius_um", "microscope.focus_um")
    result = osog.fit(counts, scene, free, start="scene")
    assert result.nuisances[aperture][0] == pytest.approx(0.648)
    assert not result.success
    assert any(w.startswith(aperture) and "other optics" in w for w in result.warnings)

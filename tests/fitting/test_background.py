"""Uneven light and dust in fits: regions, templates and free numbers."""

from __future__ import annotations

import numpy as np
import pytest

import osog
from osog.scene.parameters import replaced


def test_dust_and_uneven_light_do_not_hide_a_sphere(uneven) -> None:
    image = osog.render(uneven, "cpu", seed=3).image
    found = osog.detect(image, uneven)
    true = uneven.populations[0].particles[0]
    assert found
    near = min(np.hypot(p.x_um - true.x_um, p.y_um - true.y_um) for p in found)
    assert near < 0.5


def test_the_gradient_of_the_light_can_be_fitted(uneven) -> None:
    image = osog.render(uneven, "cpu", seed=3).image
    start = replaced(uneven, {"background.gradient_x": 0.0})
    result = osog.fit(image, start, ("background.gradient_x",), start="scene", optics="exact")
    name = "background.gradient_x"
    assert result.values[name] == pytest.approx(0.3, abs=max(5 * result.sigma[name], 0.002))
    assert "slope_x" not in result.linear

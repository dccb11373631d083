"""Words about what an image does not determine."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.report.messages import best_known_product


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

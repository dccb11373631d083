"""The centre of symmetry of an image needs no model."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.starts.centre import self_convolution_centre


def test_centre_of_symmetry_needs_no_model():
    rows, columns = np.indices((64, 70))
    distance = np.hypot(rows - 29.3, columns - 37.8)
    rings = np.cos(0.06 * distance**2) * np.exp(-((distance / 12) ** 2))
    noise = np.random.default_rng(1).normal(0, 0.03, rings.shape)
    row, column = self_convolution_centre(rings + noise)
    assert row == pytest.approx(29.3, abs=0.1)
    assert column == pytest.approx(37.8, abs=0.1)

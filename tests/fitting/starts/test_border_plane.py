"""The plane through the border of an image is that of its background."""

from __future__ import annotations

import numpy as np

from osog.fitting.starts.border_plane import border_plane


def test_border_plane_ignores_what_stands_on_the_border():
    rows, columns = np.indices((60, 60))
    plane = 100 + 0.2 * rows - 0.1 * columns
    image = plane + np.random.default_rng(2).normal(0, 0.5, plane.shape)
    image[:10, 20:30] += 50
    assert np.abs(border_plane(image) - plane).max() < 1.0

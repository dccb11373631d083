"""White residuals pass, and every structure that a wrong model leaves is found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from osog.fitting.report.goodness_of_fit import GoodnessOfFit, goodness_of_fit


class TestResidual:
    used = np.ones((64, 64), bool)

    def test_white_noise_passes(self):
        rng = np.random.default_rng(3)
        passed = 0
        for _ in range(20):
            r = rng.normal(size=(64, 64))
            passed += not goodness_of_fit(r, self.used, float(np.mean(r**2))).is_structured(True)
        assert passed >= 18

    def test_a_faint_pattern_is_found(self):
        r = np.random.default_rng(4).normal(size=(64, 64))
        rows, columns = np.indices((64, 64))
        ring = np.cos(0.9 * np.hypot(rows - 32, columns - 32))
        test = goodness_of_fit(r + 0.25 * ring, self.used, 1.03)
        assert test.is_structured(True)
        assert 0.1 < test.band_cycles_per_px < 0.19

    def test_masked_pixels_do_not_count(self):
        r = np.random.default_rng(5).normal(size=(64, 64))
        used = np.ones((64, 64), bool)
        used[:, :20] = False
        assert not goodness_of_fit(np.where(used, r, 0.0), used, 1.0).is_structured(True)

    def test_correlation_of_neighbours_is_measured(self):
        r = gaussian_filter(np.random.default_rng(6).normal(size=(64, 64)), 0.7)
        assert goodness_of_fit(r, self.used, 1.0).neighbour > 0.4

    def test_blocks_of_eight_are_found(self):
        r = np.random.default_rng(7).normal(size=(64, 64))
        blocks = np.repeat(np.repeat(np.random.default_rng(8).normal(size=(8, 8)), 8, 0), 8, 1)
        edge = np.zeros((64, 64))
        edge[::8, :] = edge[:, ::8] = 2.0
        assert goodness_of_fit(r, self.used, 1.0).block8 < 3
        assert goodness_of_fit(0.3 * r + edge - edge.mean() + 0 * blocks, self.used, 1.0).block8 > 3


def test_uneven_noise_is_white_noise():
    """Noise that is thirty times stronger in a spot holds no structure."""
    rng = np.random.default_rng(0)
    y, x = np.indices((64, 64))
    strength = 1 + 30 * np.exp(-((x - 30) ** 2 + (y - 30) ** 2) / 50)
    used = np.ones((64, 64), bool)
    tests = [goodness_of_fit(strength * rng.normal(size=used.shape), used, 1.0) for _ in range(60)]
    assert np.mean([not test.is_white for test in tests]) < 0.1


@pytest.mark.parametrize(
    ("chi2", "whiteness", "neighbour", "known", "rejected"),
    [
        (1.0, 1.0, 0.0, True, False),
        (1.0, 3.0, 0.0, True, True),  # structure
        (1.0, 3.0, 0.0, False, True),
        (1.3, 1.0, 0.0, True, True),  # stronger than the camera's noise
        (1.1, 1.0, 0.0, True, False),  # white: rather the stated noise is wrong
        (0.6, 9.0, 0.4, True, False),  # compressed
    ],
)
def test_success_is_withheld_where_the_residual_holds_more_than_noise(
    chi2, whiteness, neighbour, known, rejected
):
    test = GoodnessOfFit(chi2, whiteness, 1.0, 0.1, neighbour, 1.0, 4096)
    assert test.is_rejected(known) is rejected

"""Intervals cover what they promise, under white and under correlated noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from osog.fitting.mismatch import mismatch
from osog.fitting.solver import minimise
from osog.fitting.uncertainty import noise_correlation, uncertainty
from osog.fitting.words import _product


def _fits(blob, noise, sigma, count):
    """Share of 95 % intervals that cover, by the sandwich and by (JᵀJ)⁻¹ alone."""
    sandwich, naive = [], []
    for k in range(count):
        data = blob.image() + noise(np.random.default_rng(k), blob.shape)
        problem = blob.problem(data, sigma)
        start = problem.parameters.scaled(dict(zip(blob.names, blob.true, strict=True)))
        outcome = minimise(problem, problem.evaluate(start))
        point, jacobian = outcome.evaluation, outcome.jacobian
        spread = uncertainty(
            jacobian,
            problem.column_images(jacobian),
            point.residual,
            problem.residual_image(point),
            problem.pixels,
            point.u,
            problem.low,
            problem.high,
        )
        off = np.array([point.values[n] for n in blob.names]) - blob.true
        off /= problem.parameters.scale
        sandwich.append(np.abs(off) < 1.96 * spread.sigma)
        plain = np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian)))
        naive.append(np.abs(off) < 1.96 * plain)
    return np.mean(sandwich), np.mean(naive)


def test_intervals_cover_under_white_noise(blob):
    sandwich, naive = _fits(blob, lambda rng, shape: rng.normal(0, 2.0, shape), 2.0, 60)
    assert 0.90 < sandwich < 0.985
    assert 0.90 < naive < 0.985


def test_sandwich_covers_under_correlated_noise_where_plain_intervals_do_not(blob):
    def noise(rng, shape):
        smooth = gaussian_filter(rng.normal(0, 1.0, (shape[0] + 20, shape[1] + 20)), 0.6)
        return 2.0 * smooth[10:-10, 10:-10] / smooth.std()

    sandwich, naive = _fits(blob, noise, 2.0, 60)
    assert naive < 0.82
    assert 0.87 < sandwich < 0.985


def test_correlated_pixels_count_less():
    rng = np.random.default_rng(0)
    white = rng.normal(size=(64, 64))
    smooth = gaussian_filter(white, 2.0, mode="wrap")
    rows, columns = np.indices((64, 64))
    column = np.exp(-((rows - 30) ** 2 + (columns - 33) ** 2) / 200)[None]
    assert noise_correlation(column, white) < 3
    assert noise_correlation(column, smooth) > 15


def test_parameter_without_effect_is_infinite_and_the_rest_is_not(blob):
    problem = blob.problem(blob.image())
    point = problem.evaluate(np.zeros(4))
    jacobian = problem.jacobian(point)
    jacobian[:, 1] = 0.0
    spread = uncertainty(
        jacobian,
        problem.column_images(jacobian),
        point.residual,
        problem.residual_image(point),
        problem.pixels,
        point.u,
        problem.low,
        problem.high,
    )
    assert np.isinf(spread.sigma[1])
    assert np.isfinite(spread.sigma[[0, 2, 3]]).all()


def test_product_of_size_and_index_is_the_best_known_one():
    rng = np.random.default_rng(0)
    radius = 0.2 * (1 + 0.05 * rng.normal(size=20000))
    delta = 0.05 * (radius / 0.2) ** -2.4 * (1 + 0.01 * rng.normal(size=20000))
    correlation = float(np.corrcoef(radius, delta)[0, 1])
    power, product, relative = _product(
        0.2, 0.05, float(radius.std()), float(delta.std()), correlation
    )
    spread = np.std(radius**power * delta) / np.mean(radius**power * delta)
    assert power == pytest.approx(2.4, abs=0.1)
    assert product == pytest.approx(0.2**power * 0.05)
    assert 0.9 * spread < relative < 2 * spread


class TestResidual:
    used = np.ones((64, 64), bool)

    def test_white_noise_passes(self):
        rng = np.random.default_rng(3)
        passed = 0
        for _ in range(20):
            r = rng.normal(size=(64, 64))
            passed += not mismatch(r, self.used, float(np.mean(r**2))).is_structured(True)
        assert passed >= 18

    def test_a_faint_pattern_is_found(self):
        r = np.random.default_rng(4).normal(size=(64, 64))
        rows, columns = np.indices((64, 64))
        ring = np.cos(0.9 * np.hypot(rows - 32, columns - 32))
        test = mismatch(r + 0.25 * ring, self.used, 1.03)
        assert test.is_structured(True)
        assert 0.1 < test.band_cycles_per_px < 0.19

    def test_masked_pixels_do_not_count(self):
        r = np.random.default_rng(5).normal(size=(64, 64))
        used = np.ones((64, 64), bool)
        used[:, :20] = False
        assert not mismatch(np.where(used, r, 0.0), used, 1.0).is_structured(True)

    def test_correlation_of_neighbours_is_measured(self):
        r = gaussian_filter(np.random.default_rng(6).normal(size=(64, 64)), 0.7)
        assert mismatch(r, self.used, 1.0).neighbour > 0.4

    def test_blocks_of_eight_are_found(self):
        r = np.random.default_rng(7).normal(size=(64, 64))
        blocks = np.repeat(np.repeat(np.random.default_rng(8).normal(size=(8, 8)), 8, 0), 8, 1)
        edge = np.zeros((64, 64))
        edge[::8, :] = edge[:, ::8] = 2.0
        assert mismatch(r, self.used, 1.0).block8 < 3
        assert mismatch(0.3 * r + edge - edge.mean() + 0 * blocks, self.used, 1.0).block8 > 3

"""Intervals cover what they promise, under white and under correlated noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from osog.fitting.problem.linear import LinearPart
from osog.fitting.report.covariance import noise_correlation
from osog.fitting.report.uncertainty import uncertainty
from osog.fitting.solve.levenberg_marquardt import LevenbergMarquardt


def _fits(blob, noise, sigma, count):
    """Share of 95 % intervals that cover, by the sandwich and by (JᵀJ)⁻¹ alone."""
    sandwich, naive = [], []
    for k in range(count):
        data = blob.image() + noise(np.random.default_rng(k), blob.shape)
        problem = blob.problem(data, sigma)
        start = problem.parameters.scaled(dict(zip(blob.names, blob.true, strict=True)))
        found = LevenbergMarquardt().minimise(problem, problem.evaluate(start))
        point, jacobian = found.evaluation, found.jacobian
        spread = uncertainty(problem, point, jacobian)
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
    spread = uncertainty(problem, point, jacobian)
    assert np.isinf(spread.sigma[1])
    assert np.isfinite(spread.sigma[[0, 2, 3]]).all()


def test_noise_that_the_fit_takes_in_does_not_narrow_the_intervals(blob):
    """With noise that is white, σ equals that of (JᵀJ)⁻¹ on average, small as the image is."""
    blob = type(blob)((24, 24))
    blob.true = blob.true * [0.75, 0.7, 1.0, 1.0]
    parameters = blob.parameters(blob.true)
    linear = LinearPart(True, False, True, True)
    ratios = []
    for k in range(60):
        data = blob.image() + np.random.default_rng(k).normal(0, 2.0, blob.shape)
        problem = blob.problem(data, 2.0, parameters, linear)
        found = LevenbergMarquardt().minimise(problem, problem.evaluate(np.zeros(4)))
        spread = uncertainty(problem, found.evaluation, found.jacobian)
        plain = np.linalg.inv(found.jacobian.T @ found.jacobian)
        ratios.append(spread.sigma / np.sqrt(np.diag(plain)))
    assert np.mean(ratios, 0) == pytest.approx(np.ones(4), abs=0.02)


def test_another_answer_that_is_as_good_counts_as_one_deviation(blob):
    problem = blob.problem(blob.image() + np.random.default_rng(0).normal(0, 2.0, blob.shape), 2.0)
    point = problem.evaluate(problem.parameters.scaled(dict(zip("xy", (15.2, 16.7), strict=True))))
    jacobian = problem.jacobian(point)
    alone = uncertainty(problem, point, jacobian)
    other = np.array([0.0, 0.3, 0.0, -0.1])
    both = uncertainty(problem, point, jacobian, shifts=[other])
    assert both.covariance == pytest.approx(alone.covariance + np.outer(other, other), rel=1e-9)

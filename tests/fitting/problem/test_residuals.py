"""Variable projection, its derivatives, priors and masks."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.problem.linear import LinearPart
from osog.fitting.problem.residuals import STEP


def test_linear_part_is_the_weighted_least_squares_one(blob):
    data = blob.image(gain=87.0, slopes=(4.0, -1.5))
    problem = blob.problem(data)
    point = problem.evaluate(
        problem.parameters.scaled(dict(zip(blob.names, blob.true, strict=True)))
    )
    np.testing.assert_allclose(point.coefficients, [87.0, 4.0, -1.5], rtol=1e-9)
    np.testing.assert_allclose(point.model, data, atol=1e-9)
    assert point.cost < 1e-15 * np.sum(data**2)


@pytest.mark.parametrize(
    ("linear", "names"),
    [
        (LinearPart(False, False, False, False), ()),
        (LinearPart(False, True, True, False), ("offset", "slope_x", "slope_y")),
        (
            LinearPart(True, True, False, True),
            ("gain", "offset", "curve_xx", "curve_xy", "curve_yy"),
        ),
    ],
)
def test_jacobian_is_the_derivative_of_the_residual_at_a_perfect_fit(blob, linear, names):
    """Kaufman's approximation drops a term that vanishes with the residual."""
    assert linear.names == names
    data = blob.image(gain=1.0, slopes=(0.0, 0.0))
    problem = blob.problem(data, 0.01, linear=linear)
    u = problem.parameters.scaled(dict(zip(blob.names, blob.true, strict=True)))
    jacobian = problem.jacobian(problem.evaluate(u))
    for k in range(4):
        step = np.zeros(4)
        step[k] = 10 * STEP
        numeric = problem.evaluate(u + step).residual - problem.evaluate(u - step).residual
        numeric /= 20 * STEP
        np.testing.assert_allclose(
            jacobian[:, k], numeric, atol=3e-4 * max(1.0, np.abs(numeric).max())
        )


def test_pedestal_is_not_multiplied_by_the_gain(blob):
    linear = LinearPart(True, False, False, False, pedestal=0.5)
    clean = blob.model(dict(zip(blob.names, blob.true, strict=True)))
    problem = blob.problem(0.5 + 3.0 * (clean - 0.5), linear=linear)
    point = problem.evaluate(
        problem.parameters.scaled(dict(zip(blob.names, blob.true, strict=True)))
    )
    assert point.coefficients[0] == pytest.approx(3.0)
    assert point.cost < 1e-20


def test_masked_pixels_do_not_count(blob):
    data = blob.image()
    used = np.ones(blob.shape, bool)
    used[3:9, 20:30] = False
    spoilt = np.where(used, data, 1e6)
    whole, masked = blob.problem(data, used=used), blob.problem(spoilt, used=used)
    a, b = whole.evaluate(np.zeros(4)), masked.evaluate(np.zeros(4))
    assert a.cost == pytest.approx(b.cost, rel=1e-12)
    np.testing.assert_allclose(whole.jacobian(a), masked.jacobian(b))
    assert masked.pixels == used.sum()


def test_prior_pulls_by_its_standard_deviation(blob):
    problem = blob.problem(blob.image(), priors={"width": (2.0, 0.1)})
    point = problem.evaluate(problem.parameters.scaled({"width": 2.5}))
    assert point.residual[-1] == pytest.approx(5.0)
    row = problem.jacobian(point)[-1]
    np.testing.assert_allclose(row, [0, 0, 20.0, 0])


def test_new_weights_rescale_the_derivatives(blob):
    problem = blob.problem(blob.image(), priors={"width": (2.0, 0.1)})
    point = problem.evaluate(np.zeros(4))
    doubled = problem.reweighted(2.0)
    expected = doubled.jacobian(doubled.again(point))
    got = doubled.rescaled_jacobian(problem.jacobian(point), problem)
    np.testing.assert_allclose(got, expected, atol=1e-9 * np.abs(expected).max())


def test_steps_never_leave_the_bounds(blob):
    seen = []
    parameters = blob.parameters(start=(32.0, 0.0, 2.2, 0.4))
    problem = blob.problem(blob.image(), parameters=parameters)
    problem = problem.with_model(lambda values: seen.append(values) or blob.model(values))
    problem.jacobian(problem.evaluate(np.zeros(4)))
    assert max(v["x"] for v in seen) <= 32.0
    assert min(v["y"] for v in seen) >= 0.0

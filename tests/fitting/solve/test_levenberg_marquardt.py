"""The descent finds what SciPy finds, obeys bounds and stops when asked."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from osog.fitting.solve.levenberg_marquardt import LevenbergMarquardt, newton_step
from osog.fitting.solve.stop import StopRule


def _minimised(problem, u, **rule):
    return LevenbergMarquardt(StopRule(**rule)).minimise(problem, problem.evaluate(u))


def test_agrees_with_scipy_on_the_same_residuals(blob):
    rng = np.random.default_rng(1)
    data = blob.image() + rng.normal(0, 1.5, blob.shape)
    problem = blob.problem(data, 1.5)
    found = _minimised(problem, np.zeros(4), chi2_reduction=1e-6)
    reference = least_squares(
        lambda u: problem.evaluate(u).residual,
        np.zeros(4),
        bounds=(problem.low, problem.high),
        xtol=1e-12,
        ftol=1e-12,
    )
    assert found.reason in ("converged", "stalled")
    assert found.evaluation.cost == pytest.approx(2 * reference.cost, rel=1e-9)
    np.testing.assert_allclose(found.evaluation.u, reference.x, atol=2e-4)


def test_stops_within_a_tenth_of_the_standard_deviation(blob):
    data = blob.image() + np.random.default_rng(2).normal(0, 1.5, blob.shape)
    problem = blob.problem(data, 1.5)
    loose = _minimised(problem, np.zeros(4))
    tight = _minimised(problem, np.zeros(4), chi2_reduction=1e-9)
    sigma = np.sqrt(np.diag(np.linalg.inv(tight.jacobian.T @ tight.jacobian)))
    assert loose.reason == "converged"
    assert loose.iterations <= tight.iterations
    assert np.all(np.abs(loose.evaluation.u - tight.evaluation.u) < 0.1 * sigma)


def test_a_bound_holds_and_the_rest_still_converges(blob):
    parameters = blob.parameters(start=(14.0, 18.0, 2.2, 0.15), high=(32.0, 32.0, 9.0, 0.2))
    problem = blob.problem(blob.image(), 1.0, parameters)
    found = _minimised(problem, np.zeros(4))
    assert found.evaluation.values["depth"] == pytest.approx(0.2, abs=1e-12)
    assert found.evaluation.values["x"] == pytest.approx(15.2, abs=0.05)
    assert found.reason == "converged"


def test_callback_stops_and_keeps_the_best(blob):
    problem = blob.problem(blob.image(), 1.0)
    seen = []
    found = LevenbergMarquardt().minimise(
        problem,
        problem.evaluate(np.zeros(4)),
        on_step=lambda point, iteration: seen.append(point.cost) or iteration == 2,
    )
    assert found.reason == "stopped"
    assert len(seen) == 2
    assert found.evaluation.cost == min(seen)


def test_too_few_iterations_are_said(blob):
    problem = blob.problem(blob.image(), 0.01)
    assert _minimised(problem, np.zeros(4), max_iterations=1).reason == "exhausted"


class Curved:
    """A residual that curves within its own noise, so that Gauss–Newton overshoots."""

    low, high = np.array([-9.0]), np.array([9.0])
    degrees = 1000

    class Point:
        def __init__(self, u):
            self.u = u
            # Along the second row the first-order slope is 1 and the true curvature is 1.8.
            self.residual = np.array([u[0], 4.0 + 0.1 * u[0] ** 2 - 0.5])
            self.cost = float(self.residual @ self.residual)

    def evaluate(self, u):
        return Curved.Point(u)

    def jacobian(self, point):
        return np.array([[1.0], [0.2 * point.u[0]]])


def test_secant_curvature_ends_the_zigzag():
    """Without the rank-one term this takes more than a dozen steps."""
    problem = Curved()
    found = _minimised(problem, np.array([1.2]), chi2_reduction=1e-8)
    assert found.iterations <= 8
    assert abs(found.evaluation.u[0]) < 1e-3


def test_newton_step_lands_on_the_optimum_of_a_linear_problem(blob):
    problem = blob.problem(blob.image(), 1.0)
    near = problem.parameters.scaled(dict(zip(blob.names, blob.true + 1e-3, strict=True)))
    point = problem.evaluate(near)
    step = newton_step(problem, point, problem.jacobian(point))
    assert problem.evaluate(near + step).cost < 1e-3 * point.cost


def test_a_descent_that_falls_too_slowly_is_left_as_it_is(blob):
    start = blob.parameters(start=(26.0, 6.0, 2.2, 0.4))  # the blob lies elsewhere
    problem = blob.problem(blob.image(), 1.0, start)
    demanding, asking = (_minimised(problem, np.zeros(4), falling=f) for f in (1e3, 1.0))
    assert (demanding.reason, demanding.iterations) == ("exhausted", 2)
    assert asking.reason == "converged"
    assert asking.evaluation.cost < demanding.evaluation.cost


def test_two_steps_together_must_lower_chi2_by_the_factor():
    rule = StopRule(falling=2.0)
    assert not rule.is_slow([8.0, 7.9])
    assert not rule.is_slow([8.0, 7.0, 3.9])
    assert rule.is_slow([8.0, 7.0, 4.1])
    assert not StopRule().is_slow([8.0, 8.0, 8.0])


def test_derivatives_are_carried_along_straight_steps(blob):
    data = blob.image() + np.random.default_rng(3).normal(0, 1.5, blob.shape)
    problem = blob.problem(data, 1.5)
    taken = []
    plain = problem.jacobian
    problem.jacobian = lambda point: taken.append(point) or plain(point)
    found = _minimised(problem, np.zeros(4), chi2_reduction=1e-8)
    assert found.reason == "converged"
    assert len(taken) < found.iterations
    # What was carried along is right to a few per cent, and so are the errors from it.
    sigma, fresh = (
        np.sqrt(np.diag(np.linalg.inv(j.T @ j))) for j in (found.jacobian, plain(found.evaluation))
    )
    np.testing.assert_allclose(sigma, fresh, rtol=0.03)


class Kinked(Curved):
    """A residual whose slope turns at 1, so that derivatives from one side mislead on the other."""

    class Point:
        def __init__(self, u):
            self.u = u
            height = u[0] if u[0] > 1 else 1.0 - 8.0 * (u[0] - 1.0)
            self.residual = np.array([height, 0.0])
            self.cost = float(self.residual @ self.residual)

    def evaluate(self, u):
        return Kinked.Point(u)

    def jacobian(self, point):
        return np.array([[1.0 if point.u[0] > 1 else -8.0], [0.0]])


def test_misleading_derivatives_are_taken_anew():
    start = Kinked().evaluate(np.array([0.5]))
    stale = np.array([[1.0], [0.0]])
    descent = LevenbergMarquardt(StopRule(chi2_reduction=1e-8))
    found = descent.minimise(Kinked(), start, jacobian=stale, fresh=False)
    assert found.evaluation.u[0] == pytest.approx(1.0, abs=0.1)

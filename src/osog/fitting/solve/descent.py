"""Descent to the nearest minimum, with the noise estimated on the way where it is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.report.covariance import noise_correlation
from osog.fitting.solve.levenberg_marquardt import LevenbergMarquardt
from osog.fitting.solve.stop import StopRule
from osog.fitting.solve.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.fitting.problem.residuals import ImageProblem, Point
    from osog.fitting.problem.setup import FitSetup
    from osog.fitting.solve.monitor import Monitor

    Array = NDArray[np.float64]

# Deviation of χ²/n from 1 below which an estimate of the noise counts as settled.
_SETTLED = 0.1
# An exact image has no noise at all: this share of its spread, which float64 resolves, stands in.
_RESOLVED = 1e-9


class Descent:
    """Walks from a start to the nearest minimum.

    Parameters
    ----------
    setup : FitSetup
        Tells whether the noise is known, and how the data are spread.
    monitor : Monitor
    """

    def __init__(self, setup: FitSetup, monitor: Monitor) -> None:
        self._monitor = monitor
        self._noise_known, self._spread = setup.noise_known, setup.spread

    def settled(
        self, problem: ImageProblem, u: Array, iterations: int, stage: str, falling: float = 0.0
    ) -> Trial:
        """Walk to the nearest minimum.

        Parameters
        ----------
        problem : ImageProblem
        u : ndarray, shape (P,)
            Start, inside the bounds.
        iterations : int
            Most derivatives that are taken.
        stage : str
            What the fit is doing; see `FitProgress.stage`.
        falling : float
            As in `StopRule`.
        """
        return self._walked(problem, problem.evaluate(u), None, iterations, stage, falling)

    def continued(self, trial: Trial, iterations: int, stage: str) -> Trial:
        """Walk on from where a trial has ended, with the derivatives that it has there."""
        found = trial.descent
        known = (found.jacobian, found.fresh)
        walked = self._walked(trial.problem, found.evaluation, known, iterations, stage, 0.0)
        return replace(trial, descent=walked.descent, problem=walked.problem)

    def _walked(
        self,
        problem: ImageProblem,
        point: Point,
        known: tuple[Array, bool] | None,
        iterations: int,
        stage: str,
        falling: float,
    ) -> Trial:
        jacobian, fresh = known if known is not None else (None, True)
        if self._noise_known:
            rule = StopRule(max_iterations=iterations, falling=falling)
            found = LevenbergMarquardt(rule).minimise(
                problem,
                point,
                on_step=self._monitor.watching(problem, stage),
                jacobian=jacobian,
                fresh=fresh,
            )
            return Trial(found, problem)
        left, correlation = iterations, 1.0
        while True:
            before = problem
            problem, point = self._reweighted(problem, point, correlation)
            if jacobian is not None:
                jacobian = problem.rescaled_jacobian(jacobian, before)
            rule = StopRule(max_iterations=left, falling=falling)
            found = LevenbergMarquardt(rule).minimise(
                problem,
                point,
                on_step=self._monitor.watching(problem, stage),
                jacobian=jacobian,
                fresh=fresh,
            )
            point, jacobian, fresh = found.evaluation, found.jacobian, found.fresh
            left -= found.iterations
            if problem.priors:
                correlation = noise_correlation(
                    problem.column_images(jacobian), problem.residual_image(point)
                )
            # The weights of the priors, and the stop rule, hold once the noise stays the same.
            settled = abs(problem.chi2_per_pixel(point) * correlation - 1) < _SETTLED
            slow = falling > 0 and found.reason == "exhausted"
            if found.reason == "stopped" or slow or settled or left < 1 or found.iterations == 0:
                return Trial(found, problem)

    def _reweighted(
        self, problem: ImageProblem, point: Point, correlation: float
    ) -> tuple[ImageProblem, Point]:
        """Weights from the residual itself; pixels that agree in their errors count less."""
        chi2 = problem.chi2_per_pixel(point) * correlation
        floor = (_RESOLVED * self._spread * float(problem.weights.max())) ** 2
        problem = problem.reweighted(1.0 / float(np.sqrt(max(chi2, floor, 1e-300))))
        return problem, problem.again(point)

"""The polish: a fit carried to a finer grid where the coarser one biases it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.report.covariance import spectral_sandwich
from osog.fitting.solve.levenberg_marquardt import DescentResult, newton_step

if TYPE_CHECKING:
    from osog.fitting.problem.setup import FitSetup
    from osog.fitting.problem.simulator import Simulators
    from osog.fitting.solve.descent import Descent
    from osog.fitting.solve.monitor import Monitor
    from osog.fitting.solve.trial import Trial

# Bias by the grid, in standard deviations, from which a fit is refined.
_BIAS = 0.3
# Steps on the finer grid with the derivatives of the coarser one.
_CHORDS = 8


class Polish:
    """Measures the bias of the grid with one finer image, and walks on it where it matters.

    Parameters
    ----------
    setup : FitSetup
    simulators : Simulators
    descent : Descent
    monitor : Monitor
    """

    def __init__(
        self, setup: FitSetup, simulators: Simulators, descent: Descent, monitor: Monitor
    ) -> None:
        self._setup, self._simulators = setup, simulators
        self._descent, self._monitor = descent, monitor

    def polished(self, trial: Trial) -> Trial:
        """Carry a trial to the finer grid; one that was there, or a stopped fit, stays."""
        if self._monitor.stopped or trial.polished:
            return trial
        problem, found, point = trial.problem, trial.descent, trial.point
        model = self._simulators.fine(self._setup.fitted(point.values))
        finer = problem.with_model(model, model)
        fresh, jacobian = finer.evaluate(point.u), found.jacobian
        covariance = spectral_sandwich(
            jacobian,
            problem.column_images(jacobian),
            problem.residual_image(point),
            problem.pixels,
        )
        sigma = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
        watch = self._monitor.watching(finer, "polish")
        # The derivatives of the coarser grid are good enough to walk to the optimum of the finer.
        for iteration in range(1, _CHORDS + 1):
            step = newton_step(finer, fresh, jacobian)
            if np.all(np.abs(step) < (_BIAS if iteration == 1 else 0.1 * _BIAS) * sigma):
                if iteration == 1:
                    return replace(trial, polished=True)
                there = DescentResult(fresh, jacobian, iteration, found.reason, False)
                return replace(trial, descent=there, problem=finer, polished=True, refined=True)
            lower = finer.evaluate(np.clip(fresh.u + step, finer.low, finer.high))
            if lower.cost > fresh.cost:
                break
            fresh = lower
            if watch(fresh, iteration):
                there = DescentResult(fresh, jacobian, iteration, "stopped", False)
                return replace(trial, descent=there, problem=finer, polished=True, refined=True)
        walked = self._descent.settled(finer, fresh.u, self._setup.max_iterations, "polish")
        return replace(
            walked, complete=trial.complete, polished=True, refined=True, mirrored=trial.mirrored
        )

"""Who watches a fit: its history, the caller's callback, and the wish to stop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting.report.result import FitProgress
from osog.fitting.solve.levenberg_marquardt import DescentResult
from osog.fitting.solve.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.fitting.problem.residuals import ImageProblem, Point
    from osog.fitting.problem.setup import FitSetup

# Entries of a Jacobian whose covariance takes about half a second.
_QUICK = 2_000_000


class Monitor:
    """Keeps the history of one fit and passes every accepted step to the caller.

    Parameters
    ----------
    setup : FitSetup
    callback : callable, optional
        Called with a `FitProgress` after every accepted step; a true answer stops the fit.
    clock : float
        Start of the fit, by `time.perf_counter`.

    Attributes
    ----------
    history : list of dict
        stage, iteration, chi2_per_pixel, rms and values of every accepted step.
    stopped : bool
        Whether the callback has asked to stop.
    """

    def __init__(
        self, setup: FitSetup, callback: Callable[[FitProgress], Any] | None, clock: float
    ) -> None:
        self._setup, self._callback, self._clock = setup, callback, clock
        self.history: list[dict[str, Any]] = []
        self.stopped = False
        self._best: tuple[float, ImageProblem, Point] | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start of the fit."""
        return time.perf_counter() - self._clock

    def watching(self, problem: ImageProblem, stage: str) -> Callable[[Point, int], bool]:
        """Make the function that a descent calls with every accepted point.

        Parameters
        ----------
        problem : ImageProblem
            What the descent minimises.
        stage : str
            What the fit is doing; see `FitProgress.stage`.
        """

        def on_step(point: Point, iteration: int) -> bool:
            wanted = self._setup.wanted.names
            free = {name: v for name, v in point.values.items() if name in wanted}
            chi2, rms = problem.chi2_per_pixel(point), problem.rms(point)
            self.history.append(
                {
                    "stage": stage,
                    "iteration": iteration,
                    "chi2_per_pixel": chi2,
                    "rms": rms,
                    "values": free,
                }
            )
            if self._best is None or rms < self._best[0]:
                self._best = rms, problem, point
            if self._callback is None:
                return False
            progress = FitProgress(
                stage=stage,
                iteration=iteration,
                values=free,
                chi2_per_pixel=chi2,
                rms=rms,
                residual=self._setup.data - point.model,
                model=point.model,
                elapsed_s=self.elapsed_s,
            )
            self.stopped = self.stopped or bool(self._callback(progress))
            return self.stopped

        return on_step

    def cut_short(self) -> Trial | None:
        """Return the best accepted step of a fit that is left at once; None before the first.

        No image is made any more: the derivatives are the last that were taken with all
        parameters, a step or so away, and empty where there are none, or so many that their
        covariance would keep the caller waiting.
        """
        self.stopped = True
        if self._best is None:
            return None
        _, problem, point = self._best
        everything = self._setup.parameters
        jacobian = problem.last_jacobian
        if problem.parameters.names != everything.names:
            problem = problem.with_parameters(everything, self._setup.priors)
            point = problem.restated(point)
            jacobian = None
        if jacobian is None or jacobian.size > _QUICK:
            jacobian = np.empty((0, len(everything)))
        found = DescentResult(point, jacobian, len(self.history), "stopped")
        return Trial(found, problem, complete=True)

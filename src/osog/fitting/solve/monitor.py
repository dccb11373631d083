"""Who watches a fit: its history, the caller's callback, and the wish to stop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from osog.fitting.report.result import FitProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.fitting.problem.residuals import ImageProblem, Point
    from osog.fitting.problem.setup import FitSetup


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

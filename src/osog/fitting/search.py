"""The search: candidates, short runs with nominal optics, nuisances set free, a finer grid.

The start decides, not the solver. Every candidate first moves with the optics at their nominal
values; then the nuisances are set free; and where a fit is promising it is carried to a finer grid
before it is judged, since χ²/n on a coarse grid tells the grid from the noise only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting.mismatch import mismatch
from osog.fitting.moves import moves
from osog.fitting.problem import ImageProblem, Point
from osog.fitting.report import FitProgress
from osog.fitting.simulator import Simulator, optics_only
from osog.fitting.solver import Outcome, minimise, newton_step
from osog.fitting.start import dictionary_starts, single_particle
from osog.fitting.uncertainty import noise_correlation, spectral_sandwich
from osog.scene import SceneError
from osog.scene.parameters import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from osog.fitting.linear import LinearPart
    from osog.fitting.parameters import FreeParameters
    from osog.fitting.region import Region
    from osog.fitting.start import Single
    from osog.scene import Scene

    Array = NDArray[np.float64]

# χ²/n up to which a fit counts as right where the noise is known.
_GOOD = 1.04
# χ²/n up to which a candidate is worth the search to its end.
_HOPEFUL = 3.0
_SHORT = 10
_PATIENT = 25
# Rounds of the search: (over all of the bounds?, only candidates that differ much?, how many).
_ROUNDS = ((False, True, 3), (True, True, 5), (True, False, 12))
# Share of the contrast that a fit must explain to count as right where the noise is not known.
_EXPLAINED = 0.75
# Bias by the grid, in standard deviations, from which a fit is refined.
_BIAS = 0.3
_CHORDS = 8
_MOVE_ROUNDS = 4
# Fall of χ² that is worth another round of moves.
_MOVE_GAIN = 5.0


@dataclass(frozen=True)
class Task:
    """What is to be fitted.

    Attributes
    ----------
    data, weights : ndarray, shape (Y, X)
        The region of the image; 1/σ, or 0 and 1 where the noise is not known.
    used : ndarray of bool, shape (Y, X)
    noise_known : bool
    scene : Scene
        In coordinates of the frame, with explicit particles.
    region : Region
    wanted, parameters : FreeParameters
        What the caller frees; the same without what is held, with the nuisances.
    linear : LinearPart
    priors : dict
    device : str
    max_iterations : int
    """

    data: Array
    weights: Array
    used: NDArray[np.bool_]
    noise_known: bool
    scene: Scene
    region: Region
    wanted: FreeParameters
    parameters: FreeParameters
    linear: LinearPart
    priors: dict[str, tuple[float, float]]
    device: str
    max_iterations: int

    @property
    def nuisances(self) -> tuple[str, ...]:
        """Names that vary within their priors and were not asked for."""
        return tuple(n for n in self.parameters.names if n not in self.wanted.names)

    def fitted(self, values: Mapping[str, float]) -> Scene:
        """Put values into the scene; an NA is kept below the immersion index."""
        values = dict(values)
        aperture = values.get("microscope.numerical_aperture", 0.0)
        immersion = self.scene.microscope.immersion_index
        if aperture >= immersion:
            values["microscope.numerical_aperture"] = immersion - 1e-6
        return replaced(self.scene, values)


@dataclass(frozen=True)
class Run:
    """Where one candidate ended.

    Attributes
    ----------
    outcome : Outcome
    problem : ImageProblem
    complete : bool
        Whether the nuisances are free.
    polished, refined : bool
        Whether the finer grid was looked at, and whether it moved the fit.
    """

    outcome: Outcome[Point]
    problem: ImageProblem
    complete: bool = False
    polished: bool = False
    refined: bool = False

    @property
    def point(self) -> Point:
        """The best point."""
        return self.outcome.evaluation

    @property
    def chi2(self) -> float:
        """χ² per degree of freedom."""
        return self.problem.chi2_per_pixel(self.point)


class Search:
    """One search, with its history.

    Parameters
    ----------
    task : Task
    callback : callable, optional
        Called with a `FitProgress` after every accepted step; a true answer stops the search.
    clock : float
        Start, by `time.perf_counter`.
    """

    def __init__(
        self, task: Task, callback: Callable[[FitProgress], Any] | None, clock: float
    ) -> None:
        self.task, self.callback, self.clock = task, callback, clock
        self.history: list[dict[str, Any]] = []
        self.stopped = False
        self._simulators: list[Simulator] = []
        self._minima: list[float] = []
        self._single: Single | None = single_particle(task.scene, task.parameters)

    @property
    def renders(self) -> int:
        """Number of simulated images so far."""
        return sum(simulator.renders for simulator in self._simulators)

    def best(self, start: str) -> Run:
        """Search and return the best run, with nuisances free and on the finer grid.

        Parameters
        ----------
        start : str
            ``scene``, ``detect`` or ``auto``; see `osog.fitting.fit`.
        """
        return self._polished(self._moved(self._completed(self._searched(start))))

    def _searched(self, start: str) -> Run:
        runs: list[Run] = []
        single = self._single
        if start == "scene" or single is None:
            return self._finished(self._from_scene(self.task.max_iterations))
        if start == "auto":
            run = self._from_scene(min(_PATIENT, self.task.max_iterations))
            if not self.task.noise_known or run.chi2 < _HOPEFUL:
                run = self._finished(run)
            runs.append(run)
            if self._done(run):
                return run
        for blind, diverse, keep in _ROUNDS[1:] if start == "detect" else _ROUNDS:
            runs += self._candidates(single, blind, diverse, keep)
            runs.sort(key=self._rank)
            # Without a noise model a poor fit cannot be told from poor noise: one round is enough.
            if runs and (self._done(runs[0]) or not self.task.noise_known):
                break
        best = runs[0] if runs else self._from_scene(self.task.max_iterations)
        return best if best.complete else self._finished(best)

    def _from_scene(self, iterations: int) -> Run:
        return self._attempt(self._simulator(self.task.scene), {}, iterations, "fit")

    def _candidates(self, single: Single, blind: bool, diverse: bool, keep: int) -> list[Run]:
        """Runs from the dictionary's candidates; the hopeful ones to their end."""
        task = self.task
        starts = dictionary_starts(
            task.data, task.used, task.scene, single, task.wanted, task.region, task.linear,
            keep=keep, blind=blind, diverse=diverse, device=task.device,
        )  # fmt: skip
        short: list[Run] = []
        done: list[Run] = []
        for values in starts:
            run = self._attempt(self._suited(values), values, _SHORT, "start")
            if self.stopped:
                return [*done, *short, run]
            if self._seen(run):
                continue
            if task.noise_known and run.chi2 < _HOPEFUL:
                done.append(self._finished(run))
                if self._done(done[-1]):
                    return done
            else:
                short.append(run)
        short.sort(key=self._rank)
        for run in [] if done else short[: 1 if blind else 2]:
            done.append(self._finished(run))
            if self.stopped:
                break
        return done

    def _seen(self, run: Run) -> bool:
        """Whether an earlier candidate already led to this minimum."""
        rank = self._rank(run)
        margin = max(1.0, 0.02 * rank) if self.task.noise_known else 1e-3 * rank
        seen = any(abs(rank - other) < margin for other in self._minima)
        self._minima.append(rank)
        return seen

    def _done(self, run: Run) -> bool:
        return self.stopped or self._good(run)

    def _rank(self, run: Run) -> float:
        return run.point.cost if self.task.noise_known else run.problem.rms(run.point)

    def _good(self, run: Run) -> bool:
        point, problem = run.point, run.problem
        if self._at_edge(run):
            return False
        if self.task.noise_known:
            # Small images scatter more than the threshold allows for.
            return run.chi2 < max(_GOOD, 1 + 2 * float(np.sqrt(2 / problem.degrees)))
        if problem.r_squared(point) > _EXPLAINED:
            return True
        exact = problem.rms(point) < 1e-6 * (float(np.std(self.task.data[self.task.used])) or 1.0)
        test = mismatch(problem.residual_image(point), problem.used, run.chi2)
        return exact or not test.is_structured(False)

    def _at_edge(self, run: Run) -> bool:
        """Whether size, index or depth ran into a bound, as in a wrong minimum."""
        if self._single is None:
            return False
        parameters, u = run.problem.parameters, run.point.u
        for key in ("radius", "index", "z", "focus"):
            name = self._single.names.get(key)
            if name in parameters.names:
                k = parameters.names.index(name)
                room = min(u[k] - parameters.unit_low[k], parameters.unit_high[k] - u[k])
                if room < 1e-9:
                    return True
        return False

    def _moved(self, run: Run) -> Run:
        """Try the moves of a long particle, while they help."""
        single = self._single
        if single is None:
            return run
        for _ in range(_MOVE_ROUNDS):
            trials = [
                run.problem.evaluate(run.problem.parameters.scaled(values))
                for values in moves(single, run.point.values)
                if not self.stopped
            ]
            trials.sort(key=lambda point: point.cost)
            better = run
            for point in trials[:3]:
                if self.stopped:
                    break
                tried = self._settled(run.problem, point.u, _SHORT + 2, "moves")
                if self._rank(tried) < self._rank(better):
                    better = replace(tried, complete=True, polished=run.polished)
            gain = self._rank(run) - self._rank(better)
            if gain <= (_MOVE_GAIN if self.task.noise_known else 1e-3 * self._rank(run)):
                break
            run = better
        if run.outcome.reason == "exhausted" and not self.stopped:
            more = self._settled(run.problem, run.point.u, self.task.max_iterations, "fit")
            run = replace(more, complete=True, polished=run.polished, refined=run.refined)
        return run

    # Runs -----------------------------------------------------------------------------------

    def _attempt(
        self, model: Simulator, values: Mapping[str, float], iterations: int, stage: str
    ) -> Run:
        """Search with the optics at their nominal values, which is what far starts need."""
        task = self.task
        kept = task.parameters.without(task.nuisances)
        priors = {n: p for n, p in task.priors.items() if n in kept.names}
        problem = ImageProblem(
            task.data, task.weights, model, kept, task.linear, priors, optics_only
        )
        run = self._settled(problem, kept.scaled(values), iterations, stage)
        return replace(run, complete=not task.nuisances)

    def _finished(self, run: Run) -> Run:
        """Continue to convergence with the nuisances free, and on the finer grid if it counts."""
        if self.stopped:
            return run
        if not run.complete or run.outcome.reason == "exhausted":
            full = self._full(run)
            u = self.task.parameters.scaled(run.point.values)
            settled = self._settled(full, u, self.task.max_iterations, "fit")
            run = replace(settled, complete=True)
        if self.task.noise_known and run.chi2 < _HOPEFUL:
            run = self._polished(run)
        return run

    def _completed(self, run: Run) -> Run:
        """Same point with the nuisances among the parameters, for a search that was stopped."""
        if run.complete:
            return run
        full = self._full(run)
        point = full.evaluate(self.task.parameters.scaled(run.point.values))
        outcome = Outcome(point, full.jacobian(point), run.outcome.iterations, run.outcome.reason)
        return replace(run, outcome=outcome, problem=full, complete=True)

    def _full(self, run: Run) -> ImageProblem:
        task = self.task
        return ImageProblem(
            task.data, run.problem.weights, run.problem.model, task.parameters, task.linear,
            task.priors, optics_only,
        )  # fmt: skip

    def _settled(self, problem: ImageProblem, u: Array, iterations: int, stage: str) -> Run:
        """Search to the nearest minimum; the noise is estimated along the way if not known."""
        point = problem.evaluate(u)
        if self.task.noise_known:
            outcome = minimise(
                problem, point, max_iterations=iterations, on_step=self._watch(problem, stage)
            )
            return Run(outcome, problem)
        left, correlation, jacobian = iterations, 1.0, None
        while True:
            before = problem
            problem, point = self._rescaled(problem, point, correlation)
            if jacobian is not None:
                jacobian = problem.rescaled_jacobian(jacobian, before)
            outcome = minimise(
                problem, point, max_iterations=left, on_step=self._watch(problem, stage),
                jacobian=jacobian,
            )  # fmt: skip
            point, jacobian = outcome.evaluation, outcome.jacobian
            left -= outcome.iterations
            if problem.priors:
                correlation = noise_correlation(
                    problem.column_images(jacobian), problem.residual_image(point)
                )
            # The weights of the priors, and the stop rule, hold once the noise stays the same.
            settled = abs(problem.chi2_per_pixel(point) * correlation - 1) < 0.1
            if outcome.reason == "stopped" or settled or left < 1 or outcome.iterations == 0:
                return Run(outcome, problem)

    def _rescaled(
        self, problem: ImageProblem, point: Point, correlation: float
    ) -> tuple[ImageProblem, Point]:
        """Weights from the residual itself; pixels that agree in their errors count less."""
        chi2 = problem.chi2_per_pixel(point) * correlation
        # An exact image has no noise at all: what float64 resolves of it stands in.
        spread = float(np.std(self.task.data[self.task.used])) or 1.0
        floor = (1e-9 * spread * float(problem.weights.max())) ** 2
        problem = problem.reweighted(1.0 / float(np.sqrt(max(chi2, floor, 1e-300))))
        return problem, problem.again(point)

    def _polished(self, run: Run) -> Run:
        """Measure the bias of the grid with one finer image, and walk on it where it matters."""
        if self.stopped or run.polished:
            return run
        problem, outcome, point = run.problem, run.outcome, run.point
        finer = problem.with_model(self._simulator(self.task.fitted(point.values), "fine"))
        fresh, jacobian = finer.evaluate(point.u), outcome.jacobian
        covariance = spectral_sandwich(
            jacobian,
            problem.column_images(jacobian),
            problem.residual_image(point),
            problem.pixels,
        )
        sigma = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
        watch = self._watch(finer, "polish")
        # The derivatives of the coarser grid are good enough to walk to the optimum of the finer.
        for iteration in range(1, _CHORDS + 1):
            step = newton_step(finer, fresh, jacobian)
            if np.all(np.abs(step) < (_BIAS if iteration == 1 else 0.1 * _BIAS) * sigma):
                if iteration == 1:
                    return replace(run, polished=True)
                there = Outcome(fresh, jacobian, iteration, outcome.reason)
                return replace(run, outcome=there, problem=finer, polished=True, refined=True)
            trial = finer.evaluate(np.clip(fresh.u + step, finer.low, finer.high))
            if trial.cost > fresh.cost:
                break
            fresh = trial
            if watch(fresh, iteration):
                there = Outcome(fresh, jacobian, iteration, "stopped")
                return replace(run, outcome=there, problem=finer, polished=True, refined=True)
        walked = self._settled(finer, fresh.u, self.task.max_iterations, "polish")
        return replace(walked, complete=run.complete, polished=True, refined=True)

    def _watch(self, problem: ImageProblem, stage: str) -> Callable[[Point, int], bool]:
        def on_step(point: Point, iteration: int) -> bool:
            free = {n: v for n, v in point.values.items() if n in self.task.wanted.names}
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
            if self.callback is None:
                return False
            progress = FitProgress(
                stage,
                iteration,
                free,
                chi2,
                rms,
                self.task.data - point.model,
                point.model,
                time.perf_counter() - self.clock,
            )
            self.stopped = self.stopped or bool(self.callback(progress))
            return self.stopped

        return on_step

    def _suited(self, values: Mapping[str, float]) -> Simulator:
        """Simulator whose sampling and padding suit a start that lies far from the scene's."""
        try:
            return self._simulator(replaced(self.task.scene, dict(values)))
        except SceneError:
            return self._simulator(self.task.scene)

    def _simulator(self, scene: Scene, accuracy: str | None = None) -> Simulator:
        """Simulator on a standard grid for the search, finer only for the polish."""
        if accuracy is None and scene.numerics.accuracy in ("auto", "fine"):
            accuracy = "standard"
        task = self.task
        made = Simulator(scene, task.region, device=task.device, accuracy=accuracy)
        self._simulators.append(made)
        return made

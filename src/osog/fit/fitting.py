"""A fit from start to report: candidates, search, polish on a finer grid, intervals, words."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fit import words
from osog.fit.errors import FitError
from osog.fit.inputs import checked_image, checked_mask
from osog.fit.linear import linear_part
from osog.fit.mismatch import mismatch
from osog.fit.parameters import FreeParameters, free_parameters, last_word
from osog.fit.priors import all_priors
from osog.fit.problem import ImageProblem, Point
from osog.fit.region import Region, region_of
from osog.fit.report import FitProgress, FitResult
from osog.fit.simulator import Simulator, optics_only
from osog.fit.solver import Outcome, minimise, newton_step
from osog.fit.start import Single, dictionary_starts, single_particle
from osog.fit.uncertainty import (
    Uncertainty,
    noise_correlation,
    spectral_sandwich,
    uncertainty,
)
from osog.fit.weights import camera_sigma, unsaturated
from osog.sample import explicit
from osog.scene import SceneError
from osog.scene.parameters import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from osog.fit.linear import LinearPart
    from osog.scene import Scene

    Array = NDArray[np.float64]

Run = tuple[Outcome[Point], ImageProblem]

# χ²/n up to which a fit counts as right where the noise is known.
_GOOD = 1.04
# χ²/n up to which a candidate is worth the search to its end.
_HOPEFUL = 3.0
_SHORT = 10
# Rounds of the search: (over all of the bounds?, only candidates that differ much?, how many).
_ROUNDS = ((False, True, 3), (True, True, 5), (True, False, 12))
_START = ("auto", "scene", "detect")
# Share of the contrast that a fit must explain to count as right where the noise is not known.
_EXPLAINED = 0.8
# Bias by the grid, in standard deviations, from which a fit is refined.
_BIAS = 0.3
_CHORDS = 8


def fit(
    image: Any,
    scene: Scene,
    free: Sequence[str],
    bounds: Mapping[str, tuple[float, float]] | None = None,
    mask: Any = None,
    callback: Callable[[FitProgress], Any] | None = None,
    *,
    seed: int = 0,
    start: str = "auto",
    priors: Mapping[str, Any] | None = None,
    optics: str = "uncertain",
    linear: str = "auto",
    region: tuple[int, int, int, int] | None = None,
    max_iterations: int = 40,
    device: str = "cpu",
) -> FitResult:
    """Fit numbers of a scene to a micrograph.

    Levenberg–Marquardt with the gain and the background eliminated in closed form; starts from a
    matched dictionary where one particle is fitted; standard deviations from the spectral
    sandwich, so that they hold under correlated noise.

    Parameters
    ----------
    image : array_like, shape (Y, X)
        Counts when the scene has a camera, irradiance relative to the background without one,
        radians in quantitative phase.
    scene : Scene
        Optics, particles and the start of every free number.
    free : sequence of str
        Dotted names, such as ``microscope.focus_um`` or ``particles[0].radius_um``.
    bounds : mapping of names to (low, high), optional
        Ranges; what the scene allows when left out.
    mask : array_like of bool, shape (Y, X), optional
        True where a pixel counts. Saturated pixels never count.
    callback : callable, optional
        Called with a `FitProgress` after every accepted step; a true answer stops the fit, which
        then keeps its best.
    seed : int
        Draws the particles that the scene does not list.
    start : str
        ``scene`` starts at the scene's own numbers; ``detect`` at the best matches of a dictionary
        over the bounds, for a single particle; ``auto`` at the scene's numbers, and at the
        dictionary also unless they lead to a good fit.
    priors : mapping of names to (value, sd), optional
        Gaussian priors. Free optics numbers have one by default (see `osog.fit.priors`); None
        removes it. A name that is not free becomes a nuisance within its prior.
    optics : str
        ``uncertain``: NA, astigmatism and spherical aberration vary within the tolerance of the
        nominal values; with them fixed, intervals are far too narrow. ``exact``: as stated.
    linear : str
        ``auto``, ``none``, or ``gain``, ``offset``, ``slopes``, ``quadratic`` joined by ``+``; see
        `osog.fit.linear.linear_part`. With ``gain`` in quantitative phase the index is held,
        since an unknown grey scale multiplies it.
    region : (y0, y1, x0, x1), optional
        Only these rows and columns are fitted and simulated; coordinates stay those of the frame.
    max_iterations : int
        Most iterations of the search, and again of the polish.
    device : str
        Where the engine computes; differences need its float64.

    Returns
    -------
    FitResult

    Raises
    ------
    FitError
        For an image, name, bound, prior, mask or region that cannot be used.
    """
    clock = time.perf_counter()
    if start not in _START:
        raise FitError(f"start = '{start}' must be one of {', '.join(_START)}.")
    if max_iterations < 1:
        raise FitError(f"max_iterations = {max_iterations} must be at least 1.")
    data = checked_image(image, scene, mask)
    try:
        listed = explicit(scene, seed)
    except SceneError as error:
        raise FitError(str(error)) from None
    area = region_of(region, listed)
    free = (free,) if isinstance(free, str) else tuple(free)
    wanted = free_parameters(listed, free, bounds)
    whole = np.asarray(getattr(image, "cpu", lambda: image)()).dtype.kind in "biu"
    terms = linear_part(linear, listed, data[area.slices], free, grey_levels=whole)
    rows = all_priors(listed, free, priors, optics)
    held = _held(listed, wanted.names, terms, rows)
    job = _Job(
        data=data[area.slices],
        scene=listed,
        region=area,
        wanted=wanted,
        held=held,
        linear=terms,
        priors={n: p for n, p in rows.items() if n not in held},
        parameters=_with_nuisances(listed, wanted, rows, held),
        used=_used(data, listed, mask, area),
        device=device,
        callback=callback,
        clock=clock,
        max_iterations=max_iterations,
    )
    return job.run(start)


@dataclass
class _Job:
    """One fit while it runs."""

    data: Array
    scene: Scene
    region: Region
    wanted: FreeParameters
    held: dict[str, str]
    linear: LinearPart
    priors: dict[str, tuple[float, float]]
    parameters: FreeParameters
    used: NDArray[np.bool_]
    device: str
    callback: Callable[[FitProgress], Any] | None
    clock: float
    max_iterations: int
    history: list[dict[str, Any]] = field(default_factory=list)
    minima: list[float] = field(default_factory=list)
    stopped: bool = False
    renders: int = 0

    def __post_init__(self) -> None:
        camera = self.scene.camera
        kind = self.scene.microscope.modality.kind
        self.noise_known = camera is not None and camera.noise and kind != "phase"
        if self.noise_known:
            assert camera is not None
            self.weights = np.where(self.used, 1.0 / camera_sigma(self.data, camera), 0.0)
        else:
            self.weights = self.used.astype(np.float64)

    def run(self, start: str) -> FitResult:
        """Search, polish and report."""
        single = single_particle(self.scene, self.parameters)
        outcome, problem = self._search(start, single)
        outcome, problem, refined = self._polish(outcome, problem)
        return self._report(outcome, problem, refined)

    # Search ---------------------------------------------------------------------------------

    def _search(self, start: str, single: Single | None) -> Run:
        model = self._simulator(self.scene)
        runs: list[Run] = []
        if start != "detect" or single is None:
            own = self._finished(self._attempt(model, {}, self.max_iterations, "fit"))
            if start == "scene" or single is None or self.stopped or self._good(*own):
                return own
            runs.append(own)
        assert single is not None
        for blind, diverse, keep in _ROUNDS[1:] if start == "detect" else _ROUNDS:
            runs += self._candidates(single, blind, diverse, keep)
            runs.sort(key=lambda run: self._rank(*run))
            # Without a noise model a poor fit cannot be told from poor noise: one round is enough.
            if runs and (self.stopped or self._good(*runs[0]) or not self.noise_known):
                break
        if not runs:
            runs = [self._finished(self._attempt(model, {}, self.max_iterations, "fit"))]
        return runs[0]

    def _candidates(self, single: Single, blind: bool, diverse: bool, keep: int) -> list[Run]:
        """Searches from the dictionary's candidates; the hopeful ones to their end."""
        starts = dictionary_starts(
            self.data, self.used, self.scene, single, self.wanted, self.region, self.linear,
            keep=keep, blind=blind, diverse=diverse, device=self.device,
        )  # fmt: skip
        short: list[Run] = []
        done: list[Run] = []
        for values in starts:
            run = self._attempt(self._suited(values), values, _SHORT, "start")
            if self.stopped:
                return [*done, *short, run]
            if self._known_minimum(run):
                continue
            if self.noise_known and run[1].chi2_per_pixel(run[0].evaluation) < _HOPEFUL:
                done.append(self._finished(run))
                if self.stopped or self._good(*done[-1]):
                    return done
            else:
                short.append(run)
        short.sort(key=lambda run: self._rank(*run))
        for run in short[: 2 if not blind else 1]:
            done.append(self._finished(run))
            if self.stopped:
                break
        return done

    def _known_minimum(self, run: Run) -> bool:
        """Whether an earlier candidate already led to this minimum."""
        rank = self._rank(*run)
        margin = 1.0 if self.noise_known else 1e-4 * rank
        seen = any(abs(rank - other) < margin for other in self.minima)
        self.minima.append(rank)
        return seen

    def _attempt(
        self, model: Simulator, values: Mapping[str, float], iterations: int, stage: str
    ) -> Run:
        """Search with the optics at their nominal values, which is what far starts need."""
        kept = self.parameters.without(self._nuisances)
        priors = {n: p for n, p in self.priors.items() if n in kept.names}
        problem = ImageProblem(
            self.data, self.weights, model, kept, self.linear, priors, optics_only
        )
        return self._settle(problem, kept.scaled(values), iterations, stage)

    def _finished(self, run: Run) -> Run:
        """Continue to convergence with the nuisances set free."""
        outcome, problem = run
        if self.stopped or (not self._nuisances and outcome.reason != "exhausted"):
            return self._widened(run) if self._nuisances else run
        full = ImageProblem(
            self.data, problem.weights, problem.model, self.parameters, self.linear, self.priors,
            optics_only,
        )  # fmt: skip
        u = self.parameters.scaled(run[0].evaluation.values)
        return self._settle(full, u, self.max_iterations, "fit")

    def _widened(self, run: Run) -> Run:
        """Same point with the nuisances among the parameters, for the report of a stopped fit."""
        outcome, problem = run
        if len(problem.parameters) == len(self.parameters):
            return run
        full = ImageProblem(
            self.data, problem.weights, problem.model, self.parameters, self.linear, self.priors,
            optics_only,
        )  # fmt: skip
        point = full.evaluate(self.parameters.scaled(run[0].evaluation.values))
        wide = Outcome(point, full.jacobian(point), outcome.iterations, outcome.reason)
        return wide, full

    @property
    def _nuisances(self) -> tuple[str, ...]:
        return tuple(n for n in self.parameters.names if n not in self.wanted.names)

    def _suited(self, values: Mapping[str, float]) -> Simulator:
        """Simulator whose sampling and padding suit a start that lies far from the scene's."""
        try:
            return self._simulator(replaced(self.scene, dict(values)))
        except SceneError:
            return self._simulator(self.scene)

    def _settle(self, problem: ImageProblem, u: Array, iterations: int, stage: str) -> Run:
        """Search to the nearest minimum; the noise is estimated along the way if not known."""
        point = problem.evaluate(u)
        if self.noise_known:
            outcome = minimise(
                problem, point, max_iterations=iterations, on_step=self._watch(problem, stage)
            )
            self._count(problem)
            return outcome, problem
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
            jacobian = outcome.jacobian
            point = outcome.evaluation
            left -= outcome.iterations
            if problem.priors:
                correlation = noise_correlation(
                    problem.column_images(outcome.jacobian), problem.residual_image(point)
                )
            # The weights of the priors, and the stop rule, hold once the noise stays the same.
            settled = abs(problem.chi2_per_pixel(point) * correlation - 1) < 0.1
            if outcome.reason == "stopped" or settled or left < 1 or outcome.iterations == 0:
                self._count(problem)
                return outcome, problem

    def _rescaled(
        self, problem: ImageProblem, point: Point, correlation: float
    ) -> tuple[ImageProblem, Point]:
        """Weights from the residual itself; pixels that agree in their errors count less."""
        chi2 = problem.chi2_per_pixel(point) * correlation
        # An exact image has no noise at all: what float64 resolves of it stands in.
        spread = float(np.std(self.data[self.used])) or 1.0
        floor = (1e-9 * spread * float(problem.weights.max())) ** 2
        problem = problem.reweighted(1.0 / float(np.sqrt(max(chi2, floor, 1e-300))))
        return problem, problem.again(point)

    def _rank(self, outcome: Outcome[Point], problem: ImageProblem) -> float:
        point = outcome.evaluation
        return point.cost if self.noise_known else problem.rms(point)

    def _good(self, outcome: Outcome[Point], problem: ImageProblem) -> bool:
        point = outcome.evaluation
        chi2 = problem.chi2_per_pixel(point)
        if self.noise_known:
            # Small images scatter more than the threshold allows for.
            return chi2 < max(_GOOD, 1 + 3 * float(np.sqrt(2 / problem.degrees)))
        if problem.r_squared(point) > _EXPLAINED:
            return True
        test = mismatch(problem.residual_image(point), problem.used, chi2)
        exact = problem.rms(point) < 1e-6 * (float(np.std(self.data[self.used])) or 1.0)
        return exact or not test.is_structured(False)

    def _watch(self, problem: ImageProblem, stage: str) -> Callable[[Any, int], bool]:
        def on_step(point: Point, iteration: int) -> bool:
            free = {n: v for n, v in point.values.items() if n in self.wanted.names}
            chi2, rms = problem.chi2_per_pixel(point), problem.rms(point)
            self.history.append(
                {"stage": stage, "iteration": iteration, "chi2_per_pixel": chi2, "rms": rms,
                 "values": free}
            )  # fmt: skip
            if self.callback is None:
                return False
            asked = self.callback(
                FitProgress(
                    stage,
                    iteration,
                    free,
                    chi2,
                    rms,
                    self.data - point.model,
                    point.model,
                    time.perf_counter() - self.clock,
                )
            )
            self.stopped = self.stopped or bool(asked)
            return bool(asked)

        return on_step

    def _count(self, problem: ImageProblem) -> None:
        self.renders = max(self.renders, problem.renders)

    # Polish ---------------------------------------------------------------------------------

    def _polish(
        self, outcome: Outcome[Point], problem: ImageProblem
    ) -> tuple[Outcome[Point], ImageProblem, bool]:
        """Measure the bias of the grid with one finer image, and fit on it where it matters."""
        point = outcome.evaluation
        if self.stopped:
            return outcome, problem, False
        finer = problem.with_model(self._simulator(self._fitted(point), "fine"))
        fresh = finer.evaluate(point.u)
        jacobian, n = outcome.jacobian, problem.pixels
        covariance = spectral_sandwich(
            jacobian, problem.column_images(jacobian), problem.residual_image(point), n
        )
        sigma = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
        watch = self._watch(finer, "polish")
        # The derivatives of the coarser grid are good enough to walk to the optimum of the finer.
        for iteration in range(1, _CHORDS + 1):
            step = newton_step(finer, fresh, jacobian)
            if np.all(np.abs(step) < (_BIAS if iteration == 1 else 0.1 * _BIAS) * sigma):
                refined = iteration > 1
                done = Outcome(fresh, jacobian, iteration, outcome.reason) if refined else outcome
                return done, finer if refined else problem, refined
            trial = finer.evaluate(np.clip(fresh.u + step, finer.low, finer.high))
            if trial.cost > fresh.cost:
                break
            fresh = trial
            if watch(fresh, iteration):
                return Outcome(fresh, jacobian, iteration, "stopped"), finer, True
        polished, finer = self._settle(finer, fresh.u, self.max_iterations, "polish")
        return polished, finer, True

    # Report ---------------------------------------------------------------------------------

    def _report(self, outcome: Outcome[Point], problem: ImageProblem, refined: bool) -> FitResult:
        point = outcome.evaluation
        parameters = self.parameters
        residual = problem.residual_image(point)
        spread = uncertainty(
            outcome.jacobian,
            problem.column_images(outcome.jacobian),
            point.residual,
            residual,
            problem.pixels,
            point.u,
            problem.low,
            problem.high,
        )
        sigma = spread.sigma * parameters.scale
        by_name = dict(zip(parameters.names, (float(s) for s in sigma), strict=True))
        fitted = self._fitted(point)
        # Where the noise is taken from the residual, the fit explains the image to the noise.
        chi2 = problem.chi2_per_pixel(point) if self.noise_known else 1.0
        test = mismatch(residual, problem.used, chi2)
        flagged = words.undetermined(
            parameters.names, point.values, parameters.scale, spread, fitted
        )
        flagged = {n: w for n, w in flagged.items() if n in self.wanted.names} | self.held
        warnings = self._warnings(outcome, point, spread, fitted, by_name, test, refined, flagged)
        order = [parameters.names.index(n) for n in self.wanted.names if n in parameters.names]
        return FitResult(
            values={n: self._value(n, point) for n in self.wanted.names},
            sigma={n: by_name.get(n, float("inf")) for n in self.wanted.names},
            units=dict(zip(self.wanted.names, self.wanted.units, strict=True)),
            undetermined=flagged,
            names=self.wanted.names,
            covariance=self._covariance(spread, order),
            nuisances={
                n: (point.values[n], by_name[n])
                for n in parameters.names
                if n not in self.wanted.names
            },
            linear=dict(
                zip(self.linear.names, (float(c) for c in point.coefficients), strict=True)
            ),
            scene=fitted,
            model=point.model,
            residual=self.data - point.model,
            region=(self.region.y0, self.region.y1, self.region.x0, self.region.x1),
            history=self.history,
            warnings=warnings,
            success=self._succeeded(outcome, chi2),
            chi2_per_pixel=chi2,
            r_squared=problem.r_squared(point),
            rms=problem.rms(point),
            stopped=self.stopped,
            tests={
                "chi2_per_pixel": test.chi2,
                "whiteness": test.whiteness,
                "band": test.band,
                "band_cycles_per_px": test.band_cycles_per_px,
                "neighbour_correlation": test.neighbour,
            },
            renders=self.renders,
            elapsed_s=time.perf_counter() - self.clock,
        )

    def _warnings(
        self,
        outcome: Outcome[Point],
        point: Point,
        spread: Uncertainty,
        fitted: Scene,
        sigma: dict[str, float],
        test: Any,
        refined: bool,
        flagged: dict[str, str],
    ) -> list[str]:
        out = [words.STOPPED] if self.stopped else []
        if outcome.reason == "exhausted":
            out.append(words.EXHAUSTED)
        out += words.of_mismatch(test, self.noise_known, refined)
        out += dict.fromkeys(flagged.values())
        out += words.advice(self.parameters.names, point.values, spread, fitted, self.priors, sigma)
        out += words.twins(self.parameters.names, fitted)
        return list(dict.fromkeys(out))

    def _succeeded(self, outcome: Outcome[Point], chi2: float) -> bool:
        if self.stopped or outcome.reason not in ("converged", "stalled"):
            return False
        return not self.noise_known or chi2 < 1.15

    def _covariance(self, spread: Uncertainty, order: list[int]) -> Array:
        size = len(self.wanted)
        out = np.zeros((size, size))
        np.fill_diagonal(out, np.inf)
        scale = self.parameters.scale
        inside = [k for k, n in enumerate(self.wanted.names) if n in self.parameters.names]
        part = spread.covariance[np.ix_(order, order)] * np.outer(scale[order], scale[order])
        out[np.ix_(inside, inside)] = part
        return out

    def _value(self, name: str, point: Point) -> float:
        if name in point.values:
            return point.values[name]
        return float(self.wanted.start[self.wanted.names.index(name)])

    def _fitted(self, point: Point) -> Scene:
        values = dict(point.values)
        aperture = values.get("microscope.numerical_aperture")
        immersion = self.scene.microscope.immersion_index
        if aperture is not None and aperture >= immersion:
            values["microscope.numerical_aperture"] = immersion - 1e-6
        return replaced(self.scene, values)

    # Parts ----------------------------------------------------------------------------------

    def _simulator(self, scene: Scene, accuracy: str | None = None) -> Simulator:
        """Simulator on a standard grid for the search, finer only for the polish."""
        if accuracy is None and scene.numerics.accuracy in ("auto", "fine"):
            accuracy = "standard"
        return Simulator(scene, self.region, device=self.device, accuracy=accuracy)


def _held(
    scene: Scene,
    names: tuple[str, ...],
    linear: LinearPart,
    priors: Mapping[str, tuple[float, float]],
) -> dict[str, str]:
    """Free names that nothing can determine and that stay at their start, with words."""
    out = {}
    if linear.gain and scene.microscope.modality.kind == "phase":
        indices = [n for n in names if last_word(n) == "index" and not n.startswith("medium")]
        out = dict.fromkeys(indices, words.GREY_SCALE)
    depths = [n for n in names if last_word(n) == "z_um"]
    particles = sum(len(p.particles or ()) for p in scene.populations if p.visible)
    focus = "microscope.focus_um"
    if focus in names and 0 < particles <= len(depths) and not {focus, *depths} & set(priors):
        out[focus] = words.FOCUS_AND_DEPTH
    return out


def _with_nuisances(
    scene: Scene,
    wanted: FreeParameters,
    priors: Mapping[str, tuple[float, float]],
    held: Mapping[str, str],
) -> FreeParameters:
    keep = np.array([n not in held for n in wanted.names])
    if not keep.any():
        raise FitError(f"free = {wanted.names}: {held[wanted.names[0]]} Nothing else is free.")
    extra = tuple(n for n in priors if n not in wanted.names)
    names = tuple(n for n in wanted.names if n not in held)
    units = tuple(u for u, k in zip(wanted.units, keep, strict=True) if k)
    columns = [c[keep] for c in (wanted.start, wanted.low, wanted.high, wanted.scale)]
    if extra:
        more = free_parameters(scene, extra)
        names, units = names + more.names, units + more.units
        others = (more.start, more.low, more.high, more.scale)
        columns = [np.concatenate(pair) for pair in zip(columns, others, strict=True)]
    return FreeParameters(names, units, *columns)


def _used(data: Array, scene: Scene, mask: Any, region: Region) -> NDArray[np.bool_]:
    used = np.ones(data.shape, bool) if mask is None else checked_mask(mask, data.shape)
    if scene.camera is not None and scene.microscope.modality.kind != "phase":
        used = used & unsaturated(data, scene.camera)
    cut: NDArray[np.bool_] = used[region.slices]
    if cut.sum() < 16:
        raise FitError(
            f"mask and saturation leave {int(cut.sum())} pixels of the region; a fit needs at "
            "least 16."
        )
    return cut

"""The polish: a fit carried to a finer grid where the coarser one biases it.

It also settles the model of scattering. Weak spheres are computed by slabs and strong ones by
Lorenz–Mie theory; the two differ by more than the noise where one takes over from the other, and
the numbers that a fit finds with the wrong one can explain the image as well as the right ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.problem.simulator import SEARCHED, Corrected, Simulator, with_models
from osog.fitting.report.covariance import spectral_sandwich
from osog.fitting.solve.levenberg_marquardt import DescentResult, carried_along, newton_step
from osog.fitting.solve.stop import StopRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from osog.fitting.problem.residuals import ImageProblem, Point
    from osog.fitting.problem.setup import FitSetup
    from osog.fitting.problem.simulator import Simulators
    from osog.fitting.solve.acceptance import Acceptance
    from osog.fitting.solve.descent import Descent
    from osog.fitting.solve.monitor import Monitor
    from osog.fitting.solve.trial import Trial
    from osog.scene import Scene

    Array = NDArray[np.float64]
    Models = tuple[str, ...]

# Bias by the grid, in standard deviations, from which a fit is refined.
_BIAS = 0.3
# χ²/n foretold for the finer grid above which a fit leads nowhere.
_POOR = 1.5
# Steps on the finer grid before its derivatives are taken.
_STEPS = 12
# How often the difference of two grids is taken anew, what it may have changed by, as a part of
# χ², where it is kept, and how much faster it may change than the image.
_ANCHORS = 3
_CHANGED = 0.1
_FASTER = 3.0
# Factor on the error up to which a model of scattering is good enough, within which another one
# would do.
_NEAR = 2.0
# Reduction of χ² from which the image decides between two models, and the share of what a linear
# step promises that may be missing from it.
_DECISIVE = 9.0
_MISSING = 0.05


class Polish:
    """Measures the bias of the grid with one finer image, and walks on it where it matters.

    Parameters
    ----------
    setup : FitSetup
    simulators : Simulators
    descent : Descent
    acceptance : Acceptance
    monitor : Monitor
    """

    def __init__(
        self,
        setup: FitSetup,
        simulators: Simulators,
        descent: Descent,
        acceptance: Acceptance,
        monitor: Monitor,
    ) -> None:
        self._setup, self._simulators = setup, simulators
        self._descent, self._acceptance, self._monitor = descent, acceptance, monitor

    def polished(self, trial: Trial, *, anyway: bool = True) -> Trial:
        """Carry a trial to the finer grid; one that was there, or a stopped fit, stays.

        Parameters
        ----------
        trial : Trial
        anyway : bool
            False leaves a trial as it is whose first image on the finer grid foretells a poor fit.
        """
        if self._monitor.stopped or trial.polished:
            return trial
        near = sorted(self._near(trial), key=_exactness, reverse=True)
        trial = self._lit(trial, near[0])
        view = self._view(trial, near[0])
        if not anyway and view.forecast > _POOR * view.problem.degrees:
            return trial
        sigma = _deviations(trial.problem, trial.point, trial.descent.jacobian)
        if len(near) == 1 and np.all(np.abs(view.step) < _BIAS * sigma):
            return replace(trial, polished=True, models=near[0])
        here = self._walked(trial, view)
        # Where the fit has moved, another model may be near.
        for models in dict.fromkeys([*near[1:], *self._near(here)]):
            if models != near[0] and not self._monitor.stopped:
                here = self._compared(here, models)
        return here

    def with_derivatives(self, trial: Trial) -> Trial:
        """Trial whose derivatives were taken where it ended, as its standard deviations need."""
        found = trial.descent
        if found.fresh or self._monitor.stopped:
            return trial
        jacobian = trial.problem.jacobian(trial.point)
        return replace(trial, descent=replace(found, jacobian=jacobian, fresh=True))

    def _view(self, trial: Trial, models: Models) -> _View:
        """One image on the finer grid, and the step that it asks for."""
        scene = with_models(self._setup.fitted(trial.point.values), models)
        model = self._simulators.fine(scene)
        problem = trial.problem.with_model(model, model)
        point, jacobian = problem.evaluate(trial.point.u), trial.descent.jacobian
        step = newton_step(problem, point, jacobian)
        lower = float(np.sum((point.residual + jacobian @ step) ** 2))
        return _View(scene, models, model, problem, point, step, lower)

    def _lit(self, trial: Trial, models: Models) -> Trial:
        """Trial at the optimum of all directions of the light, where the search follows a part.

        What the others add is taken from one image, and anew where the fit has moved.
        """
        model = trial.problem.model
        if not isinstance(model, Simulator) or model.source_points < SEARCHED:
            return trial
        scene = with_models(self._setup.fitted(trial.point.values), models)
        few, all_ = self._simulators.coarse(scene), self._simulators.standard(scene)
        if all_.source_points <= few.source_points:
            return trial
        for _ in range(_ANCHORS):
            start = trial.problem.with_model(all_, all_).evaluate(trial.point.u)
            model = Corrected(few, start.image - few(start.values))
            problem = trial.problem.with_model(model, model)
            found = self._descent.settled(problem, start.u, self._setup.max_iterations, "polish")
            trial = replace(trial, descent=found.descent, problem=found.problem)
            if self._monitor.stopped or not _outgrown(trial, start, model.correction):
                break
        return trial

    def _corrected(self, view: _View) -> _View:
        """View by a standard grid that shows the finer one's image here, where light is open.

        A finer image of many directions costs seconds, and what it differs by hardly changes.
        """
        if view.model.source_points <= SEARCHED:
            return view
        base = self._simulators.standard(view.scene)
        model = Corrected(base, view.point.image - base(view.point.values))
        return replace(view, problem=view.problem.with_model(model, model), kept=model.correction)

    def _derivatives(self, view: _View, u: Array) -> Array:
        """Derivatives on the grid of the engine's own images, or on the finer one if that is it.

        They tell the standard deviations, for which a coarse grid is not good enough, and lead to
        the optimum of a finer grid, on which they may be far too slow to take.
        """
        if view.kept is not None:
            return view.problem.jacobian(view.point)
        own = self._simulators.own(view.scene)
        if own.accuracy == view.model.accuracy:
            return view.problem.jacobian(view.point)
        problem = view.problem.with_model(own, own)
        return problem.jacobian(problem.evaluate(u))

    def _walked(self, trial: Trial, view: _View, jacobian: Array | None = None) -> Trial:
        """Steps on the finer grid, its difference from a standard one taken anew where it counts.

        Derivatives are taken where none are given.
        """
        for left in reversed(range(_ANCHORS)):
            near = self._corrected(view)
            if jacobian is None:
                jacobian = self._derivatives(near, trial.point.u)
            found = self._stepped(trial, near, jacobian)
            if near.kept is None or self._monitor.stopped or not left:
                break
            if not _outgrown(found, near.point, near.kept):
                break
            finer = found.problem.with_model(view.model, view.model)
            view = replace(view, problem=finer, point=finer.evaluate(found.point.u))
            jacobian = found.descent.jacobian
        return found

    def _stepped(self, trial: Trial, view: _View, jacobian: Array) -> Trial:
        """Steps with derivatives carried along, or a descent where they fail."""
        watch = self._monitor.watching(view.problem, "polish")
        finer, point, known = view.problem, view.point, jacobian
        done = replace(trial, problem=finer, polished=True, refined=True, models=view.models)
        rule = StopRule()
        for iteration in range(1, _STEPS + 1):
            step = newton_step(finer, point, known)
            promised = -float(step @ (known.T @ point.residual))
            if rule.has_converged(promised, point.cost, finer.degrees):
                found = DescentResult(point, jacobian, iteration, trial.descent.reason)
                return replace(done, descent=found)
            lower = finer.evaluate(np.clip(point.u + step, finer.low, finer.high))
            if lower.cost > point.cost:
                break
            known = carried_along(known, point, lower)
            point = lower
            if watch(point, iteration):
                return replace(done, descent=DescentResult(point, jacobian, iteration, "stopped"))
        walked = self._descent.settled(finer, point.u, self._setup.max_iterations, "polish")
        return replace(done, descent=walked.descent, problem=walked.problem)

    # Models of scattering -------------------------------------------------------------------

    def _near(self, trial: Trial) -> list[Models]:
        """Models for the numbers of a trial: those that are chosen, and others that would do."""
        return self._simulators.models_near(self._setup.fitted(trial.point.values), _NEAR)

    def _holds(self, models: Models | None, values: Mapping[str, float]) -> bool:
        """Whether models are those that are chosen for these numbers."""
        return models == self._simulators.models_near(self._setup.fitted(values), _NEAR)[0]

    def _compared(self, here: Trial, models: Models) -> Trial:
        """Let the image decide between the model of a trial and another one.

        Where it cannot, a model that would not be chosen for the numbers that it leads to is out;
        else the exact one is taken, and what they differ by is no noise, yet uncertain.

        Parameters
        ----------
        here : Trial
            On a fine grid, at its optimum.
        models : tuple of str
            The other model of each population.
        """
        view = self._view(here, models)
        sigma = _deviations(here.problem, here.point, here.descent.jacobian)
        if np.all(np.abs(view.step) < _BIAS * sigma):
            return here
        gain, unsure = here.point.cost - view.forecast, _MISSING * (view.point.cost - view.forecast)
        if gain + unsure < -_DECISIVE:
            return here
        holds = self._holds(here.models, here.point.values)
        exact = _exactness(here.models or ()) >= _exactness(models)
        if holds and exact and gain + unsure < _DECISIVE:
            # The other one is not taken, whatever a walk to its optimum would show.
            there = view.problem.parameters.values(view.point.u + view.step)
            return replace(here, shift=view.step) if self._holds(models, there) else here
        other = self._walked(here, view, here.descent.jacobian)
        advantage = self._acceptance.advantage(other, here)
        if abs(advantage) > _DECISIVE:
            return other if advantage > 0 else here
        if holds != self._holds(models, other.point.values):
            return here if holds else other
        return replace(here if exact else other, shift=other.point.u - here.point.u)


def _exactness(models: Models) -> int:
    """How many populations are computed by an exact theory."""
    return models.count("mie")


@dataclass(frozen=True)
class _View:
    """A trial as another grid or model shows it.

    Attributes
    ----------
    scene : Scene
    models : tuple of str
    model : Simulator
    problem : ImageProblem
    point : Point
        At the trial's numbers.
    step : ndarray, shape (P,)
        To the optimum, as the derivatives of the trial tell it.
    forecast : float
        χ² there.
    kept : ndarray, shape (Y, X), optional
        What is added to the images of `problem` so that they stand for those of `model`.
    """

    scene: Scene
    models: Models
    model: Simulator
    problem: ImageProblem
    point: Point
    step: Array
    forecast: float
    kept: Array | None = None


def _outgrown(found: Trial, start: Point, difference: Array) -> bool:
    """Whether a kept difference of two grids may have changed by what counts, along the way.

    It changes as the image does, or a few times as fast, where edges make it.
    """
    problem, end = found.problem, found.point
    used, weights = problem.used, problem.weights
    moved, shown, kept = (
        float(np.sum((weights * (image - image[used].mean()))[used] ** 2))
        for image in (end.image - start.image, end.image, difference)
    )
    # All three in the units of the data but for the gain, which cancels in the first two.
    gain = float(end.coefficients[0]) if problem.linear.gain else 1.0
    return _FASTER**2 * gain**2 * kept * moved > _CHANGED * shown


def _deviations(problem: ImageProblem, point: Point, jacobian: Array) -> Array:
    """Standard deviations of the scaled parameters, shape (P,)."""
    covariance = spectral_sandwich(
        jacobian,
        problem.column_images(jacobian),
        problem.residual_image(point),
        problem.pixels,
        linear=problem.linear_images(point),
    )
    deviations: Array = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    return deviations

"""The polish: a fit carried to a finer grid where the coarser one biases it.

It also settles the model of scattering. Weak spheres are computed by slabs and strong ones by
Lorenz–Mie theory; the two differ by more than the noise where one takes over from the other, and
the numbers that a fit finds with the wrong one can explain the image as well as the right ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.problem.simulator import with_models
from osog.fitting.report.covariance import spectral_sandwich
from osog.fitting.solve.levenberg_marquardt import DescentResult, newton_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.fitting.problem.residuals import ImageProblem, Point
    from osog.fitting.problem.setup import FitSetup
    from osog.fitting.problem.simulator import Simulator, Simulators
    from osog.fitting.solve.acceptance import Acceptance
    from osog.fitting.solve.descent import Descent
    from osog.fitting.solve.monitor import Monitor
    from osog.fitting.solve.trial import Trial
    from osog.scene import Scene

    Array = NDArray[np.float64]
    Models = tuple[str, ...]

# Bias by the grid, in standard deviations, from which a fit is refined.
_BIAS = 0.3
# Steps on the finer grid with the same derivatives.
_CHORDS = 8
# Factor on the error up to which a model of scattering is good enough, within which another one
# would do.
_NEAR = 2.0
# Reduction of χ² from which the image decides between two models, and the share of what a linear
# step promises that may be missing from it.
_DECISIVE = 9.0
_MISSING = 0.3


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

    def polished(self, trial: Trial) -> Trial:
        """Carry a trial to the finer grid; one that was there, or a stopped fit, stays."""
        if self._monitor.stopped or trial.polished:
            return trial
        scene = self._setup.fitted(trial.point.values)
        near = self._simulators.models_near(scene, _NEAR)
        here = self._carried(trial, scene, self._simulators.fine(scene), stays=len(near) == 1)
        # Where the fit has moved, another model may be the one that is chosen.
        choices = self._simulators.models_near(self._setup.fitted(here.point.values), _NEAR)
        here = replace(here, models=near[0])
        for models in dict.fromkeys([*choices, *near]):
            if models != near[0] and not self._monitor.stopped:
                here = self._compared(here, models, choices[0])
        return here

    def with_derivatives(self, trial: Trial) -> Trial:
        """Trial whose derivatives were taken where it ended, as its standard deviations need."""
        found = trial.descent
        if found.fresh or self._monitor.stopped:
            return trial
        jacobian = trial.problem.jacobian(trial.point)
        return replace(trial, descent=replace(found, jacobian=jacobian, fresh=True))

    def _carried(self, trial: Trial, scene: Scene, model: Simulator, *, stays: bool) -> Trial:
        """Walk to the optimum of a finer grid; a trial whose grid has no bias may stay on it."""
        problem, found = trial.problem, trial.descent
        finer = problem.with_model(model, model)
        fresh = finer.evaluate(trial.point.u)
        sigma = _deviations(problem, trial.point, found.jacobian)
        step = newton_step(finer, fresh, found.jacobian)
        if stays and np.all(np.abs(step) < _BIAS * sigma):
            return replace(trial, polished=True)
        refined = bool(np.any(np.abs(step) >= _BIAS * sigma))
        jacobian = self._derivatives(finer, fresh, scene, model)
        return replace(self._walked(trial, finer, fresh, jacobian, sigma), refined=refined)

    def _derivatives(
        self, finer: ImageProblem, point: Point, scene: Scene, model: Simulator
    ) -> Array:
        """Derivatives on the grid of the engine's own images, or on the finer one if that is it.

        They tell the standard deviations, for which a coarse grid is not good enough, and lead to
        the optimum of a finer grid, on which they may be far too slow to take.
        """
        own = self._simulators.own(scene)
        if own.accuracy == model.accuracy:
            return finer.jacobian(point)
        problem = finer.with_model(own, own)
        return problem.jacobian(problem.evaluate(point.u))

    def _walked(
        self, trial: Trial, finer: ImageProblem, start: Point, jacobian: Array, sigma: Array
    ) -> Trial:
        """Steps on the finer grid with the same derivatives, or a descent where they fail."""
        watch = self._monitor.watching(finer, "polish")
        point, reason = start, trial.descent.reason
        for iteration in range(1, _CHORDS + 1):
            step = newton_step(finer, point, jacobian)
            if np.all(np.abs(step) < 0.1 * _BIAS * sigma):
                there = DescentResult(point, jacobian, iteration, reason)
                return replace(trial, descent=there, problem=finer, polished=True)
            lower = finer.evaluate(np.clip(point.u + step, finer.low, finer.high))
            if lower.cost > point.cost:
                break
            point = lower
            if watch(point, iteration):
                there = DescentResult(point, jacobian, iteration, "stopped")
                return replace(trial, descent=there, problem=finer, polished=True)
        walked = self._descent.settled(finer, point.u, self._setup.max_iterations, "polish")
        return replace(trial, descent=walked.descent, problem=walked.problem, polished=True)

    # Models of scattering -------------------------------------------------------------------

    def _compared(self, here: Trial, models: Models, chosen: Models) -> Trial:
        """Let the image decide between the model of a trial and another one.

        Where it cannot, a model that would not be chosen for the numbers that it leads to is out;
        else the exact one is taken, and what they differ by is no noise, yet uncertain.

        Parameters
        ----------
        here : Trial
            On a fine grid.
        models : tuple of str
            The other model of each population.
        chosen : tuple of str
            The models that are chosen for the trial's numbers.
        """
        there = self._other(here, models)
        if there is None:
            return here
        gain = self._acceptance.advantage(there, here)
        if abs(gain) > _DECISIVE:
            return there if gain > 0 else here
        fitted = self._setup.fitted(there.point.values)
        holds = here.models == chosen, models == self._simulators.models_near(fitted, _NEAR)[0]
        if holds[0] != holds[1]:
            return here if holds[0] else there
        best = there if models.count("mie") > (here.models or ()).count("mie") else here
        return replace(best, shift=there.point.u - here.point.u)

    def _other(self, here: Trial, models: Models) -> Trial | None:
        """Trial with other models of scattering; None where it is the same, or clearly worse."""
        scene = with_models(self._setup.fitted(here.point.values), models)
        model = self._simulators.fine(scene)
        problem = here.problem.with_model(model, model)
        point, jacobian = problem.evaluate(here.point.u), here.descent.jacobian
        sigma = _deviations(here.problem, here.point, jacobian)
        step = newton_step(problem, point, jacobian)
        if np.all(np.abs(step) < _BIAS * sigma):
            return None
        promised = point.cost - float(np.sum((point.residual + jacobian @ step) ** 2))
        if point.cost - (1 + _MISSING) * promised > here.point.cost + _DECISIVE:
            return None
        there = self._walked(here, problem, point, jacobian, sigma)
        return replace(there, models=models)


def _deviations(problem: ImageProblem, point: Point, jacobian: Array) -> Array:
    """Standard deviations of the scaled parameters, shape (P,)."""
    covariance = spectral_sandwich(
        jacobian, problem.column_images(jacobian), problem.residual_image(point), problem.pixels
    )
    deviations: Array = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    return deviations

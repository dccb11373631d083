"""The search: candidates, short descents with nominal optics, nuisances set free, a finer grid.

The start decides, not the solver. Every candidate first moves with the optics at their nominal
values; then the nuisances are set free; and where a fit is promising it is carried to a finer grid
before it is judged, since χ²/n on a coarse grid tells the grid from the noise only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.problem.depth_of_field import depth_of_field_um
from osog.fitting.problem.residuals import ImageProblem
from osog.fitting.problem.simulator import Simulators, with_models
from osog.fitting.solve.acceptance import Acceptance
from osog.fitting.solve.descent import Descent
from osog.fitting.solve.levenberg_marquardt import DescentResult
from osog.fitting.solve.polish import Polish
from osog.fitting.solve.stages import STAGES
from osog.fitting.starts.initial_guess import initial_guesses
from osog.fitting.starts.mirror import mirrored_in_focus
from osog.fitting.starts.perturbations import perturbations
from osog.fitting.starts.single_particle import single_particle
from osog.scene import SceneError
from osog.scene.parameters import replaced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from osog.fitting.problem.residuals import Point
    from osog.fitting.problem.setup import FitSetup
    from osog.fitting.problem.simulator import Simulator
    from osog.fitting.solve.monitor import Monitor
    from osog.fitting.solve.stages import Stage
    from osog.fitting.solve.trial import Trial
    from osog.fitting.starts.single_particle import SingleParticle
    from osog.scene import Scene

    Array = NDArray[np.float64]

# Iterations of a candidate before it is judged, before it may be left as far behind, by which
# factor on χ², and of a perturbed one.
_SHORT = 10
_GLIMPSE = 4
_BEHIND = 2.0
_PERTURBED = 12
# Iterations of the scene's own start, as long as two of them lower χ² by this factor.
_PATIENT = 8
_FALLING = 2.0
# Correlation with the fit's image from which the other side of focus is walked to: from a fit that
# looks right, and from any other.
_ALIKE = 0.5
_ALIKE_ENOUGH = 0.2
# Iterations on the other side of focus: of a fit that looks right, and of any other; and up to
# which factor on the fit's χ² they are continued.
_GLANCE = 3
_LOOK = 12
_PROMISING = 1.3
# Share of the spread of an image below which a misfit is rather that of the grid than noise, and
# how often the grid is chosen anew at the optimum.
_NEARLY_EXACT = 0.02
_GRIDS = 3
# Share of its distance from the minimum that it was moved out of, in standard deviations, at which
# a perturbed fit is on its way back.
_BACK = 0.3
# Factor on χ² up to which a coarse grid explains an image as well as a fine one.
_AS_WELL = 1.1
# Rounds of perturbations, and how many of them are followed in each.
_ROUNDS = 4
_FOLLOWED = 3


class Search:
    """One search for the best fit.

    Parameters
    ----------
    setup : FitSetup
    monitor : Monitor
        Keeps the history, and tells when to stop.
    """

    def __init__(self, setup: FitSetup, monitor: Monitor) -> None:
        self._setup, self._monitor = setup, monitor
        self._single: SingleParticle | None = single_particle(setup.scene, setup.parameters)
        self._simulators = Simulators(setup.region, setup.device)
        self._descent = Descent(setup, monitor)
        self._acceptance = Acceptance(setup, self._single)
        self._polish = Polish(setup, self._simulators, self._descent, self._acceptance, monitor)
        self._both_sides = False

    @property
    def renders(self) -> int:
        """Number of simulated images so far."""
        return self._simulators.renders

    @property
    def both_sides(self) -> bool:
        """Whether the image is explained equally well with the particle beyond focus."""
        return self._both_sides

    def is_exact(self, trial: Trial) -> bool:
        """Whether a trial explains an image that has no noise at all."""
        return not self._setup.noise_known and self._acceptance.is_exact(trial)

    def coarse(self, scene: Scene) -> Simulator:
        """Simulator of a scene on the grid of the search."""
        return self._simulators.coarse(scene)

    def sketched(self, trial: Trial) -> tuple[ImageProblem, Point]:
        """Problem and point of a trial on the coarse grid, where that explains the image as well.

        Where an image is not explained, the grid is seldom the reason, and a finer one only costs.
        """
        model = self._simulators.coarse(self._setup.fitted(trial.point.values))
        problem = trial.problem.with_model(model, model)
        point = problem.evaluate(trial.point.u)
        if point.cost > _AS_WELL * trial.point.cost:
            problem, point = trial.problem, trial.point
        return problem, point

    def fitted(self, trial: Trial) -> Scene:
        """Scene with the values of a trial; it states a model of scattering that was not its own.

        `osog.forward` then renders what the fit has compared.
        """
        scene = self._setup.fitted(trial.point.values)
        if trial.models is None or trial.models == self._simulators.models_near(scene, 1.0)[0]:
            return scene
        return with_models(scene, trial.models)

    def is_good(self, trial: Trial) -> bool:
        """Whether a trial explains the image."""
        return self._acceptance.is_good(trial)

    def rank(self, trial: Trial) -> float:
        """Number by which trials on one image are compared, best first."""
        return self._acceptance.rank(trial)

    def best(self, start: str) -> Trial:
        """Search and return the best trial, with nuisances free and on the finer grid.

        Parameters
        ----------
        start : str
            ``scene``, ``detect`` or ``auto``; see `osog.fit`.
        """
        found = self._perturbed(self._mirrored(self._completed(self._searched(start))))
        if not self._setup.noise_known and self._acceptance.is_exact(found):
            return found
        found = self._on_own_grid(self._polish.polished(found))
        return self._polish.with_derivatives(found)

    def _searched(self, start: str) -> Trial:
        single = self._single
        if start == "scene" or single is None:
            return self._finished(self._from_scene(self._setup.max_iterations))
        trials: list[Trial] = []
        for stage in (stage for stage in STAGES if start in stage.starts):
            if stage.candidates:
                trials = self._followed(single, stage, trials)
            else:
                trials = self._own_start()
            trials.sort(key=self._acceptance.rank)
            settled = stage.candidates > 0 or (trials and trials[0].descent.reason != "exhausted")
            if settled and trials and trials[0].complete and not self._is_done(trials[0]):
                trials[0] = self._mirrored(trials[0])
            if trials and self._is_enough(trials[0], stage):
                break
        best = trials[0] if trials else self._from_scene(self._setup.max_iterations)
        return best if best.complete else self._finished(best)

    def _is_enough(self, best: Trial, stage: Stage) -> bool:
        if self._is_done(best):
            return True
        # Without a noise model a poor fit cannot be told from poor noise: one round is enough.
        return stage.candidates > 0 and not self._setup.noise_known

    def _is_done(self, trial: Trial) -> bool:
        return self._monitor.stopped or self._acceptance.is_good(trial)

    # Starts ---------------------------------------------------------------------------------

    def _from_scene(self, iterations: int, falling: float = 0.0) -> Trial:
        model = self._simulators.coarse(self._setup.scene)
        return self._attempt(model, {}, iterations, "fit", falling)

    def _own_start(self) -> list[Trial]:
        """Trial from the scene's own numbers; a hopeful one to its end, others while they fall."""
        trial = self._from_scene(min(_PATIENT, self._setup.max_iterations), _FALLING)
        return [self._finished(trial) if self._acceptance.is_hopeful(trial) else trial]

    def _followed(self, single: SingleParticle, stage: Stage, before: list[Trial]) -> list[Trial]:
        """Trials of the stages before and of the guesses of this one; the best to their end.

        The best trial so far tells which guesses are left early, and a descent of an earlier stage
        that was left early competes with the guesses.
        """
        judge = self._acceptance
        best = min(map(judge.misfit, before), default=float("inf"))
        guesses = initial_guesses(
            self._setup,
            single,
            candidates=stage.candidates,
            over_bounds=stage.over_bounds,
            diverse=stage.diverse,
        )
        short = [trial for trial in before if trial.descent.reason == "exhausted"]
        others = [trial for trial in before if trial.descent.reason != "exhausted"]
        done: list[Trial] = []
        fruitless = 0
        for values in guesses:
            if fruitless == stage.fruitless:  # all of them lead to where others have been
                break
            trial = self._guessed(values, best)
            if self._monitor.stopped:
                return [*others, *done, *short, trial]
            best = min(best, judge.misfit(trial))
            if judge.is_known(trial):
                fruitless += 1
                continue
            fruitless = 0
            if judge.is_hopeful(trial):
                done.append(self._finished(trial))
                if self._is_done(done[-1]):
                    return [*others, *done]
            else:
                short.append(trial)
        short.sort(key=judge.rank)
        least = min((judge.misfit(trial) for trial in [*others, *short]), default=0.0)
        for trial in [] if done else short[: stage.finished]:
            if done and judge.misfit(trial) > _BEHIND * least:
                break
            done.append(self._finished(trial))
            if self._monitor.stopped:
                break
        return [*others, *done]

    def _guessed(self, values: Mapping[str, float], best: float) -> Trial:
        """Short descent from a guess; one that lies far behind the best is left early."""
        trial = self._attempt(self._suited(values), values, _GLIMPSE, "start")
        behind = self._acceptance.misfit(trial) > _BEHIND * best
        if behind or self._monitor.stopped or trial.descent.reason != "exhausted":
            return trial
        return self._descent.continued(trial, _SHORT - _GLIMPSE, "start")

    def _perturbed(self, trial: Trial) -> Trial:
        """Try the perturbations of a long particle, while they help."""
        single = self._single
        if single is None:
            return trial
        for _ in range(_ROUNDS):
            moved = self._moved(single, trial)
            if moved is None or not self._acceptance.is_worthwhile(trial, moved):
                break
            trial = moved
        if trial.descent.reason == "exhausted" and not self._monitor.stopped:
            more = self._descent.settled(
                trial.problem, trial.point.u, self._setup.max_iterations, "fit"
            )
            trial = replace(trial, descent=more.descent, problem=more.problem, complete=True)
        return trial

    def _moved(self, single: SingleParticle, trial: Trial) -> Trial | None:
        """Best of where the perturbations lead, in a better minimum than the trial's; or None."""
        problem, best = trial.problem, None
        points = []
        for values in perturbations(single, trial.point.values):
            if self._monitor.stopped:
                return None
            point = problem.evaluate(problem.parameters.scaled(values))
            if not self._acceptance.is_beyond(trial, point):
                points.append(point)
        points.sort(key=lambda point: point.cost)
        for point in points[:_FOLLOWED]:
            tried = self._descent.settled(problem, point.u, _GLANCE, "perturbations")
            if self._monitor.stopped:
                break
            if tried.descent.reason == "exhausted" and not _returns(trial, point, tried.point):
                tried = self._descent.continued(tried, _PERTURBED - _GLANCE, "perturbations")
            if self._acceptance.rank(tried) < self._acceptance.rank(best or trial):
                best = replace(trial, descent=tried.descent, problem=tried.problem)
        return best

    def _mirrored(self, trial: Trial) -> Trial:
        """Look at the other side of focus, and keep the side that explains the image better.

        Where both do equally well it is the scene's side.
        """
        single = self._single
        if single is None or trial.mirrored or self._monitor.stopped:
            return trial
        found = trial.point.values
        field = depth_of_field_um(self._setup.scene)
        values = mirrored_in_focus(single, found, self._setup.parameters, field)
        if values is None:
            return replace(trial, mirrored=True)
        judge = self._acceptance
        good = self._setup.noise_known and judge.is_good(trial)
        trial = replace(trial, mirrored=True)
        there = trial.problem.evaluate(trial.problem.parameters.scaled(values))
        if trial.complete and judge.is_same(trial, there):
            # The image has this symmetry: nothing is to be found there.
            self._both_sides = True
            if single.defocus_at(found) * single.defocus_um >= 0:
                return trial
            other = self._descent.settled(trial.problem, there.u, _LOOK, "polish")
            return replace(trial, descent=other.descent, problem=other.problem)
        if not judge.resembles(trial, there, _ALIKE if good else _ALIKE_ENOUGH):
            return trial
        other = self._attempt(self._suited(values), values, _GLANCE if good else _LOOK, "start")
        if judge.rank(other) > _PROMISING * judge.rank(trial) or self._monitor.stopped:
            return trial
        here = self._polish.polished(trial)
        other = replace(self._polish.polished(self._finished(other)), mirrored=True)
        sides = [single.defocus_at(side.point.values) for side in (here, other)]
        if sides[0] * sides[1] < 0 and judge.are_equal(other, here):
            self._both_sides = True
            ours = sides[0] * single.defocus_um >= 0
            kept, left = (here, other) if ours else (other, here)
            return replace(kept, across=self._across(single, kept, left))
        return other if judge.advantage(other, here) > 0 else here

    def _across(self, single: SingleParticle, kept: Trial, left: Trial) -> Array | None:
        """By how much an answer on the other side of focus differs, once mirrored to this one."""
        field = depth_of_field_um(self._setup.scene)
        values = mirrored_in_focus(single, left.point.values, self._setup.parameters, field)
        if values is None:
            return None
        there: Array = left.problem.parameters.scaled(values) - kept.point.u
        return there

    def _on_own_grid(self, trial: Trial) -> Trial:
        """Carry the fit of an image without noise to the grid on which the engine renders it.

        The grid that the search is made on differs from it by what such an image shows clearly.
        """
        judge = self._acceptance
        for _ in range(_GRIDS):
            near = trial.problem.rms(trial.point) < _NEARLY_EXACT * self._setup.spread
            if self._setup.noise_known or not near or judge.is_exact(trial):
                break
            model = self._simulators.own(self._setup.fitted(trial.point.values), trial.models)
            own = trial.problem.with_model(model, model)
            there = self._descent.settled(own, trial.point.u, _LOOK, "polish")
            if self._monitor.stopped or 2 * judge.rank(there) > judge.rank(trial):
                break
            trial = replace(trial, descent=there.descent, problem=there.problem, complete=True)
        return trial

    # Trials ---------------------------------------------------------------------------------

    def _attempt(
        self,
        model: Simulator,
        values: Mapping[str, float],
        iterations: int,
        stage: str,
        falling: float = 0.0,
    ) -> Trial:
        """Descend with the optics at their nominal values, which is what far starts need."""
        setup = self._setup
        kept = setup.parameters.without(setup.nuisances)
        priors = {n: p for n, p in setup.priors.items() if n in kept.names}
        problem = ImageProblem(setup.data, setup.weights, model, kept, setup.linear, priors, model)
        trial = self._descent.settled(problem, kept.scaled(values), iterations, stage, falling)
        return replace(trial, complete=not setup.nuisances)

    def _finished(self, trial: Trial) -> Trial:
        """Continue to convergence with the nuisances free, and on the finer grid if it counts."""
        if self._monitor.stopped:
            return trial
        most = self._setup.max_iterations
        if not trial.complete:
            full = self._with_nuisances(trial)
            u = self._setup.parameters.scaled(trial.point.values)
            trial = replace(self._descent.settled(full, u, most, "fit"), complete=True)
        elif trial.descent.reason == "exhausted":
            trial = self._descent.continued(trial, most, "fit")
        if not self._acceptance.is_hopeful(trial):
            return trial
        return self._polish.polished(trial, anyway=False)

    def _completed(self, trial: Trial) -> Trial:
        """Same point with the nuisances among the parameters, for a search that was stopped."""
        if trial.complete:
            return trial
        full = self._with_nuisances(trial)
        point = full.evaluate(self._setup.parameters.scaled(trial.point.values))
        old = trial.descent
        there = DescentResult(point, full.jacobian(point), old.iterations, old.reason)
        return replace(trial, descent=there, problem=full, complete=True)

    def _with_nuisances(self, trial: Trial) -> ImageProblem:
        return trial.problem.with_parameters(self._setup.parameters, self._setup.priors)

    def _suited(self, values: Mapping[str, float]) -> Simulator:
        """Simulator whose sampling and padding suit a start that lies far from the scene's."""
        try:
            return self._simulators.coarse(replaced(self._setup.scene, dict(values)))
        except SceneError:
            return self._simulators.coarse(self._setup.scene)


def _returns(trial: Trial, moved: Point, now: Point) -> bool:
    """Whether a perturbed fit is on its way back to the minimum that it was moved out of."""
    jacobian, home = trial.descent.jacobian, trial.point.u
    before, after = (float(np.linalg.norm(jacobian @ (p.u - home))) for p in (moved, now))
    return after < _BACK * before

"""Which trials are good, which are hopeful, and which lead where another has been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.report.goodness_of_fit import goodness_of_fit

if TYPE_CHECKING:
    from osog.fitting.problem.setup import FitSetup
    from osog.fitting.solve.trial import Trial
    from osog.fitting.starts.single_particle import SingleParticle

# χ²/n up to which a fit counts as right where the noise is known.
_GOOD = 1.04
# χ²/n up to which a candidate is worth the search to its end.
_HOPEFUL = 3.0
# Share of the contrast that a fit must explain to count as right where the noise is not known.
_EXPLAINED = 0.75
# Share of the spread of the data below which the misfit of an exact image lies.
_EXACT = 1e-6
# Reduction of χ² that is worth another round of perturbations.
_WORTHWHILE = 5.0
# Relative difference that counts where the noise is not known.
_DIFFERENT = 1e-3


class Acceptance:
    """Judges the trials of one search.

    Parameters
    ----------
    setup : FitSetup
    single : SingleParticle or None
        The particle whose size, index and depth must not run into their bounds.
    """

    def __init__(self, setup: FitSetup, single: SingleParticle | None) -> None:
        self._setup, self._single = setup, single
        self._minima: list[float] = []

    def rank(self, trial: Trial) -> float:
        """Number by which trials are sorted, best first: χ², or the rms where no noise is known."""
        if self._setup.noise_known:
            return trial.point.cost
        return trial.problem.rms(trial.point)

    def is_hopeful(self, trial: Trial) -> bool:
        """Whether a trial is near enough to a good fit to be carried to its end."""
        return self._setup.noise_known and trial.chi2 < _HOPEFUL

    def is_good(self, trial: Trial) -> bool:
        """Whether a trial explains the image, so that the search may end with it."""
        point, problem = trial.point, trial.problem
        if self._is_at_edge(trial):
            return False
        if self._setup.noise_known:
            # Small images scatter more than the threshold allows for.
            return trial.chi2 < max(_GOOD, 1 + 2 * float(np.sqrt(2 / problem.degrees)))
        if problem.r_squared(point) > _EXPLAINED:
            return True
        exact = problem.rms(point) < _EXACT * self._setup.spread
        test = goodness_of_fit(problem.residual_image(point), problem.used, trial.chi2)
        return exact or not test.is_structured(False)

    def is_known(self, trial: Trial) -> bool:
        """Whether an earlier trial already led to this minimum; it is remembered."""
        rank = self.rank(trial)
        margin = max(1.0, 0.02 * rank) if self._setup.noise_known else _DIFFERENT * rank
        known = any(abs(rank - other) < margin for other in self._minima)
        self._minima.append(rank)
        return known

    def is_worthwhile(self, before: Trial, after: Trial) -> bool:
        """Whether a round of perturbations has gained enough for another one."""
        gain = self.rank(before) - self.rank(after)
        return gain > (_WORTHWHILE if self._setup.noise_known else _DIFFERENT * self.rank(before))

    def _is_at_edge(self, trial: Trial) -> bool:
        """Whether size, index or depth ran into a bound, as in a wrong minimum."""
        if self._single is None:
            return False
        parameters, u = trial.problem.parameters, trial.point.u
        for key in ("radius", "index", "z", "focus"):
            name = self._single.names.get(key)
            if name in parameters.names:
                k = parameters.names.index(name)
                room = min(u[k] - parameters.unit_low[k], parameters.unit_high[k] - u[k])
                if room < 1e-9:
                    return True
        return False

"""Which trials are good, which are hopeful, and which lead where another has been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.report.goodness_of_fit import goodness_of_fit

if TYPE_CHECKING:
    from osog.fitting.problem.residuals import Point
    from osog.fitting.problem.setup import FitSetup
    from osog.fitting.solve.trial import Trial
    from osog.fitting.starts.single_particle import SingleParticle

# χ²/n up to which a fit counts as right where the noise is known.
_GOOD = 1.04
# χ²/n up to which a candidate is worth the search to its end.
_HOPEFUL = 3.0
# Share of the spread of the data below which the misfit of an exact image lies.
_EXACT = 1e-6
# Reduction of χ² that is worth another round of perturbations.
_WORTHWHILE = 5.0
# Relative difference that counts where the noise is not known.
_DIFFERENT = 1e-3
# Rise of χ² along a move, in units of what a good fit of these pixels may hide, beyond which the
# move leads nowhere that could be better.
_BEYOND = 30.0
# Squared distance of two images, in units of the noise, below which they are the same.
_SAME = 1.0
# Reduction of χ² below which two minima explain an image equally well.
_EQUAL = 4.0


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

    def misfit(self, trial: Trial) -> float:
        """What χ² is, or is proportional to where no noise is known: the square of the rms."""
        rank = self.rank(trial)
        return rank if self._setup.noise_known else rank**2

    def is_hopeful(self, trial: Trial) -> bool:
        """Whether a trial is near enough to a good fit to be carried to its end."""
        return self._setup.noise_known and trial.chi2 < _HOPEFUL

    def is_good(self, trial: Trial) -> bool:
        """Whether a trial explains the image, so that the search may end with it."""
        point, problem = trial.point, trial.problem
        if self._is_at_edge(trial):
            return False
        # A wrong minimum can explain nearly all of the contrast: only white residuals count.
        test = goodness_of_fit(problem.residual_image(point), problem.used, trial.chi2)
        if not self._setup.noise_known:
            return self.is_exact(trial) or test.is_white
        # Small images scatter more than the threshold allows for; a faint particle in a wrong
        # place raises χ² by no more than that, and its residual is the better witness.
        scatter = float(np.sqrt(2 / problem.degrees))
        if trial.chi2 < 1 + scatter:
            return test.is_white
        return trial.chi2 < max(_GOOD, 1 + 2 * scatter) and test.is_surely_white

    def resembles(self, trial: Trial, there: Point, alike: float) -> bool:
        """Whether the image at another point has at least this correlation with a trial's."""
        used = trial.problem.used
        return float(np.corrcoef(trial.point.model[used], there.model[used])[0, 1]) > alike

    def is_same(self, trial: Trial, there: Point) -> bool:
        """Whether the image at another point cannot be told from a trial's in this noise."""
        return float(np.sum((there.residual - trial.point.residual) ** 2)) < _SAME

    def is_exact(self, trial: Trial) -> bool:
        """Whether a trial explains an image that has no noise at all."""
        return trial.problem.rms(trial.point) < _EXACT * self._setup.spread

    def advantage(self, trial: Trial, other: Trial) -> float:
        """By how much χ² of a trial lies below that of another; about so without known noise."""
        if self._setup.noise_known:
            return other.point.cost - trial.point.cost
        # Log-likelihood of white noise whose strength is itself estimated, twice.
        ranks = [max(self.rank(t), 1e-12 * self._setup.spread) for t in (trial, other)]
        return 2 * trial.problem.degrees * float(np.log(ranks[1] / ranks[0]))

    def are_equal(self, trial: Trial, other: Trial) -> bool:
        """Whether two trials explain the image equally well."""
        return abs(self.advantage(trial, other)) < _EQUAL

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

    def is_beyond(self, trial: Trial, point: Point) -> bool:
        """Whether a fit is so good that a point this much worse cannot lie near a better minimum.

        What χ² of a good fit can hide is its own scatter, √(2n). A wrong minimum is above the right
        one by as much as the mistake shows in the image, and so is a move of the size of that
        mistake: where the particle is so plain that the move costs many times the scatter, a
        mistake of its size would have been seen.
        """
        if not self._setup.noise_known or not self.is_good(trial):
            return False
        hidden = float(np.sqrt(2 * trial.problem.degrees))
        return point.cost - trial.point.cost > _BEYOND * hidden

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

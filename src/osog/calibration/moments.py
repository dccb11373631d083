"""Simulated moments: statistics of renders brought to those of a picture.

McFadden, Econometrica 57, 995 (1989). Every step sees new particles, and the same ones for all
differences within it, so that a difference shows the number that was changed and not the luck of
the draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

    Simulated = Callable[[Array, int, int], Array]
    """Summaries (K, M) at a place of the unit cube, of K seeds from one on."""
    Stepped = Callable[[Array, int, float], tuple[Array, float]]
    """Place a step along one number away, and how far that number has moved."""

_DIFFERENCE = 0.06
"""Step of the differences as a share of the range."""
_PRIOR_SD = 0.29
"""Standard deviation of a number that may lie anywhere in its range."""
_RIDGE = 10.0
_SHRINKAGE = 0.3
_LONGEST = 0.35
_TOLERANCE = 0.1
"""What a scene may miss of every statistic beside the luck of the draw; 10 % of a power. Without it
the narrowest, those of the noise, outweigh all that the particles do."""
_SAFE = 1.5
"""What σ of a linear theory falls short by, measured on renders with known numbers."""


def sobol(count: int, dimensions: int, seed: int) -> Array:
    """Evenly spread places (count, P) of the unit cube, scrambled by the seed."""
    from scipy.stats import qmc

    sampler = qmc.Sobol(dimensions, seed=seed)
    places: Array = sampler.random_base2(max(1, (count - 1).bit_length()))[:count]
    return places


def regressed(places: Array, summaries: Array, target: Array) -> Array:
    """Place (P,) that a ridge regression of places on summaries gives to the target.

    Parameters
    ----------
    places : ndarray, shape (N, P)
    summaries : ndarray, shape (N, M)
    target : ndarray, shape (M,)
    """
    centre, spread = summaries.mean(0), summaries.std(0) + 1e-9
    x = (summaries - centre) / spread
    y = places - 0.5
    gram = x.T @ x + _RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ (y - y.mean(0)))
    # A target beyond all pictures of the pilot is taken to lie at their edge.
    aim = np.clip((target - centre) / spread, -3.0, 3.0)
    found: Array = np.clip(aim @ weights + y.mean(0) + 0.5, 0.02, 0.98)
    return found


@dataclass(frozen=True)
class Moments:
    """Answer of the simulated moments.

    Attributes
    ----------
    u, sigma : ndarray, shape (P,)
        Place in the unit cube, and its standard deviations.
    correlation : ndarray, shape (P, P)
    misfit : float
        Mean square of the differences that are left, in units of what tiles differ by; about 1
        where the scene can look like the picture.
    """

    u: Array
    sigma: Array
    correlation: Array
    misfit: float


class Matching:
    """Steps from a start to the place whose summaries are those of a target.

    Parameters
    ----------
    simulated : callable
    target : ndarray, shape (T, M)
        Summaries of the tiles of the picture.
    renders : int
        Pictures K of each place.
    stepped : callable
        Takes the steps of the differences.
    """

    def __init__(self, simulated: Simulated, target: Array, renders: int, stepped: Stepped) -> None:
        self._simulated, self._target, self._renders = simulated, target, renders
        self._stepped = stepped
        self._aim = target.mean(0)
        self._whiten = np.eye(target.shape[1])

    def weighed(self, u: Array, seed: int, count: int) -> int:
        """Weigh the summaries by how they scatter at a place.

        Returns
        -------
        int
            The next seed that no picture has had.
        """
        drawn = self._simulated(u, seed, count)
        scatter = np.cov(drawn.T)
        own = np.diag(scatter)
        if len(self._target) > 3:  # the picture's own tiles may scatter more than those of a scene
            own = np.maximum(own, np.var(self._target, axis=0, ddof=1))
        scatter = (1 - _SHRINKAGE) * scatter + _SHRINKAGE * np.diag(own)
        np.fill_diagonal(scatter, np.maximum(own, 1e-6))
        scatter *= 1 / len(self._target) + 1 / self._renders
        scatter += _TOLERANCE**2 * np.eye(len(own))
        self._whiten = np.linalg.inv(np.linalg.cholesky(scatter))
        return seed + count

    def matched(
        self,
        u: Array,
        seed: int,
        steps: int,
        others: Sequence[Array] = (),
        shown: Callable[[str, Array], None] = lambda word, u: None,
    ) -> Moments:
        """Take the steps from a place on, and say how well the best place is known.

        That is where the last steps scatter about, unless the step that fitted best or one of
        others fits better, all of them with the same particles.

        Parameters
        ----------
        u : ndarray, shape (P,)
        seed, steps : int
        others : sequence of ndarray, shape (P,)
        shown : callable
            Called with "matching" and the place after each step.
        """
        number, k = len(u), self._renders
        prior = np.eye(number) / _PRIOR_SD**2
        jacobian: Array | None = None
        visited, fits = [u], []
        for step in range(steps):
            base = self._simulated(u, seed, k).mean(0)
            fresh = np.stack([self._slope(u, i, base, seed) for i in range(number)], axis=1)
            jacobian = fresh if jacobian is None else (jacobian + fresh) / 2
            seed += k
            rest = self._whiten @ (base - self._aim)
            fits.append(float(rest @ rest))
            j = self._whiten @ jacobian
            move = -np.linalg.solve(j.T @ j + prior, j.T @ rest + prior @ (u - 0.5))
            move *= max(0.4, 1.0 - 0.15 * step) * min(
                1.0, _LONGEST / max(np.abs(move).max(), 1e-12)
            )
            u = np.clip(u + move, 0.0, 1.0)
            visited.append(u)
            shown("matching", u)
        # The last steps scatter about the answer by the luck of their draws.
        late = visited[-max(1, steps // 2) :]
        candidates = [np.mean(late, axis=0), visited[int(np.argmin(fits))], *others]
        misfits = [self._misfit(place, seed) for place in candidates]
        u, misfit = candidates[int(np.argmin(misfits))], min(misfits)
        assert jacobian is not None
        j = self._whiten @ jacobian
        covariance = np.linalg.inv(j.T @ j + prior)
        sigma = np.sqrt(np.diag(covariance))
        degrees = max(1, len(self._aim) - number)
        correlation = covariance / sigma[:, None] / sigma[None, :]
        return Moments(u, _SAFE * sigma, correlation, misfit / degrees)

    def _misfit(self, u: Array, seed: int) -> float:
        rest = self._whiten @ (self._simulated(u, seed, self._renders).mean(0) - self._aim)
        return float(rest @ rest)

    def _slope(self, u: Array, i: int, base: Array, seed: int) -> Array:
        """Change (M,) of the mean summary with one number, from the side that has room."""
        wanted = _DIFFERENCE if u[i] + _DIFFERENCE <= 1 else -_DIFFERENCE
        there, step = self._stepped(u, i, wanted)
        if step == 0:  # a range that holds one whole number
            return np.zeros_like(base)
        slope: Array = (self._simulated(there, seed, self._renders).mean(0) - base) / step
        return slope

"""Standard deviations of the fitted numbers, and directions that the data cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.problem.active_set import released
from osog.fitting.report.covariance import spectral_sandwich

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from osog.fitting.problem.residuals import ImageProblem, Point

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Uncertainty:
    """Covariance of the scaled parameters.

    Attributes
    ----------
    covariance : ndarray, shape (P, P)
        Of the scaled parameters; infinite on the diagonal of those at a bound or without effect.
    correlation : ndarray, shape (P, P)
    at_bound : ndarray, shape (P,)
        True where a parameter ended at a bound.
    weak : tuple of (float, ndarray)
        Directions that are not determined: standard deviation along them and components (P,).
    """

    covariance: Array
    correlation: Array
    at_bound: NDArray[np.bool_]
    weak: tuple[tuple[float, Array], ...]

    @property
    def sigma(self) -> Array:
        """Standard deviations of the scaled parameters, shape (P,)."""
        return np.sqrt(np.diag(self.covariance))


def uncertainty(
    problem: ImageProblem,
    point: Point,
    jacobian: Array,
    weak_above: float = 0.05,
    shifts: Sequence[Array] = (),
) -> Uncertainty:
    """Covariance, correlations and directions that are not determined.

    Parameters
    ----------
    problem : ImageProblem
    point : Point
        Where the fit ended.
    jacobian : ndarray, shape (n + priors, P)
        Derivatives of the residuals there; (0, P) where they are not known, nor are the errors.
    weak_above : float
        Standard deviation, in scales of the parameters, from which a direction counts as weak.
    shifts : sequence of ndarray, shape (P,)
        Differences from other answers that are as good; each counts as one standard deviation.
    """
    u = point.u
    if len(jacobian) == 0:  # the fit was left before there were derivatives
        never = np.zeros(len(u), dtype=bool)
        return Uncertainty(np.diag(np.full(len(u), np.inf)), np.eye(len(u)), never, ())
    free = released(u, jacobian.T @ point.residual, problem.low, problem.high)
    norms = np.sum(jacobian**2, axis=0)
    free &= norms > 1e-14 * max(float(norms.max(initial=0.0)), 1e-300)
    size = len(u)
    covariance = np.zeros((size, size))
    np.fill_diagonal(covariance, np.inf)
    correlation = np.eye(size)
    weak: list[tuple[float, Array]] = []
    if free.any():
        part = spectral_sandwich(
            jacobian[:, free],
            problem.column_images(jacobian)[free],
            problem.residual_image(point),
            problem.pixels,
            linear=problem.linear_images(point),
        )
        for shift in shifts:
            part = part + np.outer(shift[free], shift[free])
        covariance[np.ix_(free, free)] = part
        sigma = np.sqrt(np.maximum(np.diag(part), 1e-300))
        correlation[np.ix_(free, free)] = part / np.outer(sigma, sigma)
        spread, directions = np.linalg.eigh(part)
        for variance, direction in zip(spread[::-1], directions.T[::-1], strict=True):
            if variance > weak_above**2:
                full = np.zeros(size)
                full[free] = direction
                weak.append((float(np.sqrt(variance)), full))
    edge = 1e-9 * (1 + np.abs(u))
    at_bound = (u <= problem.low + edge) | (u >= problem.high - edge)
    return Uncertainty(covariance, correlation, at_bound, tuple(weak))

"""Standard deviations that hold under correlated noise, and what the data cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from osog.fitting.solver import released

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


def spectral_sandwich(
    jacobian: Array,
    columns: Array,
    residual: Array,
    pixels: int,
    smoothing: float = 3.0,
) -> Array:
    """Covariance (JᵀJ)⁻¹ M (JᵀJ)⁻¹ with M from the power spectrum of the residual.

    White noise gives the usual (JᵀJ)⁻¹ χ²/n; correlated noise is weighed at the frequencies that
    each parameter acts on (Whittle 1953). Prior rows keep unit variance.

    Parameters
    ----------
    jacobian : ndarray, shape (n + priors, P)
    columns : ndarray, shape (P, Y, X)
        The pixel part of `jacobian` as images.
    residual : ndarray, shape (Y, X)
        Weighted residual.
    pixels : int
        Number n of pixels in use.
    smoothing : float
        Width of the Gaussian that smooths the periodogram, in bins.

    Returns
    -------
    ndarray, shape (P, P)
    """
    spectra = np.fft.fft2(columns)
    power = np.abs(np.fft.fft2(residual)) ** 2 / pixels
    power = gaussian_filter(power, smoothing, mode="wrap")
    flat = spectra.reshape(len(spectra), -1)
    middle = np.real((flat.conj() * power.ravel()) @ flat.T) / residual.size
    prior = jacobian[pixels:]
    hessian = jacobian.T @ jacobian
    inverse = _inverse(hessian)
    covariance: Array = inverse @ (middle + prior.T @ prior) @ inverse
    return 0.5 * (covariance + covariance.T)


def noise_correlation(columns: Array, residual: Array) -> float:
    """How much less the pixels tell than independent ones would.

    Parameters
    ----------
    columns : ndarray, shape (P, Y, X)
        Derivatives of the weighted residual as images.
    residual : ndarray, shape (Y, X)

    Returns
    -------
    float
        Variance of the estimates over that under white noise of the same strength: the median over
        the parameters, at least 1.
    """
    power = np.abs(np.fft.fft2(residual)) ** 2
    power = gaussian_filter(power / max(float(power.mean()), 1e-300), 3.0, mode="wrap")
    spectra = np.abs(np.fft.fft2(columns)) ** 2
    total = spectra.sum(axis=(1, 2))
    acting = total > 0
    if not acting.any():
        return 1.0
    ratios = (spectra[acting] * power).sum(axis=(1, 2)) / total[acting]
    return max(1.0, float(np.median(ratios)))


def uncertainty(
    jacobian: Array,
    columns: Array,
    residual_rows: Array,
    residual: Array,
    pixels: int,
    u: Array,
    low: Array,
    high: Array,
    weak_above: float = 0.05,
) -> Uncertainty:
    """Covariance, correlations and directions that are not determined.

    Parameters
    ----------
    jacobian : ndarray, shape (n + priors, P)
    columns : ndarray, shape (P, Y, X)
    residual_rows : ndarray, shape (n + priors,)
    residual : ndarray, shape (Y, X)
    pixels : int
    u, low, high : ndarray, shape (P,)
    weak_above : float
        Standard deviation, in scales of the parameters, from which a direction counts as weak.
    """
    gradient = jacobian.T @ residual_rows
    free = released(u, gradient, low, high)
    norms = np.sum(jacobian**2, axis=0)
    free &= norms > 1e-14 * max(float(norms.max(initial=0.0)), 1e-300)
    size = len(u)
    covariance = np.zeros((size, size))
    np.fill_diagonal(covariance, np.inf)
    correlation = np.eye(size)
    weak: list[tuple[float, Array]] = []
    if free.any():
        part = spectral_sandwich(jacobian[:, free], columns[free], residual, pixels)
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
    at_bound = (u <= low + edge) | (u >= high - edge)
    return Uncertainty(covariance, correlation, at_bound, tuple(weak))


def _inverse(matrix: Array) -> Array:
    """Inverse of a positive matrix, its diagonal scaled to one first."""
    scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    inner = np.linalg.pinv(matrix / np.outer(scale, scale), rcond=1e-13, hermitian=True)
    inverse: Array = inner / np.outer(scale, scale)
    return inverse

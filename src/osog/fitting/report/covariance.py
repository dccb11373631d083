"""Covariance of fitted parameters that holds under correlated noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Share of the noise that a residual keeps at least; below, a spectrum of it tells nothing.
_LEAST_LEFT = 0.1


def spectral_sandwich(
    jacobian: Array,
    columns: Array,
    residual: Array,
    pixels: int,
    smoothing: float = 3.0,
    linear: Array | None = None,
) -> Array:
    """Covariance (JᵀJ)⁻¹ M (JᵀJ)⁻¹ with M from the power spectrum of the residual.

    White noise gives the usual (JᵀJ)⁻¹ χ²/n; correlated noise is weighed at the frequencies that
    each parameter acts on (Whittle 1953). Prior rows keep unit variance.

    A fit takes noise out of the residual just where its parameters act: of white noise, the
    residual keeps the share 1 − h of the power, h the leverage of the fit, and the spectrum is
    divided by it (as HC2 does for single pixels, MacKinnon & White 1985).

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
    linear : ndarray, shape (K, Y, X), optional
        Orthonormal images that were fitted as well, and that `columns` are free of.

    Returns
    -------
    ndarray, shape (P, P)
    """
    spectra = np.fft.fft2(columns)
    flat = spectra.reshape(len(spectra), -1)
    inverse = _inverse(jacobian.T @ jacobian)
    taken = np.real(np.sum(flat.conj() * (inverse @ flat), axis=0)).reshape(residual.shape)
    if linear is not None and len(linear):
        taken = taken + np.sum(np.abs(np.fft.fft2(linear)) ** 2, axis=0)
    power = np.abs(np.fft.fft2(residual)) ** 2 / pixels
    left = gaussian_filter(1 - taken / pixels, smoothing, mode="wrap")
    power = gaussian_filter(power, smoothing, mode="wrap") / np.maximum(left, _LEAST_LEFT)
    middle = np.real((flat.conj() * power.ravel()) @ flat.T) / residual.size
    prior = jacobian[pixels:]
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


def _inverse(matrix: Array) -> Array:
    """Inverse of a positive matrix, its diagonal scaled to one first."""
    scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    inner = np.linalg.pinv(matrix / np.outer(scale, scale), rcond=1e-13, hermitian=True)
    inverse: Array = inner / np.outer(scale, scale)
    return inverse

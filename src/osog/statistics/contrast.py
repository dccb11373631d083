"""The histogram of contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS = 401
"""Quantiles that stand for a histogram."""


def contrast_quantiles(contrast: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of the contrast at the middles of 401 equal shares.

    Parameters
    ----------
    contrast : ndarray
        Relative contrast.

    Returns
    -------
    ndarray (401,)
    """
    shares = (np.arange(LEVELS) + 0.5) / LEVELS
    return np.quantile(contrast, shares)


def histogram_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Wasserstein distance of two histograms, in relative contrast.

    In one dimension it is the mean distance of the quantile functions (Vallender, Theory Probab.
    Appl. 18, 784 (1974)).

    Parameters
    ----------
    first, second : ndarray (401,)
        From `contrast_quantiles`.
    """
    return float(np.mean(np.abs(first - second)))


def skewness(quantiles: NDArray[np.float64]) -> float:
    """Third standardised moment of a histogram: negative where dark pixels stand out."""
    rest = quantiles - quantiles.mean()
    scale = np.sqrt(np.mean(rest**2))
    return float(np.mean(rest**3) / scale**3) if scale > 0 else 0.0

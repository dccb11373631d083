"""The radial power spectrum of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BAND_EDGES_PER_UM: NDArray[np.float64] = np.geomspace(0.02, 20.48, 31)
"""Edges of the bands, cycles/µm: three to an octave, the same for every picture."""


def radial_power_spectrum(
    contrast: NDArray[np.float64], pixel_size_um: float
) -> NDArray[np.float64]:
    """Power spectral density of the contrast, averaged over directions in bands.

    The picture is weighted by a Hann window whose loss is made good, so that the integral over all
    frequencies is the variance (Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967)).

    Parameters
    ----------
    contrast : ndarray (Y, X)
        Relative contrast.
    pixel_size_um : float

    Returns
    -------
    ndarray (30,)
        Density in µm² for each band of `BAND_EDGES_PER_UM`; NaN for bands that hold no
        frequency of this picture, or that reach beyond its Nyquist frequency.
    """
    rows, columns = contrast.shape
    window = np.hanning(rows + 2)[1:-1, None] * np.hanning(columns + 2)[None, 1:-1]
    waves = np.fft.rfft2((contrast - contrast.mean()) * window)
    density = np.abs(waves) ** 2 * pixel_size_um**2 / np.sum(window**2)
    fy = np.fft.fftfreq(rows, pixel_size_um)[:, None]
    fx = np.fft.rfftfreq(columns, pixel_size_um)[None, :]
    # The transform of a real picture holds half of the plane; the other half is the same.
    twice = np.where((fx == 0) | (fx == 0.5 / pixel_size_um), 1.0, 2.0) * np.ones_like(fy)
    band = np.digitize(np.hypot(fx, fy), BAND_EDGES_PER_UM) - 1
    bands = len(BAND_EDGES_PER_UM) - 1
    inside = (band >= 0) & (band < bands)
    number = np.bincount(band[inside], twice[inside], minlength=bands)
    power = np.bincount(band[inside], (twice * density)[inside], minlength=bands)
    reached = (number > 0) & (BAND_EDGES_PER_UM[1:] <= 0.5 / pixel_size_um)
    return np.where(reached, power / np.maximum(number, 1), np.nan)


def spectral_distance(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    band_per_um: tuple[float, float] = (0.0, np.inf),
) -> float:
    """Root mean square of the logarithm of the ratio of two spectra.

    Parameters
    ----------
    first, second : ndarray (30,)
        From `radial_power_spectrum`.
    band_per_um : (float, float)
        Only bands that lie within these frequencies count.

    Returns
    -------
    float
        Natural logarithm: 0.7 is a factor of 2. NaN where no band is common to both.
    """
    low, high = band_per_um
    usable = np.isfinite(first) & np.isfinite(second) & (first > 0) & (second > 0)
    usable &= (BAND_EDGES_PER_UM[:-1] >= low) & (BAND_EDGES_PER_UM[1:] <= high)
    if not usable.any():
        return float("nan")
    return float(np.sqrt(np.mean(np.log(first[usable] / second[usable]) ** 2)))

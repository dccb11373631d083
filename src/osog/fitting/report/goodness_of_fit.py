"""Tests of whether the model explains the image: goodness of fit and whiteness of the residual."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# χ²/n above which a fit explains nothing worth reporting.
POOR = 1.15
_BANDS = (0.0, 0.06, 0.12, 0.18, 0.25, 0.34)


@dataclass(frozen=True)
class GoodnessOfFit:
    """Three tests on the weighted residual.

    Attributes
    ----------
    chi2 : float
        T1, χ² per degree of freedom.
    whiteness : float
        T2, mean over the 24 lags l within 3 pixels of (Σ r r_l)² / Σ r² r_l²; 1 for independent
        noise, also where its strength is not the same everywhere (as in Diebold 1986).
    band : float
        T3, the largest excess of power in a radial band, in standard deviations; fewer pixels count
        where the noise is much stronger in some of them.
    band_cycles_per_px : float
        Middle of that band.
    neighbour : float
        Correlation of neighbouring pixels, mean of x and y.
    block8 : float
        Power of the residual at multiples of 1/8 cycle per pixel, relative to its surroundings.
    pixels : int
        Pixels in use.
    """

    chi2: float
    whiteness: float
    band: float
    band_cycles_per_px: float
    neighbour: float
    block8: float
    pixels: int

    @property
    def chi2_is_odd(self) -> bool:
        """Whether χ²/n lies outside what white noise of known strength gives."""
        return abs(self.chi2 - 1) > 3 * float(np.sqrt(2 / self.pixels)) + 0.02

    @property
    def is_white(self) -> bool:
        """Whether the residual looks like white noise (limits at 1 % of false alarms)."""
        return self.band <= 3.3 and self.whiteness <= 1.8

    @property
    def is_surely_white(self) -> bool:
        """Whether the residual looks like white noise (limits at 5 % of false alarms)."""
        return self.band <= 2.5 and self.whiteness <= 1.55

    def is_structured(self, noise_known: bool) -> bool:
        """Whether the residual holds more than white noise (limits at 1 % of false alarms)."""
        return not self.is_white or (noise_known and self.chi2_is_odd)

    def is_rejected(self, noise_known: bool) -> bool:
        """Whether the image is not explained, so that no fit of it is a success.

        A white residual that is a little stronger or weaker than stated speaks against the stated
        noise rather than the model; so does one that is correlated and weaker than stated, as
        compression and interpolation leave it.
        """
        poor = noise_known and self.chi2 > POOR
        return poor or not (self.is_white or self.noise_is_correlated(noise_known))

    def noise_is_correlated(self, noise_known: bool) -> bool:
        """Whether the noise, not the model, makes neighbouring pixels alike."""
        return noise_known and self.chi2 < 0.8 and self.neighbour > 0.2


def goodness_of_fit(residual: Array, used: NDArray[np.bool_], chi2: float) -> GoodnessOfFit:
    """Test a residual.

    Parameters
    ----------
    residual : ndarray, shape (Y, X)
        Weighted residual, 0 at pixels that do not count.
    used : ndarray of bool, shape (Y, X)
    chi2 : float
        χ² per degree of freedom.
    """
    n = int(used.sum())
    values = residual[used]
    spread = float(values.std()) or 1.0
    normal = np.where(used, (residual - values.mean()) / spread, 0.0)
    dependence, neighbour = _lags(normal, used)
    band, where = _radial(normal, n)
    return GoodnessOfFit(
        chi2=chi2,
        whiteness=float(np.mean(dependence)),
        band=band,
        band_cycles_per_px=where,
        neighbour=neighbour,
        block8=_block_power(normal),
        pixels=n,
    )


def _lags(normal: Array, used: NDArray[np.bool_]) -> tuple[Array, float]:
    """Squared dependence at each lag, in units of its variance; correlation of neighbours."""
    rows, columns = normal.shape
    out, neighbours = [], []
    for dy in range(4):
        for dx in range(-3, 4):
            if (dy == 0 and dx <= 0) or dy >= rows or abs(dx) >= columns:
                continue
            a = normal[dy:, max(dx, 0) : columns + min(dx, 0)]
            b = normal[: rows - dy, max(-dx, 0) : columns + min(-dx, 0)]
            both = used[dy:, max(dx, 0) : columns + min(dx, 0)]
            both = both & used[: rows - dy, max(-dx, 0) : columns + min(-dx, 0)]
            product = a * b
            total, squares = float(product.sum()), float(np.sum(product**2))
            out.append(total**2 / squares if squares > 0 else 0.0)
            if (dy, dx) in ((0, 1), (1, 0)):
                neighbours.append(total / max(1, int(both.sum())))
    return np.array(out or [0.0]), float(np.mean(neighbours)) if neighbours else 0.0


def _radial(normal: Array, n: int) -> tuple[float, float]:
    power = np.abs(np.fft.fft2(normal)) ** 2 / n
    f = np.hypot(np.fft.fftfreq(normal.shape[0])[:, None], np.fft.fftfreq(normal.shape[1])[None, :])
    # Of Gaussian noise the mean fourth power is three squared variances; it tells how many pixels
    # share in the power, by which periodograms of uneven noise scatter more.
    share = min(1.0, 3 / max(float(np.sum(normal**4)) / n, 1e-300))
    best, where = 0.0, 0.0
    for low, high in pairwise(_BANDS):
        inside = (f > low) & (f <= high)
        m = int(inside.sum())
        if m < 4:
            continue
        excess = (float(power[inside].mean()) - 1.0) * np.sqrt(share * m / 2)
        if excess > best:
            best, where = float(excess), 0.5 * (low + high)
    return best, where


def _block_power(normal: Array) -> float:
    """Power at the harmonics of an 8-pixel grid over that of other frequencies of the same row."""
    rows, columns = (length // 8 * 8 for length in normal.shape)
    if rows < 32 or columns < 32:
        return 1.0
    cut = normal[:rows, :columns]
    ratios = []
    for axis in (0, 1):
        line = (np.abs(np.fft.rfft(cut, axis=axis)) ** 2).mean(axis=1 - axis)
        k = np.arange(1, 4) * cut.shape[axis] // 8
        around = np.concatenate([line[k - 2], line[k + 2]])
        ratios.append(float(line[k].mean() / max(around.mean(), 1e-300)))
    return float(np.mean(ratios))

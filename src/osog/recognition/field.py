"""The picture as evidence: a grey frame of moderate size, its level, its noise, its contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.arrays import real_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_MOST_PX = 512
"""Longest side of the frame that is measured; larger ones are binned."""
_LEAST_PX = 32
_ROUNDS, _CLIP = 8, 2.5
_CARRIER_FROM = 0.05
"""Frequency, cycles/px, from which a peak of the spectrum counts as a carrier."""
_CARRIER_PX = 3.5


@dataclass(frozen=True)
class Field:
    """A picture, measured.

    Attributes
    ----------
    grey : ndarray (Y, X)
        Binned to at most 512 pixels on the longer side.
    level, noise : float
        The commonest grey level, and the standard deviation of the noise, grey levels.
    low, high : float
        Grey levels beyond which two of a thousand pixels lie.
    negative : bool
        Whether grey levels lie below 0 by more than noise.
    colour : float
        What the channels do not share, relative to the range of the grey levels.
    carrier : float
        Share of the variance that one pair of peaks of the spectrum holds.
    """

    grey: Array
    level: float
    noise: float
    low: float
    high: float
    negative: bool
    colour: float
    carrier: float

    @property
    def foot(self) -> float:
        """Where the level lies between the darkest and the brightest, 0 … 1."""
        return (self.level - self.low) / max(self.high - self.low, 1e-30)

    @property
    def rise(self) -> float:
        """How far the brightest lie above the level, in units of the level."""
        return (self.high - self.level) / max(abs(self.level), 1e-30)

    def contrast(self) -> tuple[Array, float]:
        """Picture less its slow trend, and the noise of it; relative to the trend where it can be.

        The trend is a polynomial of second order, fitted to the pixels that lie near it.
        """
        trend = _trend(self.grey)
        if self.negative or self.level <= 0 or trend.min() <= 0:
            return self.grey - trend, self.noise
        return self.grey / trend - 1.0, self.noise / self.level


def field_of(image: Any) -> Field:
    """Measure a picture.

    Parameters
    ----------
    image : array_like, shape (Y, X) or (Y, X, 3)
        As for `osog.io.arrays.pixels_of`; what is not finite, or masked, is taken for the median.

    Raises
    ------
    ValueError
        Without real numbers, for another shape, less than 32 × 32 pixels, or one constant value.
    """
    from scipy.ndimage import gaussian_filter

    picture = real_array(image).astype(np.float64)
    colours = picture if picture.ndim == 3 and picture.shape[-1] == 3 else None
    full = picture if colours is None else colours.mean(-1)
    if full.ndim != 2 or min(full.shape) < _LEAST_PX:
        raise ValueError(
            f"image has the shape {picture.shape}; it must be (Y, X) or (Y, X, 3) of at least "
            f"{_LEAST_PX} × {_LEAST_PX} pixels."
        )
    finite = np.isfinite(full)
    if not finite.any() or np.ptp(full[finite]) == 0:
        raise ValueError("image shows nothing: it has one value everywhere.")
    full = np.where(finite, full, np.median(full[finite]))
    grey = _binned(full)
    noise = _noise(grey)
    low, high = (float(v) for v in np.quantile(gaussian_filter(grey, 0.7), [0.002, 0.998]))
    return Field(
        grey=grey,
        level=commonest(gaussian_filter(grey, 1.0)),
        noise=noise,
        low=low,
        high=high,
        negative=bool(full.min() < -max(2.0 * noise, 1e-3 * (high - low))),
        colour=0.0 if colours is None else _colour(np.where(finite[..., None], colours, 0.0)),
        carrier=_carrier(full),
    )


def _binned(picture: Array) -> Array:
    k = -(-max(picture.shape) // _MOST_PX)
    if k == 1 or min(picture.shape) // k < _LEAST_PX:
        return picture
    rows, columns = (n // k for n in picture.shape)
    blocks = picture[: rows * k, : columns * k].reshape(rows, k, columns, k)
    found: Array = blocks.mean((1, 3))
    return found


def commonest(picture: Array) -> float:
    """Half-sample mode (Bickel & Fruehwirth, Comput. Stat. Data Anal. 50, 3500 (2006))."""
    values = np.sort(picture.ravel())
    values = values[:: max(1, values.size // 20_000)]
    while values.size > 8:
        half = values.size // 2
        at = int(np.argmin(values[half:] - values[: values.size - half]))
        values = values[at : at + half]
    return float(values.mean())


def _noise(picture: Array) -> float:
    """Robust σ of differences of 2 × 2 pixels, which no slope gets into."""
    rest = picture[1:, 1:] - picture[1:, :-1] - picture[:-1, 1:] + picture[:-1, :-1]
    return float(0.5 * 1.4826 * np.median(np.abs(rest - np.median(rest))))


def _colour(colours: Array) -> float:
    from scipy.ndimage import gaussian_filter

    grey = colours.mean(-1)
    rest = colours - grey[..., None]
    rest = gaussian_filter(rest - np.median(rest, axis=(0, 1)), (1.5, 1.5, 0.0))
    spread = np.quantile(np.abs(rest).max(-1), 0.99)
    return float(spread / max(float(np.ptp(grey)), 1e-30))


def _carrier(picture: Array) -> float:
    top, left = (max(0, (n - _MOST_PX) // 2) for n in picture.shape)
    part = picture[top : top + _MOST_PX, left : left + _MOST_PX]
    window = np.hanning(part.shape[0])[:, None] * np.hanning(part.shape[1])
    power = np.abs(np.fft.fft2((part - part.mean()) * window)) ** 2
    fy, fx = np.fft.fftfreq(part.shape[0])[:, None], np.fft.fftfreq(part.shape[1])
    outer = np.where(np.hypot(fy, fx) > _CARRIER_FROM, power, 0.0)
    row, column = np.unravel_index(int(outer.argmax()), outer.shape)
    away = np.hypot(fy - fy[row, 0], fx - fx[column])
    peak = power[away < _CARRIER_PX / min(part.shape)].sum()
    return float(2.0 * peak / max(float(power.sum()), 1e-300))


def _trend(picture: Array) -> Array:
    y, x = (np.linspace(-1.0, 1.0, n) for n in picture.shape)
    y, x = (grid.ravel() for grid in np.meshgrid(y, x, indexing="ij"))
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    step = max(1, picture.size // 40_000)
    thin, values = terms[::step], picture.ravel()[::step]
    kept = np.ones(len(values), dtype=bool)
    weights: Array = np.zeros(6)
    for _ in range(_ROUNDS):
        weights = np.asarray(np.linalg.lstsq(thin[kept], values[kept], rcond=None)[0], float)
        rest = values - thin @ weights
        centre = np.median(rest[kept])
        spread = 1.4826 * np.median(np.abs(rest[kept] - centre))
        nearer = np.abs(rest - centre) <= _CLIP * max(float(spread), 1e-12)
        if nearer.sum() < 24:
            break
        kept = nearer
    found: Array = (terms @ weights).reshape(picture.shape)
    return found

"""A picture of a crowd as 76 numbers that change smoothly with what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.statistics import background_trend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_RADII, _SECTORS = 13, 4
_LOWEST_PERIODS = 3.0
"""Periods in the picture of the lowest band, below which the trend of the field is taken away."""
_SHARES = (0.005, 0.02, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 0.98, 0.995)
_SLOPES = (0.02, 0.15, 0.5, 0.85, 0.98)
_STEEPNESS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.98)
_KNEE = 0.02
"""Contrast up to which quantiles count by their value and beyond which by their logarithm."""


@dataclass(frozen=True)
class Summary:
    """How pictures of one kind are summed up.

    Attributes
    ----------
    pixel_size_um : float
    azimuth_deg : float
        Direction from which sectors and slopes are counted: that of the relief in DIC.
    scale : float
        1 where contrast is relative to a bright empty field, else the unit of contrast above a
        dark one.
    bright : bool
    """

    pixel_size_um: float
    azimuth_deg: float = 0.0
    scale: float = 1.0
    bright: bool = True

    @classmethod
    def suited_to(cls, tiles: Sequence[Array], pixel_size_um: float, azimuth_deg: float) -> Summary:
        """Choose the contrast by the pictures themselves.

        Where most have an empty field above 0 that their contrast does not exceed, contrast is
        relative to it; else it is the rise above the median in units of the tiles' root mean
        square.
        """
        bright = sum(map(_has_bright_field, tiles)) > 0.5 * len(tiles)
        rms = float(np.sqrt(np.mean([np.var(tile) for tile in tiles])))
        return cls(pixel_size_um, azimuth_deg, 1.0 if bright else max(rms, 1e-30), bright)

    def contrast(self, picture: Array) -> Array:
        """Contrast (Y, X) of a picture; one that bodies fill is relative to its brightest."""
        if self.bright:
            try:
                return _relative(picture)
            except ValueError:
                level = max(float(np.quantile(picture, 0.95)), 1e-30)
                return np.asarray(picture / level - 1.0, dtype=np.float64)
        found: Array = (picture - np.median(picture)) / self.scale
        return found

    def __call__(self, picture: Array) -> Array:
        """Sum up a picture (Y, X).

        Returns
        -------
        ndarray, shape (76,)
            Logarithms of the power spectral density in 13 radial bands × 4 sectors; 11 quantiles of
            the contrast; 5 of its slope along the azimuth, 6 of the logarithm of its steepness;
            skewness; logarithm of the kurtosis.
        """
        contrast = self.contrast(picture)
        gy, gx = np.gradient(contrast)
        turn = np.deg2rad(self.azimuth_deg)
        along = gx * np.cos(turn) + gy * np.sin(turn)
        steep = np.hypot(gx, gy)
        rest = contrast - contrast.mean()
        spread = max(float(np.sqrt(np.mean(rest**2))), 1e-12)
        moments = [np.mean((rest / spread) ** 3), np.log(np.mean((rest / spread) ** 4))]
        return np.concatenate(
            [
                self._spectrum(rest),
                np.arcsinh(np.quantile(contrast, _SHARES) / _KNEE),
                np.arcsinh(np.quantile(along, _SLOPES) / _KNEE),
                np.log(np.quantile(steep, _STEEPNESS) + 1e-6),
                np.clip(moments, -20.0, 20.0),
            ]
        )

    def _spectrum(self, contrast: Array) -> Array:
        rows, columns = contrast.shape
        window = np.hanning(rows + 2)[1:-1, None] * np.hanning(columns + 2)[None, 1:-1]
        power = np.abs(np.fft.rfft2(contrast * window)) ** 2 / np.sum(window**2)
        power *= self.pixel_size_um**2
        fy = np.fft.fftfreq(rows, self.pixel_size_um)[:, None]
        fx = np.fft.rfftfreq(columns, self.pixel_size_um)[None, :]
        radius = np.hypot(fx, fy)
        low = _LOWEST_PERIODS / (min(rows, columns) * self.pixel_size_um)
        edges = np.geomspace(low, 0.5 / self.pixel_size_um, _RADII + 1)
        band = np.digitize(radius, edges) - 1
        # Opposite directions are one; sectors are centred on the azimuth.
        turn = np.arctan2(fy, fx) - np.deg2rad(self.azimuth_deg)
        sector = np.floor((turn / (np.pi / _SECTORS) + 0.5) % _SECTORS).astype(int)
        inside = (band >= 0) & (band < _RADII)
        place = (band * _SECTORS + sector)[inside]
        number = np.bincount(place, minlength=_RADII * _SECTORS)
        total = np.bincount(place, power[inside], minlength=_RADII * _SECTORS)
        mean = total / np.maximum(number, 1)
        # A sector that the lowest band leaves empty stands at the mean of the others.
        whole = mean.reshape(_RADII, _SECTORS)
        there = number.reshape(_RADII, _SECTORS) > 0
        others = (whole * there).sum(1) / np.maximum(there.sum(1), 1)
        filled: Array = np.log(np.where(there, whole, others[:, None]).ravel() + 1e-12)
        return filled


def _has_bright_field(tile: Array) -> bool:
    try:
        return float(np.std(_relative(tile))) < 1.0
    except ValueError:
        return False


def _relative(picture: Array) -> Array:
    found: Array = picture / background_trend(picture).surface - 1.0
    return found

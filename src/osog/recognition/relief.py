"""How one-sided a picture is, and towards which side: what DIC does and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_STEP_DEG = 15.0
_LOWEST = (0.012, 0.03)
"""Cycles/px below which the sum along a direction forgets: for large bodies and for small ones."""
_HIGHEST = 0.12
_LEAST_AGREEMENT = 0.7


@dataclass(frozen=True)
class Relief:
    """One-sidedness of a picture.

    Attributes
    ----------
    strength : float
        First harmonic over the direction of the asymmetry of the sums along it, 0 … 1.
    agreement : float
        Length of the mean of the four quarters' harmonics over the mean of their lengths: 1 where
        all have the same side.
    azimuth_deg : float
        Direction of the shear, from +x towards +y, that gives this relief to bodies that are
        denser than what they lie in.
    """

    strength: float
    agreement: float
    azimuth_deg: float


def relief(contrast: Array) -> Relief:
    """Measure the one-sidedness of a contrast (Y, X).

    In DIC the contrast is nearly the slope of the phase along the shear. Summed up along the right
    direction it is the phase again, which all bodies raise; along any direction, the symmetric
    contrast of other modalities sums up to what is as often above as below. The asymmetry of the
    quantiles of such sums follows cos(direction − azimuth), whose harmonic is taken.
    """
    rows, columns = contrast.shape
    held = np.clip(contrast, *np.quantile(contrast, [0.002, 0.998]))
    window = np.sqrt(np.hanning(rows + 2)[1:-1, None] * np.hanning(columns + 2)[None, 1:-1])
    wave = np.fft.rfft2((held - held.mean()) * window)
    fy, fx = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :]
    found = [_at_scale(wave, fy, fx, contrast.shape, low) for low in _LOWEST]
    alike = [each for each in found if each.agreement >= _LEAST_AGREEMENT]
    return max(alike or found, key=lambda each: each.strength)


def _at_scale(wave: Any, fy: Any, fx: Any, shape: tuple[int, ...], low: float) -> Relief:
    radius = np.hypot(fy, fx)
    band = np.exp(-0.5 * (radius / _HIGHEST) ** 2) * (1 - np.exp(-0.5 * (radius / low) ** 2))
    turns = np.deg2rad(np.arange(0.0, 180.0, _STEP_DEG))
    middle = [n // 2 for n in shape]
    quarters = [
        (slice(*rows), slice(*columns))
        for rows in ((0, middle[0]), (middle[0], shape[0]))
        for columns in ((0, middle[1]), (middle[1], shape[1]))
    ]
    asymmetry = np.empty((len(turns), 4))
    for k, turn in enumerate(turns):
        along = fx * np.cos(turn) + fy * np.sin(turn)
        total = np.fft.irfft2(wave * band * (-1j * along / (along**2 + low**2)), s=shape)
        for j, quarter in enumerate(quarters):
            lower, centre, upper = np.quantile(total[quarter], [0.01, 0.5, 0.99])
            asymmetry[k, j] = (upper + lower - 2 * centre) / max(upper - lower, 1e-300)
    # The sum along the opposite direction is the negative: half a circle tells the harmonic.
    harmonics = np.exp(1j * turns) @ asymmetry * (2.0 / len(turns))
    mean = harmonics.mean()
    return Relief(
        strength=float(abs(mean)),
        agreement=float(abs(mean) / max(float(np.abs(harmonics).mean()), 1e-300)),
        azimuth_deg=float(np.rad2deg(np.angle(mean)) % 360.0),
    )

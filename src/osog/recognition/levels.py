"""Level and noise of a picture, and the camera that would give it both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.arrays import holds_grey_levels
from osog.recognition.field import commonest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_BLOCK = 16
_LEAST_PX = 8
_BITS = (8, 10, 12, 14, 16)
_MOST_ELECTRONS = 1e6
"""No pixel collects more; pictures with less noise were averaged, or their black was moved."""
_LEAST_ELECTRONS = 0.05
_READ_NOISE = 2.0
"""Electrons that stand for the noise of darkness where nothing else tells the gain."""
_QUIET = 0.01
"""Variance in grey levels below which there is no noise."""
_STEP = 1.0 / 12.0
"""Variance of rounding to whole grey levels."""
_BRIGHT = 5.0
"""Standard deviations above the dark level from which a block is lit."""
_LIT_BLOCKS = 12
_EDGES = 2.0
"""Times the noise of the quieter lit blocks from which a block is taken for one with edges."""
_LEAST_SLOPE = 1e-6
_ROUNDING = 0.01
"""Share of the level below which an offset is only what rounding left."""


@dataclass(frozen=True)
class CameraGuess:
    """What a picture tells of the camera that took it.

    Attributes
    ----------
    values : mapping of str to float, int or bool
        Fields of `osog.scene.Camera`; what they do not name, the picture does not tell.
    reason : str
        What was measured, in words.
    """

    values: Mapping[str, float | int | bool]
    reason: str


@dataclass(frozen=True, eq=False)
class PictureLevels:
    """Grey levels of a picture, measured.

    Attributes
    ----------
    level, noise : float
        Commonest grey level, and the standard deviation of the noise of pixels near it, the
        rounding to whole levels taken out.
    high : float
        Grey level that two of a thousand pixels exceed.
    bits : int
        That the levels need: 8, 10, 12, 14 or 16.
    means, variances : ndarray
        Of blocks of pixels: mean level, and variance of the noise.
    """

    level: float
    noise: float
    high: float
    bits: int
    means: Array
    variances: Array

    def camera(
        self, *, bright: bool = True, gain_electrons_per_count: float | None = None
    ) -> CameraGuess:
        """Camera that gives a background of this level and noise.

        Parameters
        ----------
        bright : bool
            Whether the background is lit, as in brightfield; else it is dark, as in fluorescence.
        gain_electrons_per_count : float, optional
            What the file states; else the noise tells it.

        Notes
        -----
        A bright background is taken for limited by shot noise, over an offset of 0:
        (level/noise)² electrons. Where that is more than a million, the black level was moved or
        pictures were averaged; then it is a million, and the offset follows. In a dark one the
        level is the offset; how the noise of lit blocks rises with their level is the gain
        (Janesick, *Photon Transfer*, SPIE 2007), or, where too few are lit, the noise of the dark
        stands for 2 electrons.
        """
        white = float(2**self.bits - 1)
        level, noise, known = max(self.level, 1e-3), self.noise, gain_electrons_per_count
        quiet = noise**2 < _QUIET
        if bright and known is None:
            electrons = _MOST_ELECTRONS
            if not quiet:
                electrons = min(max((level / noise) ** 2, _LEAST_ELECTRONS), _MOST_ELECTRONS)
            gain = electrons / level if quiet else np.sqrt(electrons) / noise
        elif bright and known is not None:
            gain = known
            electrons = level * gain
            if not quiet:  # so many electrons have at least their shot noise
                electrons = max(min(electrons, (noise * gain) ** 2), _LEAST_ELECTRONS)
        else:
            gain = known or self._slope() or _READ_NOISE / max(noise, 0.1)
            electrons = max((self.high - level) * gain, _LEAST_ELECTRONS)
        electrons, gain = _rounded(min(electrons, 1e7)), _rounded(min(max(gain, 1e-4), 1e6))
        offset = min(max(level - electrons / gain if bright else level, 0.0), white - 1.0)
        if offset < _ROUNDING * level:
            offset = 0.0
        read = (noise * gain) ** 2 - (electrons if bright else 0.0)
        shot_alone = bright and known is None
        values = {
            "background_electrons": electrons,
            "gain_electrons_per_count": gain,
            "offset_counts": round(offset, 1),
            "read_noise_electrons": 0.0 if shot_alone else _rounded(max(read, 0.0) ** 0.5),
            "full_well_electrons": _rounded(max(gain * (white - offset), 2.0 * electrons, 1.0)),
            "bit_depth": self.bits,
            "noise": not quiet,
        }
        level_words = f"{level:.0f}" if level >= 100.0 else f"{level:.3g}"
        noise_words = "no noise" if quiet else f"noise {noise:.2g}"
        return CameraGuess(values, f"from the picture: level {level_words}, {noise_words}")

    def _slope(self) -> float | None:
        """Electrons per grey level, from the blocks that are lit; None where they are too few."""
        rise = self.means - self.level
        lit = rise > _BRIGHT * self.noise
        if lit.sum() < _LIT_BLOCKS:
            return None
        excess, rise = self.variances[lit] - _STEP - self.noise**2, rise[lit]
        # Edges of bodies add to the noise of a block and never take from it.
        plain = excess / rise <= _EDGES * np.quantile(excess / rise, 0.25)
        per_count = float(excess[plain].sum() / rise[plain].sum())
        return 1.0 / per_count if per_count > _LEAST_SLOPE else None


def picture_levels(image: Any) -> PictureLevels | None:
    """Measure the grey levels of a picture.

    Parameters
    ----------
    image : array_like, shape (Y, X)
        Grey levels as they are stored, or as shares of 255; what is not finite does not count.

    Returns
    -------
    PictureLevels or None
        None where these can be no grey levels of a camera: measured values such as radians,
        negative ones, or less than 8 × 8.

    Notes
    -----
    The noise is the response to the mask of Immerkær (Comput. Vis. Image Underst. 64, 300
    (1996)), which neither slopes nor constant curvature get into, in blocks of 16 × 16 pixels;
    the median of those nearest to the level leaves out what stands in some of them. Noise that
    was blurred, as by JPEG or colour interpolation, is found too small.
    """
    from scipy.ndimage import gaussian_filter

    stored = np.asarray(image)
    if stored.ndim != 2 or min(stored.shape) < _LEAST_PX or not holds_grey_levels(stored):
        return None
    picture = stored.astype(np.float64)
    finite = np.isfinite(picture)
    if not finite.any() or picture[finite].min() < 0.0 or picture[finite].max() <= 0.0:
        return None
    known = np.where(finite, picture, np.median(picture[finite]))
    if known.max() <= 1.0 and (known % 1.0).any():
        known *= 255.0
    bits = next((n for n in _BITS if known.max() < 2**n), _BITS[-1])
    white = float(2**bits - 1)
    means, variances = _blocks(known, ~finite | (known >= white))
    smooth = gaussian_filter(known, 1.0)
    level = min(commonest(smooth), white - 1.0)
    near = np.argsort(np.abs(means - level), kind="stable")[: max(len(means) // 2, 1)]
    variance = max(float(np.median(variances[near])) - _STEP, 0.0)
    high = float(np.quantile(smooth[::2, ::2], 0.998))
    return PictureLevels(level, variance**0.5, high, bits, means, variances)


def _blocks(picture: Array, spoiled: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Mean and variance of the noise in blocks; saturated ones are left out unless all are."""
    from scipy.ndimage import convolve

    mask = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]]) / 6.0
    rest = convolve(picture, mask, mode="nearest")[1:-1, 1:-1]
    side = min(_BLOCK, *rest.shape)
    rows, columns = (n // side for n in rest.shape)

    def cut(array: NDArray[Any]) -> NDArray[Any]:
        part = array[: rows * side, : columns * side]
        return part.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side * side)

    means, variances = cut(picture[1:-1, 1:-1]).mean(1), (cut(rest) ** 2).mean(1)
    clean = ~cut(spoiled[1:-1, 1:-1]).any(1)
    return (means[clean], variances[clean]) if clean.any() else (means, variances)


def _rounded(value: float) -> float:
    """To three figures: no estimate is better."""
    return float(f"{value:.3g}")


__all__ = ["CameraGuess", "PictureLevels", "picture_levels"]

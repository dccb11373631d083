"""Rings about common centres, as coherent light draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_REACH_PX = 120
"""Distance over which slopes vote for centres."""
_RADIUS_PX = 160
_NEAREST_PX = 4
_CENTRES = 6
_APART_PX = 12
_VOTERS = 6_000
_STEEPEST = 0.85
_SIGNIFICANT = 2.5
_FAINTEST = 0.02
_CORRELATED_PX = 8.0
"""Pixels that share their noise and their neighbours' structure, behind the blur."""


@dataclass(frozen=True)
class Rings:
    """The best set of rings.

    Attributes
    ----------
    count : int
        Changes of sign of the mean profile about its centre, as far as they are significant.
    share : float
        Share of the variance within the sixth, or the last, that the rings hold.
    """

    count: int
    share: float


def rings(contrast: Array) -> Rings:
    """Find centres about which a contrast (Y, X) is ring-shaped.

    Slopes of rings point to and from their centre, so each of the steepest votes for the pixels on
    its line (as in Loy & Zelinsky, IEEE PAMI 25, 959 (2003)). About the places with the most votes
    the mean over directions is taken.
    """
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(contrast, 1.2)
    gy, gx = (np.asarray(slope, dtype=np.float64) for slope in np.gradient(smooth))
    steep: Array = np.hypot(gx, gy)
    rows, columns = np.nonzero(steep > np.quantile(steep, _STEEPEST))
    step = max(1, len(rows) // _VOTERS)
    rows, columns = rows[::step], columns[::step]
    if not len(rows):
        return Rings(0, 0.0)
    away = np.arange(_NEAREST_PX, _REACH_PX + 1.0)
    away = np.concatenate([-away, away])
    down = gy[rows, columns] / steep[rows, columns]
    right = gx[rows, columns] / steep[rows, columns]
    y = np.rint(rows[:, None] + down[:, None] * away).astype(np.intp)
    x = np.rint(columns[:, None] + right[:, None] * away).astype(np.intp)
    height, width = contrast.shape
    inside = (y >= 0) & (x >= 0) & (y < height) & (x < width)
    votes = np.bincount((y * width + x)[inside], minlength=contrast.size).astype(np.float64)
    votes = gaussian_filter(votes.reshape(contrast.shape), 1.5)
    best = Rings(0, 0.0)
    for _ in range(_CENTRES):
        at = np.unravel_index(int(votes.argmax()), votes.shape)
        row, column = int(at[0]), int(at[1])
        votes[
            max(0, row - _APART_PX) : row + _APART_PX + 1,
            max(0, column - _APART_PX) : column + _APART_PX + 1,
        ] = 0.0
        found = _about(smooth, row, column)
        best = max(best, found, key=lambda one: one.count * one.share)
    return best


def _about(smooth: Array, row: int, column: int) -> Rings:
    y, x = np.ogrid[: smooth.shape[0], : smooth.shape[1]]
    radius = np.rint(np.hypot(y - row, x - column)).astype(np.intp)
    near = radius <= _RADIUS_PX
    number = np.bincount(radius[near])
    safe = np.maximum(number, 1)
    profile = np.bincount(radius[near], smooth[near]) / safe
    square = np.bincount(radius[near], smooth[near] ** 2) / safe
    error = np.sqrt(np.maximum(square - profile**2, 0.0) / safe * _CORRELATED_PX)
    explained = np.cumsum(number * profile**2) / np.maximum(np.cumsum(number * square), 1e-300)
    clear = np.abs(profile) > np.maximum(
        _SIGNIFICANT * error, _FAINTEST * float(np.abs(profile).max())
    )
    places = np.flatnonzero(clear & (np.arange(len(profile)) >= 2))
    signs = np.sign(profile[places])
    turns = places[np.flatnonzero(np.diff(signs, prepend=0.0) != 0)]
    if not len(turns):
        return Rings(0, 0.0)
    return Rings(len(turns), float(explained[turns[min(5, len(turns) - 1)]]))

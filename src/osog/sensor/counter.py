"""Random numbers by counter: each is a function of a seed, a stream and its own place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Words = NDArray[np.uint64]

_STEP = 0x9E3779B97F4A7C15
"""The golden ratio in 64 bits, which spreads consecutive seeds over all words."""


def uniform(seed: int, stream: str, *places: NDArray[np.int64]) -> Array:
    """Evenly distributed numbers between 0 and 1, both excluded.

    Parameters
    ----------
    seed : int
    stream : str
        Name of the quantity; streams of one seed are independent.
    *places : int ndarrays that broadcast
        Such as the row and the column of a pixel.

    Returns
    -------
    float64 ndarray
        In the broadcast shape. A number depends on its own place alone, so that a larger array
        holds the smaller one, and it is the same on every device.

    Notes
    -----
    Every word is mixed as in SplitMix64 (Steele, Lea & Flood 2014).
    """
    # A key of Python integers: numpy warns when the product of two scalars wraps.
    key = seed
    for letter in stream.encode():
        key = (key * 0x100000001B3 + letter) % 2**64
    words = _mixed(np.atleast_1d(np.uint64(key)))
    for place in places:
        words = _mixed(
            words + np.atleast_1d(np.asarray(place)).astype(np.uint64) * np.uint64(_STEP)
        )
    return ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(seed: int, stream: str, *places: NDArray[np.int64]) -> Array:
    """Standard normal numbers; the parameters are those of `uniform`."""
    values: Array = ndtri(uniform(seed, stream, *places))
    return values


def _mixed(words: Words) -> Words:
    words = words + np.uint64(_STEP)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))

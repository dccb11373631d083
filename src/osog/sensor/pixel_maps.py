"""What makes the pixels of one camera differ from each other, the same in every picture."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.sensor.counter import normal, uniform

if TYPE_CHECKING:
    from torch import Tensor


def response_pattern(seed: int, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Deviation of the pixels' sensitivities in units of its standard deviation (PRNU).

    Parameters
    ----------
    seed : int
        Number of the camera.
    shape : (Ny, Nx) or (C, Ny, Nx)
        Of the sensor; its first pixels are those of every larger one.
    like : Tensor
        Gives dtype and device.

    Returns
    -------
    Tensor of that shape
        Standard normal.
    """
    return torch.as_tensor(_pattern(seed, "response", shape)).to(like)


def offset_pattern(seed: int, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Deviation of the pixels' dark levels in units of its standard deviation (DSNU).

    Parameters and result as for `response_pattern`.
    """
    return torch.as_tensor(_pattern(seed, "offset", shape)).to(like)


def read_noise_pattern(seed: int, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Logarithm of the pixels' read noises over its standard deviation.

    Parameters and result as for `response_pattern`. CMOS pixels have an amplifier each, and the
    long tail of a log-normal law describes their spread.
    """
    return torch.as_tensor(_pattern(seed, "read", shape)).to(like)


def hot_pixels(
    seed: int, shape: tuple[int, ...], per_million: float, mean_electrons: float, like: Tensor
) -> Tensor:
    """Dark electrons that hot pixels collect beyond the others'.

    Parameters
    ----------
    seed, shape, like
        As for `response_pattern`.
    per_million : float
        Chance of a pixel to be hot; more of them leave those that are hot as they are.
    mean_electrons : float
        Mean over the hot pixels, whose signals fall off exponentially.

    Returns
    -------
    Tensor (Ny, Nx) or (C, Ny, Nx)
        0 for all other pixels.
    """
    return torch.as_tensor(_hot(seed, shape, per_million)).to(like) * mean_electrons


@lru_cache(maxsize=8)
def _pattern(seed: int, stream: str, shape: tuple[int, ...]) -> np.ndarray:
    # Kept in single precision: half the memory, and more than such maps are known to.
    return normal(seed, stream, *_places(shape)).astype(np.float32)


@lru_cache(maxsize=2)
def _hot(seed: int, shape: tuple[int, ...], per_million: float) -> np.ndarray:
    chosen = uniform(seed, "hot", *_places(shape)) < 1e-6 * per_million
    signal = np.zeros(shape, np.float32)
    signal[chosen] = -np.log(uniform(seed, "heat", *np.nonzero(chosen)))
    return signal


def _places(shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    return tuple(np.ogrid[tuple(slice(n) for n in shape)])

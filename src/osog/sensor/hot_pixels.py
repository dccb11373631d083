"""Pixels that collect dark electrons much faster than the others."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.sensor.counter import uniform
from osog.sensor.pixel_maps import pixel_places

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def add_hot_pixels(electrons: Tensor, exposure: Exposure) -> Tensor:
    """Mean electrons plus those of the hot pixels.

    Which pixels are hot is no smooth function of how many there are: no derivative in
    ``hot_pixels_per_million``.
    """
    camera = exposure.camera
    per_million = float(camera.hot_pixels_per_million)
    if per_million <= 0:
        return electrons
    shape, signal = tuple(electrons.shape), camera.hot_pixel_electrons
    return electrons + hot_pixels(camera.pixel_seed, shape, per_million, signal, electrons)


def hot_pixels(
    seed: int,
    shape: tuple[int, ...],
    per_million: float,
    mean_electrons: float | Tensor,
    like: Tensor,
) -> Tensor:
    """Dark electrons that hot pixels collect beyond the others'.

    Parameters
    ----------
    seed, shape, like
        As for `osog.sensor.pixel_maps.pixel_map`.
    per_million : float
        Chance of a pixel to be hot; more of them leave those that are hot as they are.
    mean_electrons : float or 0-dim Tensor
        Mean over the hot pixels, whose signals fall off exponentially.

    Returns
    -------
    Tensor (Ny, Nx) or (C, Ny, Nx)
        0 for all other pixels.
    """
    return torch.as_tensor(_hot(seed, shape, per_million)).to(like) * mean_electrons


@lru_cache(maxsize=2)
def _hot(seed: int, shape: tuple[int, ...], per_million: float) -> np.ndarray:
    chosen = uniform(seed, "hot", *pixel_places(shape)) < 1e-6 * per_million
    signal = np.zeros(shape, np.float32)
    signal[chosen] = -np.log(uniform(seed, "heat", *np.nonzero(chosen)))
    return signal

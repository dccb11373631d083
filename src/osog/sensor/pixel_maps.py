"""Maps of what differs from pixel to pixel of one camera, the same in every picture."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.sensor.counter import normal

if TYPE_CHECKING:
    from torch import Tensor


def pixel_map(seed: int, stream: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """One standard normal number for every pixel.

    Parameters
    ----------
    seed : int
        Number of the camera.
    stream : str
        Name of the quantity; the maps of two names are independent.
    shape : (Ny, Nx) or (C, Ny, Nx)
        Of the sensor; its first pixels are those of every larger one.
    like : Tensor
        Gives dtype and device.

    Returns
    -------
    Tensor of that shape
    """
    return torch.as_tensor(_kept(seed, stream, shape)).to(like)


@lru_cache(maxsize=8)
def _kept(seed: int, stream: str, shape: tuple[int, ...]) -> np.ndarray:
    # Kept in single precision: half the memory, and more than such maps are known to.
    return normal(seed, stream, *pixel_places(shape)).astype(np.float32)


def pixel_places(shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Numbers of the channels, rows and columns, which broadcast to the shape."""
    return tuple(np.ogrid[tuple(slice(n) for n in shape)])

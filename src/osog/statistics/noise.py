"""Noise in the flattest places of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Noise:
    """Noise of a picture.

    Attributes
    ----------
    sigma : float
        Standard deviation, in the picture's own unit.
    correlation_x, correlation_y : float
        Correlation of neighbours along a row and along a column.
    """

    sigma: float
    correlation_x: float
    correlation_y: float


def noise_of(image: NDArray[np.float64], block_px: int = 32, share: float = 0.05) -> Noise:
    """Noise in the flattest blocks, without a plane fitted to each.

    Parameters
    ----------
    image : ndarray (Y, X)
        Grey levels or contrast.
    block_px : int
        Side of a block, at least 4.
    share : float
        Share of the blocks that is taken, those of least variance; at least eight of them. The
        choice makes σ a little small: by 5 % for white noise and the default numbers.

    Returns
    -------
    Noise
    """
    rows, columns = (n // block_px for n in image.shape)
    if rows * columns < 8:
        raise ValueError(
            f"a picture of shape {tuple(image.shape)} holds fewer than 8 blocks of {block_px} px."
        )
    cut = image[: rows * block_px, : columns * block_px]
    tiled = cut.reshape(rows, block_px, columns, block_px).transpose(0, 2, 1, 3)
    blocks = tiled.reshape(rows * columns, block_px * block_px)
    axis = np.linspace(-1.0, 1.0, block_px)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    plane, _ = np.linalg.qr(np.stack([np.ones(x.size), x.ravel(), y.ravel()], axis=1))
    rest = blocks - (blocks @ plane) @ plane.T
    variance = np.sum(rest**2, axis=1) / (block_px**2 - 3)
    number = max(8, round(share * len(variance)))
    flat = rest[np.argsort(variance)[:number]].reshape(number, block_px, block_px)
    mean = float(np.mean(flat**2))
    if mean == 0:
        return Noise(0.0, 0.0, 0.0)
    return Noise(
        sigma=float(np.sqrt(mean * block_px**2 / (block_px**2 - 3))),
        correlation_x=float(np.mean(flat[:, :, 1:] * flat[:, :, :-1]) / mean),
        correlation_y=float(np.mean(flat[:, 1:] * flat[:, :-1]) / mean),
    )

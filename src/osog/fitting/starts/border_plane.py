"""The background of an image, from its border."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def border_plane(image: Array, used: NDArray[np.bool_] | None = None) -> Array:
    """Plane through the border of an image, outliers beyond three deviations left out.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    used : ndarray of bool, shape (Y, X), optional
        Pixels that count; all of them are taken where the border holds too few.

    Returns
    -------
    ndarray, shape (Y, X)
    """
    rows, columns = image.shape
    width = max(1, min(rows, columns) // 16)
    border = np.ones(image.shape, bool)
    if rows > 2 * width and columns > 2 * width:
        border[width:-width, width:-width] = False
    if used is not None and used.any():
        border = border & used if (border & used).sum() > 8 else used
    yy, xx = np.indices(image.shape)
    y, x = 2 * yy / max(1, rows - 1) - 1, 2 * xx / max(1, columns - 1) - 1
    keep = border
    level = float(np.median(image[border]))
    plane = np.full(image.shape, level)
    for _ in range(3):
        off = image - plane
        deviation = 1.4826 * float(np.median(np.abs(off[border] - np.median(off[border]))))
        keep = border & (np.abs(off) <= 3 * deviation + 1e-12 * (1 + abs(level)))
        if keep.sum() < 8:
            break
        columns_ = np.stack([np.ones(keep.sum()), x[keep], y[keep]], 1)
        c = np.linalg.lstsq(columns_, image[keep], rcond=None)[0]
        plane = c[0] + c[1] * x + c[2] * y
    return plane

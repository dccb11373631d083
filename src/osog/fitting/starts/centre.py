"""Centre of a point-symmetric image without any model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def self_convolution_centre(contrast: Array) -> tuple[float, float]:
    """Centre of point symmetry: half the peak of the image convolved with itself.

    Right to a tenth of a pixel for spheres in brightfield and holograms; tilted rods and DIC are
    not point-symmetric.

    Parameters
    ----------
    contrast : ndarray, shape (Y, X)
        Image with its background removed.

    Returns
    -------
    (float, float)
        Row and column.
    """
    rows, columns = contrast.shape
    window = np.sqrt(np.outer(np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1]))
    spectrum = np.fft.rfft2(contrast * window, s=(2 * rows, 2 * columns))
    product = np.abs(np.fft.irfft2(spectrum**2, s=(2 * rows, 2 * columns)))
    top = np.unravel_index(int(product.argmax()), product.shape)
    row = top[0] + _parabola(product[:, top[1]], int(top[0]))
    column = top[1] + _parabola(product[top[0], :], int(top[1]))
    return row / 2, column / 2


def _parabola(line: Array, k: int) -> float:
    before, here, after = line[k - 1], line[k], line[(k + 1) % len(line)]
    curvature = before - 2 * here + after
    return float(0.5 * (before - after) / curvature) if curvature < 0 else 0.0

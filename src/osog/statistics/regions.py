"""Regions that stand out from the empty field: how long and how wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_fill_holes, find_objects, gaussian_filter, label

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLUR_UM = 0.3
_LEAST_CONTRAST = 0.03
_OVER_NOISE = 3.0
_LEAST_PIXELS = 30


def region_shapes(
    contrast: NDArray[np.float64], pixel_size_um: float, noise: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lengths and widths (µm) of the regions that stand out from the empty field.

    Parameters
    ----------
    contrast : ndarray, shape (Y, X)
        Relative to the empty field.
    pixel_size_um : float
    noise : float
        Standard deviation of its noise in one pixel.

    Returns
    -------
    lengths, widths : ndarray, shape (n,)
        Sides of the rectangle with the second moments of each region, √(12 λ) with the
        eigenvalues λ of its covariance: exact for bars, 13 % short of the diameter for discs.
        Regions are connected, filled, of at least 30 px, and do not touch the border; they are
        where the contrast, blurred by 0.3 µm, is beyond 0.03 and three times the noise that is
        left. Objects that touch make one region, so in a crowd these are not the sizes of
        particles: compare them with those of another picture.
    """
    blur = _BLUR_UM / pixel_size_um
    smooth = gaussian_filter(contrast, blur)
    # White noise behind a Gaussian blur of σ pixels, as far as the blur is wider than a pixel.
    left = noise / max(1.0, 2 * np.sqrt(np.pi) * blur)
    beyond = np.abs(smooth) > max(_LEAST_CONTRAST, _OVER_NOISE * left)
    numbers, _ = label(binary_fill_holes(beyond), np.ones((3, 3)))
    lengths, widths = [], []
    rows, columns = contrast.shape
    for number, where in enumerate(find_objects(numbers), 1):
        top, side = where
        if top.start == 0 or side.start == 0 or top.stop == rows or side.stop == columns:
            continue
        y, x = np.nonzero(numbers[where] == number)
        if len(x) < _LEAST_PIXELS:
            continue
        # A pixel has moments of its own, 1/12 along each axis.
        spread = np.cov(np.stack([x, y])) * (len(x) - 1) / len(x) + np.eye(2) / 12
        small, large = np.linalg.eigvalsh(spread)
        lengths.append(np.sqrt(12 * large) * pixel_size_um)
        widths.append(np.sqrt(12 * small) * pixel_size_um)
    return np.array(lengths), np.array(widths)

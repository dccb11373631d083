"""Coarser images for the search of a start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.scene import Scene

    Array = NDArray[np.float64]


def binning(scene: Scene, radius_um: float, shape: tuple[int, ...]) -> int:
    """Factor by which an image may be binned for the search.

    The smallest particle keeps 8 pixels of radius, a binned pixel stays below half of the finest
    fringe λ/(2 NA) except in phase images, which have no fringes, and 32 pixels remain.
    """
    pixel = scene.grid.pixel_size_um
    microscope = scene.microscope
    factor = radius_um / (8 * pixel)
    if not microscope.modality.measures_phase:
        factor = min(factor, microscope.wavelength_um / (4 * microscope.numerical_aperture) / pixel)
    return max(1, int(min(factor, min(shape) / 32)))


def binned(
    image: Array, factor: int, used: NDArray[np.bool_] | None = None
) -> tuple[Array, NDArray[np.bool_]]:
    """Mean of factor × factor blocks; the rest at the far edges is cut off.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    factor : int
    used : ndarray of bool, shape (Y, X), optional
        Pixels that count.

    Returns
    -------
    ndarray, shape (Y // factor, X // factor)
        Means of the pixels that count; 0 in blocks without any.
    ndarray of bool, same shape
        Blocks more than half of whose pixels count.
    """
    counted = np.ones(image.shape, bool) if used is None else used
    if factor == 1:
        return image, counted
    number = _sums(counted.astype(np.float64), factor)
    total = _sums(np.where(counted, image, 0.0), factor)
    means: Array = total / np.maximum(number, 1.0)
    return means, number > 0.5 * factor**2


def _sums(image: Array, factor: int) -> Array:
    rows, columns = (n // factor for n in image.shape)
    cut = image[: rows * factor, : columns * factor]
    out: Array = cut.reshape(rows, factor, columns, factor).sum(axis=(1, 3))
    return out

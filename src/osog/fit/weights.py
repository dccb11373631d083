"""How much each pixel counts: the noise of the camera, and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.scene import Camera

    Array = NDArray[np.float64]


def camera_sigma(image: Array, camera: Camera) -> Array:
    """Standard deviation of every pixel by the camera's own noise.

    Shot noise of the electrons, read noise, and 1/12 for the rounding to grey levels, which
    matters at 8 bits. The expected electrons are the 5 × 5 mean of the data: raw data in the
    weights pull the gain down.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        Counts.
    camera : Camera

    Returns
    -------
    ndarray, shape (Y, X)
        In counts.
    """
    gain = camera.gain_electrons_per_count
    smooth: Array = uniform_filter(image, 5, mode="nearest")
    electrons = np.maximum(smooth - camera.offset_counts, 0.0) * gain
    variance = (electrons + camera.read_noise_electrons**2) / gain**2 + 1.0 / 12.0
    return np.sqrt(variance)


def unsaturated(image: Array, camera: Camera) -> NDArray[np.bool_]:
    """Pixels below both the white level and the full well, shape (Y, X)."""
    full = camera.offset_counts + camera.full_well_electrons / camera.gain_electrons_per_count
    return image < min(float(camera.white_counts), full - 0.5)


def noise_sigma(image: Array) -> float:
    """Noise of an image by itself, from second differences that ignore slopes (Immerkær 1996).

    Parameters
    ----------
    image : ndarray, shape (Y, X)

    Returns
    -------
    float
        Standard deviation of white noise, by the median of the absolute responses.
    """
    if min(image.shape) < 3:
        return float(np.std(image))
    second = image[:, :-2] - 2 * image[:, 1:-1] + image[:, 2:]
    mixed = second[:-2] - 2 * second[1:-1] + second[2:]
    return float(np.median(np.abs(mixed)) / 0.6745 / 6.0)

"""How noisy a camera makes each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.ndimage import uniform_filter

from osog.sensor.sharpening import gaussian

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.scene import Camera

    Array = NDArray[np.float64]


def camera_sigma(image: Array, camera: Camera, counted: NDArray[np.bool_] | None = None) -> Array:
    """Standard deviation of every pixel by the camera's own noise.

    Shot noise of the electrons with the excess noise of an EM register, read and row noise, uneven
    pixels, and 1/12 for the rounding to grey levels, which matters at 8 bits; sharpening amplifies
    it. The expected electrons are the 5 × 5 mean of the data: raw data in the weights pull the gain
    down.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        Counts.
    camera : Camera
    counted : ndarray of bool, shape (Y, X), optional
        False for pixels that hold no light of the camera, which must not enter the mean.

    Returns
    -------
    ndarray, shape (Y, X)
        In counts; of the camera's dark level where nothing near counts.
    """
    gain, em_gain = camera.gain_electrons_per_count, camera.em_gain
    smooth = _local_mean(image, counted)
    electrons = np.maximum(smooth - camera.offset_counts, 0.0) * gain / em_gain
    light = np.maximum(electrons - camera.dark_electrons, 0.0)
    shot = em_gain**2 * camera.excess_noise * electrons
    # The mean square of a log-normal law with this median.
    read = camera.read_noise_electrons * np.exp(camera.read_noise_spread**2)
    amplifier = read**2 + camera.row_noise_electrons**2 + camera.dark_nonuniformity_electrons**2
    uneven = (em_gain * camera.response_nonuniformity * light) ** 2
    variance = (shot + amplifier + uneven) / gain**2 + 1.0 / 12.0
    sigma: Array = np.sqrt(variance * _amplification(camera))
    return sigma


def _local_mean(image: Array, counted: NDArray[np.bool_] | None) -> Array:
    """Mean of the pixels that count among 5 × 5; 0 where none does."""
    if counted is None or counted.all():
        mean: Array = uniform_filter(image, 5, mode="nearest")
        return mean
    share = uniform_filter(counted.astype(np.float64), 5, mode="nearest")
    total = uniform_filter(np.where(counted, image, 0.0), 5, mode="nearest")
    near = share > 1e-3
    return np.where(near, total / np.where(near, share, 1.0), 0.0)


def _amplification(camera: Camera) -> float:
    """Factor by which sharpening raises the variance of white noise."""
    strength = camera.sharpening
    if strength == 0:
        return 1.0
    blur = gaussian(torch.tensor(camera.sharpening_radius_px, dtype=torch.float64))
    middle, square = float(blur.max()) ** 2, float((blur**2).sum()) ** 2
    return (1 + strength) ** 2 - 2 * strength * (1 + strength) * middle + strength**2 * square

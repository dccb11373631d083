"""How much each pixel counts: the noise of the camera, and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import minimum_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.scene import Camera, Scene

    Array = NDArray[np.float64]


def acting_camera(scene: Scene) -> Camera | None:
    """Camera whose counts an image holds; None for irradiance, and for a phase in radians."""
    return None if scene.microscope.modality.measures_phase else scene.camera


def unsaturated(image: Array, camera: Camera) -> NDArray[np.bool_]:
    """Pixels below both the white level and the full well, shape (Y, X)."""
    gain = camera.gain_electrons_per_count / camera.em_gain
    full = camera.offset_counts + camera.full_well_electrons / gain
    return image < min(float(camera.white_counts), full - 0.5)


def noise_sigma(image: Array, used: NDArray[np.bool_] | None = None) -> float:
    """Noise of an image by itself, from second differences that ignore slopes (Immerkær 1996).

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    used : ndarray of bool, shape (Y, X), optional
        Pixels that count.

    Returns
    -------
    float
        Standard deviation of white noise, by the median of the absolute responses.
    """
    if min(image.shape) < 3:
        return float(np.std(image))
    second = image[:, :-2] - 2 * image[:, 1:-1] + image[:, 2:]
    mixed = second[:-2] - 2 * second[1:-1] + second[2:]
    if used is not None:
        whole = minimum_filter(used, 3)[1:-1, 1:-1]
        mixed = mixed[whole] if whole.any() else mixed
    return float(np.median(np.abs(mixed)) / 0.6745 / 6.0)

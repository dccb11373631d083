"""One image of a dataset with its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.datasets.objects import Objects
    from osog.rendering import Frame
    from osog.scene import Scene


@dataclass(frozen=True, kw_only=True)
class LabelledFrame:
    """One image of a dataset with its labels.

    Attributes
    ----------
    index : int
        Its number in the dataset.
    view : int
        Which picture of the same sample it is, from 0.
    seed : int
        Of particles and noise; ``osog.render(scene, seed=seed)`` gives the image again.
    scene : Scene
        With every distribution drawn.
    image : ndarray, shape (Y, X) or (Y, X, 3)
        Counts of the camera as uint8 or uint16; float32 where the scene has no camera.
    white : float
        Count of a saturated pixel; without a camera the value that is shown white.
    frame : Frame
        The render with everything else, on the device it was made on.
    objects : Objects
        Labelled particles.
    instances : ndarray of int32, shape (Y, X)
        0 in the background, k + 1 on the pixels of object k that nothing covers.
    resampled_pixel_um : float, optional
        Where image and labels were brought to another pixel size than the scene's, or cropped.
    """

    index: int
    view: int
    seed: int
    scene: Scene
    image: NDArray[np.generic]
    white: float
    frame: Frame
    objects: Objects
    instances: NDArray[np.int32]
    resampled_pixel_um: float | None = None

    @property
    def pixel_size_um(self) -> float:
        """Of image and labels."""
        return self.resampled_pixel_um or self.scene.grid.pixel_size_um

    @property
    def stem(self) -> str:
        """Name of its files, without an ending."""
        return f"{self.index:07d}" if self.view == 0 else f"{self.index:07d}-{self.view}"

    @property
    def shape(self) -> tuple[int, int]:
        """(Y, X) in pixels."""
        return self.instances.shape[0], self.instances.shape[1]

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The image in 8 bits, (Y, X) or (Y, X, 3): ``white`` is 255."""
        if self.image.dtype == np.uint8 and self.white == 255:
            return self.image.astype(np.uint8)
        scaled = self.image.astype(np.float64) * (255.0 / self.white)
        result: NDArray[np.uint8] = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
        return result

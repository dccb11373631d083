"""Checks of what a fit is given, each with one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting.errors import FitError
from osog.fitting.problem.weights import acting_camera
from osog.io.arrays import holds_grey_levels, pixels_of
from osog.io.errors import MicrographError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.scene import Scene

    Array = NDArray[np.float64]

_LEAST = 4


@dataclass(frozen=True)
class CheckedImage:
    """An image that can be compared with a scene.

    Attributes
    ----------
    values : ndarray, shape (Y, X), float64
        Finite; 0 where a pixel that does not count was not.
    counted : ndarray of bool, shape (Y, X)
        False where the mask or a masked array leaves a pixel out.
    grey_levels : bool
        Whether the numbers are grey levels of a picture, whose scale a phase does not know.
    """

    values: Array
    counted: NDArray[np.bool_]
    grey_levels: bool


def checked_image(image: Any, scene: Scene, mask: Any = None) -> CheckedImage:
    """Turn an image into float64 and refuse what cannot be fitted.

    Parameters
    ----------
    image : array_like, shape (Y, X)
        In any form that `osog.io.arrays.pixels_of` takes; what a masked array hides is left out.
    scene : Scene
    mask : array_like of bool, optional
        Where it is False, the image may hold anything.

    Raises
    ------
    FitError
        For images that are not 2-D, tiny, of another shape than the scene's frame, or not finite,
        for scenes of several pictures or colours, and where no pixel is left.
    """
    _one_grey_picture(scene)
    try:
        pixels = pixels_of(image)
    except MicrographError as error:
        raise FitError(str(error)) from None
    array = pixels.values
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        raise FitError(
            f"image has shape {array.shape}, a colour image; pass one channel, such as "
            "image[..., 1], since a fit takes (Y, X)."
        )
    if array.ndim != 2:
        raise FitError(f"image has {array.ndim} dimensions, shape {array.shape}; it must have "
                       "two, (Y, X).")  # fmt: skip
    if min(array.shape) < _LEAST:
        raise FitError(
            f"image is {array.shape[0]} × {array.shape[1]} pixels; a fit needs at least "
            f"{_LEAST} × {_LEAST}."
        )
    if array.shape != scene.grid.shape:
        raise FitError(
            f"image has shape {array.shape}, but scene.grid.shape is {scene.grid.shape}; "
            "they must be equal."
        )
    data = array.astype(np.float64)
    counted = np.ones(data.shape, bool) if pixels.counted is None else pixels.counted
    if mask is not None:
        counted = counted & checked_mask(mask, data.shape)
    if not counted.any():
        raise FitError("the masks of image and mask leave no pixel that counts.")
    bad = ~np.isfinite(data) & counted
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise FitError(
            f"image holds {int(bad.sum())} values that are not finite, the first at row {row}, "
            f"column {column}; leave such pixels out with mask."
        )
    grey_levels = holds_grey_levels(array if pixels.counted is None else array[counted])
    return CheckedImage(np.where(np.isfinite(data), data, 0.0), counted, grey_levels)


def _one_grey_picture(scene: Scene) -> None:
    optics = scene.microscope
    if scene.series.frames > 1:
        raise FitError(
            f"series.frames = {scene.series.frames}: a fit compares one picture; set it to 1."
        )
    if isinstance(optics.focus_um, tuple):
        raise FitError(
            f"microscope.focus_um lists {len(optics.focus_um)} planes: a fit compares one picture; "
            "give the height of one plane."
        )
    camera = acting_camera(scene)
    if camera is not None and camera.channels > 1:
        raise FitError(
            f"camera.colour = {camera.colour}: a fit compares one grey picture; set it to "
            "monochrome and pass one channel."
        )


def checked_mask(mask: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Turn a mask (True where a pixel counts) into booleans and check its shape.

    Raises
    ------
    FitError
        If the shape is not the image's, or no pixel is left.
    """
    try:
        pixels = pixels_of(mask)
    except MicrographError as error:
        raise FitError(str(error).replace("image", "mask", 1)) from None
    array = pixels.values
    if array.shape != tuple(shape):
        raise FitError(f"mask has shape {array.shape}; it must be the image's, {tuple(shape)}.")
    if not np.isfinite(array).all():
        raise FitError("mask holds numbers that are not finite; it must be True or False.")
    flags: NDArray[np.bool_] = array.astype(bool)
    if pixels.counted is not None:
        flags = flags & pixels.counted
    if not flags.any():
        raise FitError("mask leaves no pixel; it must be True where a pixel counts.")
    return flags

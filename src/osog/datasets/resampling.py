"""Frames at another pixel size, or a part of them, with their labels."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from osog.datasets.errors import DatasetError
from osog.datasets.labelling import boxes_in_frame, keypoints_of, state_of
from osog.datasets.objects import Mask, Objects
from osog.datasets.polygons import cut

if TYPE_CHECKING:
    from osog.datasets.labelled_frame import LabelledFrame
    from osog.datasets.settings import LabelSettings

Array = NDArray[np.float64]
_MOST = 8.0
"""Largest factor by which pixels may be made smaller: nothing is behind them."""


def resampled(frame: LabelledFrame, settings: LabelSettings) -> LabelledFrame:
    """Bring a frame to ``settings.pixel_size_um`` and cut ``settings.crop`` from its middle.

    Parameters
    ----------
    frame : LabelledFrame
    settings : LabelSettings

    Returns
    -------
    LabelledFrame
        Larger pixels hold the mean of the light on the smaller ones, weighted by area, as those of
        a coarser sensor would; the camera's noise falls with it. Smaller pixels are interpolated
        with cubic splines and show nothing new. Boxes, outlines, masks, key points and the true
        places follow; shares in the frame are those of the new frame, objects with too little of
        them are left out, and rules are asked again. Masks keep the pixels that are covered by half
        and more. ``frame.scene`` and ``frame.frame`` are still those of the whole render.

    Raises
    ------
    DatasetError
        If the crop is larger than the frame, or pixels become more than eight times smaller.
    """
    pixel = frame.scene.grid.pixel_size_um
    target = settings.pixel_size_um or pixel
    factor = target / pixel
    if factor * _MOST < 1:
        raise DatasetError(
            f"pixel_size_um = {target:g} is more than {_MOST:g} times smaller than the frame's "
            f"{pixel:g}; render it finer."
        )
    rows, columns = (math.floor(n / factor + 1e-9) for n in frame.shape)
    height, width = settings.crop or (rows, columns)
    if height > rows or width > columns:
        raise DatasetError(
            f"crop = [{height}, {width}] is larger than the frame, which is {rows} by {columns} px "
            f"at {target:g} µm a pixel."
        )
    # Whole pixels of the old frame where nothing is resampled, so that nothing is blurred.
    top, left = ((n - m) // 2 * factor for n, m in ((rows, height), (columns, width)))
    part = _Part(factor, top, left, (height, width))
    image = part.image(frame.image)
    objects, instances = _objects(frame, part, settings)
    return replace(
        frame, image=image, objects=objects, instances=instances, resampled_pixel_um=target
    )


class _Part:
    """A part of a frame, in coarser or finer pixels."""

    def __init__(self, factor: float, top: float, left: float, shape: tuple[int, int]) -> None:
        self.factor, self.shape = factor, shape
        self.corner = np.array([left, top])
        right, bottom = left + shape[1] * factor, top + shape[0] * factor
        self.window = (left, top, right, bottom)

    def points(self, points: Array) -> Array:
        """Take points (…, 2) along."""
        result: Array = (points + 0.5 - self.corner) / self.factor - 0.5
        return result

    def image(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """Take a picture (Y, X) or (Y, X, 3) along, in its own type."""
        planes = [image] if image.ndim == 2 else [image[..., k] for k in range(image.shape[-1])]
        made = [self._plane(plane) for plane in planes]
        out = made[0] if image.ndim == 2 else np.stack(made, -1)
        if not np.issubdtype(image.dtype, np.floating):  # splines overshoot
            return np.clip(np.round(out), 0, 256**image.dtype.itemsize - 1).astype(image.dtype)
        return out.astype(image.dtype)

    def mask(self, pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Take a mask of the whole frame along."""
        return self._plane(pixels.astype(np.float32)) >= 0.5

    def labels(self, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """Take a label image along: the number under the middle of each pixel."""
        y, x = (
            np.clip(((np.arange(n) + 0.5) * self.factor + first).astype(int), 0, size - 1)
            for n, first, size in zip(self.shape, self.corner[::-1], numbers.shape, strict=True)
        )
        return numbers[np.ix_(y, x)]

    def _plane(self, plane: NDArray[np.generic]) -> NDArray[np.float32]:
        if self.factor == 1.0:
            left, top, right, bottom = (int(v) for v in self.window)
            return np.asarray(plane[top:bottom, left:right], dtype=np.float32)
        how = Image.Resampling.BOX if self.factor > 1 else Image.Resampling.BICUBIC
        picture = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
        return np.asarray(picture.resize(self.shape[::-1], how, box=self.window))


def _objects(
    frame: LabelledFrame, part: _Part, settings: LabelSettings
) -> tuple[Objects, NDArray[np.int32]]:
    """Objects of the part, and their label image."""
    before = frame.objects
    n = len(before)
    full = before.full_box.copy()
    full[:, :2] = part.points(full[:, :2])
    full[:, 2:4] /= part.factor
    boxes = boxes_in_frame(full, part.shape)
    # Shares are counted in the old, finer pixels.
    left, top, right, bottom = (round(v) for v in part.window)
    window = np.zeros(frame.shape, dtype=bool)
    window[top:bottom, left:right] = True
    whole = [mask.in_frame(frame.shape) for mask in before.masks]
    held = np.array([_share(mask & window, mask) for mask in whole])
    numbers = frame.instances
    seen_before = np.bincount(numbers.ravel(), minlength=n + 1)[1:]
    seen = np.bincount(numbers[window].ravel(), minlength=n + 1)[1:]
    shown = seen / np.maximum(seen_before, 1)
    pixel = frame.scene.grid.pixel_size_um
    truth = dict(before.truth)
    for name, column in (("x_um", 0), ("y_um", 1)):
        places = truth[name] / pixel
        shifted = part.points(np.stack([places, places], -1))[:, column]
        truth[name] = shifted * pixel * part.factor
    made = replace(
        before,
        box=boxes,
        full_box=full,
        polygons=tuple(cut(part.points(p), part.shape) if len(p) else p for p in before.polygons),
        masks=tuple(_cropped(part.mask(mask)) for mask in whole),
        keypoints=keypoints_of(full),
        visible_fraction=before.visible_fraction * shown,
        share_in_frame=before.share_in_frame * held,
        truth=truth,
    )
    share = made.share_in_frame
    kept = np.flatnonzero((share >= settings.least_share_in_frame) & (share > 0))
    kept = np.array([k for k in kept if boxes[k, 2] > 0], dtype=np.int64)
    made = made.taken(kept)
    states = tuple(state_of(made, k, settings) for k in range(len(made)))
    table = np.zeros(n + 1, dtype=np.int32)
    table[kept + 1] = np.arange(1, len(kept) + 1)
    return replace(made, state=states), table[part.labels(numbers)]


def _share(some: NDArray[np.bool_], all_: NDArray[np.bool_]) -> float:
    return float(some.sum()) / max(float(all_.sum()), 1.0)


def _cropped(mask: NDArray[np.bool_]) -> Mask:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return Mask(row=0, column=0, pixels=np.zeros((0, 0), dtype=bool))
    top, left = int(rows[0]), int(columns[0])
    return Mask(row=top, column=left, pixels=mask[top : rows[-1] + 1, left : columns[-1] + 1])

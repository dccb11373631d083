"""Boxes as wide as an annotator draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from osog.datasets.errors import DatasetError
from osog.datasets.frames import FrameSource
from osog.datasets.settings import LabelSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.scene import Scene

Array = NDArray[np.float64]
SHARES = (0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 0.85)
"""Values of ``peak_share`` that are tried."""
_LEAST_BOXES = 3
_REACH = 1.5
"""Half of the profile across a box, in heights of the box."""
_STEPS = 121


def relative_widths(image: NDArray[np.generic], boxes: Array) -> Array:
    """Heights of boxes over the width of what is in them, as the image shows it.

    Parameters
    ----------
    image : ndarray, shape (Y, X) or (Y, X, 3)
    boxes : ndarray, shape (n, 5)
        Centre x, y, width ≥ height, px, and angle of the width, rad. Those that reach out of the
        image by their middle parts are left out.

    Returns
    -------
    ndarray, shape (m,)
        The width is that over which the profile across the box, averaged over the middle 60 % of
        its length and less a straight line through its ends, is beyond half of its peak. It is a
        measure to compare boxes with boxes, by eye or by rule, in pictures of the same kind: other
        objects beside a box add to its scatter, so medians over some boxes are what counts.
    """
    grey = np.asarray(image, dtype=np.float64)
    grey = grey.mean(-1) if grey.ndim == 3 else grey
    out = []
    for x, y, width, height, angle in np.asarray(boxes, dtype=np.float64).reshape(-1, 5):
        along = np.linspace(-0.3, 0.3, max(3, int(0.6 * width))) * width
        across = np.linspace(-_REACH, _REACH, _STEPS) * height
        a, c = np.meshgrid(along, across, indexing="ij")
        columns = x + a * np.cos(angle) - c * np.sin(angle)
        rows = y + a * np.sin(angle) + c * np.cos(angle)
        inside = (
            (rows >= 0) & (rows <= grey.shape[0] - 1)
            & (columns >= 0) & (columns <= grey.shape[1] - 1)
        )  # fmt: skip
        if not inside.all() or height <= 0:
            continue
        profile = map_coordinates(grey, [rows, columns], order=1).mean(0)
        line = np.linspace(profile[:8].mean(), profile[-8:].mean(), _STEPS)
        size = np.abs(profile - line)
        near = np.abs(across) <= 0.75 * height
        beyond = np.flatnonzero(near & (size >= 0.5 * size[near].max()))
        seen = across[beyond[-1]] - across[beyond[0]] + across[1] - across[0]
        out.append(height / seen)
    return np.array(out)


def tuned(
    scene: Scene,
    images: Sequence[NDArray[np.generic]],
    boxes: Sequence[Array],
    settings: LabelSettings | None = None,
    *,
    seed: int = 0,
    frames: int = 3,
    accuracy: str | None = "draft",
) -> LabelSettings:
    """Choose ``peak_share`` so that boxes are as wide as those that an annotator drew.

    Parameters
    ----------
    scene : Scene
        Of the dataset, like the images in kind: its lines should be as blurred as theirs.
    images : sequence of ndarray, each (Y, X) or (Y, X, 3)
    boxes : sequence of ndarray, each (n, 5)
        A handful of drawn boxes in each image, as for `relative_widths`.
    settings : LabelSettings, optional
        Everything else.
    seed, frames : int
        Frames of the dataset that are boxed by every share that is tried.
    accuracy : str, optional

    Returns
    -------
    LabelSettings
        With ``box`` "visible" and the share whose median `relative_widths` is that of the drawn
        boxes, between the values of `SHARES` by straight lines. Only widths are looked at; lengths
        follow the same share.

    Raises
    ------
    DatasetError
        If fewer than three drawn boxes, or no boxes of the frames, can be measured.
    """
    theirs = np.concatenate(
        [relative_widths(i, b) for i, b in zip(images, boxes, strict=True)] or [np.zeros(0)]
    )
    if len(theirs) < _LEAST_BOXES:
        raise DatasetError(
            f"{len(theirs)} drawn boxes can be measured; {_LEAST_BOXES} or more are needed, whole "
            "and away from the border."
        )
    wanted = float(np.median(theirs))
    base = settings or LabelSettings()
    found = []
    for share in SHARES:
        tried = base.model_copy(update={"box": "visible", "peak_share": share})
        source = FrameSource(scene, seed, labels=tried, accuracy=accuracy, device="cpu")
        mine = []
        for index in range(frames):
            frame = source[index]
            whole = frame.objects.in_state("counted")
            mine.append(relative_widths(frame.image, whole.full_box))
        each = np.concatenate(mine)
        if not len(each):
            raise DatasetError("the frames of the scene have no whole object that counts.")
        found.append(float(np.median(each)))
    # Wider boxes go with smaller shares; where noise says otherwise the order is restored.
    widths = np.minimum.accumulate(found)
    share = float(np.interp(wanted, widths[::-1], SHARES[::-1]))
    return base.model_copy(update={"box": "visible", "peak_share": round(share, 3)})

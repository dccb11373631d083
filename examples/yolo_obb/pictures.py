"""Pictures and labels for the detector: grey levels made alike, windows cut at random, tiles read.

Needs what osog itself needs, and nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tifffile
from boxes import area, boxes_of, clipped, corners_of
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

if TYPE_CHECKING:
    from pathlib import Path

Array = NDArray[np.float64]
EMPTY = 127
"""Grey level of the empty field, once normalised."""
LEAST_INSIDE = 0.25
"""Share of a box that a window must hold, or the object has no label there."""


def normalised(picture: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey picture (Y, X) that no longer knows its camera's levels.

    The median becomes `EMPTY`, and 99 % of the pixels lie within 100 levels of it. Polarity stays:
    dark is dark. A field that is covered by more than half becomes another grey.
    """
    grey = np.asarray(picture, dtype=np.float64)
    grey = grey.mean(-1) if grey.ndim == 3 else grey
    middle = np.median(grey)
    reach = max(float(np.percentile(np.abs(grey - middle), 99)), 1e-9)
    return np.clip(np.round(EMPTY + 100 * (grey - middle) / reach), 0, 255).astype(np.uint8)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture of any depth, normalised."""
    if path.suffix.lower() in (".tif", ".tiff"):
        pixels = tifffile.imread(path)
    else:
        with Image.open(path) as opened:
            pixels = np.asarray(opened)
    return normalised(pixels[..., :3] if pixels.ndim == 3 else pixels)


def read_labels(path: Path, shape: tuple[int, ...]) -> Array:
    """Read drawn boxes (n, 5) of a picture.

    Parameters
    ----------
    path : Path
        ``.txt``: lines of YOLO-OBB. ``.tif``: a label image (Y, X), or a stack (n, Y, X) with one
        mask on each page; each becomes the least rectangle around its pixels.
    shape : tuple of int
        (Y, X) of the picture.
    """
    if path.suffix.lower() == ".txt":
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line]
        rows = np.array([[float(word) for word in line[1:9]] for line in lines]).reshape(-1, 4, 2)
        return boxes_of(rows * [shape[1], shape[0]] - 0.5)
    labels = tifffile.imread(path)
    if labels.ndim == 2:
        masks = [labels == k for k in np.unique(labels[labels > 0])]
    else:
        masks = [page > 0 for page in labels]
    return np.array([least_rectangle(mask) for mask in masks if mask.any()]).reshape(-1, 5)


def least_rectangle(mask: NDArray[np.bool_]) -> Array:
    """Box of the least area around the pixels of a mask, to half a degree."""
    y, x = np.nonzero(mask)
    half = np.array([[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]])
    points = (np.stack([x, y], 1)[:, None] + half).reshape(-1, 2)
    angles = np.radians(np.arange(0, 90, 0.5))
    along = points @ np.stack([np.cos(angles), np.sin(angles)])
    across = points @ np.stack([-np.sin(angles), np.cos(angles)])
    k = int(np.argmin(np.ptp(along, axis=0) * np.ptp(across, axis=0)))
    a, c = along[:, k], across[:, k]
    return boxes_of(corners_of(_around(a, c, angles[k])))[0]


def window(
    picture: NDArray[np.uint8],
    boxes: Array,
    side: int,
    rng: np.random.Generator,
    scales: tuple[float, float] = (0.4, 1.5),
) -> tuple[NDArray[np.uint8], Array]:
    """Cut a window of another scale, place, turn and contrast.

    Parameters
    ----------
    picture : ndarray (Y, X)
        Normalised.
    boxes : ndarray (n, 5)
    side : int
        Of the window, pixels.
    rng : numpy Generator
    scales : (float, float)
        Range of the magnification. It matters more than anything else: objects of a length between
        a tenth of the window and all of it are what the detector will know.

    Returns
    -------
    picture : ndarray (side, side)
    boxes : ndarray (m, 5)
        Cut at the window; those that are in it by less than `LEAST_INSIDE` are left out.
    """
    scale = float(np.exp(rng.uniform(*np.log(scales))))
    span = side / scale
    low = [rng.uniform(min(0.0, n - span), max(0.0, n - span)) for n in picture.shape]
    first = [int(np.floor(value)) for value in low]
    need = [int(np.ceil(value + span)) + 1 for value in low]
    before = [max(0, -value) for value in first]
    after = [max(0, last - n) for last, n in zip(need, picture.shape, strict=True)]
    rows = slice(max(0, first[0]), min(picture.shape[0], need[0]))
    columns = slice(max(0, first[1]), min(picture.shape[1], need[1]))
    cut = np.pad(
        picture[rows, columns], list(zip(before, after, strict=True)), constant_values=EMPTY
    )
    # Pillow takes the window between pixels, and averages where it shrinks.
    at = (low[1] - first[1], low[0] - first[0])
    image = np.asarray(
        Image.fromarray(cut).resize(
            (side, side), Image.Resampling.BILINEAR, box=(*at, at[0] + span, at[1] + span)
        )
    )
    corners = (corners_of(boxes) + 0.5 - [low[1], low[0]]) * scale - 0.5
    image, corners = _turned(image, corners, int(rng.integers(8)))
    grey = EMPTY + (image.astype(np.float64) - EMPTY) * np.exp(rng.uniform(-0.9, 0.35))
    grey += rng.uniform(-25, 25)
    if rng.random() < 0.3:
        grey = gaussian_filter(grey, rng.uniform(0.3, 1.0))
    grey += rng.normal(0, rng.uniform(0, 6), grey.shape)
    return np.clip(grey, 0, 255).astype(np.uint8), _held(boxes_of(corners), side)


def resized(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Change the pixel size of a whole picture."""
    if scale == 1.0:
        return picture
    grey = picture.astype(np.float64)
    if scale < 1:
        grey = gaussian_filter(grey, 0.4 / scale)
    out: NDArray[np.uint8] = np.clip(zoom(grey, scale, order=1), 0, 255).astype(np.uint8)
    return out


def _around(along: Array, across: Array, angle: float) -> Array:
    """Box (5,) around points whose coordinates along and across a direction are given."""
    u, v = (along.max() + along.min()) / 2, (across.max() + across.min()) / 2
    cosine, sine = np.cos(angle), np.sin(angle)
    place = [u * cosine - v * sine, u * sine + v * cosine]
    return np.array([*place, np.ptp(along), np.ptp(across), angle])


def _turned(
    image: NDArray[np.uint8], corners: Array, number: int
) -> tuple[NDArray[np.uint8], Array]:
    """Turn by quarters, and mirror from the fourth on."""
    side = image.shape[0]
    if number >= 4:
        image, corners = image[:, ::-1], np.stack([side - 1 - corners[..., 0], corners[..., 1]], -1)
    for _ in range(number % 4):
        image = np.rot90(image)
        corners = np.stack([corners[..., 1], side - 1 - corners[..., 0]], -1)
    return image, corners


def _held(boxes: Array, side: int) -> Array:
    """Cut boxes at a window; along their own directions, so that a cut needle keeps its angle."""
    frame = np.array([[0, 0], [side, 0], [side, side], [0, side]]) - 0.5
    kept = []
    for box, corners in zip(boxes, corners_of(boxes), strict=True):
        if (corners >= -0.5).all() and (corners <= side - 0.5).all():
            kept.append(box)
            continue
        inside = clipped(corners, frame)
        if len(inside) < 3 or area(inside) < LEAST_INSIDE * box[2] * box[3]:
            continue
        cosine, sine = np.cos(box[4]), np.sin(box[4])
        a, c = inside @ [cosine, sine], inside @ [-sine, cosine]
        kept.append(_around(a, c, box[4]))
    return boxes_of(corners_of(np.array(kept).reshape(-1, 5)))

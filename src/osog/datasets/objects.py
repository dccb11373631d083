"""What a labelled frame says of every object in it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

STATES = ("counted", "difficult", "ignored", "none")
"""What a detector should make of an object: find it; find it, at no loss if it does not; be judged
neither way; take it for background."""


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Silhouette of an object inside the frame, whole even where others cover it.

    Attributes
    ----------
    row, column : int
        Of its first pixel in the frame.
    pixels : ndarray of bool, shape (h, w)
        May be of no size, for an object outside.
    """

    row: int
    column: int
    pixels: NDArray[np.bool_]

    def in_frame(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return the mask on the whole frame (Y, X)."""
        out = np.zeros(shape, dtype=bool)
        height, width = self.pixels.shape
        out[self.row : self.row + height, self.column : self.column + width] = self.pixels
        return out


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The labelled objects of one frame, in the order of their particles.

    Lengths are in pixels where no unit stands; the centre of the first pixel is (0, 0), so that the
    frame reaches from −½ to X − ½. Formats that count from the corner of the first pixel add ½.

    Attributes
    ----------
    particles : tuple of tuples of int
        Numbers of the particles that make up each object; several for a merged group.
    class_id : ndarray of int, shape (n,)
        Place in ``class_names``.
    class_names : tuple of str
    group : ndarray of int, shape (n,)
        Objects that grew together share a number; −1 alone.
    state : tuple of str
        One of `STATES` each.
    box : ndarray, shape (n, 5)
        Oriented box by the chosen convention, cut at the frame: centre x, y, width ≥ height, angle
        of the width from +x towards +y in [−π/2, π/2).
    full_box : ndarray, shape (n, 5)
        The same before the cut.
    polygons : tuple of ndarray, each (k, 2)
        Outline (x, y) inside the frame, in order; empty where nothing of it is.
    masks : tuple of Mask
    keypoints : ndarray, shape (n, 3, 2)
        (x, y) of both tips of the long axis and of the centre, of the whole silhouette; they may
        lie outside the frame.
    visible_fraction : ndarray, shape (n,)
        Share of the silhouette that is neither covered by others nor outside the frame.
    share_in_frame : ndarray, shape (n,)
        Share of the silhouette that is inside the frame.
    defocus_um : ndarray, shape (n,)
        Height above the plane in focus.
    defocus_depths : ndarray, shape (n,)
        Its size in depths of field λ n / NA².
    contrast, signal_to_noise : ndarray, shape (n,)
        Of the object's own contribution to the image; NaN where it was not asked for.
    truth : mapping of str to ndarray, each (n,)
        True numbers by name, with their unit: position, angles, size, index, …; of the first
        particle of a merged group.
    """

    particles: tuple[tuple[int, ...], ...]
    class_id: Whole
    class_names: tuple[str, ...]
    group: Whole
    state: tuple[str, ...]
    box: Array
    full_box: Array
    polygons: tuple[Array, ...]
    masks: tuple[Mask, ...]
    keypoints: Array
    visible_fraction: Array
    share_in_frame: Array
    defocus_um: Array
    defocus_depths: Array
    contrast: Array
    signal_to_noise: Array
    truth: Mapping[str, Array]

    def __len__(self) -> int:
        """Count the objects."""
        return len(self.particles)

    @property
    def corners(self) -> Array:
        """Corners (n, 4, 2) of the boxes as (x, y), clockwise as seen with y downwards."""
        return corners_of(self.box)

    @property
    def upright_box(self) -> Array:
        """Axis-aligned boxes (n, 4) of the polygons: lowest x, lowest y, highest x, highest y."""
        out = np.zeros((len(self), 4))
        for k, polygon in enumerate(self.polygons):
            if len(polygon):
                out[k] = [*polygon.min(0), *polygon.max(0)]
        return out

    def taken(self, numbers: Whole) -> Objects:
        """Return some of the objects."""
        found = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "class_names":
                found[field.name] = value
            elif field.name == "truth":
                found[field.name] = {name: column[numbers] for name, column in value.items()}
            elif isinstance(value, tuple):
                found[field.name] = tuple(value[k] for k in numbers)
            else:
                found[field.name] = value[numbers]
        return Objects(**found)

    def in_state(self, *states: str) -> Objects:
        """Return the objects that are in one of some states."""
        chosen = [k for k, state in enumerate(self.state) if state in states]
        return self.taken(np.array(chosen, dtype=np.int64))

    def columns(self) -> dict[str, Array | Whole | list[str]]:
        """Return a table with one row for each object, for files and data frames."""
        names = ("x_px", "y_px", "width_px", "height_px", "angle_rad")
        return {
            "class": [self.class_names[k] for k in self.class_id],
            "state": list(self.state),
            "group": self.group,
            **{name: self.box[:, k] for k, name in enumerate(names)},
            "visible_fraction": self.visible_fraction,
            "share_in_frame": self.share_in_frame,
            "defocus_um": self.defocus_um,
            "defocus_depths": self.defocus_depths,
            "contrast": self.contrast,
            "signal_to_noise": self.signal_to_noise,
            **self.truth,
        }


def corners_of(box: Array) -> Array:
    """Corners (n, 4, 2) of oriented boxes (n, 5), clockwise as seen with y downwards."""
    centre, width, height, angle = box[:, None, :2], box[:, 2], box[:, 3], box[:, 4]
    along = np.stack([np.cos(angle), np.sin(angle)], -1) * width[:, None] / 2
    across = np.stack([-np.sin(angle), np.cos(angle)], -1) * height[:, None] / 2
    steps = [-along - across, along - across, along + across, -along + across]
    result: Array = centre + np.stack(steps, 1)
    return result

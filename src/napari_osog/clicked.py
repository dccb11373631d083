"""The particle that was clicked in a micrograph: its middle, its size, the region around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.scene import Particle, Scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_PX, _MOST_PX = 24, 160
"""Half sides of the square in which a particle is looked at."""
_NEAR_PX = 8
_CLEAR = 4.0
"""Times the usual deviation that a particle must stand out."""
_EDGE = 0.35
"""Share of its largest deviation at which a particle ends."""
_ROOM, _RINGS, _MARGIN_PX = 1.8, 5.0, 12
"""Half side of a region: radii around a particle in focus, around one with rings, and pixels."""


@dataclass(frozen=True)
class Clicked:
    """What was clicked.

    Attributes
    ----------
    row, column : float
        Its middle, in pixels.
    radius_px : float
        Radius of the disc of its area.
    """

    row: float
    column: float
    radius_px: float


def clicked_at(image: NDArray[np.float64], row: float, column: float) -> Clicked | None:
    """Find what stands out of its surroundings where a micrograph was clicked.

    The patch of pixels that deviate from the median by more than a share of the largest deviation
    near the click, holes filled. A start for a fit and no measurement: rings count as the
    particle, and particles that touch count as one.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    row, column : float
        In pixels.

    Returns
    -------
    Clicked or None
        None where nothing stands out, or what does is cut by the frame or fills it.
    """
    half = int(np.clip(min(image.shape) // 4, _LEAST_PX, _MOST_PX))
    found = _stands_out(image, row, column, half)
    if found is not None or half >= max(image.shape):
        return found
    # It may be larger than that: it is looked at in the whole frame, in pixels as large.
    k = -(-max(image.shape) // (2 * _MOST_PX))
    rows, columns = (n // k for n in image.shape)
    whole = image[: rows * k, : columns * k].reshape(rows, k, columns, k).mean(axis=(1, 3))
    shift = 0.5 * (k - 1)
    found = _stands_out(whole, (row - shift) / k, (column - shift) / k, max(whole.shape))
    if found is None or k * found.radius_px < 0.5 * half:  # the smaller look would have seen it
        return None
    return Clicked(k * found.row + shift, k * found.column + shift, k * found.radius_px)


def _stands_out(image: NDArray[np.float64], row: float, column: float, half: int) -> Clicked | None:
    from scipy import ndimage

    r, c = round(row), round(column)
    y0, x0 = max(r - half, 0), max(c - half, 0)
    crop = image[y0 : r + half + 1, x0 : c + half + 1]
    middle = np.nanmedian(crop)
    away = ndimage.gaussian_filter(np.abs(np.nan_to_num(crop, nan=middle) - middle), 1.0)
    usual = float(np.median(away))
    own = away[max(r - y0 - _NEAR_PX, 0) : r - y0 + _NEAR_PX + 1,
               max(c - x0 - _NEAR_PX, 0) : c - x0 + _NEAR_PX + 1]  # fmt: skip
    peak = float(own.max()) if own.size else 0.0
    if peak <= max(_CLEAR * usual, 1e-300):
        return None
    labels, _ = ndimage.label(ndimage.binary_fill_holes(away > _EDGE * peak))
    where = np.argwhere(labels > 0)
    nearest = where[np.argmin(((where - (row - y0, column - x0)) ** 2).sum(axis=1))]
    patch = labels == labels[tuple(nearest)]
    rows, columns = np.nonzero(patch)
    height, width = crop.shape
    touches = rows.min() == 0 or columns.min() == 0
    touches |= rows.max() == height - 1 or columns.max() == width - 1
    if touches or np.hypot(*(nearest - (row - y0, column - x0))) > _NEAR_PX:
        return None
    return Clicked(
        float(rows.mean() + y0), float(columns.mean() + x0), float(np.sqrt(patch.sum() / np.pi))
    )


def region_around(found: Clicked, scene: Scene) -> tuple[float, float, float, float]:
    """Square around a particle, cut at the frame.

    Parameters
    ----------
    found : Clicked
    scene : Scene
        Tells whether rings are to be expected around it.

    Returns
    -------
    (y0, y1, x0, x1)
        In pixels.
    """
    modality = scene.microscope.modality
    rings = modality.contrast_by_defocus and scene.microscope.condenser_numerical_aperture == 0
    half = (_RINGS if rings else _ROOM) * found.radius_px + _MARGIN_PX
    rows, columns = scene.grid.shape
    return (
        max(found.row - half, 0.0),
        min(found.row + half, rows - 1.0),
        max(found.column - half, 0.0),
        min(found.column + half, columns - 1.0),
    )


def with_one_particle(scene: Scene, population: int, found: Clicked) -> Scene:
    """Scene whose only particle is one of a population, listed where it was clicked.

    A sphere takes the size that was seen; other bodies keep theirs.

    Parameters
    ----------
    scene : Scene
    population : int
        Its position in the scene.
    found : Clicked

    Raises
    ------
    SceneError
        If the size that was seen is none that its shape can have.
    """
    pixel, own = scene.grid.pixel_size_um, scene.populations[population]
    depth = own.placement.z_um
    listed = (own.particles or (Particle(z_um=getattr(depth, "centre", depth)),))[0]
    particle = Particle(
        x_um=found.column * pixel, y_um=found.row * pixel, z_um=listed.z_um,
        orientation_deg=listed.orientation_deg,
    )  # fmt: skip
    shape = own.shape
    if shape.size_fields() == ("radius_um",):
        shape = shape.model_copy(update={"radius_um": found.radius_px * pixel})
    alone = {"particles": (particle,), "count": None, "density_per_mm2": None, "cover": None,
             "aggregate": None, "shape": shape}  # fmt: skip
    populations = tuple(
        p.model_copy(update=alone if k == population else {"visible": False})
        for k, p in enumerate(scene.populations)
    )
    changed = scene.model_copy(update={"populations": populations})
    return Scene.parse(changed.model_dump())


__all__ = ["Clicked", "clicked_at", "region_around", "with_one_particle"]

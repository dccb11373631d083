"""What a fit takes from layers: a region, starting points, the scale of the greys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.plane_geometry import TargetError
from osog.io.arrays import holds_grey_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 8
"""Rows and columns that a region must have."""


def pixels_of(layer: Any, points: NDArray[np.float64], target: Any) -> NDArray[np.float64]:
    """Rows and columns in a micrograph of points of another layer, through the viewer's world.

    Parameters
    ----------
    layer : napari layer
        In whose data coordinates the points are.
    points : ndarray, shape (K, D)
    target : napari Image layer

    Returns
    -------
    ndarray, shape (K, 2)
    """
    out = np.empty((len(points), 2))
    for k, point in enumerate(np.asarray(points, dtype=np.float64)):
        world = np.atleast_1d(layer.data_to_world(point))
        full = np.zeros(max(target.ndim, 2))
        take = min(len(full), len(world))
        full[-take:] = world[-take:]
        out[k] = np.atleast_1d(target.world_to_data(full))[-2:]
    return out


def region_of(shapes: Any, target: Any, frame: tuple[int, int]) -> tuple[int, int, int, int]:
    """Bounding box of the selected or last shape of a layer, in pixels of the micrograph.

    Parameters
    ----------
    shapes : napari Shapes layer
    target : napari Image layer
    frame : (int, int)
        Rows and columns of the micrograph.

    Returns
    -------
    (y0, y1, x0, x1)
        Rows y0 … y1 − 1 and columns x0 … x1 − 1.

    Raises
    ------
    TargetError
        If the layer holds no shape, or its shape covers too little of the micrograph.
    """
    count = len(shapes.data)
    if count == 0:
        raise TargetError(
            f"'{shapes.name}' holds no shape; draw a rectangle in it, or fit the whole image."
        )
    chosen = max(shapes.selected_data, default=count - 1)
    corners = pixels_of(shapes, shapes.data[min(chosen, count - 1)], target)
    low = np.round(corners.min(axis=0)).astype(int)
    high = np.round(corners.max(axis=0)).astype(int) + 1
    y0, x0 = (int(v) for v in np.clip(low, 0, frame))
    y1, x1 = (int(v) for v in np.clip(high, 0, frame))
    if y1 - y0 < _LEAST or x1 - x0 < _LEAST:
        raise TargetError(
            f"The region of '{shapes.name}' covers {max(y1 - y0, 0)} × {max(x1 - x0, 0)} pixels "
            f"of the micrograph; at least {_LEAST} × {_LEAST} are needed."
        )
    return y0, y1, x0, x1


def starts_of(points: Any, target: Any, frame: tuple[int, int]) -> list[tuple[float, float]]:
    """Rows and columns of a Points layer that lie in the micrograph.

    Raises
    ------
    TargetError
        If none does.
    """
    if len(points.data) == 0:
        raise TargetError(f"'{points.name}' holds no point; click on the particles first.")
    where = pixels_of(points, points.data, target)
    inside = ((where >= -0.5) & (where <= np.array(frame) - 0.5)).all(axis=1)
    if not inside.any():
        raise TargetError(f"No point of '{points.name}' lies in the micrograph.")
    return [(float(r), float(c)) for r, c in where[inside]]


def scale_is_known(layer: Any, image: NDArray[np.float64]) -> bool:
    """Whether the grey levels of a phase image are radians.

    The layer's metadata say so (``metadata["osog"]["grey_scale"] = "unknown"``); without a word
    there, whole numbers are taken for grey levels of a picture, and others for radians.

    Parameters
    ----------
    layer : napari Image layer
    image : ndarray, shape (Y, X)
        What it shows.
    """
    own = layer.metadata.get("osog") if isinstance(layer.metadata, dict) else None
    stated = own.get("grey_scale") if isinstance(own, dict) else None
    if stated is not None:
        return bool(stated != "unknown")
    return getattr(layer.dtype, "kind", "f") not in "biu" and not holds_grey_levels(image)


__all__ = ["pixels_of", "region_of", "scale_is_known", "starts_of"]

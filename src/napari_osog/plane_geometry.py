"""Where the plane of a micrograph's layer lies in the viewer's world, and how large its pixels are.

Scale, rotation, shear and affine of a layer act together, so everything here comes from where the
layer itself puts its pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.view import LayerTransform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_SQUARE = 1e-3
"""Relative difference of the sides, and cosine between them, up to which a pixel is square."""
TRANSFORM = ("scale", "rotate", "shear", "affine", "units")
"""Events of a layer after which its pixels have another size or place."""


class TargetError(ValueError):
    """A layer that cannot be compared with or fitted to; the message is one sentence."""


def plane_shape(layer: Any) -> tuple[int, int]:
    """Rows and columns of a layer, at full resolution."""
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    rows, columns = data.shape[-3:-1] if getattr(layer, "rgb", False) else data.shape[-2:]
    return int(rows), int(columns)


def transform_of(layer: Any) -> LayerTransform:
    """Copy where the plane of a layer lies: size of its pixels, position, rotation and units.

    A mirrored layer has a negative second scale.

    Raises
    ------
    TargetError
        If its pixels are not square, sheared, or its planes are tilted in the viewer's world.
    """
    matrix, corner = _matrix(layer)
    name, units = layer.name, _units(layer)
    factors = _factors(layer)
    if units[0] != units[1] and None not in factors:  # one unit for both axes
        ratio = factors[0] / factors[1]
        matrix, corner = matrix * [[ratio], [1.0]], corner * [ratio, 1.0]
        units = (units[1], units[1])
    tall, wide = (float(np.linalg.norm(side)) for side in matrix.T)
    if abs(tall - wide) > _SQUARE * wide:
        raise TargetError(
            f"'{name}' has pixels of {tall:.4g} × {wide:.4g}; only square pixels can be rendered."
        )
    cosine = float(matrix[:, 0] @ matrix[:, 1]) / (tall * wide)
    if abs(cosine) > _SQUARE:
        angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        raise TargetError(
            f"'{name}' is sheared, so that its rows and columns meet at {angle:.1f}°; only square "
            "pixels can be rendered. Take the shear out of its transform first."
        )
    size = 0.5 * (tall + wide)
    flipped = -1.0 if np.linalg.det(matrix) < 0 else 1.0
    turned = matrix / size * [1.0, flipped]
    return LayerTransform(
        shape=plane_shape(layer),
        scale=(size, flipped * size),
        translate=_pair(corner),
        rotate=(_pair(turned[0]), _pair(turned[1])),
        units=units,
    )


def world_scale(layer: Any) -> tuple[tuple[float, float], tuple[Any, Any]]:
    """Height and width of a pixel in the world and their units, for `osog.io.optics_of`.

    Returns
    -------
    (float, float), (unit, unit)
        In µm where both axes have a unit of length.
    """
    matrix, _ = _matrix(layer)
    factors = _factors(layer)
    if None not in factors:
        tall, wide = (float(np.linalg.norm(side)) for side in (matrix.T * factors))
        return (tall, wide), ("um", "um")
    tall, wide = (float(np.linalg.norm(side)) for side in matrix.T)
    return (tall, wide), _units(layer)


def _matrix(layer: Any) -> tuple[Array, Array]:
    """World coordinates of a step along rows and columns, as columns (2, 2), and of pixel (0, 0).

    Raises
    ------
    TargetError
        If the plane is tilted, or the planes of a stack are shifted against each other.
    """
    points = np.vstack([np.zeros(layer.ndim), np.eye(layer.ndim)])
    there = np.array([np.atleast_1d(layer.data_to_world(tuple(point))) for point in points])
    steps = (there[1:] - there[0]).T
    size = np.linalg.norm(steps[:, -2:], axis=0).max()
    if np.abs(steps[:-2, -2:]).max(initial=0.0) > 1e-6 * size:
        raise TargetError(
            f"The planes of '{layer.name}' are tilted in the viewer; a render lies flat. Take the "
            "tilt out of its affine or rotation first."
        )
    if np.abs(steps[-2:, :-2]).max(initial=0.0) > 1e-6 * size:
        raise TargetError(
            f"The planes of '{layer.name}' are shifted against each other by its affine or shear; "
            "choose a layer of one plane, or take the shift out first."
        )
    return steps[-2:, -2:], there[0, -2:]


def _units(layer: Any) -> tuple[str, str]:
    return str(layer.units[-2]), str(layer.units[-1])


def _factors(layer: Any) -> tuple[Any, Any]:
    """Micrometres in the units of rows and columns; None for what is no length."""
    rows, columns = layer.units[-2:]
    return length_um(rows), length_um(columns)


def length_um(unit: Any) -> float | None:
    """Micrometres in a unit of a layer; None for pixels, or any unit that is no length."""
    try:
        return float((1.0 * unit).to("micrometer").magnitude)
    except Exception:
        return None


def _pair(numbers: Any) -> tuple[float, float]:
    """Two numbers of an array."""
    return float(numbers[0]), float(numbers[1])


__all__ = [
    "TRANSFORM",
    "TargetError",
    "length_um",
    "plane_shape",
    "transform_of",
    "world_scale",
]

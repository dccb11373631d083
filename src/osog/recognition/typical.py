"""The bodies of a picture in two numbers: how wide they are, and how much they stand out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.recognition.bodies import stands_out
from osog.recognition.field import field_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLUR_PX = 1.0
_SHARE = 0.4
"""Of the strongest contrast, from which on a pixel belongs to a body."""
_NOISES = 1.2
"""Times the noise that a pixel of a body stands out; the blur leaves 28 % of white noise."""
_LEAST_AREA = 12
_LARGER = 0.25
"""Share of the area of the largest body from which another counts."""
_CORE = 0.6
"""Share of the depth of a body from which its inside is its core."""


@dataclass(frozen=True)
class TypicalBody:
    """What the larger bodies of a picture have in common (medians).

    Attributes
    ----------
    radius_px : float
        Of the circle of the same area, in pixels of the picture; rings around a body that are
        nearly as strong as itself count to it.
    contrast : float
        Mean of their cores, less the field around: relative to it, or, for values that lie below
        0 as well, as radians do, in the unit of the picture.
    strongest : float
        The strongest contrast in them, without its sign.
    """

    radius_px: float
    contrast: float
    strongest: float


def typical_body(image: Any) -> TypicalBody | None:
    """Measure the bodies of a picture.

    Parameters
    ----------
    image : array_like, shape (Y, X) or (Y, X, 3)

    Returns
    -------
    TypicalBody or None
        None where nothing stands out of the noise, or the picture is too small to tell.
    """
    from scipy.ndimage import (
        binary_closing,
        binary_fill_holes,
        distance_transform_edt,
        find_objects,
        gaussian_filter,
        label,
    )

    try:
        field = field_of(image)
    except ValueError:
        return None
    # A slow trend would take large bodies for field: what they stand on is one level.
    if field.negative or field.level <= 0:
        contrast, noise = field.grey - field.level, field.noise
    else:
        contrast, noise = field.contrast()
    if not stands_out(contrast, noise):
        return None
    smooth: NDArray[np.float64] = gaussian_filter(contrast, _BLUR_PX)
    strongest = float(np.quantile(np.abs(smooth), 0.998))
    mask = np.abs(smooth) > max(_NOISES * noise, _SHARE * strongest)
    mask = binary_fill_holes(binary_closing(mask, iterations=2))
    marks, number = label(mask)
    areas = np.bincount(marks.ravel(), minlength=number + 1)[1:]
    found = []
    for k, box in enumerate(find_objects(marks)):
        if areas[k] < max(_LEAST_AREA, _LARGER * areas.max()):
            continue
        own = marks[box] == k + 1
        depth = distance_transform_edt(np.pad(own, 1))[1:-1, 1:-1]
        inside = smooth[box]
        core = inside[depth >= _CORE * depth.max()]
        found.append((areas[k], core.mean(), np.abs(inside[own]).max()))
    if not found:
        return None
    area, core, most = (float(v) for v in np.median(found, axis=0))
    binned = np.shape(image)[0] / field.grey.shape[0]
    return TypicalBody(binned * (area / np.pi) ** 0.5, core, most)


__all__ = ["TypicalBody", "typical_body"]

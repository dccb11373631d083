"""Bodies that stand out from the field: how they are filled, and what lies about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_SHARE = 0.25
"""Of the strongest contrast, from which on a pixel belongs to a body."""
_MOST = 60
_ABOUT = ((0.0, 0.25), (0.25, 0.5), (0.5, 1.0), (1.0, 1.5))
"""Distances from a body, in its radii, where a halo is looked for."""


def stands_out(contrast: Array, noise: float) -> bool:
    """Whether a contrast (Y, X) shows more than noise of this standard deviation."""
    from scipy.ndimage import gaussian_filter

    # The blur leaves 28 % of white noise, of which one value in 200 exceeds 2.8 σ.
    smooth = np.abs(gaussian_filter(contrast, 1.0))
    return float(np.quantile(smooth, 0.995)) > 1.3 * noise


@dataclass(frozen=True)
class DarkBodies:
    """Bodies darker than the field.

    Attributes
    ----------
    filled : float
        Contrast of their insides over that of their rims: 0 for outlines, 1 and more for bodies
        that are dark throughout. 0 where there are none.
    halo : float
        Strongest mean contrast in a band about them, relative to the strongest of all; above 0
        where a bright rim surrounds them.
    net : float
        Sum of all contrast beyond noise over the sum of its magnitudes: 0 where light is only
        moved, below where it is lost.
    balance : float
        Contrast of the brightest over that of the darkest.
    """

    filled: float
    halo: float
    net: float
    balance: float


def dark_bodies(contrast: Array, noise: float) -> DarkBodies:
    """Measure bodies that are darker than their field.

    Parameters
    ----------
    contrast : ndarray, shape (Y, X)
    noise : float
        Its standard deviation.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    smooth = gaussian_filter(contrast, 1.0)
    strongest = max(float(np.quantile(np.abs(smooth), 0.995)), 1e-300)
    clear = np.abs(smooth) > 1.4 * noise
    sums = float(smooth[clear].sum()), float(np.abs(smooth[clear]).sum())
    dark, bright = -float(np.quantile(smooth, 0.005)), float(np.quantile(smooth, 0.995))
    net, balance = sums[0] / max(sums[1], 1e-300), max(bright, 0.0) / max(dark, 1e-300)
    mask = _whole(smooth < -max(1.2 * noise, _SHARE * strongest))
    inside = distance_transform_edt(mask)
    radii = _radii(mask, inside)
    if not len(radii):
        return DarkBodies(0.0, 0.0, net, balance)
    radius = float(np.median(radii))
    outside = distance_transform_edt(~mask)
    rim = float(smooth[(inside > 0) & (inside < 0.4 * radius + 0.6)].mean())
    core = smooth[inside > 0.6 * radius]
    bands = [smooth[(outside > low * radius) & (outside <= high * radius)] for low, high in _ABOUT]
    halo = max((float(band.mean()) for band in bands if band.size), default=0.0)
    filled = float(core.mean()) / min(rim, -1e-300) if core.size else 0.0
    return DarkBodies(filled, halo / strongest, net, balance)


@dataclass(frozen=True)
class BrightBodies:
    """Bodies brighter than a dark field.

    Attributes
    ----------
    count : int
    dip : float
        How far the middle of a body lies below its brightest line, as a share of it.
    flatness : float
        Contrast of the insides over that of the rims: 1 for bodies of one brightness.
    length : float
        Long axis over short one, median.
    """

    count: int
    dip: float
    flatness: float
    length: float


def bright_bodies(grey: Array, level: float) -> BrightBodies:
    """Measure bodies (medians over the largest) in a picture (Y, X) above its level."""
    from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter, label

    smooth = gaussian_filter(grey - level, 0.8)
    mask = _whole(smooth > _SHARE * max(float(np.quantile(smooth, 0.998)), 1e-300))
    inside = distance_transform_edt(mask)
    marks, number = label(mask)
    sizes = np.bincount(marks.ravel(), minlength=number + 1)[1:]
    if not number:
        return BrightBodies(0, 0.0, 0.0, 1.0)
    boxes = find_objects(marks)
    wanted = [k for k in np.argsort(-sizes)[:_MOST] if sizes[k] > 0.15 * np.quantile(sizes, 0.9)]
    found = []
    for k in wanted:
        own, depth, light = marks[boxes[k]] == k + 1, inside[boxes[k]], smooth[boxes[k]]
        radius = float(depth[own].max())
        if radius < 2.0:
            continue
        share = depth / radius
        steps = [light[own & (share > low) & (share <= low + 0.2)] for low in _DEPTHS]
        profile = [float(step.mean()) for step in steps if step.size]
        core, rim = light[own & (share > 0.7)], light[own & (share > 0.15) & (share <= 0.7)]
        rows, columns = np.nonzero(own)
        axes = np.linalg.eigvalsh(np.cov(np.stack([rows, columns])))
        found.append(
            (
                1.0 - profile[-1] / max(*profile, 1e-300),
                float(core.mean()) / max(float(rim.mean()) if rim.size else 0.0, 1e-300),
                float(np.sqrt(axes[1] / max(float(axes[0]), 0.1))),
            )
        )
    if not found:
        return BrightBodies(0, 0.0, 0.0, 1.0)
    dip, flatness, length = np.median(found, axis=0)
    return BrightBodies(len(found), float(dip), float(flatness), float(length))


_DEPTHS = (0.0, 0.2, 0.4, 0.6, 0.8)


def _whole(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_closing, binary_fill_holes

    found: NDArray[np.bool_] = binary_fill_holes(binary_closing(mask))
    return found


def _radii(mask: NDArray[np.bool_], inside: Array) -> Array:
    """Radius of the largest circle in each of the larger bodies."""
    from scipy.ndimage import label, maximum

    marks, number = label(mask)
    sizes = np.bincount(marks.ravel(), minlength=number + 1)[1:]
    if not number:
        return np.zeros(0)
    kept = np.flatnonzero(sizes > max(20.0, 0.1 * float(sizes.max()))) + 1
    return np.asarray(maximum(inside, marks, kept), dtype=np.float64)

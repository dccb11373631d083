"""A render and a micrograph in one picture: difference, checkerboard, wipe, profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating]


@dataclass(frozen=True)
class GreyMatch:
    """Grey levels of the micrograph as ``gain * render + offset``, by least squares.

    Attributes
    ----------
    gain, offset : float
    rms : float
        Root mean square of what is left, in grey levels of the micrograph.
    correlation : float
        Pearson's r between the two images.
    """

    gain: float
    offset: float
    rms: float
    correlation: float


def match_greys(render: Array, micrograph: Array) -> GreyMatch:
    """Fit gain and offset of one image to another; pixels that are not finite are left out.

    Parameters
    ----------
    render, micrograph : ndarray, shape (Y, X)
    """
    good = np.isfinite(render) & np.isfinite(micrograph)
    if not good.any():
        return GreyMatch(1.0, 0.0, float("nan"), float("nan"))
    x, y = render[good].astype(np.float64), micrograph[good].astype(np.float64)
    x0, y0 = x.mean(), y.mean()
    variance = np.mean((x - x0) ** 2)
    covariance = np.mean((x - x0) * (y - y0))
    flat = variance <= 1e-12 * max(x0 * x0, 1e-30)
    gain = 1.0 if flat else covariance / variance
    offset = y0 - gain * x0
    rest = y - gain * x - offset
    spread = y.std()
    correlation = 0.0 if flat or spread == 0 else covariance / np.sqrt(variance) / spread
    return GreyMatch(
        float(gain), float(offset), float(np.sqrt(np.mean(rest**2))), float(correlation)
    )


def compose(
    mode: str, render: Array, micrograph: Array, *, wipe: float = 0.5, tiles: int = 8
) -> tuple[NDArray[np.float32], GreyMatch]:
    """Lay a render over a micrograph in one array, in grey levels of the micrograph.

    Parameters
    ----------
    mode : str
        "difference" (micrograph − matched render), "checkerboard" or "wipe".
    render, micrograph : ndarray, shape (Y, X)
    wipe : float
        Share of the width, from the left, in which a wipe shows the micrograph; the column at its
        end is drawn as a line.
    tiles : int
        Tiles of the checkerboard along the shorter side.

    Returns
    -------
    array : ndarray, shape (Y, X), float32
    match : GreyMatch
        Between the two images.
    """
    found = match_greys(render, micrograph)
    model = found.gain * render + found.offset
    rows, columns = micrograph.shape
    if mode == "difference":
        out = micrograph - model
    elif mode == "checkerboard":
        side = max(min(rows, columns) / max(tiles, 1), 1.0)
        parity = (
            np.floor(np.arange(rows)[:, None] / side) + np.floor(np.arange(columns)[None] / side)
        ) % 2
        out = np.where(parity == 0, micrograph, model)
    elif mode == "wipe":
        edge = np.clip(round(wipe * columns), 0, columns)
        out = np.where(np.arange(columns)[None] < edge, micrograph, model)
        if 0 < edge < columns:
            out[:, edge - 1] = np.nanmax(micrograph)
    else:
        raise ValueError(f"'{mode}' is not one of difference, checkerboard, wipe.")
    return np.ascontiguousarray(out, dtype=np.float32), found


def profile(image: Array, start: tuple[float, float], end: tuple[float, float]) -> Array:
    """Grey levels along a straight line, linearly interpolated.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    start, end : (float, float)
        Row and column in pixels.

    Returns
    -------
    ndarray, shape (K,)
        About one sample per pixel; NaN outside the image.
    """
    from scipy.ndimage import map_coordinates

    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    number = int(np.clip(np.ceil(length) + 1, 2, 4096))
    where = np.linspace(start, end, number).T
    return map_coordinates(
        np.asarray(image, dtype=np.float64), where, order=1, mode="constant", cval=np.nan
    )


__all__ = ["GreyMatch", "compose", "match_greys", "profile"]

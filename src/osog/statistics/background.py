"""What the empty field looks like: its level, its trend, and how much of it is covered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 12
_CLIP = 2.5


@dataclass(frozen=True)
class Trend:
    """The empty field as a polynomial of second order.

    Attributes
    ----------
    level : float
        Its value in the middle of the picture, in the picture's own unit.
    slope_x, slope_y : float
        Rise from the left to the right border, and from the upper to the lower one, relative to
        the level.
    sag : float
        Value at the corners, averaged over the four, less that in the middle, relative to the
        level: negative where the light falls off.
    surface : ndarray (Y, X)
        The polynomial itself.
    """

    level: float
    slope_x: float
    slope_y: float
    sag: float
    surface: NDArray[np.float64]


def background_trend(image: NDArray[np.float64]) -> Trend:
    """Fit the empty field by a polynomial of second order, without what lies on it.

    Least squares, repeated without the pixels that lie more than 2.5 robust standard deviations
    (1.4826 median absolute deviations) off, on either side. It finds the field where less than
    about half of the picture is covered.

    Parameters
    ----------
    image : ndarray (Y, X)

    Returns
    -------
    Trend

    Raises
    ------
    ValueError
        If the picture is smaller than 8 × 8 pixels, not finite, or its field is not above 0.
    """
    checked(image)
    # A few ten thousand pixels fix six numbers.
    step = max(1, int(np.sqrt(image.size / 40_000)))
    thin = image[::step, ::step]
    terms = _terms(image.shape, step)
    values = thin.ravel()
    kept = np.ones(values.size, dtype=bool)
    weights: NDArray[np.float64] = np.zeros(6)
    for _ in range(_ROUNDS):
        weights = np.asarray(np.linalg.lstsq(terms[kept], values[kept], rcond=None)[0], np.float64)
        rest = values - terms @ weights
        centre = np.median(rest[kept])
        spread = 1.4826 * np.median(np.abs(rest[kept] - centre))
        nearer = np.abs(rest - centre) <= max(_CLIP * spread, 1e-9 * float(np.abs(values).max()))
        if nearer.sum() < 12 or bool((nearer == kept).all()):
            break
        kept = nearer
    surface = (_terms(image.shape, 1) @ weights).reshape(image.shape)
    level = float(weights[0])
    if level <= 0 or surface.min() <= 0:
        raise ValueError("the empty field of the picture is not above 0, so contrast has no unit.")
    return Trend(
        level,
        slope_x=float(2 * weights[1] / level),
        slope_y=float(2 * weights[2] / level),
        sag=float((weights[3] + weights[4]) / level),
        surface=surface,
    )


def relative_contrast(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Picture divided by its empty field, less 1; see `background_trend`.

    Parameters
    ----------
    image : ndarray (Y, X)

    Returns
    -------
    ndarray (Y, X)
    """
    contrast: NDArray[np.float64] = image / background_trend(image).surface - 1.0
    return contrast


def cover(
    contrast: NDArray[np.float64], pixel_size_um: float, threshold: float, blur_um: float = 0.3
) -> float:
    """Share of the field whose contrast lies off 0 by more than a threshold.

    Parameters
    ----------
    contrast : ndarray (Y, X)
        Relative contrast.
    pixel_size_um : float
    threshold : float
        Relative contrast; it must lie well above the noise that the blur leaves.
    blur_um : float
        Standard deviation of the Gaussian blur that goes before.

    Returns
    -------
    float
        0 … 1.
    """
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(contrast, blur_um / pixel_size_um)
    return float(np.mean(np.abs(smooth) > threshold))


def checked(image: NDArray[np.float64]) -> None:
    """Refuse what is no grey picture.

    Raises
    ------
    ValueError
        If it is not two-dimensional, smaller than 8 × 8 pixels, or not finite.
    """
    if image.ndim != 2 or min(image.shape) < 8:
        raise ValueError(
            f"a picture of shape {tuple(image.shape)} must be (Y, X) of at least 8 × 8 pixels."
        )
    if not np.isfinite(image).all():
        raise ValueError("the picture holds values that are not finite.")


def _terms(shape: tuple[int, ...], step: int) -> NDArray[np.float64]:
    """Values (N, 6) of 1, x, y, x², y², xy, where the borders are at ±1."""
    rows, columns = (np.linspace(-1.0, 1.0, n)[::step] for n in shape)
    y, x = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)

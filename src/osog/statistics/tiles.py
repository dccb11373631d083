"""Statistics of a large picture by tiles, whose spread says how alike two pictures can be."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from osog.statistics.measure import ImageStatistics, distances, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def measure_tiles(
    image: NDArray[np.generic],
    pixel_size_um: float,
    tile: tuple[int, int],
    relief_azimuth_deg: float | None = None,
    line_width_um: float = 1.5,
) -> list[ImageStatistics]:
    """Measure a picture in tiles that lie side by side.

    Parameters
    ----------
    image : ndarray (Y, X) or (Y, X, 3)
    pixel_size_um : float
    tile : (int, int)
        Rows and columns of a tile; the whole picture is one where it is smaller. What is left over
        at the right and lower border is not measured.
    relief_azimuth_deg, line_width_um
        As for `measure`.

    Returns
    -------
    list of ImageStatistics
        At least one.
    """
    rows, columns = (min(one, size) for one, size in zip(tile, image.shape, strict=False))
    return [
        measure(
            image[top : top + rows, left : left + columns],
            pixel_size_um,
            relief_azimuth_deg,
            line_width_um,
        )
        for top in range(0, image.shape[0] - rows + 1, rows)
        for left in range(0, image.shape[1] - columns + 1, columns)
    ]


def average(statistics: Sequence[ImageStatistics]) -> ImageStatistics:
    """Mean of the statistics of several pictures; spectra are averaged by their logarithm.

    What some of the pictures lack is averaged over the others.

    Parameters
    ----------
    statistics : sequence of ImageStatistics
        At least one.
    """
    found = {
        field.name: np.array([getattr(one, field.name) for one in statistics], dtype=np.float64)
        for field in fields(ImageStatistics)
    }
    positive = np.where(found["spectrum"] > 0, found["spectrum"], np.nan)
    means = {name: _mean(values) for name, values in found.items() if name != "spectrum"}
    means["spectrum"] = np.exp(_mean(np.log(positive)))
    plain = {name: float(value) if value.ndim == 0 else value for name, value in means.items()}
    return ImageStatistics(**plain)  # type: ignore[arg-type]


def spread(
    statistics: Sequence[ImageStatistics], band_per_um: tuple[float, float] = (0.0, np.inf)
) -> dict[str, float]:
    """Root mean square distance of the parts of a picture from their average.

    It is the yardstick of `distances`: a render that lies no further from the average is as like
    the picture as its own parts are.

    Parameters
    ----------
    statistics : sequence of ImageStatistics
    band_per_um : (float, float)
        As for `distances`.
    """
    middle = average(statistics)
    found = [distances(one, middle, band_per_um) for one in statistics]
    return {
        name: float(np.sqrt(_mean(np.square([one[name] for one in found])))) for name in found[0]
    }


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the first axis of what is finite; NaN where nothing is."""
    held = np.isfinite(values)
    number = held.sum(axis=0)
    total = np.where(held, values, 0.0).sum(axis=0)
    mean: NDArray[np.float64] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return mean

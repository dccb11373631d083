"""Statistics of generated frames beside those of a real micrograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from osog.statistics import (
    ImageStatistics,
    average,
    background_trend,
    measure,
    measure_tiles,
    noise_of,
    region_shapes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.datasets.labelled_frame import LabelledFrame

Array = NDArray[np.float64]

ROWS = {
    "length_um": "length, µm",
    "aspect": "aspect",
    "line_width_um": "width of main line, µm",
    "line_depth": "contrast of main line",
    "second_lobe": "second lobe / main",
    "dark_share": "share of dark lines",
    "contrast_rms": "contrast, r.m.s.",
    "contrast_skewness": "skewness",
    "cover_faint": "cover beyond 0.03",
    "cover_strong": "cover beyond 0.1",
    "lines_per_mm2": "lines per mm²",
    "background": "background, counts",
    "noise": "noise, counts",
    "noise_correlation": "noise correlation",
}
"""What is compared, in words for a sheet."""


@dataclass(frozen=True)
class Beside:
    """Statistics of a micrograph and of frames.

    Attributes
    ----------
    image, frames : ImageStatistics
        Means over the tiles of the micrograph, and over the frames.
    rows : mapping of str to (float, float, float, float)
        By the names of `ROWS`: of the micrograph; mean of the frames; 10th and 90th percentile over
        the frames. NaN where there is none.
    labels : mapping of str to float
        Medians over the counted objects: ``length_um`` and ``aspect`` of their boxes, and their
        number per mm².
    """

    image: ImageStatistics
    frames: ImageStatistics
    rows: dict[str, tuple[float, float, float, float]]
    labels: dict[str, float]


def beside(
    frames: Sequence[LabelledFrame],
    image: NDArray[np.generic],
    pixel_size_um: float,
    line_width_um: float = 1.5,
) -> Beside:
    """Measure frames of a dataset and a micrograph by the same means.

    Parameters
    ----------
    frames : sequence of LabelledFrame
    image : ndarray, shape (Y, X) or (Y, X, 3)
        Grey levels.
    pixel_size_um : float
        Of the image.
    line_width_um : float
        Of lines that are looked for, see `osog.statistics.find_lines`.

    Returns
    -------
    Beside
        Lengths and aspects are those of regions that stand out (`osog.statistics.region_shapes`):
        where objects touch, one region is several. That is so on both sides, and the boxes of the
        labels tell how much it is.

    Raises
    ------
    ValueError
        If a picture is smaller than 8 blocks of 32 px, or has no empty field above 0.
    """
    first = frames[0]
    size_um = [n * first.pixel_size_um for n in first.shape]
    # A tile has the field of a frame, but enough pixels to be measured.
    rows, columns = (
        min(n, max(160, round(length / pixel_size_um)))
        for n, length in zip(image.shape[:2], size_um, strict=True)
    )
    picture = np.asarray(image, dtype=np.float64)
    relief: Any = first.scene.microscope.modality
    azimuth = float(relief.azimuth_deg) if relief.directional else None
    theirs = measure_tiles(picture, pixel_size_um, (rows, columns), azimuth, line_width_um)
    mine = []
    for frame in frames:
        kind: Any = frame.scene.microscope.modality
        turned = float(kind.azimuth_deg) if kind.directional else None
        grey = np.asarray(frame.image, dtype=np.float64)
        mine.append(measure(grey, frame.pixel_size_um, turned, line_width_um))
    real = average(theirs)
    shapes = [_regions(np.asarray(f.image, np.float64), f.pixel_size_um) for f in frames]
    own_shape = _regions(picture, pixel_size_um)
    table = {}
    for name in ROWS:
        if name in ("length_um", "aspect"):
            value, each = own_shape[name], np.array([shape[name] for shape in shapes])
        else:
            value = real.numbers()[name]
            each = np.array([one.numbers()[name] for one in mine])
        table[name] = value, *_spread(each)
    return Beside(real, average(mine), table, _labels(frames))


def _regions(picture: Array, pixel_size_um: float) -> dict[str, float]:
    grey = picture.mean(-1) if picture.ndim == 3 else picture
    surface = background_trend(grey).surface
    lengths, widths = region_shapes(
        grey / surface - 1.0, pixel_size_um, noise_of(grey).sigma / float(np.median(surface))
    )
    if not len(lengths):
        return {"length_um": float("nan"), "aspect": float("nan")}
    return {
        "length_um": float(np.median(lengths)),
        "aspect": float(np.median(lengths / widths)),
    }


def _spread(values: Array) -> tuple[float, float, float]:
    """Mean, 10th and 90th percentile of what is finite."""
    held = values[np.isfinite(values)]
    if not held.size:
        return float("nan"), float("nan"), float("nan")
    low, high = np.percentile(held, [10, 90])
    return float(held.mean()), float(low), float(high)


def _labels(frames: Sequence[LabelledFrame]) -> dict[str, float]:
    boxes, area = [], 0.0
    for frame in frames:
        counted = frame.objects.in_state("counted")
        boxes.append(counted.full_box[:, 2:4] * frame.pixel_size_um)
        area += frame.shape[0] * frame.shape[1] * (frame.pixel_size_um * 1e-3) ** 2
    sides = np.concatenate(boxes)
    if not len(sides):
        return {"length_um": float("nan"), "aspect": float("nan"), "per_mm2": 0.0}
    return {
        "length_um": float(np.median(sides[:, 0])),
        "aspect": float(np.median(sides[:, 0] / np.maximum(sides[:, 1], 1e-9))),
        "per_mm2": len(sides) / area,
    }

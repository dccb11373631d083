"""The pixel size of an image layer, from its scale and from what its file states.

A scale in a unit of length is what the user sees under the scale bar, so it counts before the
file. Without a unit it is either nothing (1), what a reader without units took from the file, or
the factor by which the pixels were binned; where it is none of these, nobody knows the pixel size.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from osog.io.metadata.numbers import micrometres, number, pixel_size, possible, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.io.micrograph import Known, Optics

_NAME = "pixel_size_um"
_SAME = 1e-6
"""Relative difference up to which two sources state the same size."""
_ROUNDED = 2e-3
"""Relative rounding of a scale that a reader took from the file."""


def calibrated(
    stated: Optics,
    scale: Sequence[float] | None,
    units: Any,
    shape: tuple[int, int] | None = None,
    frame: tuple[int, int] | None = None,
) -> Optics:
    """Settle the pixel size of an image layer.

    Parameters
    ----------
    stated : Optics
        By the metadata of the layer and by its file.
    scale : sequence of float or None
        World units per pixel, rows and columns last.
    units : str, pint unit, or a sequence of them
        Of the world.
    shape : (int, int), optional
        Rows and columns of the layer.
    frame : (int, int), optional
        Rows and columns of the image in its file.

    Returns
    -------
    Optics
        With the scale's pixel size where its unit is a length. Else with the stated one, times
        the scale where the layer has so many times fewer pixels than the file. Else without one,
        and with the reason among the doubts.
    """
    if scale is None or len(scale) < 1:
        return stated
    sides = [abs(v) if (v := number(s)) is not None else None for s in scale[-2:]]
    pair = _pair(units)
    lengths = [
        side * factor if side is not None and factor is not None else None
        for side, factor in zip(sides, (micrometres(unit) for unit in pair[-len(sides) :]),
                                strict=True)
    ]  # fmt: skip
    # One unit of length is enough: readers leave the other axis alone now and then.
    by_scale = pixel_size(
        lengths[-1], lengths[0], f"from the layer's scale in {shown(pair[-1])}", "The layer has"
    )
    if by_scale.pixel_size_um is None and not by_scale.doubts:
        return _without_unit(stated, sides, shape, frame)
    old, new = stated.pixel_size_um, by_scale.pixel_size_um
    if old is not None and new is not None and math.isclose(old.value, new.value, rel_tol=_SAME):
        return stated
    return by_scale.otherwise(stated.without(_NAME))


def _without_unit(
    stated: Optics,
    sides: Sequence[float | None],
    shape: tuple[int, int] | None,
    frame: tuple[int, int] | None,
) -> Optics:
    """Settle the pixel size where the scale is a mere number."""
    height, width = sides[0], sides[-1]
    if height is None or width is None or not width > 0:
        return stated
    known = stated.pixel_size_um
    same = shape is None or frame is None or tuple(shape) == tuple(frame)
    unscaled = height == width == 1.0
    if unscaled and same:
        return stated
    words = f"{width:.5g}" if math.isclose(height, width) else f"{height:.5g} × {width:.5g}"
    if known is None:
        if unscaled or _NAME in stated.doubts:
            return stated
        reason = f"The layer's scale of {words} has no unit of length."
        return replace(stated, doubts={**stated.doubts, _NAME: reason})
    if not unscaled and math.isclose(height, width, rel_tol=_ROUNDED):
        if same and math.isclose(width, known.value, rel_tol=_ROUNDED):
            return stated
        for factor in (width, width / known.value):
            if _is_resampled(shape, frame, factor):
                source = f"{known.source}, × {factor:.5g} by the layer's scale"
                size = possible(_NAME, known.value * factor, source)
                return replace(stated, pixel_size_um=size)
    return stated.without(_NAME, _disagreement(known, words, shape, frame, same))


def _is_resampled(
    shape: tuple[int, int] | None, frame: tuple[int, int] | None, factor: float
) -> bool:
    """Whether an image has so many times fewer rows and columns than another one."""
    if shape is None or frame is None:
        return False
    return all(abs(old - factor * new) < max(factor, 1.0) for old, new in
               zip(frame, shape, strict=True))  # fmt: skip


def _disagreement(
    known: Known,
    words: str,
    shape: tuple[int, int] | None,
    frame: tuple[int, int] | None,
    same: bool,
) -> str:
    size = f"{known.value:.5g} µm {known.source}"
    cure = "give the layer a scale in µm, or state the pixel size"
    if same or shape is None or frame is None:
        return f"The layer's scale of {words} has no unit of length and is not the {size}; {cure}."
    return (
        f"The layer has {shape[0]} × {shape[1]} pixels and its file {frame[0]} × {frame[1]}, which "
        f"its scale of {words} does not explain, so the {size} may not hold; {cure}."
    )


def _pair(units: Any) -> tuple[Any, Any]:
    if isinstance(units, list | tuple):
        return (units[-2 if len(units) > 1 else -1], units[-1]) if units else (None, None)
    return units, units


__all__ = ["calibrated"]

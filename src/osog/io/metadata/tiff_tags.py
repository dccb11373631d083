"""Optics from what every TIFF can carry: resolution tags, in ImageJ's unit or in the tags' own."""

from __future__ import annotations

from typing import Any

from osog.io.metadata.numbers import (
    PRINT_UM,
    is_print_resolution,
    micrometres,
    number,
    pixel_size,
    shown,
)
from osog.io.micrograph import Optics

_UNITS = {2: "inch", 3: "cm"}


def of_tags(tags: Any, imagej: dict[str, Any] | None) -> Optics:
    """Read the pixel size.

    Parameters
    ----------
    tags : tifffile.TiffTags
        Of the page that is read.
    imagej : dict or None
        ImageJ's own description, if the file has one; its unit then counts alone.
    """
    across, down = (_per_unit(tags, name) for name in ("XResolution", "YResolution"))
    if imagej is not None:
        unit = imagej.get("unit", "")
        unit_down = imagej.get("yunit", unit)
        return pixel_size(
            _size(across, unit),
            _size(down, unit_down),
            f"from ImageJ resolution in {shown(unit)}",
        )
    unit = _UNITS.get(_code(tags, "ResolutionUnit"), "")
    sides = _size(across, unit), _size(down, unit)
    # 72 … 600 dots per inch is what software writes about printers, not microscopes.
    if any(side is not None and side >= PRINT_UM for side in sides):
        return Optics()
    return pixel_size(sides[0], sides[1], "from TIFF resolution tags")


def _size(per_unit: float | None, unit: Any) -> float | None:
    """Side of a pixel in µm."""
    factor = micrometres(unit)
    if per_unit is None or factor is None:
        return None
    size = factor / per_unit
    return None if is_print_resolution(size, unit) else size


def _per_unit(tags: Any, name: str) -> float | None:
    """Pixels in a unit of length."""
    tag = tags.get(name)
    value = None if tag is None else tag.value
    if isinstance(value, tuple):
        if len(value) != 2:
            return None
        above, below = (number(v) for v in value)
        value = above / below if above is not None and below else None
    found = number(value)
    return found if found is not None and found > 0 else None


def _code(tags: Any, name: str) -> int:
    tag = tags.get(name)
    try:
        return 0 if tag is None else int(tag.value)
    except (TypeError, ValueError):
        return 0


__all__ = ["of_tags"]

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
_UNSET = (1, 1)
"""What libraries write that were told no resolution; ImageJ writes millions for the same ratio."""


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
        if all(_raw(tags, name) == _UNSET for name in ("XResolution", "YResolution")):
            return Optics()
        unit = str(imagej.get("unit", ""))
        units = unit, str(imagej.get("yunit", unit))
        source = f"from ImageJ resolution in {shown(unit)}"
    else:
        unit = _UNITS.get(_code(tags, "ResolutionUnit"), "")
        units = unit, unit
        source = "from TIFF resolution tags"
    sides = _size(across, units[0]), _size(down, units[1])
    for side, unit in zip(sides, units, strict=True):
        if side is not None and (
            is_print_resolution(side, unit) or (imagej is None and side >= PRINT_UM)
        ):
            return Optics()  # dots on paper: what software writes about printers
    return pixel_size(*sides, source=source)


def _size(per_unit: float | None, unit: str) -> float | None:
    """Side of a pixel in µm."""
    factor = micrometres(unit)
    return None if per_unit is None or factor is None else factor / per_unit


def _per_unit(tags: Any, name: str) -> float | None:
    """Pixels in a unit of length."""
    value = _raw(tags, name)
    if isinstance(value, tuple):
        if len(value) != 2:
            return None
        above, below = (number(v) for v in value)
        value = above / below if above is not None and below else None
    found = number(value)
    return found if found is not None and found > 0 else None


def _raw(tags: Any, name: str) -> Any:
    tag = tags.get(name)
    return None if tag is None else tag.value


def _code(tags: Any, name: str) -> int:
    tag = tags.get(name)
    try:
        return 0 if tag is None else int(tag.value)
    except (TypeError, ValueError):
        return 0


__all__ = ["of_tags"]

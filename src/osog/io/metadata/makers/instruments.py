"""TIFFs with one block of numbers: Olympus SIS and FluoView, FEI, Andor."""

from __future__ import annotations

from typing import Any

from osog.io.metadata.numbers import micrometres, number, pixel_size, possible
from osog.io.metadata.ome import OmeImage
from osog.io.micrograph import Optics


def of_sis(file: Any, series: Any) -> OmeImage:
    """Read the calibration of Olympus Soft Imaging Solutions, in metres."""
    stated = file.sis_metadata or {}
    sides = [
        None if (v := number(stated.get(key))) is None else v * 1e6
        for key in ("pixelsizex", "pixelsizey")
    ]
    source = "from Olympus SIS"
    return OmeImage(
        (
            pixel_size(sides[0], sides[1], source).otherwise(
                Optics(
                    magnification=possible(
                        "magnification", number(stated.get("magnification")), source
                    )
                )
            ),
        )
    )


def of_fluoview(file: Any, series: Any) -> OmeImage:
    """Read the axes of a FluoView TIFF, each with its step and unit."""
    sides: dict[str, float] = {}
    for name, _size, _origin, step, unit in file.fluoview_metadata.get("Dimensions", ()):
        length, factor = number(step), micrometres(unit)
        if str(name).upper() in ("X", "Y") and length is not None and factor is not None:
            sides[str(name).upper()] = length * factor
    return OmeImage((pixel_size(sides.get("X"), sides.get("Y"), "from FluoView"),))


def of_fei(file: Any, series: Any) -> OmeImage:
    """Read the pixel size of an electron micrograph, in metres."""
    stated = file.fei_metadata
    width = (stated.get("Image") or {}).get("ResolutionX")
    if width is not None and number(width) != series.keyframe.imagewidth:
        return OmeImage()  # cut or resized after the microscope wrote it
    for block in ("Scan", "EScan"):
        found = stated.get(block) or {}
        sides = [
            None if (v := number(found.get(key))) is None else v * 1e6
            for key in ("PixelWidth", "PixelHeight")
        ]
        if sides[0] is not None:
            return OmeImage((pixel_size(sides[0], sides[1], "from FEI"),))
    return OmeImage()


def of_andor(file: Any, series: Any) -> OmeImage:
    """Read the exposure of an Andor camera, in seconds; it knows no lens."""
    found = number((file.andor_metadata or {}).get("ExposureTime"))
    return OmeImage((Optics(exposure_s=possible("exposure_s", found, "from Andor")),))


__all__ = ["of_andor", "of_fei", "of_fluoview", "of_sis"]

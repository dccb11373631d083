"""Slide scanners: Aperio SVS, Leica SCN, Hamamatsu NDPI."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from osog.io.metadata.numbers import number, pixel_size, possible
from osog.io.metadata.ome import OmeImage, has_dtd
from osog.io.micrograph import Optics

_SVS, _SCN, _NDPI = "from Aperio", "from Leica SCN", "from NDPI"
_SCANNED = re.compile(r"\[\d+,\d+ (\d+)x(\d+)\]")
_WHOLE = re.compile(r"(\d+)x(\d+)")
_SHRUNK = re.compile(r"->\s*(\d+)x(\d+)")
_NEAR = 2e-3
_LENS_TAG = 65421


def of_svs(file: Any, series: Any) -> OmeImage:
    """Read the description of an Aperio slide.

    Microns a pixel are those of the scan; pages of another size are smaller pictures of it.
    """
    page = series.keyframe
    words = {
        key.strip(): value.strip()
        for key, found, value in (item.partition("=") for item in page.description.split("|"))
        if found
    }
    header = page.description.split("|")[0].split("\n")[-1]
    exposure, unit = number(words.get("Exposure Time")), number(words.get("Exposure Scale"))
    optics = Optics(
        magnification=possible("magnification", number(words.get("AppMag")), _SVS),
        exposure_s=possible(
            "exposure_s",
            exposure * unit if exposure is not None and unit is not None else None,
            _SVS,
        ),
    )
    size = possible("pixel_size_um", number(words.get("MPP")), _SVS)
    if size is None:
        return OmeImage((optics,))
    width = _width_at_scan(header)
    factor = 1.0 if width is None else width / page.imagewidth
    if abs(factor - 1) < _NEAR:
        factor = 1.0
    elif not _SHRUNK.search(header):
        # The page was made smaller by a program that kept the words of the scanner.
        return OmeImage(
            (
                optics.otherwise(
                    Optics(
                        doubts={
                            "pixel_size_um": (
                                f"The file states {size.value:.5g} µm a pixel ({_SVS}) for a scan "
                                f"{width} pixels wide, and this picture is {page.imagewidth} wide."
                            )
                        }
                    )
                ),
            )
        )
    return OmeImage((optics.otherwise(pixel_size(size.value * factor, None, _SVS)),))


def _width_at_scan(header: str) -> int | None:
    match = _SCANNED.search(header) or _WHOLE.search(header)
    return int(match[1]) if match else None


def of_scn(file: Any, series: Any) -> OmeImage:
    """Read the image of a Leica slide that the page belongs to: its view in nm, its pixels."""
    text = file.scn_metadata
    if has_dtd(text):
        return OmeImage()
    page = series.keyframe
    for image in (e for e in fromstring(text).iter() if _tag(e) == "image"):
        for level in (e for e in image.iter() if _tag(e) == "dimension"):
            if level.get("ifd") == str(page.index):
                return OmeImage((_of_scn_image(image, page),))
    return OmeImage()


def _of_scn_image(image: Element, page: Any) -> Optics:
    parts = {_tag(e): e for e in image.iter()}
    view = parts.get("view")
    sides = [
        side / 1e3 / pixels if side is not None and pixels else None
        for side, pixels in (
            (number(view.get("sizeX")) if view is not None else None, page.imagewidth),
            (number(view.get("sizeY")) if view is not None else None, page.imagelength),
        )
    ]
    if None not in sides and abs(sides[0] / sides[1] - 1) < 0.01:  # type: ignore[operator]
        sides[1] = None  # the last row and column of smaller pictures are cut
    # The numerical aperture of these files is that of the illumination.
    lens = parts.get("objective")
    return pixel_size(sides[0], sides[1], _SCN).otherwise(
        Optics(
            magnification=possible(
                "magnification", number(None if lens is None else lens.text), _SCN
            ),
        )
    )


def _tag(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def of_ndpi(file: Any, series: Any) -> OmeImage:
    """Read the lens of a Hamamatsu slide; its pixel size is in the resolution tags."""
    tag = series.keyframe.tags.get(_LENS_TAG)
    lens = None if tag is None else number(tag.value)
    return OmeImage((Optics(magnification=possible("magnification", lens, _NDPI)),))


__all__ = ["of_ndpi", "of_scn", "of_svs"]

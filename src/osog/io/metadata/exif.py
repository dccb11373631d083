"""Optics from the text that cameras of microscopes leave in the EXIF block of a picture."""

from __future__ import annotations

import re
from typing import Any

from osog.io.metadata.numbers import number, possible
from osog.io.micrograph import Optics

_DETAILS = 0x8769
_APERTURE = re.compile(r"(?:numerical aperture|\bN\.?A\.?)\s*[:=]?\s*(\d?\.\d+)", re.I)
_INDEX = re.compile(r"refractive index\s*[:=]?\s*(\d(?:\.\d+)?)", re.I)


def of_exif(exif: Any) -> Optics:
    """Read the EXIF block of a picture that Pillow has opened.

    Parameters
    ----------
    exif : PIL.Image.Exif
    """
    texts = [_text(v) for v in (*exif.values(), *exif.get_ifd(_DETAILS).values())]
    text = "\n".join(texts)
    found: dict[str, Any] = {}
    for name, pattern in (("numerical_aperture", _APERTURE), ("immersion_index", _INDEX)):
        match = pattern.search(text)
        if match:
            found[name] = possible(name, number(match[1]), "from EXIF")
    return Optics(**found)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.replace(b"\x00", b"").decode("latin-1", "replace")
    return value if isinstance(value, str) else ""


__all__ = ["of_exif"]

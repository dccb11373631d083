"""Numbers and lengths as metadata write them; what can be no such number is unknown."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from osog.io.micrograph import Known, Optics

_MICROMETRES: dict[str, float] = {
    "m": 1e6, "meter": 1e6, "metre": 1e6,
    "dm": 1e5, "decimeter": 1e5, "decimetre": 1e5,
    "cm": 1e4, "centimeter": 1e4, "centimetre": 1e4,
    "mm": 1e3, "millimeter": 1e3, "millimetre": 1e3,
    "μm": 1.0, "um": 1.0, "mu": 1.0, "micron": 1.0, "micrometer": 1.0, "micrometre": 1.0,
    "nm": 1e-3, "nanometer": 1e-3, "nanometre": 1e-3,
    "å": 1e-4, "angstrom": 1e-4, "ångström": 1e-4, "ångstrom": 1e-4,
    "pm": 1e-6, "picometer": 1e-6, "picometre": 1e-6,
    "in": 25400.0, "inch": 25400.0, "ft": 304800.0, "thou": 25.4,
}  # fmt: skip
_SPELLINGS = {"inches": "inch"}
# In upper case the first letter of these means a million, or 10¹⁵, and no lens has such units.
_LARGE = ("Mm", "Pm")
# Of a plane in the object: from a part of an atom to more than a lens can see.
RANGES = {
    "pixel_size_um": (1e-5, 1e3),
    "numerical_aperture": (5e-3, 1.999),
    "wavelength_um": (0.1, 30.0),
    "medium_index": (0.9, 4.0),
    "immersion_index": (0.99, 2.5),
    "magnification": (1e-2, 1e4),
    "exposure_s": (1e-9, 1e6),
    "gain_electrons_per_count": (1e-3, 1e5),
}
"""What these numbers can be; others are a program's word for "not known"."""
_SQUARE = 1e-3
"""Relative difference of the sides up to which a pixel is square."""
# What software writes about printers and scanners, in dots per inch.
_DOTS_PER_INCH = frozenset(
    {72, 75, 80, 90, 96, 100, 120, 144, 150, 160, 180, 192, 200, 220, 240, 250, 266, 288, 300}
    | {320, 350, 360, 400, 480, 500, 508, 600, 640, 700, 720, 800, 900, 1000, 1016, 1200, 1270}
    | {1440, 1600, 1800, 2000, 2400, 2438, 2880, 3000, 3200, 3600, 4000, 4800, 5760, 6400, 7200}
    | {9600, 12800, 19200}
)
PRINT_UM = 20.0
"""Pixels from this size upwards, in inches, are dots on paper."""


def micrometres(unit: Any) -> float | None:
    """Micrometres in a unit of length, None for what is no length.

    Parameters
    ----------
    unit : str, enum or pint unit
        Both code points of µ count, also as the six letters of an escape, as ImageJ writes them,
        and as UTF-8 that was taken for Latin-1.
    """
    raw = str(getattr(unit, "value", unit)).strip().strip("\x00").strip()
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), raw)
    text = text.replace("Â\xb5", "\xb5").replace("Î¼", "\xb5")
    text = unicodedata.normalize("NFKC", text)
    if text in _LARGE:
        return None
    text = text.lower()
    text = _SPELLINGS.get(text, text)
    if text not in _MICROMETRES and text.endswith("s") and len(text) > 3:  # ms are no metres
        text = text[:-1]
    return _MICROMETRES.get(text)


def shown(unit: Any) -> str:
    """Unit as people write it."""
    text = str(getattr(unit, "value", unit)).strip()
    return "µm" if micrometres(text) == 1.0 else text


def number(value: Any) -> float | None:
    """Finite number of some metadata, None for anything else.

    A decimal comma is taken where it can be nothing else: ``0,065``, not ``1,234``.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        comma = re.fullmatch(r"([+-]?\d*),(\d+)((?:[eE][+-]?\d+)?)", text)
        if comma and (len(comma[2]) != 3 or comma[1].strip("+-") in ("", "0")):
            text = f"{comma[1]}.{comma[2]}{comma[3]}"
        if "_" in text or not text.isascii():  # Python reads 1_000, no other program writes it
            return None
        value = text
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def possible(name: str, value: float | None, source: str) -> Known | None:
    """Return a number with its source if it can be what its name says, else None."""
    if value is None or not math.isfinite(value):
        return None
    low, high = RANGES[name]
    return Known(value, source) if low <= value <= high else None


def pixel_size(
    width_um: float | None, height_um: float | None, source: str, prefix: str = "The file states"
) -> Optics:
    """Size of square pixels; in doubt where the two sides differ.

    Parameters
    ----------
    width_um, height_um : float or None
        One of them may be missing or impossible; the other counts.
    source, prefix : str
        Of the number; of the sentence.
    """
    sides = [possible("pixel_size_um", v, source) for v in (width_um, height_um)]
    wide, high = sides
    sound = [v for v in (width_um, height_um) if v is not None and math.isfinite(v) and v > 0]
    if len(sound) == 2 and abs(sound[0] - sound[1]) > _SQUARE * sound[0]:
        return Optics(
            doubts={
                "pixel_size_um": (
                    f"{prefix} pixels of {sound[0]:.5g} × {sound[1]:.5g} µm ({source}), and "
                    "only square pixels can be rendered; resample the image first."
                )
            }
        )
    return Optics(pixel_size_um=wide or high)


def is_print_resolution(size_um: float, unit: str) -> bool:
    """Whether a pixel size in inches or centimetres is of paper, not of an object.

    Parameters
    ----------
    size_um : float
    unit : str
        As the file names it; only inches and centimetres are printers' units.
    """
    factor = micrometres(unit)
    dots = 25400.0 / size_um
    standard = round(dots) in _DOTS_PER_INCH and abs(dots - round(dots)) < 2e-4 * dots
    if factor == 25400.0:
        return standard or size_um >= PRINT_UM
    return factor == 1e4 and standard  # programs turn inches into centimetres


__all__ = [
    "PRINT_UM",
    "RANGES",
    "is_print_resolution",
    "micrometres",
    "number",
    "pixel_size",
    "possible",
    "shown",
]

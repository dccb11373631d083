"""Numbers as people write and read them."""

from __future__ import annotations

import math
import re


def number(value: float, digits: int = 5) -> str:
    """Write a number with a few digits, and without an exponent where it can be read so."""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-5 < abs(value) < 1e7:
        text = f"{value:.0f}" if abs(value) >= 1e5 else f"{value:.7f}".rstrip("0")
    return text.replace("-", "−")


def parsed(text: str) -> float:
    """Read a number as people type it: decimal comma, true minus, unit behind it.

    Raises
    ------
    ValueError
        If it is none, or not finite.
    """
    bare = text.strip().replace("−", "-").replace(",", ".")
    while bare and not (bare[-1].isdigit() or bare[-1] == "."):
        bare = bare[:-1]
    found = float(bare)
    if "_" in bare or not math.isfinite(found):
        raise ValueError(f"'{text}' is no finite number")
    return found


def parsed_range(text: str) -> tuple[float, float]:
    """Read two numbers as people type them: ``0; 5``, ``0,2; 0,9``, ``0.2 – 0.9``, ``0.2 to 0.9``.

    Between them stands a semicolon, a dash, two or more points, the word *to*, a comma with a
    space, or a space; a comma inside a number is then a decimal comma. Where nothing but commas
    without a space is there, one comma parts two numbers (``0,5`` is from 0 to 5), and of three
    the middle one does.

    Raises
    ------
    ValueError
        If it is not two finite numbers, or can be read in two ways, such as ``0,2,9``.
    """
    bare = text.strip().strip("[](){}").replace("−", "-").strip()
    parts = _between(bare)
    if len(parts) != 2:
        raise ValueError(f"'{text}' is no two numbers")
    low, high = (parsed(part) for part in parts)
    return low, high


_NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"
_UNIT = r"(?:\s*[^\W\d]\w*)?"
_DASHED = re.compile(
    rf"({_NUMBER}{_UNIT})(?:\s*[–—]\s*|\s+-\s+|-)({_NUMBER}{_UNIT})", re.IGNORECASE
)


def _between(bare: str) -> list[str]:
    """Parts of a range of two numbers; more or fewer than two where it is none."""
    parts = re.split(r"\s*(?:[;|]|\.{2,}|…|\bto\b)\s*", bare)
    if len(parts) > 1:
        return parts
    dashed = _DASHED.fullmatch(bare)
    if dashed is not None:
        return [dashed[1], dashed[2]]
    for pattern in (r",\s+", r"\s+"):
        parts = [part for part in re.split(pattern, bare) if any(c.isdigit() for c in part)]
        if len(parts) > 1:
            return parts
    commas = bare.split(",")
    if len(commas) == 4 and "." not in bare:
        return [",".join(commas[:2]), ",".join(commas[2:])]
    return commas


def rounded(value: float, sigma: float) -> tuple[str, str]:
    """Round a value to its standard deviation.

    The deviation keeps two digits when it begins with 1, else one; the value as many decimals.

    Parameters
    ----------
    value : float
    sigma : float
        Above 0 and finite, or there is nothing to round to.

    Returns
    -------
    (str, str)
        Value and deviation; the deviation is "" when it says nothing.
    """
    if not math.isfinite(sigma) or sigma <= 0:
        return number(value), ""
    power = math.floor(math.log10(sigma))
    digits = 1 if sigma / 10**power < 1.95 else 0
    decimals = digits - power
    if round(sigma, decimals) >= 10 ** (power + 1):  # 0.096 is written 0.10
        decimals = 1 - (power + 1)
    shown = max(decimals, 0)
    texts = (f"{round(v, decimals):.{shown}f}" for v in (value, sigma))
    low, high = texts
    if float(low) == 0.0:
        low = low.lstrip("-")
    return low.replace("-", "−"), high


__all__ = ["number", "parsed", "parsed_range", "rounded"]

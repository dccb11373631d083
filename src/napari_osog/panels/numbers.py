"""Numbers as people write and read them."""

from __future__ import annotations

import math


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
        If it is none.
    """
    bare = text.strip().replace("−", "-").replace(",", ".")
    while bare and not (bare[-1].isdigit() or bare[-1] == "."):
        bare = bare[:-1]
    return float(bare)


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


__all__ = ["number", "parsed", "rounded"]

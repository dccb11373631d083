"""The law that a number begins with when another form is chosen for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.panels.field import centre
from osog.scene import LAWS, Distribution

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.panels.field import Field

_SHARE = 0.15
"""Standard deviation of a law that is new, as a share of the number."""


@dataclass(frozen=True)
class Others:
    """Other numbers of the scene, which a law may hang on.

    Attributes
    ----------
    names : callable
        Their names, the nearest first.
    centre : callable
        Value of one by its name, or the middle of its law; None where there is none.
    """

    names: Callable[[], list[str]]
    centre: Callable[[str], float | None]


def starting(kind: str, now: Any, field: Field, others: Others) -> Any:
    """Return the content of a law around what a number is now, about as wide as its present law.

    Parameters
    ----------
    kind : str
        One of ``LAWS``.
    now : Distribution or float
        In the unit of the scene.
    field : Field
        Whose limits the law keeps to.
    others : Others
        Numbers that it may be made of.

    Returns
    -------
    dict or None
        None where nothing can be guessed: measured values, or nothing to be made of.
    """
    low, high = (bound / field.factor for bound in field.limits)
    middle, width = _middle_and_width(now, field)
    positive = middle if middle > 0 else max(_small(field), 1e-6)
    share = min(max(width / positive, 1e-3), 1.0)
    match kind:
        case "uniform":
            content: dict[str, Any] = {
                "low": max(middle - math.sqrt(3) * width, low),
                "high": min(middle + math.sqrt(3) * width, high),
            }
        case "normal":
            content = {"mean": middle, "std": width}
        case "lognormal":
            content = {"median": positive, "sigma": share}
        case "loguniform":
            factor = math.exp(math.sqrt(3) * share)
            content = {"low": positive / factor, "high": min(positive * factor, high)}
        case "weibull":
            shape = min(max(1.2 / share, 0.5), 50.0)
            content = {"scale": positive / math.log(2) ** (1 / shape), "shape": shape}
        case "power":
            content = {"low": positive / 2, "high": min(4 * positive, high), "exponent": 2.0}
        case "poisson":
            content = {"mean": positive}
        case "choice":
            options = [max(middle - width, low), middle, min(middle + width, high)]
            content = {"options": sorted({round(o) for o in options} if field.integer else options)}
        case "mixture":
            one = _free(now, middle, width)
            more = _free(min(middle + 4 * width, high - width), None, width)
            content = {"parts": [one, more], "weights": [0.8, 0.2]}
        case "multiple":
            named = next(((n, o) for n in others.names() if (o := others.centre(n))), None)
            if named is None:
                return None
            content = {"of": named[0], "factor": middle / named[1]}
        case "ratio":
            content = {"numerator": middle, "denominator": 1.0}
        case _:
            return None
    content = {"law": kind, **_rounded(content)}
    return _kept_within(content, low, high)


def _free(now: Any, middle: float | None, width: float) -> Any:
    if isinstance(now, Distribution) and not now.linked and now.law != "mixture":
        data = now.model_dump()
        return {k: v for k, v in data.items() if k not in ("per", "follows", "correlation")}
    return {"law": "normal", "mean": now if middle is None else middle, "std": width}


def _middle_and_width(now: Any, field: Field) -> tuple[float, float]:
    """Centre, and half of the range that two thirds of the draws lie in."""
    middle = centre(now)
    if isinstance(now, Distribution):
        if now.linked:
            low, high = now.support
            width = (high - low) / 4
        else:
            low, high = np.asarray(now.quantile([0.16, 0.84]))
            width = float(high - low) / 2
        if width > 0:
            return middle, width
    width = _SHARE * abs(middle) or 0.05 * (field.slider[1] - field.slider[0]) / field.factor
    low, high = (bound / field.factor for bound in field.limits)
    room = min(middle - low, high - middle)
    return middle, min(width, room / 4) if room > 0 else width


def _small(field: Field) -> float:
    low, high = (bound / field.factor for bound in field.slider)
    return low if low > 0 else 0.1 * high


def _kept_within(content: dict[str, Any], low: float, high: float) -> dict[str, Any]:
    """Cut a law with tails where the field ends."""
    law = LAWS[content["law"]]
    if "between" not in law.model_fields:
        return content
    bottom, top = law.model_validate(content).support
    if bottom >= low and top <= high:
        return content
    return {**content, "between": [max(low, bottom), min(high, top)]}


def _rounded(value: Any) -> Any:
    """Numbers as a person would write them."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


__all__ = ["Others", "starting"]

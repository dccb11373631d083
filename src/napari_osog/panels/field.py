"""One number of a scene model as a panel shows it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from osog.scene import SceneModel

_SINGULAR = {"Edges": "Edge", "Semi-axes": "Semi-axis"}
_UNITS = {"waves rms": "λ"}
_EMPTY = {
    "Inclusions.index": "medium",
    "jpeg_quality": "off",
    "diffusion_um2_per_s": "by size",
    "rotational_diffusion_per_s": "by size",
    "background_photons": "in electrons",
}
"""What the absence of a number means."""
_DECADES = {"background_photons": (10.0, 1e5)}
"""Range of logarithmic sliders whose field has only limits."""


@dataclass(frozen=True)
class Field:
    """One field of a scene model as a panel shows it.

    Attributes
    ----------
    name : str
        Dotted name in the scene, as in files and in Python.
    title, unit, help : str
    limits, slider : (float, float)
        Range of validity and range of the slider, in the unit that is shown.
    step : float
    log : bool
    default : float
    factor : float
        Shown value = value in the scene × factor.
    integer : bool
    empty : str
        What the absence of a number means, in a word or two; "" when there must be one.
    blank : bool
        Whether there is none by default.
    """

    name: str
    title: str
    unit: str = ""
    help: str = ""
    limits: tuple[float, float] = (-1e12, 1e12)
    slider: tuple[float, float] = (0.0, 1.0)
    step: float = 0.01
    log: bool = False
    default: float = 0.0
    factor: float = 1.0
    integer: bool = False
    empty: str = ""
    blank: bool = False

    @property
    def decimals(self) -> int:
        """Digits after the point that the step asks for."""
        if self.integer:
            return 0
        smallest = self.slider[0] * 0.02 if self.log else self.step
        return int(min(max(math.ceil(-math.log10(max(smallest, 1e-6)) - 1e-9), 0), 5))

    def refusal(self, text: str) -> str:
        """Say that a text is no number that the field can hold."""
        low, high = self.limits
        return (
            f"{self.title}: '{text}' is no number between {low:g} and {high:g}; the old one stays."
        )


def field_of(model: type[SceneModel], field: str, name: str, component: int | None = None) -> Field:
    """Read title, unit, ranges and help of a model's field.

    Parameters
    ----------
    model : SceneModel class
    field : str
        Name of the field in the model.
    name : str
        Dotted name of the number in the scene.
    component : int, optional
        Which entry, for fields that hold several numbers.
    """
    info = model.model_fields[field]
    extra: dict[str, Any] = (
        info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    )
    limits = tuple(float(v) for v in extra.get("limits", (-1e12, 1e12)))
    slider = tuple(float(v) for v in _DECADES.get(field, extra.get("slider", limits)))
    span = slider[1] - slider[0]
    default = info.get_default(call_default_factory=True)
    title = info.title or field
    if component is not None:
        default = default[component] if isinstance(default, tuple) else default
        letters = {"flow_um_per_s": "xyz", "voxel_um": "zyx"}.get(field, "abc")
        title = singular(f"{title} {letters[component]}")
    made = Field(
        name=name,
        title=title,
        unit=_UNITS.get(str(extra.get("unit", "")), str(extra.get("unit", ""))),
        help=info.description or "",
        limits=limits,  # type: ignore[arg-type]
        slider=slider,  # type: ignore[arg-type]
        step=span / 100 if field in _DECADES else float(extra.get("step", span / 100)),
        log=bool(extra.get("log", False) or field in _DECADES) and slider[0] > 0,
        default=centre(default) if default is not None else slider[0] + 0.75 * span,
        integer=int in (info.annotation, *get_args(info.annotation)),
        empty=_EMPTY.get(f"{model.__name__}.{field}", _EMPTY.get(field, "none"))
        if NoneType in get_args(info.annotation)
        else "",
        blank=default is None,
    )
    if field.endswith("wavelength_um"):
        return _scaled(made, 1000.0, "nm")
    return made


def singular(title: str) -> str:
    """Name one of several: "Edges a" is "Edge a"."""
    for many, one in _SINGULAR.items():
        title = title.replace(many, one)
    return title


def _scaled(field: Field, factor: float, unit: str) -> Field:
    return replace(
        field,
        unit=unit,
        factor=factor,
        limits=(field.limits[0] * factor, field.limits[1] * factor),
        slider=(field.slider[0] * factor, field.slider[1] * factor),
        step=field.step * factor,
        default=field.default * factor,
    )


def centre(value: Any) -> float:
    """Middle of a distribution, or the number itself."""
    return float(value) if isinstance(value, int | float) else float(value.centre)


__all__ = ["Field", "centre", "field_of", "singular"]

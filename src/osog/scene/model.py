"""What every block of a scene shares: strict fields, limits checked in words, rows for a panel."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo
from typing_extensions import TypeVar

Number = TypeVar("Number", default=float)
"""Type of a continuous number: a float as the file states it, a 0-dim tensor in the engine.

``Microscope`` is ``Microscope[float]``; formulas take the ``Microscope[Tensor]`` of `Values`.
"""


class SceneModel(BaseModel):
    """A frozen block of the scene file; unknown keys are refused.

    Limits live in the field's ``json_schema_extra["limits"]`` and hold for plain numbers, for
    lists of numbers and for the whole support of a law.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __class_getitem__(cls, number: Any) -> Any:
        """Return the class itself: the type of its numbers is for readers and type checkers."""
        return cls

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_not_booleans(cls, data: Any) -> Any:
        for name, value in data.items() if isinstance(data, dict) else ():
            info = cls.model_fields.get(name)
            extra = info.json_schema_extra if info is not None else None
            if isinstance(value, bool) and isinstance(extra, dict) and "limits" in extra:
                raise ValueError(f"{name} = {str(value).lower()} must be a number.")
        return data

    @model_validator(mode="after")
    def _within_limits(self) -> "SceneModel":
        for name, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            if isinstance(extra, dict) and "limits" in extra:
                _check_limits(name, getattr(self, name), info)
        return self


class Distribution(SceneModel):
    """A law that a number is drawn from; the scene file names it by ``law``."""

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        raise NotImplementedError

    @property
    def centre(self) -> float:
        """The value that stands for the whole distribution."""
        raise NotImplementedError


class Choice:
    """A field that holds one of several things, chosen by a discriminator.

    ``Choice(A | B, Field(discriminator="kind"))[Number]`` is the annotation that pydantic reads,
    where a type checker reads the union of ``A[Number]`` and ``B[Number]``.
    """

    def __init__(self, union: Any, discriminator: Any) -> None:
        self.annotation: Any = Annotated[union, discriminator]

    def __getitem__(self, number: Any) -> Any:
        """Return the annotation."""
        return self.annotation


def block(model: Any, *, title: str) -> Any:
    """Describe a field that holds a block of its own, made with defaults when it is left out."""
    return Field(default_factory=model, title=title)


FitRole = Literal[
    "x",
    "y",
    "z",
    "focus",
    "radius",
    "length",
    "index",
    "medium_index",
    "absorption",
    "azimuth",
    "elevation",
    "roll",
    "shear",
    "bias",
    "spherical",
]
"""What a number means to a fit, whatever its field is called."""


@dataclass(frozen=True)
class FitTraits:
    """What a fit needs to know of a field, beside its limits.

    Attributes
    ----------
    role : FitRole or tuple of FitRole, optional
        What the number means: starts, default ranges and advice go by it. One per entry where the
        field is a list.
    scale : float, optional
        Typical width in the field's unit. It sets the step of the differences (a millionth of it)
        and what counts as not determined (a twentieth), never the result; the value itself when
        left out.
    reach : float, optional
        How far a fit may move the number from its start unless it is given bounds.
    factor : float, optional
        The same as a ratio to the start.
    below : str, optional
        Dotted name of a number that it must stay below.
    tolerance, relative_tolerance : float, optional
        Standard deviation of the true number around the nominal one, in the field's unit or as a
        share of the value: what makers' figures and alignment are worth.
    linear_term : str, optional
        Term of the linear part that does the same to an image: ``gain``, ``offset`` or ``slopes``.
    """

    role: FitRole | tuple[FitRole, ...] | None = None
    scale: float | None = None
    reach: float | None = None
    factor: float | None = None
    below: str | None = None
    tolerance: float | None = None
    relative_tolerance: float | None = None
    linear_term: Literal["gain", "offset", "slopes"] | None = None


def parameter(
    default: Any = ...,
    *,
    title: str,
    help: str,
    unit: str = "",
    limits: tuple[float, float] | None = None,
    slider: tuple[float, float] | None = None,
    step: float | None = None,
    log: bool = False,
    panel: bool = True,
    shapes_image: bool = True,
    fit: FitTraits | None = None,
) -> Any:
    """Describe one field once, for validation, panel rows, tooltips and the JSON schema.

    Parameters
    ----------
    default : Any
        Default value; required when left out.
    title, help, unit : str
        Label, one-sentence tooltip and unit.
    limits : (float, float), optional
        Range in which the model is valid; values outside are refused.
    slider : (float, float), optional
        Range that a slider shows; `limits` when left out.
    step : float, optional
        Step of the spin box; a hundredth of the slider range when left out.
    log : bool
        Whether the slider should be logarithmic.
    panel : bool
        Whether the panel shows a row for it.
    shapes_image : bool
        Whether the noise-free image depends on it, so that a fit may vary it.
    fit : FitTraits, optional
        What a fit needs to know of it.
    """
    extra: dict[str, Any] = {
        "unit": unit,
        "log": log,
        "panel": panel,
        "shapes_image": shapes_image,
    }
    if fit is not None:
        extra["fit"] = {key: value for key, value in asdict(fit).items() if value is not None}
    if limits is not None:
        extra["limits"] = list(limits)
        extra["slider"] = list(slider if slider is not None else limits)
        shown = extra["slider"]
        extra["step"] = step if step is not None else (shown[1] - shown[0]) / 100
    return Field(default, title=title, description=help, json_schema_extra=extra)


def _check_limits(name: str, value: Any, info: FieldInfo) -> None:
    assert isinstance(info.json_schema_extra, dict)
    limits, unit = info.json_schema_extra["limits"], info.json_schema_extra["unit"]
    low, high = (float(bound) for bound in limits)  # type: ignore[union-attr,arg-type]
    values = value if isinstance(value, tuple | list) else (value,)
    for item in values:
        if item is None or isinstance(item, str):
            continue
        if isinstance(item, Distribution):
            bottom, top = item.support
            shown = f"{name} may be drawn from {bottom:.4g} to {top:.4g}, but"
        elif isinstance(item, int | float):
            bottom = top = float(item)
            shown = f"{name} = {item:g}"
        else:
            continue
        if bottom < low or top > high:
            suffix = f" {unit}" if unit else ""
            raise ValueError(f"{shown} must lie between {low:g} and {high:g}{suffix}.")

"""What every block of a scene shares: strict fields, limits checked in words, rows for a panel."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.fields import FieldInfo

from osog.scene.errors import NO_LAW


class Description(BaseModel):
    """A frozen block of the scene file; unknown keys are refused.

    Limits live in the field's ``json_schema_extra["limits"]`` and hold for plain numbers, for
    lists of numbers and for the whole support of a law.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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
    def _within_limits(self) -> "Description":
        for name, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            if isinstance(extra, dict) and "limits" in extra:
                _check_limits(name, getattr(self, name), info)
        return self


class Uniform(Description):
    """Every value between two bounds is equally likely."""

    law: Literal["uniform"] = "uniform"
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> "Uniform":
        if self.low > self.high:
            raise ValueError(f"low = {self.low:g} must not exceed high = {self.high:g}.")
        return self

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        return self.low, self.high

    @property
    def centre(self) -> float:
        """Middle of the law."""
        return 0.5 * (self.low + self.high)


class Normal(Description):
    """Gaussian law, cut at four standard deviations so that sizes stay finite."""

    law: Literal["normal"] = "normal"
    mean: float
    std: float = Field(ge=0)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        return self.mean - 4 * self.std, self.mean + 4 * self.std

    @property
    def centre(self) -> float:
        """Middle of the law."""
        return self.mean


class Lognormal(Description):
    """Log-normal law: ``median`` and the standard deviation ``sigma`` of the natural logarithm."""

    law: Literal["lognormal"] = "lognormal"
    median: float = Field(gt=0)
    sigma: float = Field(ge=0, le=3)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn: four sigma either side."""
        factor = 2.718281828459045 ** (4 * self.sigma)
        return self.median / factor, self.median * factor

    @property
    def centre(self) -> float:
        """Middle of the law."""
        return self.median


def _kind_of_quantity(value: Any) -> str:
    if isinstance(value, Uniform | Normal | Lognormal):
        return value.law
    if isinstance(value, dict):
        return str(value.get("law", NO_LAW))
    return "number"


Law = Uniform | Normal | Lognormal
Quantity = Annotated[
    Annotated[float, Tag("number")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Lognormal, Tag("lognormal")],
    Discriminator(_kind_of_quantity),
]
"""A number, or the law that it is drawn from."""


def row(
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
    """
    extra: dict[str, Any] = {
        "unit": unit,
        "log": log,
        "panel": panel,
        "shapes_image": shapes_image,
    }
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
        if isinstance(item, Uniform | Normal | Lognormal):
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

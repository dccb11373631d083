"""What every block of a scene shares: strict fields, limits checked in words, rows for a panel."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import TypeVar

from osog.scene import laws_in_fields
from osog.scene.law import Distribution

Number = TypeVar("Number", default=float)
"""Type of a continuous number: a float as the file states it, a 0-dim tensor in the engine.

``Microscope`` is ``Microscope[float]``; formulas take the ``Microscope[Tensor]`` of `Values`.
"""


class SceneModel(BaseModel):
    """A frozen block of the scene file; unknown keys are refused.

    Limits live in the field's ``json_schema_extra["limits"]`` and hold for plain numbers, for
    lists of numbers and for the whole support of a law.

    Every number may be given as a law. Where the field holds numbers alone, it then holds the law's
    centre, the law itself lies beside it (`laws`), and only `Scene.sample` and the renderer, which
    draw one image, ask for it. A choice takes the place of any field, whole blocks too; the field
    then holds its most likely option.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    page: ClassVar[str] = ""
    """Page of the manual, and heading there, that say more than the fields do."""

    _laws: dict[str, Distribution] | None = PrivateAttr(None)

    def __class_getitem__(cls, number: Any) -> Any:
        """Return the class itself: the type of its numbers is for readers and type checkers."""
        return cls

    @property
    def laws(self) -> Mapping[str, Distribution]:
        """Laws beside the fields of this block, by field or by entry such as ``zernike[12]``."""
        return self._laws or {}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy it with some fields replaced, and the laws of these fields gone; not validated."""
        copy = super().model_copy(update=update, deep=deep)
        if self._laws and update:
            kept = {key: law for key, law in self._laws.items() if key.split("[")[0] not in update}
            copy._laws = kept or None
        return copy

    @model_validator(mode="wrap")
    @classmethod
    def _laws_beside_numbers(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return cls._read(data, handler)

    @classmethod
    def _read(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, dict):
            return handler(data)
        plain, found = laws_in_fields.told_apart(cls, data)
        for key, law in found.items():
            if law.numeric:
                _check_limits(key, law, cls.model_fields[key.split("[")[0]])
        model = handler(plain)
        for key, law in found.items():
            if not law.numeric:
                laws_in_fields.check_options(cls, plain, key, law)
        if found:
            model._laws = found
        return model

    @model_serializer(mode="wrap")
    def _laws_in_place(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        return laws_in_fields.put_back(data, self._laws, info.mode) if self._laws else data

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow laws wherever validation does."""
        described = handler(schema)
        inner = handler.resolve_ref_schema(described)
        laws_in_fields.widen(cls, inner.get("properties", {}), handler)
        return described

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
    bounds = laws_in_fields.limits(info)
    if bounds is None:
        return
    low, high = bounds
    extra = info.json_schema_extra
    unit = extra.get("unit", "") if isinstance(extra, dict) else ""
    values = value if isinstance(value, tuple | list) else (value,)
    for item in values:
        if item is None or isinstance(item, str):
            continue
        if isinstance(item, Distribution):
            if not item.known:
                continue
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

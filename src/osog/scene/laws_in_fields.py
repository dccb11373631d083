"""Where laws stand in the fields of a block: told apart from its numbers, and put back for a file.

A field that is typed as a number holds the centre of its law; the law lies beside it. A field that
is typed `NumberOrDistribution`, as those that belong to each particle are, holds the law itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import ValidationError
from typing_extensions import TypeAliasType, TypeVar

from osog.scene.continuous import Uniform
from osog.scene.discrete import OneOf
from osog.scene.distributions import ANY_LAW
from osog.scene.errors import sentences
from osog.scene.law import Distribution

if TYPE_CHECKING:
    from pydantic import BaseModel, GetJsonSchemaHandler
    from pydantic.fields import FieldInfo

_NAMES = ("name", "kind", "law", "schema_version")
"""Fields that tell blocks apart, or bring numbers with them: a choice takes the whole block."""
_WORDS = (
    *("title", "description", "default", "unit", "log", "panel", "shapes_image", "fit"),
    *("limits", "slider", "step"),
)
"""What a JSON schema says of a field beside its type."""
_RANGE: dict[str, Any] = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 2,
    "maxItems": 2,
    "description": "Lowest and highest value, all between equally likely.",
}


@dataclass(frozen=True)
class Numbers:
    """What kind of numbers a field holds.

    Attributes
    ----------
    single : bool
        Whether it may hold a number.
    entries : bool
        Whether it may hold a list of numbers, or numbers by name.
    whole : bool
        Whether its numbers are whole.
    native : bool
        Whether it takes the law itself.
    """

    single: bool = False
    entries: bool = False
    whole: bool = False
    native: bool = False

    @property
    def any(self) -> bool:
        """Whether it holds numbers at all."""
        return self.single or self.entries


@cache
def numbers_of(model: type[BaseModel], field: str) -> Numbers:
    """What kind of numbers a field of a block holds."""
    return _kind(model.model_fields[field].annotation)


def _kind(annotation: Any) -> Numbers:
    if isinstance(annotation, TypeAliasType):
        return _kind(annotation.__value__)
    if isinstance(annotation, type) and issubclass(annotation, Distribution):
        return Numbers(native=True)
    if annotation is float or isinstance(annotation, TypeVar):
        return Numbers(single=True)
    if annotation is int:
        return Numbers(single=True, whole=True)
    origin = get_origin(annotation)
    if origin is Literal or annotation in (NoneType, Ellipsis):
        return Numbers()
    if origin in (tuple, dict, list):
        parts = [_kind(part) for part in get_args(annotation)[origin is dict :]]
        inside = [part for part in parts if part.single]
        return Numbers(
            entries=bool(inside),
            whole=all(part.whole for part in inside),
            native=any(part.native for part in inside),
        )
    parts = [_kind(part) for part in get_args(annotation)]
    holding = [part for part in parts if part.any]
    return Numbers(
        single=any(part.single for part in parts),
        entries=any(part.entries for part in parts),
        whole=bool(holding) and all(part.whole for part in holding),
        native=any(part.native for part in parts),
    )


def limits(info: FieldInfo) -> tuple[float, float] | None:
    """Range of the numbers of a field; None where it has none."""
    extra = info.json_schema_extra
    if isinstance(extra, dict) and "limits" in extra:
        bounds: Any = extra["limits"]
        return float(bounds[0]), float(bounds[1])
    low, high = (
        next((getattr(m, bound) for m in info.metadata if hasattr(m, bound)), None)
        for bound in ("ge", "le")
    )
    if low is None and high is None:
        return None
    return float("-inf") if low is None else low, float("inf") if high is None else high


def as_law(name: str, value: Any) -> Distribution:
    """Read a law from the content of a scene file.

    Raises
    ------
    ValueError
        In one sentence.
    """
    try:
        return ANY_LAW.validate_python(value)
    except ValidationError as error:
        raise ValueError(f"{name}: {' '.join(sentences(error))}") from None


def told_apart(
    model: type[BaseModel], data: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Distribution]]:
    """Numbers of a block, and the laws that stood in their places.

    Parameters
    ----------
    model : type
        Class of the block.
    data : dict
        Its content, as in a scene file.

    Returns
    -------
    dict
        Content with each law replaced by its centre, and each choice by its likeliest option.
    dict
        The laws by field, or by entry such as ``optic_axis[2]``.

    Raises
    ------
    ValueError
        If a law is not valid, or stands where none can.
    """
    plain, found = dict(data), {}
    for name, value in data.items():
        if name not in model.model_fields or isinstance(value, int | float | str | None):
            continue
        numbers = numbers_of(model, name)
        if not numbers.any and not _is_choice(value) and not isinstance(value, list | tuple):
            continue
        if isinstance(value, dict) and numbers.native and not _is_choice(value):
            continue  # the field reads it by itself
        if isinstance(value, dict | Distribution) and _is_law(value, numbers):
            law = _law_in(model, name, name, value)
            if numbers.native and law.numeric:
                plain[name] = law
            elif law.known:
                found[name], plain[name] = law, _stand_in(law, numbers.whole)
            else:
                found[name] = law
                del plain[name]
        elif numbers.single and not numbers.entries and _is_range(value):
            law = Uniform(low=float(value[0]), high=float(value[1]))
            if numbers.native:
                plain[name] = law
            else:
                found[name], plain[name] = law, _stand_in(law, numbers.whole)
        elif isinstance(value, list | tuple | dict):
            places = value.items() if isinstance(value, dict) else enumerate(value)
            entries = {place: entry for place, entry in places if _stands_for_one(entry, numbers)}
            if not entries:
                continue
            filled: Any = dict(value) if isinstance(value, dict) else list(value)
            for place, entry in entries.items():
                key = f"{name}[{place}]"
                if isinstance(entry, list | tuple):
                    law = Uniform(low=float(entry[0]), high=float(entry[1]))
                else:
                    law = _law_in(model, name, key, entry)
                if numbers.native and law.numeric:
                    filled[place] = law
                    continue
                found[key] = law
                filled[place] = _stand_in(law, numbers.whole) if law.known else 1.0
            plain[name] = filled
    return plain, found


def _law_in(model: type[BaseModel], name: str, key: str, value: Any) -> Distribution:
    law = as_law(key, value)
    if name in _NAMES:
        raise ValueError(f"{name} takes no law; let the choice stand in place of the whole block.")
    if law.per == "particle" and not (numbers_of(model, name).native and law.numeric):
        raise ValueError(
            f"{key} is one for the whole picture, so that 'per: particle' is not possible there."
        )
    return law


def _stand_in(law: Distribution, whole: bool) -> Any:
    if isinstance(law, OneOf):
        return law.likeliest
    return round(law.centre) if whole else law.centre


def _is_choice(value: Any) -> bool:
    return isinstance(value, OneOf) or OneOf.is_content(value)


def _is_law(value: Any, numbers: Numbers) -> bool:
    # Other blocks have a field of this name: placement and orientation.
    return _is_choice(value) or (
        numbers.any and (isinstance(value, Distribution) or "law" in value)
    )


def _is_range(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
    )


def _stands_for_one(entry: Any, numbers: Numbers) -> bool:
    """Whether an entry of a list is a law or a choice."""
    if isinstance(entry, dict | Distribution):
        return _is_law(entry, numbers)
    return numbers.any and _is_range(entry)


def check_options(
    model: type[BaseModel], plain: Mapping[str, Any], key: str, law: Distribution
) -> None:
    """Refuse a choice that has an option which does not fit into its block.

    Raises
    ------
    ValueError
        Names the option and says what is wrong with it.
    """
    assert isinstance(law, OneOf)
    name, _, place = key.rstrip("]").partition("[")
    for k, option in enumerate(law.options):
        if k == law.place:
            continue  # it was read with the block itself
        value = option
        if place:
            value = list(plain[name])
            value[int(place)] = option
        try:
            model.model_validate({**plain, name: value})
        except ValidationError as error:
            raise ValueError(f"{key}, option {k}: {' '.join(sentences(error))}") from None


def put_back(data: dict[str, Any], laws: Mapping[str, Distribution], mode: str) -> dict[str, Any]:
    """Write laws in place of the numbers and options that stand for them."""
    for key, law in laws.items():
        name, _, place = key.rstrip("]").partition("[")
        content = law.model_dump(mode=mode)
        if not place:
            data[name] = content
        elif name in data:
            if isinstance(data[name], dict):
                same = next(k for k in data[name] if str(k) == place)
                data[name] = {**data[name], same: content}
            else:
                entries = list(data[name])
                entries[int(place)] = content
                data[name] = entries
    return data


def widen(
    model: type[BaseModel], properties: dict[str, Any], handler: GetJsonSchemaHandler
) -> None:
    """Allow laws in the JSON schema of a block."""
    for name, described in list(properties.items()):
        if name not in model.model_fields or name in _NAMES:
            continue
        numbers = numbers_of(model, name)
        law = handler(ANY_LAW.core_schema)
        law = law if numbers.any else _choice_in(law, handler)
        own = {key: value for key, value in described.items() if key not in _WORDS}
        _widen_entries(own, [law, _RANGE] if numbers.any else [law])
        alternatives = [*own.pop("anyOf", []), *([own] if own else []), law]
        if numbers.single and not numbers.entries:
            alternatives.append(_RANGE)
        kept = {key: value for key, value in described.items() if key in _WORDS}
        properties[name] = {"anyOf": alternatives, **kept}


def _choice_in(law: Any, handler: GetJsonSchemaHandler) -> Any:
    """Reference to the choice, which may stand in place of anything, among all laws."""
    for each in handler.resolve_ref_schema(law)["oneOf"]:
        if handler.resolve_ref_schema(each)["properties"]["law"].get("const") == "choice":
            return each
    raise AssertionError("a choice is a law")


def _widen_entries(described: dict[str, Any], more: list[Any]) -> None:
    for part in (described, *described.get("anyOf", ())):
        for key in ("items", "additionalProperties"):
            if isinstance(part.get(key), dict):
                part[key] = {"anyOf": [part[key], *more]}
        if "prefixItems" in part:
            part["prefixItems"] = [{"anyOf": [p, *more]} for p in part["prefixItems"]]


__all__ = ["as_law", "check_options", "limits", "numbers_of", "put_back", "told_apart", "widen"]

"""How a block of a scene is read, and the record of it.

A result that is kept must be thrown away when anything changes that it was made from. What that is
nobody writes down: it is what the code read while it made the result.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from functools import cache
from inspect import getattr_static
from typing import TYPE_CHECKING, Any, Protocol, get_args

from pydantic import BaseModel

from osog.scene.model import Number

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from osog.scene import Scene

Key = tuple[str | int, ...]
"""Path of a field in a scene, such as ``("microscope", "modality", "shear_um")``."""

_ABSENT = object()
_OPTICS = ("microscope", "medium", "numerics")


class Numbers(Protocol):
    """What hands out the tensors of a scene and is told of everything that is read."""

    def read_number(self, key: Key, stated: float | None) -> Tensor | None:
        """Tensor for a leaf of the scene that holds a number; None where it holds nothing."""

    def replaces(self, key: Key) -> bool:
        """Whether a tensor stands in for this field as a whole."""

    def below(self, key: Key) -> frozenset[Key]:
        """Paths of the tensors that stand in for numbers below a path."""

    def note_fact(self, key: Key, value: Any) -> None:
        """Record that something that is no continuous number was read."""


@dataclass(eq=False)  # two records are the same only if they are one
class Reading:
    """What was read of a scene and of the caller's tensors.

    Attributes
    ----------
    numbers : dict
        Continuous numbers by path.
    facts : dict
        Everything else by path: names, switches, grids, populations; and the class of each block
        that was looked at, under its path and ``"class"``.
    listed : dict
        For each path under which the caller's tensors were listed (those of single particles, or
        further Zernike terms), the paths that were found.
    """

    numbers: dict[Key, float] = field(default_factory=dict)
    facts: dict[Key, Any] = field(default_factory=dict)
    listed: dict[Key, frozenset[Key]] = field(default_factory=dict)

    def add(self, other: Reading) -> None:
        """Take over another record."""
        self.numbers.update(other.numbers)
        self.facts.update(other.facts)
        self.listed.update(other.listed)

    def of_optics(self) -> Reading:
        """Return the part of the record that is of the microscope and the medium."""
        return Reading(
            {key: number for key, number in self.numbers.items() if key[0] in _OPTICS},
            {key: fact for key, fact in self.facts.items() if key[0] in _OPTICS},
            {key: found for key, found in self.listed.items() if key[0] in _OPTICS},
        )

    def has(self, key: Key) -> bool:
        """Whether a field, or the block that it lies in, was read."""
        if key[0] == "particles":  # numbers that the populations state
            return key in self.numbers or ("populations",) in self.facts
        return key in self.numbers or any(key[:n] in self.facts for n in range(1, len(key) + 1))

    def holds_for(
        self,
        scene: Scene,
        given: Callable[[Key], float | None] = lambda key: None,
        below: Callable[[Key], frozenset[Key]] = lambda key: frozenset(),
    ) -> bool:
        """Whether everything that was read has the same value in another scene.

        Parameters
        ----------
        scene : Scene
        given : callable
            Number that stands in for the scene's at a path; None where none does.
        below : callable
            Paths under a path at which numbers stand in for the scene's.
        """
        if any(below(key) != found for key, found in self.listed.items()):
            return False
        for key, number in self.numbers.items():
            now = given(key)
            if (_at(scene, key) if now is None else now) != number:
                return False
        return all(_at(scene, key) == value for key, value in self.facts.items())


def _at(scene: Any, key: Key) -> Any:
    """What lies at a path of a scene."""
    value = scene
    for step in key:
        if step == "class":
            return type(value)
        if isinstance(value, BaseModel):
            value = getattr(value, str(step), _ABSENT)
        elif isinstance(value, dict):
            value = value.get(step, 0.0)
        elif isinstance(value, tuple) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return _ABSENT
    return value


class Block:
    """A block of a scene that hands out tensors for its numbers and notes what is read.

    It stands in for the model of the scene file (`isinstance` sees that class), and runs the
    model's own properties and methods on itself, so that these are recorded too.

    Parameters
    ----------
    model : BaseModel
    key : tuple
        Its path in the scene.
    values : Numbers
    tensors : bool
        Whether continuous numbers come as tensors, or as the floats of the scene.
    """

    __slots__ = ("_key", "_model", "_tensors", "_values")

    def __init__(self, model: BaseModel, key: Key, values: Numbers, *, tensors: bool) -> None:
        self._model, self._key, self._values, self._tensors = model, key, values, tensors

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        self._values.note_fact((*self._key, "class"), type(self._model))
        return type(self._model)

    def __getattr__(self, name: str) -> Any:
        kind = type(self._model)
        if self._key:
            self._values.note_fact((*self._key, "class"), kind)
        part, own = _part(kind, name)
        if part in ("number", "field"):
            return self._field(name, self._tensors and part == "number")
        if part == "property":
            return own(self)
        if part == "method":
            return types.MethodType(own, self)
        if part == "whole":
            self._values.note_fact(self._key, self._model)
        return getattr(self._model, name)

    def _field(self, name: str, as_tensor: bool) -> Any:
        value, key = getattr(self._model, name), (*self._key, name)
        if self._tensors and self._values.replaces(key):
            return self._number(key, None)
        if isinstance(value, BaseModel):
            return Block(value, key, self._values, tensors=self._tensors)
        if as_tensor:
            if isinstance(value, tuple):
                return tuple(self._number((*key, i), v) for i, v in enumerate(value))
            if isinstance(value, dict):
                self._values.note_fact(key, value)
                more = sorted(int(k[-1]) for k in self._values.below(key) if k[-1] not in value)
                return {k: self._number((*key, k), value.get(k, 0.0)) for k in (*value, *more)}
            return self._number(key, value)
        self._values.note_fact(key, value)
        return value

    def _number(self, key: Key, stated: float | None) -> Tensor | None:
        return self._values.read_number(key, stated)

    def __eq__(self, other: object) -> bool:
        self._values.note_fact(self._key, self._model)
        return bool(self._model == plain(other))

    def __hash__(self) -> int:
        self._values.note_fact(self._key, self._model)
        return hash(self._model)

    def __repr__(self) -> str:
        return repr(self._model)


def plain(value: Any) -> Any:
    """Return the model that a `Block` stands for, or the thing itself."""
    if type(value) is Block:
        value._values.note_fact(value._key, value._model)
        return value._model
    return value


@cache
def _part(kind: type[BaseModel], name: str) -> tuple[str, Any]:
    """What a name is in a class of blocks, and the function behind a property or a method."""
    if name in kind.model_fields:
        number = _holds_number(kind.model_fields[name].annotation)
        return ("number" if number else "field"), None
    own = getattr_static(kind, name, None)
    if isinstance(own, property) and not hasattr(BaseModel, name):
        return "property", own.fget
    if isinstance(own, types.FunctionType) and not hasattr(BaseModel, name):
        return "method", own
    # What pydantic does with a block, it does with all of it.
    return ("whole" if hasattr(BaseModel, name) else "trait"), None


def _holds_number(annotation: Any) -> bool:
    """Whether a field is declared with the type `Number`."""
    return annotation is Number or any(_holds_number(part) for part in get_args(annotation))

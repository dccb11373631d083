"""Dotted names of the fields of a scene: where they lead, and how a field is replaced.

``particles[3].radius_um`` names particle 3 of all those that are drawn, in scene order;
``populations.needle.particles[0].x_um`` names an explicit particle of one population, and lists
take an index: ``populations.plates.shape.size_um[2]``.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

from pydantic import BaseModel

from osog.scene import instruments, materials
from osog.scene.discrete import OneOf
from osog.scene.errors import SceneError
from osog.scene.microscope import Microscope
from osog.scene.population import Population
from osog.scene.shapes import size_fields

SUBSTANCE_NUMBERS = ("index", "absorption_per_um", "birefringence")
"""Fields of a material for which the table of materials may have a value."""
_ANY_UM = 0.55
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Populated(Protocol):
    """A scene, as far as its names need to know."""

    @property
    def populations(self) -> tuple[Population, ...]:
        """Populations, in the order of the file."""

    @property
    def microscope(self) -> Microscope[float]:
        """Microscope, whose light named materials follow."""

    def model_dump(self) -> dict[str, Any]:
        """Content as plain values."""


def split(name: str) -> list[str | int]:
    """Split a dotted name: ``a.b[2].c`` becomes ``["a", "b", 2, "c"]``.

    Raises
    ------
    SceneError
        If the name is not of that form.
    """
    return list(_steps(name))


@lru_cache(maxsize=4096)
def _steps(name: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    position = 0
    for match in _STEP.finditer(name):
        between = name[position : match.start()]
        if between not in ("", ".") or (between == "." and not steps):
            break
        steps.append(match[1] if match[1] is not None else int(match[2]))
        position = match.end()
    if position != len(name) or not steps:
        raise SceneError(f"'{name}' is not a parameter name such as microscope.focus_um.")
    return tuple(steps)


def get(scene: Populated, name: str) -> Any:
    """Value in the scene by dotted name.

    Raises
    ------
    SceneError
        If there is no such field; the message lists what there is.
    """
    value: Any = scene
    for step in resolved(scene, name):
        value = child(value, step, name)
    return value


def content_with(scene: Populated, values: Mapping[str, Any]) -> dict[str, Any]:
    """Content of a scene with the given fields changed, to be validated.

    Parameters
    ----------
    scene : Scene
    values : mapping of dotted names to numbers or plain values

    Raises
    ------
    SceneError
        If a name does not exist.
    """
    data = scene.model_dump()
    for name, value in values.items():
        steps = resolved(scene, name)
        target: Any = data
        owner: Any = scene
        for step in steps[:-1]:
            owner = child(owner, step, name) if owner is not None else None
            target = _own(target, step, name)
            if OneOf.is_content(target) and isinstance(owner, BaseModel):
                target = _standing(target, owner)
        last = steps[-1]
        if isinstance(target, dict) and last not in target and not _open_mapping(steps):
            raise _unknown(name, target)
        if isinstance(target, list) and not 0 <= int(last) < len(target):
            raise SceneError(f"'{name}': there are only {len(target)} entries.")
        if type(target) not in (dict, list):
            raise SceneError(f"'{name}' does not exist; '{last}' lies inside a plain value.")
        target[last] = value
        if steps[-2:-1] in (["material"], ["medium"]):
            _keep_consistent(target, str(last), value, name.rsplit(".", 1)[0], values)
        else:
            _keep_instruments(data, name, value, values)
    if "microscope.wavelength_um" in values:
        _follow_the_light(scene, data)
    return data


def _keep_consistent(
    target: dict[str, Any], field: str, value: Any, base: str, values: Mapping[str, Any]
) -> None:
    """Let the other fields of a medium or material agree with one that was changed."""
    if field in SUBSTANCE_NUMBERS:
        if field in ("index", *(_own_numbers(target.get("name")))):
            target["name"] = None  # a number of its own no longer is that substance
    elif field == "name" and value is not None:  # the substance brings its own numbers
        for number in (*SUBSTANCE_NUMBERS, "abbe_number", "dispersion"):
            if f"{base}.{number}" not in values:
                target.pop(number, None)
    elif field == "abbe_number" and value is not None:
        target["dispersion"] = None
    elif field == "dispersion" and value is not None:
        target["abbe_number"] = None


def _keep_instruments(
    data: dict[str, Any], name: str, value: Any, values: Mapping[str, Any]
) -> None:
    """Let an instrument that was chosen set its fields, and one whose fields were changed go."""
    places = {f"{block}.{field}": kind for kind, (block, field) in instruments.PLACES.items()}
    kind = places.get(name)
    if kind is not None and isinstance(value, str):
        try:
            brought = instruments.values_of(kind, value)
        except ValueError as error:
            raise SceneError(str(error)) from None
        both = (data["microscope"]["objective"], (data["camera"] or {}).get("model"))
        if kind in ("objective", "camera") and all(both):
            brought[instruments.PIXEL_SIZE] = None
        for field in brought:
            if field not in values:
                data[field.split(".")[0]].pop(field.split(".")[1], None)
        return
    for kind, (block, field) in instruments.PLACES.items():
        content = data.get(block)
        if not isinstance(content, dict):
            continue
        chosen = content.get(field)
        if chosen and f"{block}.{field}" not in values:
            fixed = instruments.find(kind, chosen).fields
            if any(name == known or name.startswith(f"{known}.") for known in fixed):
                if name != "camera.background_electrons":  # the exposure is the user's
                    content[field] = None


def _own_numbers(name: str | None) -> tuple[str, ...]:
    """Fields that the table gives for a name."""
    substance = materials.known(name)
    return () if substance is None else tuple(substance.numbers(_ANY_UM))


def _follow_the_light(scene: Populated, data: dict[str, Any]) -> None:
    """Let what has the numbers of its name in the old light take those in the new one."""
    wavelength = scene.microscope.wavelength_um
    listed = data["populations"]
    every = [] if OneOf.is_content(listed) else listed
    contents = [data["medium"], *(each.get("material") for each in every)]
    for content in contents:
        if not isinstance(content, dict) or OneOf.is_content(content):
            continue
        substance = materials.known(content.get("name"))
        if substance is None:
            continue
        for field, number in substance.numbers(wavelength).items():
            if content.get(field) == number:
                del content[field]


def resolved(scene: Populated, name: str) -> list[str | int]:
    """Full path in the scene: population names and drawn particle numbers become indices."""
    steps = split(name)
    if steps[0] == "populations" and len(steps) > 1 and isinstance(steps[1], str):
        names = [population.name for population in scene.populations]
        if steps[1] not in names:
            raise SceneError(f"'{name}': populations are {', '.join(names) or 'none'}.")
        steps[1] = names.index(steps[1])
    if steps[0] == "particles" and len(steps) > 1 and isinstance(steps[1], int):
        first = 0
        for i, population in enumerate(scene.populations):
            if not population.visible:
                continue
            if population.particles is None:
                count = population.number
                if count is None or steps[1] < first + count:
                    raise SceneError(
                        f"'{name}': particle {steps[1]} is drawn by chance; make the particles of "
                        f"population '{population.name}' explicit first."
                    )
                first += count
                continue
            if steps[1] < first + len(population.particles):
                return ["populations", i, "particles", steps[1] - first, *steps[2:]]
            first += len(population.particles)
        raise SceneError(f"'{name}': the scene lists only {first} particles.")
    return steps


def fields_of(model: BaseModel) -> tuple[str, ...]:
    """Names of its fields, and of the sizes of registered shapes that a particle gives."""
    return (*type(model).model_fields, *(model.model_extra or ()))


def child(value: Any, step: str | int, name: str) -> Any:
    """Field or entry of a part of the scene; `name` is the whole name, for the message.

    Raises
    ------
    SceneError
        If there is no such field or entry.
    """
    if isinstance(value, BaseModel):
        if isinstance(step, str) and step in fields_of(value):
            return getattr(value, step)
        raise _unknown(name, dict.fromkeys(type(value).model_fields))
    if isinstance(value, tuple | list):
        if isinstance(step, int) and step < len(value):
            return value[step]
        raise SceneError(f"'{name}': there are only {len(value)} entries.")
    if isinstance(value, dict):
        return value.get(int(step), 0.0)
    raise SceneError(f"'{name}' does not exist; '{step}' lies inside a plain value.")


def _own(target: Any, step: str | int, name: str) -> Any:
    """Child of a dumped scene that may be written to: tuples are turned into lists."""
    try:
        child = target[step]
    except (KeyError, IndexError, TypeError):
        raise _unknown(name, target if isinstance(target, dict) else {}) from None
    if child is None:
        raise SceneError(f"'{name}': the scene has no {step}.")
    if isinstance(child, tuple):
        child = list(child)
        target[step] = child
    return child


def _standing(choice: dict[str, Any], block: BaseModel) -> dict[str, Any]:
    """Content of the option that stands for a choice, written into its place in the choice."""
    content: dict[str, Any] = block.model_dump()
    options = list(choice["options"])
    options[OneOf.model_validate(choice).place] = content
    choice["options"] = options
    return content


def _open_mapping(steps: list[str | int]) -> bool:
    """Whether an entry that is not there yet may be added."""
    if "zernike" in steps or "osa" in steps:
        return True
    return steps[-3:-2] == ["particles"] and steps[-1] in size_fields()


def _unknown(name: str, available: Mapping[str, Any]) -> SceneError:
    known = ", ".join(str(key) for key in available) or "nothing"
    return SceneError(f"'{name}' does not exist; there is {known}.")

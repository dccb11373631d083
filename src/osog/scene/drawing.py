"""From a scene with laws to the scene of one image.

Every number has a random stream of its own, named after its path: a law that is added, or a
population that is moved, reshuffles nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from pydantic import BaseModel

from osog.scene import paths
from osog.scene.discrete import OneOf
from osog.scene.distributions import Multiple
from osog.scene.errors import SceneError
from osog.scene.law import Array, Distribution
from osog.scene.laws_in_fields import numbers_of
from osog.scene.model import SceneModel
from osog.scene.population import Particle, Population
from osog.scene.seeds import checked_seed

if TYPE_CHECKING:
    from typing import Self

_STREAM = 0x6C617773
"""Sets the streams of numbers apart from those of the particles."""

_T = TypeVar("_T")
Block = TypeVar("Block", bound=SceneModel)


class Drawable(paths.Populated, Protocol):
    """A scene, as far as drawing it needs to know."""

    def updated(self, values: Mapping[str, Any]) -> Self:
        """Return a new scene with some fields changed, by dotted name."""


_Scene = TypeVar("_Scene", bound=Drawable)


def stream(seed: int, path: str) -> np.random.Generator:
    """Random numbers for the number at a path; Philox, which is the same on every machine."""
    words = np.frombuffer(hashlib.sha256(path.encode()).digest()[:16], dtype="<u4")
    key = (_STREAM, *(int(word) for word in words))
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def laws(scene: Drawable) -> Iterator[tuple[str, Distribution]]:
    """Every law of a scene by dotted name, in the order of the file; options have none."""
    for path, law, _ in _walk(scene, ""):
        yield path, law


def image_laws(scene: Drawable) -> dict[str, Distribution]:
    """Laws that one number is drawn from for the whole picture."""
    return {
        path: law
        for path, law, native in _walk(scene, "")
        if law.per == "image" or (law.per is None and not native)
    }


def _walk(model: Any, base: str) -> Iterator[tuple[str, Distribution, bool]]:
    for key, law in model.laws.items() if isinstance(model, SceneModel) else ():
        if not base and key.startswith("populations["):
            key = f"populations.{paths.get(model, key).name}"
        yield f"{base}{key}", law, False
    if isinstance(model, Particle):
        return  # nothing lies below, and there may be many
    for field in type(model).model_fields:
        value = getattr(model, field)
        if isinstance(value, float | int | str | None):
            continue
        if isinstance(value, Distribution):
            yield f"{base}{field}", value, True
        elif isinstance(value, BaseModel):
            yield from _walk(value, f"{base}{field}.")
        elif isinstance(value, tuple):
            for k, entry in enumerate(value):
                if isinstance(entry, Distribution):
                    yield f"{base}{field}[{k}]", entry, True
                elif isinstance(entry, Population):
                    yield from _walk(entry, f"{base}{field}.{entry.name}.")
                elif isinstance(entry, BaseModel):
                    yield from _walk(entry, f"{base}{field}[{k}].")


def drawn(scene: _Scene, seed: int) -> _Scene:
    """Draw everything that is one for the whole picture; particles are still to be drawn.

    Returns
    -------
    Scene
        Itself where there is nothing to draw.

    Raises
    ------
    SceneError
        If the numbers that this seed draws do not go together, or laws depend on each other.
    """
    seed = checked_seed(seed)
    while True:
        found = image_laws(scene)
        choices = {path: law for path, law in found.items() if not law.numeric}
        if not choices:
            break
        first = {p: law for p, law in choices.items() if not any(_lies_in(p, q) for q in choices)}
        scene = _replaced(scene, _picked(scene, first, choices, seed), seed)
    if not found:
        return scene
    numbers: dict[str, float] = {}

    def number(path: str) -> float:
        law = found[path]
        rng = stream(seed, path)
        if isinstance(law, Multiple):
            value = law.draw_of([_plain(law.of, path)], rng, 1)
        elif law.follows is not None:
            leader = _full(scene, law.follows, path)
            if leader not in found:
                raise SceneError(
                    f"{path} follows {law.follows}, which is not drawn once for the picture."
                )
            value = law.draw_following(found[leader], [_memo(leader)], rng, 1)
        else:
            value = law.draw(rng, 1)
        one = float(value[0])
        return float(round(one)) if _whole(scene, path) else one

    def _plain(name: str, path: str) -> float:
        full = _full(scene, name, path)
        return _memo(full) if full in found else _stated(scene, full, path)

    _memo = _once(number, numbers)
    for path in found:
        _memo(path)
    return _replaced(scene, {p: _as_stated(scene, p, v) for p, v in numbers.items()}, seed)


def draws_of(scene: Drawable, name: str, count: int, seed: int) -> Array:
    """Draw one number of a scene many times, together with the numbers that it hangs on.

    Parameters
    ----------
    scene : Scene
    name : str
        Dotted name of the number.
    count, seed : int

    Returns
    -------
    ndarray, shape (count,)
        Whole where the field's numbers are; all the same where it has no law.

    Raises
    ------
    SceneError
        If the name does not exist, is no number, or laws depend on each other.
    """
    checked_seed(seed)
    kept: dict[str, Array] = {}

    def draw(path: str) -> Array:
        law = law_at(scene, path)
        if law is None:
            return np.full(count, _stated(scene, path, path))
        if not law.numeric:
            raise SceneError(f"'{name}': {path} is a choice of other things than numbers.")
        rng = stream(seed, path)
        if isinstance(law, Multiple):
            drawn_numbers = law.draw_of(_memo(_full(scene, law.of, path)), rng, count)
        elif law.follows is not None:
            leader = _full(scene, law.follows, path)
            other = law_at(scene, leader)
            if other is None:
                raise SceneError(f"{path} follows {law.follows}, which has no law.")
            try:
                drawn_numbers = law.draw_following(other, _memo(leader), rng, count)
            except ValueError as error:
                raise SceneError(f"{path}: {error}") from None
        else:
            drawn_numbers = law.draw(rng, count)
        return np.round(drawn_numbers) if _whole(scene, path) else drawn_numbers

    _memo = _once(draw, kept)
    return _memo(_full(scene, name, name))


def tied(scene: Drawable) -> dict[str, Multiple] | None:
    """Laws that hang on other numbers, with what the scene knows of these; None without any."""
    found = {path: law for path, law in laws(scene) if law.numeric}
    links = {path: law for path, law in found.items() if isinstance(law, Multiple)}
    if not links:
        return None
    known: dict[str, Multiple] = {}

    def reach(path: str) -> tuple[float, float, float]:
        law = found[path]
        if isinstance(law, Multiple):
            full = _full(scene, law.of, path)
            if full in found:
                other = _memo(full)
            else:
                value = _stated(scene, full, path)
                other = (value, value, value)
            law = known[path] = law.tied(*other)
        return (law.centre, *law.support)

    _memo = _once(reach, {})
    for path in links:
        _memo(path)
    return known


def _once(make: Callable[[str], _T], kept: dict[str, _T]) -> Callable[[str], _T]:
    """Work out each path once, and refuse a circle."""
    open_: list[str] = []

    def get(path: str) -> _T:
        if path not in kept:
            if path in open_:
                circle = " → ".join([*open_[open_.index(path) :], path])
                raise SceneError(f"these numbers are made of each other: {circle}.")
            open_.append(path)
            kept[path] = make(path)
            open_.pop()
        return kept[path]

    return get


def _picked(
    scene: Drawable, first: Mapping[str, Distribution], every: Mapping[str, Distribution], seed: int
) -> dict[str, Any]:
    places: dict[str, int] = {}

    def place(path: str) -> int:
        law = every[path]
        assert isinstance(law, OneOf)
        if law.follows is not None:
            leader = _full(scene, law.follows, path)
            if leader in every and law.correlation == 1:
                _check_length(law, every[leader], path)
                return _memo(leader)
            raise SceneError(
                f"{path} follows {law.follows}; a choice of other things than numbers can follow "
                "only such a choice, with correlation = 1."
            )
        return law.pick(float(stream(seed, path).random()))

    _memo = _once(place, places)
    return {path: every[path].options[_memo(path)] for path in first}  # type: ignore[attr-defined]


def _check_length(law: OneOf, other: Distribution, path: str) -> None:
    assert isinstance(other, OneOf)
    try:
        law.check_same_length(other)
    except ValueError as error:
        raise SceneError(f"{path}: {error}") from None


def _lies_in(path: str, other: str) -> bool:
    return path != other and path.startswith(other) and path[len(other)] in ".["


def _full(scene: Drawable, name: str, path: str) -> str:
    """Dotted name of a number that a law at a path speaks of, populations by name."""
    steps = paths.split(name)
    if not hasattr(scene, str(steps[0])):
        return beside(scene, name, path)
    if steps[0] == "populations" and len(steps) > 1 and isinstance(steps[1], int):
        if steps[1] >= len(scene.populations):
            raise SceneError(f"{path}: '{name}' does not exist.")
        steps[1] = scene.populations[steps[1]].name
    full = str(steps[0])
    for step in steps[1:]:
        full += f"[{step}]" if isinstance(step, int) else f".{step}"
    return full


def beside(scene: Drawable, name: str, path: str) -> str:
    """Dotted name of a number of the same block, or of the same population.

    Raises
    ------
    SceneError
        If there is no such number.
    """
    steps = paths.split(path)
    blocks = [path.rpartition(".")[0]]
    if steps[0] == "populations":
        own = f"populations.{steps[1]}"
        blocks += [own, f"{own}.shape", f"{own}.material", f"{own}.placement", f"{own}.orientation"]
    for block in blocks:
        full = f"{block}.{name}"
        try:
            paths.get(scene, full)
        except SceneError:
            continue
        return full
    raise SceneError(f"{path}: '{name}' is neither beside it nor a dotted name of the scene.")


def _stated(scene: Drawable, full: str, path: str) -> float:
    value = paths.get(scene, full)
    if isinstance(value, Distribution) and value.numeric:
        raise SceneError(
            f"{path} is drawn once for the picture, but {full} differs from particle to particle; "
            "give that law 'per: image'."
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SceneError(f"{path}: '{full}' is not a number.")
    return float(value)


def _owner(scene: Drawable, path: str) -> tuple[type[BaseModel], str]:
    steps = paths.resolved(scene, path)
    owner: Any = scene
    model: type[BaseModel] = type(owner)
    field = str(steps[0])
    for step in steps:
        if isinstance(owner, BaseModel):
            model, field = type(owner), str(step)
        owner = paths.child(owner, step, path)
    return model, field


def _whole(scene: Drawable, path: str) -> bool:
    model, field = _owner(scene, path)
    return field in model.model_fields and numbers_of(model, field).whole


def _as_stated(scene: Drawable, path: str, value: float) -> Any:
    return int(value) if _whole(scene, path) else value


def _replaced(scene: _Scene, values: Mapping[str, Any], seed: int) -> _Scene:
    try:
        return scene.updated(values)
    except SceneError as error:
        raise SceneError(f"seed {seed} draws numbers that do not go together: {error}") from None


def law_at(scene: Drawable, name: str) -> Distribution | None:
    """Law of a field by dotted name; None where there is none."""
    steps = paths.resolved(scene, name)
    owner: Any = scene
    found: Distribution | None = None
    key = ""
    block: Any = scene
    for step in steps:
        if isinstance(owner, SceneModel):
            block, key = owner, str(step)
        else:
            key += f"[{step}]"
        owner = paths.child(owner, step, name)
        found = owner if isinstance(owner, Distribution) else block.laws.get(key)
    return found


def list_particles_by(function: Callable[[Any, int], Any]) -> None:
    """Say what lists the particles of a scene: they are drawn above the scene, in `osog.sample`."""
    global _lister
    _lister = function


_lister: Callable[[Any, int], Any] | None = None


def listing(scene: Block, seed: int) -> Block:
    """Scene with every particle that a seed draws listed one by one."""
    if _lister is None:
        # It says so when it is imported, which may not have happened: names come when first used.
        import_module("osog.sample")
    assert _lister is not None
    result: Block = _lister(scene, seed)
    return result


def settled(model: Block, keep: Container[str] = ()) -> Block:
    """Copy a block with every law in it replaced by its centre, but those of fields to keep.

    What is drawn of each body from ``body_seed``, as its surface is, no list of particles holds:
    such laws stay where particles are listed, and those of sizes and material that they follow.
    """
    update: dict[str, Any] = {}
    for field in type(model).model_fields:
        if field in keep:
            continue
        value = getattr(model, field)
        if isinstance(value, Distribution):
            update[field] = value.centre
        elif isinstance(value, SceneModel):
            update[field] = settled(value)
        elif isinstance(value, tuple) and any(isinstance(v, Distribution) for v in value):
            update[field] = tuple(v.centre if isinstance(v, Distribution) else v for v in value)
        elif field == "populations":
            update[field] = tuple(_settled(v) for v in value)
        elif field == "inclusions":
            update[field] = tuple(settled(v) for v in value)
    copy = model.model_copy(update=update)
    copy._laws = None
    return copy


def _settled(population: Population) -> Population:
    """Population without laws, as far as its particles list what they drew."""
    if population.body_seed is None or population.particles is None:
        return settled(population)
    listed = {field for field, _ in population.shape.columns()}
    within = {field for field in type(population.shape).model_fields if field not in listed}
    heads = ("surface", "inclusions", *(f"shape.{field}" for field in within))
    kept = [law for path, law, _ in _walk(population, "") if path.startswith(heads)]
    if any(law.follows is not None for law in kept):
        return settled(population, ("shape", "material", "surface", "inclusions"))
    copy = settled(population, ("shape", "surface", "inclusions"))
    return copy.model_copy(update={"shape": settled(population.shape, within)})


__all__ = ["beside", "drawn", "draws_of", "image_laws", "laws", "settled", "stream", "tied"]

"""Which section of the manual explains a number: that of the block in which it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from napari_osog.manual.pages import REFERENCE
from osog.scene import Population, SceneError, SceneModel
from osog.scene.paths import child, resolved
from osog.scene.population import Particle

if TYPE_CHECKING:
    from osog.scene import Scene


def anchor_of(model: type[BaseModel]) -> str:
    """Anchor of the section of a model in the reference of the scene file."""
    return model.__name__.lower()


def place_of(scene: Scene, name: str) -> str:
    """Link to what explains a field of a scene.

    It follows the scene itself: the section is named after the class that holds the field.

    Parameters
    ----------
    scene : Scene
    name : str
        Dotted name; of a block, too, which may be absent.
    """
    owner: type[BaseModel] = type(scene)
    value: Any = scene
    field = ""
    try:
        steps = resolved(scene, name)
    except SceneError:  # of a particle that is drawn, and not listed
        owner = Particle if name.startswith("particles") else Population
        return f"{REFERENCE}#{anchor_of(owner)}"
    for step in steps:
        if isinstance(value, SceneModel) and step in type(value).model_fields:
            owner, field = type(value), str(step)
        try:
            value = child(value, step, name)
        except SceneError:  # of a block that is absent
            value = None
        if value is None:
            break
    if isinstance(value, SceneModel):  # and no law, which stands for a number
        return f"{REFERENCE}#{anchor_of(type(value))}"
    absent = _block(owner, field) if value is None else None
    return f"{REFERENCE}#{anchor_of(absent or owner)}"


def field_in(name: str) -> str:
    """Field that a dotted name ends with, as files have it."""
    return name.rpartition(".")[2].partition("[")[0]


def _block(owner: type[BaseModel], field: str) -> type[BaseModel] | None:
    """The one kind of block that a field can hold, or None where it holds none, or one of many."""
    info = owner.model_fields.get(field)
    kinds = () if info is None else (info.annotation, *get_args(info.annotation))
    blocks = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
    return blocks[0] if len(blocks) == 1 else None


__all__ = ["anchor_of", "field_in", "place_of"]

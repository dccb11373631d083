"""Rows of a panel, made from the fields of the scene models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args, get_origin

from napari_osog.panels.field import field_of
from napari_osog.panels.number import NumberRow
from napari_osog.panels.row import CheckRow, ChoiceRow
from osog.scene.laws_in_fields import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_osog.panels.row import Row
    from osog.scene import SceneModel

_WORDS = {
    "in_plane": "Across the picture",
    "depth": "Along the light",
    "auto": "Automatic",
    "slabs": "Phase slabs",
    "projection": "Projection",
    "mie": "Exact Mie (spheres)",
    "abbe": "Abbe (exact)",
    "weak_object": "Weak object (preview)",
    "rgb": "RGB, three chips",
    "bayer": "Bayer colour",
    "stage": "Stage travel",
    "object": "Height in the sample",
}


def model_rows(
    model: SceneModel,
    base: str,
    *,
    skip: Iterable[str] = (),
    only: Iterable[str] | None = None,
    always: Iterable[str] = (),
) -> list[Row]:
    """Make a row for each field of a model that a panel shows, in the model's order.

    Parameters
    ----------
    model : SceneModel
        An instance: distributions and tuples are seen in its values.
    base : str
        Dotted name of the model in the scene.
    skip, only : names of fields to leave out, or the only ones to take.
    always : names of fields to take although panels do not show them as a rule.
    """
    rows: list[Row] = []
    for field, info in type(model).model_fields.items():
        if field in skip or (only is not None and field not in only):
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        if not extra.get("panel", False) and field not in always:
            continue
        name, help = f"{base}.{field}", info.description or ""
        fittable = bool(extra.get("shapes_image", True))
        value = getattr(model, field)
        numbers = numbers_of(type(model), field)
        law = ("particle" if numbers.native else "image") if numbers.any else ""
        if get_origin(info.annotation) is Literal:
            words = [
                (v, _WORDS.get(v, str(v).replace("_", " ").capitalize()))
                for v in get_args(info.annotation)
            ]
            rows.append(ChoiceRow(name, info.title or field, words, help))
        elif info.annotation is bool:
            rows.append(CheckRow(name, info.title or field, help))
        elif isinstance(value, tuple):
            rows += [
                NumberRow(
                    field_of(type(model), field, f"{name}[{k}]", k),
                    law=law,
                    fittable=fittable,
                )
                for k in range(len(value))
            ]
        elif "limits" in extra:
            rows.append(NumberRow(field_of(type(model), field, name), law=law, fittable=fittable))
    return rows


__all__ = ["model_rows"]

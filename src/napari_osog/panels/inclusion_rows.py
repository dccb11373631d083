"""Rows of what crystals have on their surfaces, and of what lies in or on bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_osog.panels.field import centre
from napari_osog.panels.row import Row
from napari_osog.panels.rows import model_rows
from napari_osog.panels.widgets import small_button
from osog.scene import Inclusions, Population, Scene, Surface

if TYPE_CHECKING:
    from osog.scene.shapes import ShapeModel

_SHARE = 0.2
"""Radius of new inclusions, as a share of the smallest size of their body."""
_STEP = 0.03
"""How far the index of new inclusions lies above that of their body."""


class GroupRow(Row):
    """Heads the rows of one group of inclusions, and removes it."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title, Inclusions.__doc__ or "")
        self.remove = small_button("Remove", f"Take {title.lower()} away")
        self.remove.clicked.connect(lambda: self.edited.emit(self.name, None))
        self._line.addStretch(1)
        self._line.addWidget(self.remove)

    def set_value(self, value: Any) -> None:
        """Nothing to show: its rows do."""


def surface_rows(population: Population) -> list[Row]:
    """Bevels, breaks, striations, pits, steps and frayed ends; none for bodies without faces."""
    if not population.shape.faceted:
        return []
    surface = population.surface or Surface()
    return model_rows(surface, f"populations.{population.name}.surface")


def inclusion_rows(scene: Scene, population: Population) -> list[Row]:
    """Rows of each group of inclusions; none for bodies that can hold none."""
    if not population.shape.holds_inclusions:
        return []
    skip = () if scene.microscope.emits else ("emission_per_um",)
    rows: list[Row] = []
    for k, group in enumerate(population.inclusions):
        name = f"populations.{population.name}.inclusions[{k}]"
        rows.append(GroupRow(name, f"Group {k + 1}"))
        rows += model_rows(group, name, skip=skip)
    return rows


def new_inclusions(population: Population) -> dict[str, Any]:
    """Content of a group of granules that fit into the bodies of a population."""
    radius = max(float(f"{_SHARE * _smallest(population.shape):.2g}"), 0.005)
    index = centre(population.material.index)
    return {"number": 5, "radius_um": radius, "index": round(index + _STEP, 4)}


def _smallest(shape: ShapeModel) -> float:
    """Least half width that the numbers of a shape speak of."""
    found = []
    for field, place in shape.columns():
        value = getattr(shape, field)
        number = centre(value if place is None else value[place])
        if field.endswith("_um") and number > 0:
            found.append(number if "radius" in field or "semi" in field else number / 2)
    return min(found, default=1.0)


__all__ = ["GroupRow", "inclusion_rows", "new_inclusions", "surface_rows"]

"""The rows of a population, and of one of its particles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_osog.panels.field import Field, field_of, singular
from napari_osog.panels.number import NumberRow, RangeRow
from napari_osog.panels.pick_list import material_row
from napari_osog.panels.row import ChoiceRow
from napari_osog.panels.rows import model_rows
from osog.scene import (
    AGGREGATES,
    DEPTHS,
    HABITS,
    ORIENTATIONS,
    PLACEMENTS,
    SHAPES,
    LabelNumbers,
    Material,
    Placement,
    Polyhedron,
    Population,
    Volume,
)
from osog.scene.placement import Attached

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_osog.panels.row import Row
    from osog.scene import Scene
    from osog.scene.parameters import Parameter
    from osog.scene.shapes import ShapeModel

OTHER = "its own index"
"""The material that has no name."""
ALONE = "alone"
"""Where particles are drawn one by one."""
AXES = (
    ((1.0, 0.0, 0.0), "Along the long axis"),
    ((0.0, 1.0, 0.0), "Along the second axis"),
    ((0.0, 0.0, 1.0), "Along the third axis"),
    (None, "Another direction"),
)
"""Directions of an optic axis in the body."""


def body_rows(scene: Scene, population: Population) -> list[Row]:
    """Shape, material and arrangement: what is always seen."""
    rows = [*_shape_rows(population), *_material_rows(scene, population)]
    return rows if population.particles is not None else [*rows, *_arrangement_rows(population)]


def _shape_rows(population: Population) -> list[Row]:
    name, shape = f"populations.{population.name}.shape", population.shape
    titles = [(kind, known.title) for kind, known in SHAPES.items()]
    rows: list[Row] = [ChoiceRow(name, "Shape", titles, "Body of every particle.")]
    skip: tuple[str, ...] = ()
    if isinstance(shape, Polyhedron):
        skip = ("habit",)
        if cut_by_hand(shape):
            skip = ("habit", "size_um")
        else:
            words = [(h, h.replace("_", " ").capitalize()) for h in HABITS]
            rows.append(ChoiceRow(f"{name}.habit", "Habit", words, "Named crystal form."))
    if isinstance(shape, Volume):
        skip = ("holds",)
    rows += model_rows(shape, name, skip=skip)
    if isinstance(shape, Volume):
        rows += _label_rows(name, shape)
    return rows


def _label_rows(name: str, shape: Volume) -> list[Row]:
    """Index of each label that the scene states."""
    rows: list[Row] = []
    for k, own in enumerate(shape.labels):
        if own.index is not None:
            field = field_of(LabelNumbers, "index", f"{name}.labels[{k}].index")
            title = own.name or f"Label {own.label}"
            rows.append(NumberRow(replace(field, title=title), law="image"))
    return rows


def _material_rows(scene: Scene, population: Population) -> list[Row]:
    base, material = f"populations.{population.name}.material", population.material
    help = "A known material, by any part of its name, or any index below."
    rows: list[Row] = [material_row(f"{base}.name", "Material", help, OTHER)]
    modality = scene.microscope.modality
    only = ["index", "absorption_per_um"]
    if modality.emits:
        only = ["emission_per_um", "index"]
    elif modality.wave == "jones":
        only.append("birefringence")
    rows += model_rows(material, base, only=only)
    if modality.wave == "jones":
        name, field = f"{base}.optic_axis", Material.model_fields["optic_axis"]
        rows.append(ChoiceRow(name, field.title or "Optic axis", AXES, field.description or ""))
        if named_axis(material.optic_axis) is None:
            each = (field_of(Material, "optic_axis", f"{name}[{k}]", k) for k in range(3))
            rows += [NumberRow(field, law="image") for field in each]
    return rows


def _arrangement_rows(population: Population) -> list[Row]:
    base = f"populations.{population.name}"
    number = Field(
        f"{base}.count",
        "Count",
        help="Number of particles in the frame.",
        limits=(0, 1_000_000),
        slider=(1, 5000),
        log=True,
        integer=True,
        default=20,
        step=1,
    )
    if population.density_per_mm2 is not None:
        number = Field(
            f"{base}.density_per_mm2",
            "Density",
            "1/mm²",
            Population.model_fields["density_per_mm2"].description or "",
            limits=(0, 1e9),
            slider=(1, 1e6),
            log=True,
            default=1000,
            step=1,
        )
    rows: list[Row] = [
        NumberRow(number, law="image", fittable=False),
        RangeRow(field_of(Placement, "z_um", f"{base}.placement.z_um")),
    ]
    if _turns(population):
        rows.append(_law_row(f"{base}.orientation", "Orientation", ORIENTATIONS))
    return [*rows, _law_row(f"{base}.placement", "Arrangement", PLACEMENTS)]


def turning_rows(scene: Scene, population: Population) -> list[Row]:
    """How drawn particles are turned, where they lie and how they stand together."""
    base = f"populations.{population.name}"
    if population.particles is not None:
        return []
    rows: list[Row] = []
    if _turns(population):
        rows += model_rows(population.orientation, f"{base}.orientation", skip=("law",))
    place = f"{base}.placement"
    rows += model_rows(population.placement, place, skip=("law", "z_um"))
    if isinstance(population.placement, Attached):
        others = [(p.name, p.name) for p in scene.populations if p.name != population.name]
        choices = [(None, "The population before"), *others]
        field = Attached.model_fields["to"]
        rows.append(ChoiceRow(f"{place}.to", str(field.title), choices, str(field.description)))
    else:
        rows.append(_law_row(f"{place}.depth", "Law of depth", DEPTHS))
        rows += model_rows(population.placement.depth, f"{place}.depth", skip=("law",))
    aggregate = population.aggregate
    kinds = [(ALONE, "None"), *((kind, model.title) for kind, model in AGGREGATES.items())]
    words = "Groups in which particles are drawn; the count is the number of groups then."
    rows.append(ChoiceRow(f"{base}.aggregate", "Aggregate", kinds, words))
    return rows if aggregate is None else rows + model_rows(aggregate, f"{base}.aggregate")


def _turns(population: Population) -> bool:
    """Whether it shows how particles or their groups are turned."""
    return not population.shape.isotropic or population.aggregate is not None


def _law_row(name: str, title: str, kinds: Mapping[str, type[Any]]) -> ChoiceRow:
    titles = [(kind, model.title) for kind, model in kinds.items()]
    return ChoiceRow(f"{name}.law", title, titles, "How the population is arranged.")


def scattering_rows(scene: Scene, population: Population) -> list[Row]:
    """How it scatters, and whether it is labelled."""
    base = f"populations.{population.name}"
    rows: list[Row] = []
    optics = scene.microscope
    if not optics.emits and optics.modality.wave != "jones":
        made = model_rows(population, base, only=("scattering",))
        if not population.shape.exact_theory:
            for row in made:
                if isinstance(row, ChoiceRow):
                    row.remove("mie")
        rows += made
    return rows + model_rows(population, base, only=("labelled",))


def own_names(scene: Scene, number: int) -> list[str]:
    """Dotted names of everything that one listed particle can have for itself."""
    base, first = f"particles[{number}]", 0
    for population in scene.populations:
        listed = len(population.particles or ()) if population.visible else 0
        if first <= number < first + listed:
            break
        first += listed
    names = [f"{base}.{axis}_um" for axis in "xyz"]
    if not population.shape.isotropic:
        names += [f"{base}.orientation_deg[{k}]" for k in range(3)]
    if not cut_by_hand(population.shape):
        for field, place in population.shape.columns():
            names.append(f"{base}.{field}" if place is None else f"{base}.{field}[{place}]")
    return [*names, f"{base}.index"]


def cut_by_hand(shape: ShapeModel) -> bool:
    """Whether it is a polyhedron of half spaces, which have no size of their own."""
    return isinstance(shape, Polyhedron) and shape.half_spaces is not None


def named_axis(axis: tuple[float, float, float]) -> tuple[float, float, float] | None:
    """One of the body's own axes, or None for a direction between them."""
    return axis if any(axis == known for known, _ in AXES) else None


def field_of_parameter(parameter: Parameter) -> Field:
    """Field of a row for one number of one particle."""
    return Field(
        parameter.name,
        singular(parameter.title),
        parameter.unit,
        parameter.help,
        parameter.limits,
        parameter.slider,
        parameter.step,
        parameter.log and parameter.slider[0] > 0,
        parameter.value,
    )


__all__ = [
    "ALONE",
    "OTHER",
    "body_rows",
    "field_of_parameter",
    "named_axis",
    "own_names",
    "scattering_rows",
    "turning_rows",
]

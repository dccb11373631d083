"""The bodies a population can have."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from osog.scene.distributions import NumberOrDistribution
from osog.scene.habits import HabitName, closed_around_origin
from osog.scene.kinds import Kinds
from osog.scene.material import BODY_INDEX_LIMITS
from osog.scene.model import FitRole, FitTraits, SceneModel, parameter

_SIZE = (0.005, 2000.0)


def _length(  # type: ignore[no-untyped-def]
    default: float,
    title: str,
    help: str,
    slider: tuple[float, float] = (0.1, 50.0),
    role: FitRole | None = None,
):
    """Describe a length in µm of a shape: its slider's range and its part in a fit."""
    return parameter(
        default,
        title=title,
        help=help,
        unit="µm",
        limits=_SIZE,
        slider=slider,
        log=True,
        fit=FitTraits(role=role, factor=8.0),
    )


length_parameter = _length
"""A length in µm as a field of a shape, with its slider's range and its part in a fit."""


class ShapeModel(SceneModel):
    """A shape in the scene: its numbers, and what the rest must know of it.

    A further shape is a class like those below, with a `geometry.Shape` that draws it. Its fields
    with `limits` are its sizes: numbers or laws, or lists of three of them, which single particles
    may override.

    Attributes
    ----------
    title : str
        Words for a menu.
    isotropic : bool
        Whether it looks the same from every side, so that its orientation is no parameter.
    exact_theory : bool
        Whether Lorenz-Mie theory knows its scattering exactly.
    faceted : bool
        Whether it is a block or crystal, whose surface `Surface` describes.
    holds_inclusions : bool
        Whether inclusions can be placed in it.
    random_form : bool
        Whether particles of the same numbers may differ, by what is drawn for each.
    """

    page = "choose.md#the-model-of-scattering"

    title: ClassVar[str]
    isotropic: ClassVar[bool] = False
    exact_theory: ClassVar[bool] = False
    faceted: ClassVar[bool] = False
    holds_inclusions: ClassVar[bool] = False
    random_form: ClassVar[bool] = False

    kind: str

    @classmethod
    @cache
    def size_fields(cls) -> tuple[str, ...]:
        """Names of the numbers that single particles may override, in the order of the file."""
        return tuple(
            name
            for name, info in cls.model_fields.items()
            if isinstance(info.json_schema_extra, dict) and "limits" in info.json_schema_extra
        )

    @classmethod
    @cache
    def columns(cls) -> tuple[tuple[str, int | None], ...]:
        """Every single number of its sizes, as (field, place in a list of three or None)."""
        return tuple(
            (name, place)
            for name in cls.size_fields()
            for place in (
                range(3) if isinstance(cls.model_fields[name].default, tuple) else (None,)
            )
        )

    @model_validator(mode="after")
    def _sizes_go_together(self) -> "ShapeModel":
        fault = self.fault({})
        if fault is not None:
            raise ValueError(fault)
        return self

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Say in words why the sizes of a particle do not go together; None when they do.

        Parameters
        ----------
        particle : mapping
            What the particle gives in place of the shape's own numbers.
        """
        return None

    def mended(self, numbers: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return drawn numbers that do not go together as they are meant.

        Parameters
        ----------
        numbers : mapping of field to ndarray or float
            Drawn ones as arrays, stated ones as numbers, no lists.

        Returns
        -------
        mapping of field to ndarray
            Those that change.
        """
        return {}


SHAPES: Kinds[ShapeModel] = Kinds()
"""Every shape of the scene file, in the order of a menu."""


@SHAPES.register
class Sphere(ShapeModel):
    """A ball."""

    title = "Sphere"
    holds_inclusions = True
    isotropic = True
    exact_theory = True

    kind: Literal["sphere"] = "sphere"
    radius_um: NumberOrDistribution = _length(
        0.5, "Radius", "Radius of the ball.", (0.05, 20.0), role="radius"
    )


@SHAPES.register
class CoatedSphere(ShapeModel):
    """A ball with a concentric core of another index; the material is that of the shell."""

    page = "scene.md#coated-spheres"

    title = "Coated sphere"
    holds_inclusions = True
    isotropic = True
    exact_theory = True

    kind: Literal["coated_sphere"] = "coated_sphere"
    radius_um: NumberOrDistribution = _length(
        1.0, "Radius", "Outer radius.", (0.05, 20.0), role="radius"
    )
    core_radius_um: NumberOrDistribution = _length(
        0.7, "Core radius", "Radius of the core.", (0.05, 20.0)
    )
    core_index: NumberOrDistribution = parameter(
        1.4,
        title="Core index",
        help="Refractive index of the core.",
        limits=BODY_INDEX_LIMITS,
        slider=(1.0, 1.7),
        step=0.001,
    )
    core_absorption_per_um: NumberOrDistribution | None = parameter(
        None,
        title="Core absorption",
        help="Intensity lost per µm of path in the core; empty is that of the material.",
        unit="1/µm",
        limits=(0.0, 500.0),
        slider=(0.0, 2.0),
        panel=False,
    )

    @model_validator(mode="after")
    def _core_inside(self) -> "CoatedSphere":
        radius, core = self.radius_um, self.core_radius_um
        if isinstance(radius, float) and isinstance(core, float) and core > radius:
            raise ValueError(f"core_radius_um = {core:g} must not exceed radius_um = {radius:g}.")
        return self


@SHAPES.register
class Ellipsoid(ShapeModel):
    """An ellipsoid with three semi-axes; the first is the body's long axis."""

    title = "Ellipsoid"
    holds_inclusions = True

    kind: Literal["ellipsoid"] = "ellipsoid"
    semi_axes_um: tuple[NumberOrDistribution, NumberOrDistribution, NumberOrDistribution] = _length(
        (1.5, 0.8, 0.8),  # type: ignore[arg-type]
        "Semi-axes",
        "Half lengths along the body's own axes.",
        (0.05, 20.0),
    )


@SHAPES.register
class Rod(ShapeModel):
    """A spherocylinder: a cylinder closed by two half balls."""

    title = "Rod (round ends)"
    holds_inclusions = True

    kind: Literal["rod"] = "rod"
    length_um: NumberOrDistribution = _length(
        6.0, "Length", "Length from tip to tip.", role="length"
    )
    radius_um: NumberOrDistribution = _length(
        0.75, "Radius", "Half of the rod's width.", (0.05, 10.0), role="radius"
    )

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Refuse rods that are shorter than they are wide."""
        length = particle.get("length_um", self.length_um)
        radius = particle.get("radius_um", self.radius_um)
        if isinstance(length, float) and isinstance(radius, float) and length < 2 * radius:
            return (
                f"length_um = {length:g} must be at least twice radius_um = {radius:g}, "
                "since a rod is measured from tip to tip."
            )
        return None

    def mended(self, numbers: Mapping[str, Any]) -> Mapping[str, Any]:
        """Turn rods that are drawn shorter than they are wide into balls."""
        return {"length_um": np.maximum(numbers["length_um"], 2 * numbers["radius_um"])}


@SHAPES.register
class Cylinder(ShapeModel):
    """A cylinder with flat ends; short ones are discs."""

    title = "Cylinder"
    holds_inclusions = True

    kind: Literal["cylinder"] = "cylinder"
    length_um: NumberOrDistribution = _length(
        4.0, "Length", "Length between the two flat ends.", role="length"
    )
    radius_um: NumberOrDistribution = _length(
        0.75, "Radius", "Radius of the flat ends.", (0.05, 20.0), role="radius"
    )


@SHAPES.register
class Box(ShapeModel):
    """A rectangular block: needles, blocks and plates by their three edges."""

    title = "Box, needle, plate"
    holds_inclusions = True
    faceted = True

    kind: Literal["box"] = "box"
    size_um: tuple[NumberOrDistribution, NumberOrDistribution, NumberOrDistribution] = _length(
        (4.0, 2.0, 1.0),  # type: ignore[arg-type]
        "Edges",
        "Edge lengths along the body's own axes; the first is its long axis.",
    )


@SHAPES.register
class Polyhedron(ShapeModel):
    """A convex crystal: a named habit scaled by ``size_um``, or its own half-spaces.

    ``half_spaces`` are rows (n_x, n_y, n_z, d_um): the body is where n · x ≤ d for every row.
    Habits that are named after a substance keep the angles between its faces whatever their size,
    which says how far their faces lie from the middle.
    """

    page = "scene.md#crystals-bacteria-cells-and-droplets"

    title = "Polyhedron (crystal)"
    holds_inclusions = True
    faceted = True

    kind: Literal["polyhedron"] = "polyhedron"
    habit: HabitName = parameter("hexagonal_prism", title="Habit", help="Named crystal form.")
    size_um: tuple[NumberOrDistribution, NumberOrDistribution, NumberOrDistribution] = _length(
        (6.0, 3.0, 3.0),  # type: ignore[arg-type]
        "Size",
        "Full extent along the body's own axes; the first is its long axis.",
    )
    half_spaces: tuple[tuple[float, float, float, float], ...] | None = parameter(
        None,
        title="Half-spaces",
        help="Rows (n_x, n_y, n_z, d in µm) that replace the habit and its size.",
        panel=False,
    )

    @model_validator(mode="after")
    def _closed(self) -> "Polyhedron":
        if self.half_spaces is None:
            return self
        if len(self.half_spaces) < 4 or not closed_around_origin(self.half_spaces):
            raise ValueError(
                f"half_spaces = {len(self.half_spaces)} rows must enclose a finite body around "
                "the origin: at least 4 rows with d > 0 and normals that point to every side."
            )
        return self


@SHAPES.register
class RandomPolyhedron(ShapeModel):
    """Convex grains, each of another form: as many faces as it draws, some nearer than others."""

    page = "scene.md#crystals-bacteria-cells-and-droplets"

    title = "Random polyhedron (grain)"
    holds_inclusions = True
    faceted = True
    random_form = True

    kind: Literal["random_polyhedron"] = "random_polyhedron"
    size_um: tuple[NumberOrDistribution, NumberOrDistribution, NumberOrDistribution] = _length(
        (4.0, 3.0, 3.0),  # type: ignore[arg-type]
        "Size",
        "Full extent along the body's own axes; the first is its long axis.",
    )
    # Without `limits`, which would make them sizes: an image is no smooth function of them.
    faces: NumberOrDistribution = parameter(
        12.0, title="Faces", help="Number of faces, rounded; 6 to 40.", shapes_image=False
    )
    roughness: NumberOrDistribution = parameter(
        0.3,
        title="Roughness",
        help="How uneven the faces are: 0 like those of a ball, 1 splinters.",
        shapes_image=False,
    )

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Refuse numbers of faces that close no body."""
        for name, least, most in (("faces", 6, 40), ("roughness", 0, 1)):
            fault = range_fault(name, getattr(self, name), least, most)
            if fault is not None:
                return fault
        return None


def range_fault(name: str, value: NumberOrDistribution, least: float, most: float) -> str | None:
    """Say when a number, or what may be drawn for it, leaves its range.

    That of a number which hangs on another is known only in its scene.
    """
    if not isinstance(value, int | float) and not value.known:
        return None
    low, high = (value, value) if isinstance(value, int | float) else value.support
    if least <= low and high <= most:
        return None
    shown = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return f"{name} = {shown} must lie between {least} and {most}."


AnyShape = Annotated[ShapeModel, SHAPES]


def size_fields() -> tuple[str, ...]:
    """Names of the sizes of all shapes, which single particles may override."""
    return _size_fields(tuple(SHAPES.models.values()))


@cache
def _size_fields(models: tuple[type[ShapeModel], ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for model in models for name in model.size_fields()))

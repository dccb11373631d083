"""The bodies a population can have."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from osog.scene.distributions import NumberOrDistribution
from osog.scene.model import FitRole, FitTraits, SceneModel, parameter

_SIZE = (0.005, 2000.0)


def _length(  # type: ignore[no-untyped-def]
    default: float,
    title: str,
    help: str,
    slider: tuple[float, float] = (0.1, 50.0),
    role: FitRole | None = None,
):
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


class Sphere(SceneModel):
    """A ball."""

    kind: Literal["sphere"] = "sphere"
    radius_um: NumberOrDistribution = _length(
        0.5, "Radius", "Radius of the ball.", (0.05, 20.0), role="radius"
    )


class CoatedSphere(SceneModel):
    """A ball with a concentric core of another index; the material is that of the shell."""

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
        limits=(1.0, 4.0),
        slider=(1.0, 1.7),
        step=0.001,
    )

    @model_validator(mode="after")
    def _core_inside(self) -> "CoatedSphere":
        radius, core = self.radius_um, self.core_radius_um
        if isinstance(radius, float) and isinstance(core, float) and core > radius:
            raise ValueError(f"core_radius_um = {core:g} must not exceed radius_um = {radius:g}.")
        return self


class Ellipsoid(SceneModel):
    """An ellipsoid with three semi-axes; the first is the body's long axis."""

    kind: Literal["ellipsoid"] = "ellipsoid"
    semi_axes_um: tuple[NumberOrDistribution, NumberOrDistribution, NumberOrDistribution] = _length(
        (1.5, 0.8, 0.8),  # type: ignore[arg-type]
        "Semi-axes",
        "Half lengths along the body's own axes.",
        (0.05, 20.0),
    )


class Rod(SceneModel):
    """A spherocylinder: a cylinder closed by two half balls."""

    kind: Literal["rod"] = "rod"
    length_um: NumberOrDistribution = _length(
        6.0, "Length", "Length from tip to tip.", role="length"
    )
    radius_um: NumberOrDistribution = _length(
        0.75, "Radius", "Half of the rod's width.", (0.05, 10.0), role="radius"
    )

    @model_validator(mode="after")
    def _longer_than_wide(self) -> "Rod":
        length, radius = self.length_um, self.radius_um
        if isinstance(length, float) and isinstance(radius, float) and length < 2 * radius:
            raise ValueError(
                f"length_um = {length:g} must be at least twice radius_um = {radius:g}, "
                "since a rod is measured from tip to tip."
            )
        return self


class Cylinder(SceneModel):
    """A cylinder with flat ends; short ones are discs."""

    kind: Literal["cylinder"] = "cylinder"
    length_um: NumberOrDistribution = _length(
        4.0, "Length", "Length between the two flat ends.", role="length"
    )
    radius_um: NumberOrDistribution = _length(
        0.75, "Radius", "Radius of the flat ends.", (0.05, 20.0), role="radius"
    )


class Box(SceneModel):
    """A rectangular block: needles, blocks and plates by their three edges."""

    kind: Literal["box"] = "box"
    size_um: tuple[NumberOrDistribution, NumberOrDistribution, NumberOrDistribution] = _length(
        (4.0, 2.0, 1.0),  # type: ignore[arg-type]
        "Edges",
        "Edge lengths along the body's own axes; the first is its long axis.",
    )


HABITS: dict[str, str] = {
    "octahedron": "eight triangles",
    "hexagonal_prism": "six sides along the long axis, two flat ends",
    "hexagonal_bipyramid": "twelve triangles that meet in two tips",
    "rhombic_dodecahedron": "twelve rhombi",
    "truncated_octahedron": "an octahedron with its six corners cut",
    "tetragonal_prism_tips": "a square prism with pyramid tips, as lysozyme grows",
    "parallelepiped": "a sheared block with oblique ends",
}


class Polyhedron(SceneModel):
    """A convex crystal: a named habit scaled by ``size_um``, or its own half-spaces.

    ``half_spaces`` are rows (n_x, n_y, n_z, d_um): the body is where n · x ≤ d for every row.
    """

    kind: Literal["polyhedron"] = "polyhedron"
    habit: Literal[
        "octahedron",
        "hexagonal_prism",
        "hexagonal_bipyramid",
        "rhombic_dodecahedron",
        "truncated_octahedron",
        "tetragonal_prism_tips",
        "parallelepiped",
    ] = parameter("hexagonal_prism", title="Habit", help="Named crystal form.")
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
        from osog.scene.habits import closed_around_origin

        if len(self.half_spaces) < 4 or not closed_around_origin(self.half_spaces):
            raise ValueError(
                f"half_spaces = {len(self.half_spaces)} rows must enclose a finite body around "
                "the origin: at least 4 rows with d > 0 and normals that point to every side."
            )
        return self


Shape = Annotated[
    Sphere | CoatedSphere | Ellipsoid | Rod | Cylinder | Box | Polyhedron,
    Field(discriminator="kind"),
]

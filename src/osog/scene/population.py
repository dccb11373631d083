"""Populations: many particles of one kind, drawn or listed one by one."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from osog.scene.distributions import NumberOrDistribution, Uniform
from osog.scene.material import Material
from osog.scene.model import FitTraits, SceneModel, parameter
from osog.scene.shapes import CoatedSphere, Rod, Shape, Sphere

_POSITION = (-1e5, 1e5)
SIZES = ("radius_um", "core_radius_um", "core_index", "length_um", "semi_axes_um", "size_um")
"""Numbers of a shape that a single particle may override."""


class Placement(SceneModel):
    """Where drawn particles lie."""

    law: Literal["poisson", "non_overlapping", "clustered", "lattice"] = parameter(
        "poisson",
        title="Arrangement",
        help="Independent, non-overlapping, in clusters, or on a square lattice.",
    )
    z_um: NumberOrDistribution = parameter(
        0.0,
        title="Depth",
        help="Height of the particle centres along the light; a number, a range or a law.",
        unit="µm",
        limits=_POSITION,
        slider=(-50.0, 50.0),
    )
    margin_um: float = parameter(
        0.0,
        title="Margin",
        help="Also draw particles this far outside the frame, at the same density.",
        unit="µm",
        limits=(0.0, 500.0),
        slider=(0.0, 50.0),
    )
    cluster_size: float = parameter(
        10.0,
        title="Particles per cluster",
        help="Mean number of particles in one cluster (clustered only).",
        limits=(1.0, 1e5),
        slider=(1.0, 100.0),
    )
    cluster_radius_um: float = parameter(
        5.0,
        title="Cluster radius",
        help="Standard deviation of the distance from the cluster's centre (clustered only).",
        unit="µm",
        limits=(0.01, 1e4),
        slider=(0.5, 50.0),
        log=True,
    )

    @field_validator("z_um", mode="before")
    @classmethod
    def _range_is_uniform(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            numbers = all(isinstance(v, int | float) for v in value)
            if len(value) != 2 or not numbers:
                raise ValueError(f"z_um = {value} must be a number, a law or [low, high].")
            return Uniform(low=float(value[0]), high=float(value[1]))
        return value


class Orientation(SceneModel):
    """How drawn particles are turned."""

    law: Literal["isotropic", "planar", "aligned"] = parameter(
        "isotropic",
        title="Orientation",
        help="Any direction in space, any direction in the image plane, or around one direction.",
    )
    azimuth_deg: float = parameter(
        0.0,
        title="Azimuth",
        help="Direction of the long axis from +x towards +y (aligned only).",
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
    )
    elevation_deg: float = parameter(
        0.0,
        title="Elevation",
        help="Angle of the long axis out of the image plane (aligned only).",
        unit="°",
        limits=(-90.0, 90.0),
    )
    roll_deg: float = parameter(
        0.0,
        title="Roll",
        help="Turn about the long axis (aligned only).",
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
    )
    spread_deg: float = parameter(
        0.0,
        title="Spread",
        help="Standard deviation around the direction (aligned), or of the tilt (planar).",
        unit="°",
        limits=(0.0, 90.0),
    )


class Particle(SceneModel):
    """One explicit particle; size and material fields override its population's."""

    x_um: float = parameter(
        0.0,
        title="x",
        help="Column position.",
        unit="µm",
        limits=_POSITION,
        fit=FitTraits(role="x", scale=2.0),
    )
    y_um: float = parameter(
        0.0,
        title="y",
        help="Row position.",
        unit="µm",
        limits=_POSITION,
        fit=FitTraits(role="y", scale=2.0),
    )
    z_um: float = parameter(
        0.0,
        title="z",
        help="Height along the light.",
        unit="µm",
        limits=_POSITION,
        slider=(-50.0, 50.0),
        fit=FitTraits(role="z", scale=6.0),
    )
    orientation_deg: tuple[float, float, float] = parameter(
        (0.0, 0.0, 0.0),
        title="Orientation",
        help="Azimuth, elevation and roll of the long axis.",
        unit="°",
        limits=(-720.0, 720.0),
        slider=(-180.0, 180.0),
        fit=FitTraits(role=("azimuth", "elevation", "roll"), scale=45.0),
    )
    radius_um: float | None = None
    core_radius_um: float | None = None
    core_index: float | None = None
    length_um: float | None = None
    semi_axes_um: tuple[float, float, float] | None = None
    size_um: tuple[float, float, float] | None = None
    index: float | None = None
    absorption_per_um: float | None = None
    emission_per_um: float | None = None
    birefringence: float | None = None


class Motion(SceneModel):
    """How particles move between the frames of a time series."""

    diffusion_um2_per_s: float | None = parameter(
        0.0,
        title="Diffusion",
        help="Brownian diffusion coefficient; empty takes it from the size by Stokes and Einstein.",
        unit="µm²/s",
        limits=(0.0, 1e5),
        slider=(0.0, 10.0),
        shapes_image=False,
    )
    rotational_diffusion_per_s: float | None = parameter(
        0.0,
        title="Rotational diffusion",
        help="Brownian turning; empty takes it from the size by Stokes and Einstein.",
        unit="rad²/s",
        limits=(0.0, 1e5),
        slider=(0.0, 10.0),
        shapes_image=False,
    )
    flow_um_per_s: tuple[float, float, float] = parameter(
        (0.0, 0.0, 0.0),
        title="Flow",
        help="Common velocity along x, y and z.",
        unit="µm/s",
        limits=(-1e5, 1e5),
        slider=(-50.0, 50.0),
        shapes_image=False,
    )


class Population(SceneModel):
    """Particles that share a shape and a material."""

    name: str = Field("particles", title="Name", min_length=1, pattern=r"^[^.\[\]]+$")
    shape: Shape = Field(default_factory=Sphere, title="Shape")
    material: Material = Field(default_factory=Material, title="Material")
    count: int | None = Field(
        None, ge=0, le=1_000_000, title="Count", description="Number of particles in the frame."
    )
    density_per_mm2: float | None = Field(
        None,
        ge=0,
        le=1e9,
        title="Density",
        description="Mean number of particles per mm² of the frame; used when count is empty.",
    )
    placement: Placement = Field(default_factory=Placement, title="Placement")
    orientation: Orientation = Field(default_factory=Orientation, title="Orientation")
    particles: tuple[Particle, ...] | None = Field(
        None, title="Particles", description="Explicit particles instead of count and placement."
    )
    motion: Motion = Field(default_factory=Motion, title="Motion")
    scattering: Literal["auto", "slabs", "projection", "mie"] = parameter(
        "auto",
        title="Scattering",
        help="Phase slabs, one projected slab per particle, exact Lorenz-Mie for spheres, or the "
        "one that suits (auto). It does not act where particles emit.",
    )
    labelled: bool = parameter(
        True,
        title="Labelled",
        help="Whether its particles get labels; switch it off for debris and dirt.",
    )
    visible: bool = Field(True, title="Visible", description="Whether it is drawn at all.")

    @model_validator(mode="after")
    def _one_source_of_particles(self) -> "Population":
        given = [
            name for name in ("count", "density_per_mm2", "particles")
            if getattr(self, name) is not None
        ]  # fmt: skip
        if len(given) > 1:
            raise ValueError(f"give only one of {' and '.join(given)} in population '{self.name}'.")
        own = set(type(self.shape).model_fields) - {"kind", "habit", "half_spaces"}
        limits = {n: type(self.shape).model_fields[n] for n in own}
        for i, particle in enumerate(self.particles or ()):
            for field in SIZES:
                value = getattr(particle, field)
                if value is None:
                    continue
                if field not in own:
                    raise ValueError(
                        f"particles[{i}].{field} does not belong to a {self.shape.kind}; "
                        f"its sizes are {', '.join(sorted(own)) or 'fixed by its half-spaces'}."
                    )
                _check(f"particles[{i}].{field}", value, limits[field])
            if isinstance(self.shape, Rod):
                length = (
                    particle.length_um if particle.length_um is not None else self.shape.length_um
                )
                radius = (
                    particle.radius_um if particle.radius_um is not None else self.shape.radius_um
                )
                if isinstance(length, float) and isinstance(radius, float) and length < 2 * radius:
                    raise ValueError(
                        f"particles[{i}].length_um = {length:g} must be at least twice its "
                        f"radius_um = {radius:g}."
                    )
            for field in ("index", "absorption_per_um", "emission_per_um", "birefringence"):
                value = getattr(particle, field)
                if value is not None:
                    _check(f"particles[{i}].{field}", value, Material.model_fields[field])
        if self.scattering == "mie" and not isinstance(self.shape, Sphere | CoatedSphere):
            raise ValueError(
                f"scattering = mie needs a sphere or a coated_sphere, not a {self.shape.kind}, in "
                f"population '{self.name}'."
            )
        return self


def _check(name: str, value: Any, info: Any) -> None:
    from osog.scene.model import _check_limits

    _check_limits(name, value, info)

"""Populations: many particles of one kind, drawn or listed one by one."""

from functools import cache
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    create_model,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from osog.scene.aggregates import AnyAggregate
from osog.scene.material import Material
from osog.scene.model import FitTraits, SceneModel, parameter
from osog.scene.orientation import AnyOrientation, Isotropic
from osog.scene.placement import POSITION_UM, AnyPlacement, Independent
from osog.scene.ready_populations import READY, filled
from osog.scene.shapes import SHAPES, AnyShape, ShapeModel, Sphere, size_fields
from osog.scene.surface import Inclusions, Surface


class Particle(SceneModel):
    """One explicit particle; size and material fields override its population's."""

    # Sizes that only registered shapes have are no fields of this class, but are given like them.
    model_config = ConfigDict(extra="allow")

    x_um: float = parameter(
        0.0,
        title="x",
        help="Column position.",
        unit="µm",
        limits=POSITION_UM,
        fit=FitTraits(role="x", scale=2.0),
    )
    y_um: float = parameter(
        0.0,
        title="y",
        help="Row position.",
        unit="µm",
        limits=POSITION_UM,
        fit=FitTraits(role="y", scale=2.0),
    )
    z_um: float = parameter(
        0.0,
        title="z",
        help="Height along the light.",
        unit="µm",
        limits=POSITION_UM,
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
    group: int | None = Field(
        None,
        ge=0,
        le=2**53,
        title="Group",
        description="Number of the aggregate that it belongs to.",
    )

    @model_validator(mode="before")
    @classmethod
    def _further_sizes(cls, data: Any) -> Any:
        if isinstance(data, dict):
            further = {key: data[key] for key in data if key not in cls.model_fields}
            if further:
                sizes = _further(tuple(SHAPES.models.values())).model_validate(further)
                return {**data, **sizes.model_dump(exclude_unset=True)}
        return data

    def sizes(self) -> dict[str, Any]:
        """Sizes that it gives itself."""
        given = {**self.__dict__, **(self.model_extra or {})}
        return {f: given[f] for f in size_fields() if given.get(f) is not None}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the sizes of registered shapes like fields, and allow nothing else."""
        described = super().__get_pydantic_json_schema__(schema, handler)
        inner = handler.resolve_ref_schema(described)
        inner["additionalProperties"] = False
        further = _further(tuple(SHAPES.models.values())).model_json_schema()
        inner["properties"].update(further["properties"])
        return described


@cache
def _further(models: tuple[type[ShapeModel], ...]) -> type[BaseModel]:
    """Sizes that particles may give beside the fields of their own class, as a model."""
    lists = {name for model in models for name, place in model.columns() if place is not None}
    fields: dict[str, Any] = {
        name: (tuple[float, float, float] | None if name in lists else float | None, None)
        for name in size_fields()
        if name not in Particle.model_fields
    }
    return create_model("FurtherSizes", __config__=SceneModel.model_config, **fields)


class Motion(SceneModel):
    """How particles move between the frames of a time series."""

    page = "camera.md#time-series"

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

    page = "scene.md#scene-file"

    name: str = Field("particles", title="Name", min_length=1, pattern=r"^[^.\[\]]+$")
    shape: AnyShape = Field(default_factory=Sphere, title="Shape")
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
    cover: float | None = Field(
        None,
        ge=0,
        le=20,
        title="Cover",
        description="Areas of all silhouettes as a share of the frame's, twice where two overlap; "
        "in place of a count.",
    )
    aggregate: AnyAggregate | None = Field(
        None,
        title="Aggregate",
        description="Draw groups of particles; count is the number of groups then.",
    )
    placement: AnyPlacement = Field(default_factory=Independent, title="Placement")
    orientation: AnyOrientation = Field(default_factory=Isotropic, title="Orientation")
    particles: tuple[Particle, ...] | None = Field(
        None, title="Particles", description="Explicit particles instead of count and placement."
    )
    motion: Motion = Field(default_factory=Motion, title="Motion")
    surface: Surface | None = Field(
        None,
        title="Surface",
        description="Bevels, breaks, striations, pits, steps and frayed ends of blocks and "
        "crystals.",
    )
    inclusions: tuple[Inclusions, ...] = Field(
        (),
        title="Inclusions",
        description="Granules, vacuoles, cracks and satellites, drawn for each particle.",
    )
    body_seed: int | None = Field(
        None,
        ge=0,
        le=2**63 - 1,
        title="Seed of bodies",
        description="Draws what the numbers do not say: faces of grains, breaks, places of "
        "granules; empty takes the seed of the image.",
    )
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

    @model_validator(mode="before")
    @classmethod
    def _ready_made(cls, data: Any) -> Any:
        """Take over what a name such as ``ready: debris`` brings."""
        return filled(data) if isinstance(data, dict) and "ready" in data else data

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe ``ready``, which is no field: it fills in the others when a file is read."""
        described = super().__get_pydantic_json_schema__(schema, handler)
        handler.resolve_ref_schema(described)["properties"]["ready"] = {
            "enum": list(READY),
            "title": "Ready",
            "description": "Name of ready-made dirt, whose fields this population takes over.",
        }
        return described

    @property
    def number(self) -> int | None:
        """How many particles it has; None where that is drawn by chance."""
        if self.particles is not None:
            return len(self.particles)
        by_chance = (
            self.density_per_mm2 is not None or self.cover is not None or self.aggregate is not None
        )
        return None if by_chance else self.count or 0

    @property
    def random_bodies(self) -> bool:
        """Whether its bodies hold more than their numbers say, which is drawn for each."""
        return self.shape.random_form or self.surface is not None or bool(self.inclusions)

    @model_validator(mode="after")
    def _one_source_of_particles(self) -> "Population":
        given = [
            name for name in ("count", "density_per_mm2", "cover", "particles")
            if getattr(self, name) is not None
        ]  # fmt: skip
        if len(given) > 1:
            raise ValueError(f"give only one of {' and '.join(given)} in population '{self.name}'.")
        own = self.shape.size_fields()
        limits = type(self.shape).model_fields
        for i, particle in enumerate(self.particles or ()):
            sizes = particle.sizes()
            for field, value in sizes.items():
                if field not in own:
                    raise ValueError(
                        f"particles[{i}].{field} does not belong to a {self.shape.kind}; "
                        f"its sizes are {', '.join(sorted(own)) or 'none'}."
                    )
                listed = isinstance(limits[field].default, tuple)
                if isinstance(value, tuple) != listed:
                    form = "three numbers" if listed else "a number"
                    raise ValueError(f"particles[{i}].{field} must be {form}.")
                _check(f"particles[{i}].{field}", value, limits[field])
            fault = self.shape.fault(sizes) if sizes else None
            if fault is not None:
                raise ValueError(f"particles[{i}].{fault}")
            for field in ("index", "absorption_per_um", "emission_per_um", "birefringence"):
                value = getattr(particle, field)
                if value is not None:
                    _check(f"particles[{i}].{field}", value, Material.model_fields[field])
        if self.surface is not None and not self.shape.faceted:
            known = [f"a {kind}" for kind, m in SHAPES.models.items() if m.faceted]
            raise ValueError(
                f"surface needs {' or '.join(known)}, not a {self.shape.kind}, in population "
                f"'{self.name}'."
            )
        if self.inclusions and not self.shape.holds_inclusions:
            known = [f"a {kind}" for kind, m in SHAPES.models.items() if m.holds_inclusions]
            raise ValueError(
                f"inclusions need {' or '.join(known)}, not a {self.shape.kind}, in population "
                f"'{self.name}'."
            )
        if self.scattering == "mie" and self.inclusions:
            raise ValueError(
                f"scattering = mie knows no inclusions; use slabs in population '{self.name}'."
            )
        if self.scattering == "mie" and not self.shape.exact_theory:
            known = [f"a {kind}" for kind, m in SHAPES.models.items() if m.exact_theory]
            raise ValueError(
                f"scattering = mie needs {' or '.join(known)}, not a {self.shape.kind}, in "
                f"population '{self.name}'."
            )
        return self


def _check(name: str, value: Any, info: Any) -> None:
    from osog.scene.model import _check_limits

    _check_limits(name, value, info)

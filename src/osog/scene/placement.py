"""Where drawn particles lie: a class for each law across the picture and along the light.

A further law is a class like those below with its line ``@PLACEMENTS.register`` or
``@DEPTHS.register``, and a function in `osog.sample.placement`.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from osog.scene.continuous import Uniform
from osog.scene.distributions import NumberOrDistribution
from osog.scene.kinds import Kinds
from osog.scene.model import SceneModel, parameter

POSITION_UM = (-1e5, 1e5)
"""Range of a coordinate of a particle."""


class Depth(SceneModel):
    """How particles lie about the height ``z_um`` of their placement.

    Attributes
    ----------
    title : str
        Words for a menu.
    """

    page = "scene.md#places"

    title: ClassVar[str]

    law: str


DEPTHS: Kinds[Depth] = Kinds(tag="law", default="centred", switched=True)
"""Every law of depth by its name in the scene file, in the order of a menu."""


@DEPTHS.register
class Centred(Depth):
    """Centres lie at z_um."""

    title = "Centres at the depth"

    law: Literal["centred"] = "centred"


@DEPTHS.register
class Sedimented(Depth):
    """Bodies have sunk to a floor at z_um, as far as heat lets them.

    Gaps between the floor and the lowest point of each turned body have the barometric density
    exp(−h/H) with H = k_B T/(Δm g) (Perrin 1909); with H = 0 they rest on the floor.
    """

    title = "Sunk to a floor"

    law: Literal["sedimented"] = "sedimented"
    scale_height_um: float = parameter(
        0.0,
        title="Scale height",
        help="Mean gap below the particles, kT over their buoyant weight; 0 rests on the floor.",
        unit="µm",
        limits=(0.0, 1e4),
        slider=(0.0, 20.0),
    )


@DEPTHS.register
class AtCoverslip(Depth):
    """Bodies touch a plane at z_um, from above or from below."""

    title = "Touching a coverslip"

    law: Literal["at_coverslip"] = "at_coverslip"
    side: Literal["above", "below"] = parameter(
        "above",
        title="Side",
        help="Whether bodies lie above the plane, towards the objective, or below it.",
    )


@DEPTHS.register
class TwoLayers(Depth):
    """Bodies touch the slide at z_um from above, or the cover that lies higher from below."""

    title = "On slide and cover"

    law: Literal["two_layers"] = "two_layers"
    gap_um: float = parameter(
        20.0,
        title="Gap",
        help="Height of the cover over the slide.",
        unit="µm",
        limits=(0.0, 1e5),
        slider=(0.0, 200.0),
    )
    upper_share: float = parameter(
        0.5,
        title="Share on the cover",
        help="Share of the particles that touch the cover.",
        limits=(0.0, 1.0),
    )


AnyDepth = Annotated[Depth, DEPTHS]


class Placement(SceneModel):
    """Where drawn particles lie: what all laws share.

    Attributes
    ----------
    title : str
        Words for a menu.
    keeps_clear : bool
        Whether bodies touch none of the others, so that listed ones must be known to them.
    """

    page = "scene.md#places"

    title: ClassVar[str]
    keeps_clear: ClassVar[bool] = False

    law: str
    z_um: NumberOrDistribution = parameter(
        0.0,
        title="Depth",
        help="Height of the particle centres along the light, or of the plane that they touch; a "
        "number, a range or a law.",
        unit="µm",
        limits=POSITION_UM,
        slider=(-50.0, 50.0),
    )
    depth: AnyDepth = Field(default_factory=Centred, title="Law of depth")
    margin_um: float = parameter(
        0.0,
        title="Margin",
        help="Also draw particles this far outside the frame, at the same density.",
        unit="µm",
        limits=(0.0, 500.0),
        slider=(0.0, 50.0),
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


PLACEMENTS: Kinds[Placement] = Kinds(tag="law", default="poisson", switched=True)
"""Every law by its name in the scene file, in the order of a menu."""


@PLACEMENTS.register
class Independent(Placement):
    """Any place, whatever lies there."""

    title = "Independent"

    law: Literal["poisson"] = "poisson"


@PLACEMENTS.register
class NonOverlapping(Placement):
    """Random places in which no body touches another of those that keep clear or are listed."""

    title = "Without overlap"
    keeps_clear = True

    law: Literal["non_overlapping"] = "non_overlapping"


@PLACEMENTS.register
class Clustered(Placement):
    """Around random centres, at Gaussian distances."""

    title = "In clusters"

    law: Literal["clustered"] = "clustered"
    cluster_size: float = parameter(
        10.0,
        title="Particles per cluster",
        help="Mean number of particles in one cluster.",
        limits=(1.0, 1e5),
        slider=(1.0, 100.0),
    )
    cluster_radius_um: float = parameter(
        5.0,
        title="Cluster radius",
        help="Standard deviation of the distance from the cluster's centre.",
        unit="µm",
        limits=(0.01, 1e4),
        slider=(0.5, 50.0),
        log=True,
    )


@PLACEMENTS.register
class Lattice(Placement):
    """On a lattice that fills the frame."""

    title = "On a lattice"

    law: Literal["lattice"] = "lattice"
    lattice: Literal["square", "hexagonal"] = parameter(
        "square",
        title="Lattice",
        help="Rows above one another, or moved by half a step in every other row.",
    )
    jitter_um: float = parameter(
        0.0,
        title="Jitter",
        help="Standard deviation of the places around those of the lattice, along x and along y.",
        unit="µm",
        limits=(0.0, 1e3),
        slider=(0.0, 5.0),
    )


@PLACEMENTS.register
class Attached(Placement):
    """On the surfaces of the particles of another population: granules on a cell.

    Each body comes from a random direction towards a random one of the others, and stops where both
    touch. ``z_um`` and ``depth`` do not act.
    """

    title = "On other particles"

    law: Literal["attached"] = "attached"
    to: str | None = Field(
        None,
        title="Attached to",
        description="Name of the population on whose particles they sit, which stands before it; "
        "empty is the visible one just before.",
    )
    embedded_um: float = parameter(
        0.0,
        title="Embedded",
        help="How far they are pushed in from where they touch.",
        unit="µm",
        limits=(0.0, 1e3),
        slider=(0.0, 5.0),
    )
    apart: bool = parameter(
        True,
        title="Apart",
        help="Whether they keep clear of one another.",
    )


AnyPlacement = Annotated[Placement, PLACEMENTS]

"""What the surfaces of crystals are like, and what lies in or on bodies."""

from typing import ClassVar, Literal

from osog.scene.distributions import NumberOrDistribution
from osog.scene.material import BODY_INDEX_LIMITS
from osog.scene.model import SceneModel, parameter

_DEPTH = (0.0, 500.0)


def _number(title: str, help: str):  # type: ignore[no-untyped-def]
    return parameter(
        0.0, title=title, help=help, limits=(0.0, 200.0), slider=(0.0, 20.0), step=1.0,
        shapes_image=False,
    )  # fmt: skip


def _depth(default: float, title: str, help: str):  # type: ignore[no-untyped-def]
    return parameter(
        default, title=title, help=help, unit="µm", limits=_DEPTH, slider=(0.0, 2.0)
    )  # fmt: skip


class Surface(SceneModel):
    """Edges, faces and ends of blocks and crystals: what growth, wear and breaking leave.

    Every number is that of one particle, or a law that each particle draws from. Grooves, pits,
    steps and slots are taken out of the body, so that light crosses so much less of it; they never
    reach beyond it. They are laid out so that none overlaps another as long as their depths stay
    below half of the body's thickness.
    """

    page = "scene.md#crystals-bacteria-cells-and-droplets"

    bevel_um: NumberOrDistribution = _depth(
        0.0, "Bevel", "How far every edge is cut back, as rounding by growth or wear does."
    )
    broken_corners: NumberOrDistribution = parameter(
        0.0,
        title="Broken corners",
        help="Share of the corners that have broken off, each along a plane of its own.",
        limits=(0.0, 1.0),
        shapes_image=False,
    )
    broken_um: NumberOrDistribution = _depth(
        0.5, "Depth of breaks", "How far the break lies behind the corner; half of it at least."
    )
    taper: NumberOrDistribution = parameter(
        0.0,
        title="Taper",
        help="How much narrower it is at the end of its long axis than at the start, as a share.",
        limits=(0.0, 0.9),
    )
    striations: NumberOrDistribution = _number(
        "Striations", "Grooves along the long axis on the faces beside it."
    )
    striation_depth_um: NumberOrDistribution = _depth(
        0.1, "Depth of striations", "Depth of the grooves, which are twice as wide."
    )
    pits: NumberOrDistribution = _number("Pits", "Etch pits; many shallow ones make a face rough.")
    pit_radius_um: NumberOrDistribution = _depth(
        0.3, "Radius of pits", "Half of the width of a pit; it is a pyramid."
    )
    pit_depth_um: NumberOrDistribution = _depth(0.15, "Depth of pits", "Depth of the pits.")
    steps: NumberOrDistribution = _number("Growth steps", "Terraces on the broadest face.")
    step_height_um: NumberOrDistribution = _depth(
        0.1, "Height of steps", "How much lower each terrace lies."
    )
    frayed: NumberOrDistribution = _number(
        "Fibres", "Fibres into which both ends split; each ends elsewhere."
    )
    frayed_um: NumberOrDistribution = _depth(
        1.0, "Length of fraying", "How much shorter the shortest fibres are."
    )

    counts: ClassVar[tuple[str, ...]] = ("striations", "pits", "steps", "frayed", "broken_corners")
    """Numbers that an image is no smooth function of."""


class Inclusions(SceneModel):
    """Small bodies in or on every particle: granules, vacuoles, cracks, satellites.

    Their places are drawn for each particle, inside it by its true shape, and scale with it.
    Inclusions that overlap add what they do to a ray.
    """

    page = "scene.md#crystals-bacteria-cells-and-droplets"

    number: NumberOrDistribution = parameter(
        5.0,
        title="Number",
        help="How many each particle holds, rounded.",
        limits=(0.0, 1000.0),
        slider=(0.0, 50.0),
        step=1.0,
        shapes_image=False,
    )
    place: Literal["inside", "centre", "outside"] = parameter(
        "inside",
        title="Place",
        help="Anywhere inside, in the middle, or stuck to the surface from outside.",
    )
    radius_um: NumberOrDistribution = parameter(
        0.2,
        title="Radius",
        help="Radius of the ball of the same volume.",
        unit="µm",
        limits=(0.005, 500.0),
        slider=(0.05, 5.0),
        log=True,
    )
    aspect: NumberOrDistribution = parameter(
        1.0,
        title="Aspect",
        help="Length over width: 1 is a ball, 5 a needle, 0.05 a flat crack.",
        limits=(0.01, 50.0),
        slider=(0.02, 20.0),
        log=True,
    )
    index: NumberOrDistribution | None = parameter(
        None,
        title="Index",
        help="Refractive index; empty is that of the medium: a hole.",
        limits=BODY_INDEX_LIMITS,
        slider=(1.0, 1.7),
        step=0.001,
    )
    absorption_per_um: NumberOrDistribution = parameter(
        0.0,
        title="Absorption",
        help="Intensity lost per µm of path.",
        unit="1/µm",
        limits=(0.0, 500.0),
        slider=(0.0, 2.0),
    )
    emission_per_um: NumberOrDistribution = parameter(
        0.0,
        title="Brightness",
        help="Fluorescence per µm of path.",
        limits=(0.0, 1e6),
        slider=(0.0, 5.0),
    )

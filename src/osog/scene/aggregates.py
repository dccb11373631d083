"""Aggregates: particles that are drawn as a group, a class for each kind.

A further kind is a class like those below with its line ``@AGGREGATES.register``, and a file with
its maker in `osog.sample.aggregates`.
"""

from typing import Annotated, Any, ClassVar, Literal

from osog.scene.distributions import NumberOrDistribution
from osog.scene.kinds import Kinds
from osog.scene.model import SceneModel, parameter


def _members(default: float) -> Any:
    return parameter(
        default,
        title="Members",
        help="Particles of one aggregate, or the law of their number.",
        limits=(1.0, 5000.0),
        slider=(1.0, 200.0),
        step=1.0,
        log=True,
        shapes_image=False,
    )


def _share(default: float, title: str, help: str, high: float = 1.0) -> Any:
    return parameter(default, title=title, help=help, limits=(0.0, high), shapes_image=False)


def _angle(default: float, title: str, help: str, high: float = 180.0) -> Any:
    return parameter(
        default, title=title, help=help, unit="°", limits=(0.0, high), shapes_image=False
    )


def _length(default: float, title: str, help: str) -> Any:
    return parameter(
        default,
        title=title,
        help=help,
        unit="µm",
        limits=(0.0, 2000.0),
        slider=(0.0, 20.0),
        shapes_image=False,
    )


class Aggregate(SceneModel):
    """How the particles of one group lie about its middle.

    They share the sizes and the material that one draw of the population gives; the population's
    orientation turns the group as a whole.

    Attributes
    ----------
    title : str
        Words for a menu.
    """

    page = "scene.md#aggregates"

    title: ClassVar[str]

    kind: str
    size_scatter: float = parameter(
        0.0,
        title="Scatter of sizes",
        help="Standard deviation of the logarithm of a factor on all lengths of each member.",
        limits=(0.0, 1.0),
        slider=(0.0, 0.5),
        shapes_image=False,
    )


class Counted(Aggregate):
    """An aggregate whose number of members is stated or drawn."""

    members: NumberOrDistribution = _members(5.0)


AGGREGATES: Kinds[Aggregate] = Kinds()
"""Every kind by its name in the scene file, in the order of a menu."""


@AGGREGATES.register
class RandomHeap(Counted):
    """Bodies that stick where they meet, each turned at random.

    Each comes on a straight line towards a random one of those that are there (ballistic
    aggregation, Vold 1963).
    """

    title = "Random heap"

    kind: Literal["random"] = "random"
    overlap: float = _share(
        0.0, "Overlap", "Share of the smallest half width by which bodies are pushed together."
    )


@AGGREGATES.register
class Stack(Counted):
    """Bodies on top of one another along their shortest axis, like coins."""

    title = "Stack"

    kind: Literal["stack"] = "stack"
    twist_deg: float = _angle(10.0, "Twist", "Standard deviation of the turn within the stack.")
    shift: float = _share(0.1, "Shift", "Standard deviation aside, in half widths.")


@AGGREGATES.register
class Chain(Counted):
    """Bodies end to end, touching."""

    title = "Chain"

    kind: Literal["chain"] = "chain"
    bend_deg: float = _angle(15.0, "Bend", "Standard deviation of the bend at each joint.", 90.0)


@AGGREGATES.register
class CrossTwin(Aggregate):
    """Bodies grown through one another about their third axis."""

    title = "Cross twin"

    kind: Literal["cross_twin"] = "cross_twin"
    members: Literal[2, 3, 4] = parameter(
        2, title="Members", help="Bodies that share the middle.", shapes_image=False
    )
    angle_deg: float = _angle(90.0, "Angle", "Between neighbours.", 90.0)


@AGGREGATES.register
class Sheaf(Counted):
    """A bundle that is tied in the middle and spreads towards both ends."""

    title = "Sheaf"

    kind: Literal["sheaf"] = "sheaf"
    members: NumberOrDistribution = _members(20.0)
    spread_deg: float = _angle(12.0, "Spread", "Standard deviation of each direction.", 90.0)
    waist_um: float = _length(0.3, "Waist", "Standard deviation of the places in the middle.")


@AGGREGATES.register
class Rosette(Counted):
    """Bodies that grow out of one point: a rosette, or a spherulite with many members.

    Directions are spread evenly over a cap of the sphere, turned at random about its middle.
    """

    title = "Rosette, spherulite"

    kind: Literal["rosette"] = "rosette"
    members: NumberOrDistribution = _members(30.0)
    core_um: float = _length(0.0, "Core", "Distance of the inner tips from the middle.")
    cap_deg: float = _angle(
        180.0, "Cap", "Largest angle from the group's long axis; 180 is the whole sphere."
    )
    jitter_deg: float = _angle(8.0, "Jitter", "Standard deviation of each direction.", 45.0)


@AGGREGATES.register
class Dendrite(Aggregate):
    """A trunk with arms that grow longer away from its tip, and arms of these arms."""

    title = "Dendrite"

    kind: Literal["dendrite"] = "dendrite"
    arms: int = parameter(
        8, title="Arms", help="Arms on each side.", limits=(1, 40), step=1, shapes_image=False
    )
    fold: Literal[2, 4] = parameter(
        2, title="Sides", help="Two in a plane, or four.", shapes_image=False
    )
    angle_deg: float = _angle(60.0, "Angle", "Between an arm and the tip's direction.", 120.0)
    ratio: float = _share(0.5, "Length of arms", "Longest arm as a share of its trunk.")
    generations: Literal[1, 2] = parameter(
        2, title="Generations", help="Arms alone, or arms of arms too.", shapes_image=False
    )


@AGGREGATES.register
class DiffusionLimited(Counted):
    """A flocculated cluster: N = k (R_g/a)^D at every stage of its growth.

    Pairs of clusters of nearly equal size are joined at the distance of their middles that the law
    asks for, in a random position without overlap, until one is left: the tunable cluster–cluster
    algorithm (Thouy and Jullien 1994; Filippov, Zurita and Rosner 2000). R_g is the radius of
    gyration of the balls themselves. D = 1.78 and k = 1.3 are those of diffusion-limited
    cluster aggregation (Sorensen 2011). Members are balls of radius a; bodies of other shapes take
    the places of balls of their smallest half width, turned at random, and so grow into one
    another. Equal sizes touch exactly, scattered ones leave gaps and overlap by their scatter.
    """

    title = "Diffusion-limited (DLCA)"

    kind: Literal["dlca"] = "dlca"
    members: NumberOrDistribution = _members(60.0)
    fractal_dimension: float = parameter(
        1.78,
        title="Fractal dimension",
        help="D of N = k (R_g/a)^D.",
        limits=(1.4, 2.5),
        shapes_image=False,
    )
    prefactor: float = parameter(
        1.3,
        title="Prefactor",
        help="k of N = k (R_g/a)^D.",
        limits=(0.8, 2.0),
        shapes_image=False,
    )


@AGGREGATES.register
class Satellites(Counted):
    """One body with smaller ones of its kind on its surface, turned at random."""

    title = "Satellites"

    kind: Literal["satellites"] = "satellites"
    members: NumberOrDistribution = _members(8.0)
    size_ratio: float = _share(0.3, "Size", "Of a satellite, as a share of the body's.")
    embedded: float = _share(
        0.0, "Embedded", "Share of a satellite's smallest width that lies in the body."
    )


@AGGREGATES.register
class Intergrown(Satellites):
    """One body with smaller ones of its kind grown into its faces, nearly parallel to it."""

    title = "Intergrown blocks"

    kind: Literal["intergrown"] = "intergrown"  # type: ignore[assignment]
    members: NumberOrDistribution = _members(4.0)
    size_ratio: float = _share(0.5, "Size", "Of the smaller bodies, as a share of the first's.")
    embedded: float = _share(
        0.5, "Embedded", "Share of a smaller body's smallest width that lies in the first."
    )
    misorientation_deg: float = _angle(
        5.0, "Misorientation", "Standard deviation of their turn against the first.", 90.0
    )


AnyAggregate = Annotated[Aggregate, AGGREGATES]

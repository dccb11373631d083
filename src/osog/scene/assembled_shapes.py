"""Bodies that are made of several: cocci, bacilli, cells, droplets."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from osog.scene.distributions import NumberOrDistribution
from osog.scene.material import BODY_INDEX_LIMITS
from osog.scene.model import FitTraits, parameter
from osog.scene.shapes import SHAPES, ShapeModel, length_parameter, range_fault


def _cells(default: float, help: str):  # type: ignore[no-untyped-def]
    # Without `limits`, which would make it a size of the particle: an image is no smooth function
    # of it.
    return parameter(default, title="Cells", help=help, shapes_image=False)


def _index(default: float, title: str, help: str):  # type: ignore[no-untyped-def]
    return parameter(
        default, title=title, help=help, limits=BODY_INDEX_LIMITS, slider=(1.3, 1.5), step=0.001
    )


def _share(default: float, title: str, help: str, limits: tuple[float, float]):  # type: ignore[no-untyped-def]
    return parameter(default, title=title, help=help, limits=limits, fit=FitTraits(scale=0.2))


class AssembledShape(ShapeModel):
    """A shape whose particles are made of several bodies."""

    page = "scene.md#crystals-bacteria-cells-and-droplets"

    holds_inclusions = True


@SHAPES.register
class Cocci(AssembledShape):
    """Round bacteria, single or together; the position is the middle of all of them."""

    title = "Cocci"
    random_form = True

    kind: Literal["cocci"] = "cocci"
    radius_um: NumberOrDistribution = length_parameter(
        0.5, "Radius", "Radius of a cell.", (0.1, 5.0), role="radius"
    )
    spacing: NumberOrDistribution = _share(
        0.9,
        "Spacing",
        "Distance of neighbours over their diameter: 1 touches, less is still dividing.",
        (0.3, 1.0),
    )
    arrangement: Literal["chain", "cluster", "tetrad"] = parameter(
        "chain",
        title="Arrangement",
        help="A chain (two cells are a diplococcus), a cluster as of staphylococci, or a square "
        "of four.",
    )
    cells: NumberOrDistribution = _cells(4.0, "Cells of a chain or cluster, rounded; 1 to 64.")
    bend_deg: NumberOrDistribution = parameter(
        10.0,
        title="Bend",
        help="Standard deviation of the turn from one cell of a chain to the next.",
        unit="°",
        limits=(0.0, 40.0),
        fit=FitTraits(scale=10.0),
    )

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Refuse numbers of cells that make no body."""
        return range_fault("cells", self.cells, 1, 64)


@SHAPES.register
class Bacilli(AssembledShape):
    """Rod-shaped bacteria, single, dividing or in straight chains; the middle is the position."""

    title = "Bacilli"
    random_form = True

    kind: Literal["bacilli"] = "bacilli"
    length_um: NumberOrDistribution = length_parameter(
        3.0, "Length", "Length of one cell alone, from tip to tip.", role="length"
    )
    radius_um: NumberOrDistribution = length_parameter(
        0.45, "Radius", "Half of a cell's width.", (0.1, 5.0), role="radius"
    )
    constriction: NumberOrDistribution = _share(
        0.5,
        "Constriction",
        "How far the wall between two cells has closed: 0 a straight rod, 1 two that touch.",
        (0.0, 1.0),
    )
    cells: NumberOrDistribution = _cells(
        1.0, "Cells in a row, rounded; 1 to 32. Two are a cell that divides."
    )

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Refuse cells that are shorter than they are wide."""
        length = particle.get("length_um", self.length_um)
        radius = particle.get("radius_um", self.radius_um)
        if isinstance(length, float) and isinstance(radius, float) and length < 2 * radius:
            return (
                f"length_um = {length:g} must be at least twice radius_um = {radius:g}, "
                "since a cell is measured from tip to tip."
            )
        return range_fault("cells", self.cells, 1, 32)

    def mended(self, numbers: Mapping[str, Any]) -> Mapping[str, Any]:
        """Turn cells that are drawn shorter than they are wide into balls."""
        return {"length_um": np.maximum(numbers["length_um"], 2 * numbers["radius_um"])}


@SHAPES.register
class Cell(AssembledShape):
    """An adherent cell: half an ellipsoid on the glass, with a nucleus and granules.

    The glass is the plane of the body's first two axes through its position; with a planar
    orientation the cell lies flat.
    """

    title = "Cell with nucleus"
    random_form = True

    kind: Literal["cell"] = "cell"
    radius_um: NumberOrDistribution = length_parameter(
        8.0, "Radius", "Half of the length of the foot.", (2.0, 50.0), role="radius"
    )
    width: NumberOrDistribution = _share(
        0.8, "Width", "Width of the foot over its length.", (0.1, 1.0)
    )
    height_um: NumberOrDistribution = length_parameter(
        4.0, "Height", "Height above the glass.", (0.5, 20.0)
    )
    nucleus: NumberOrDistribution = _share(
        0.45, "Nucleus", "Radius of the nucleus over that of the cell.", (0.05, 0.6)
    )
    nucleus_index: NumberOrDistribution = _index(
        1.39, "Nucleus index", "Refractive index of the nucleus."
    )
    granules: NumberOrDistribution = parameter(
        20.0, title="Granules", help="Granules around the nucleus, rounded; 0 to 500.",
        shapes_image=False,
    )  # fmt: skip
    granule_radius_um: NumberOrDistribution = length_parameter(
        0.3, "Granule radius", "Radius of the granules.", (0.05, 2.0)
    )
    granule_index: NumberOrDistribution = _index(
        1.42, "Granule index", "Refractive index of the granules."
    )

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Refuse granules that do not fit."""
        granule = particle.get("granule_radius_um", self.granule_radius_um)
        height = particle.get("height_um", self.height_um)
        if isinstance(granule, float) and isinstance(height, float) and granule > height / 4:
            return (
                f"granule_radius_um = {granule:g} must not exceed a quarter of height_um = "
                f"{height:g}."
            )
        return range_fault("granules", self.granules, 0, 500)


@SHAPES.register
class Droplet(AssembledShape):
    """A droplet that sits on the glass: a ball cut off where it wets it.

    The position is the centre of the ball; the glass lies below it across the body's third axis.
    A free droplet or bubble is a sphere.
    """

    title = "Droplet on glass"

    kind: Literal["droplet"] = "droplet"
    radius_um: NumberOrDistribution = length_parameter(
        3.0, "Radius", "Radius of its curved surface.", (0.2, 50.0), role="radius"
    )
    contact_angle_deg: NumberOrDistribution = parameter(
        110.0,
        title="Contact angle",
        help="Angle within the droplet between the glass and its surface; 180 only touches.",
        unit="°",
        limits=(20.0, 180.0),
        fit=FitTraits(scale=20.0),
    )


@SHAPES.register
class JoinedDroplets(AssembledShape):
    """Two droplets that run into one another along the long axis; the position is the first's.

    They meet in a sharp crease: the neck that flow rounds is left out. A budding yeast cell looks
    the same.
    """

    title = "Coalescing droplets, budding cell"

    kind: Literal["joined_droplets"] = "joined_droplets"
    radius_um: NumberOrDistribution = length_parameter(
        3.0, "Radius", "Radius of the first.", (0.2, 50.0), role="radius"
    )
    second_radius_um: NumberOrDistribution = length_parameter(
        2.0, "Second radius", "Radius of the second.", (0.2, 50.0)
    )
    spacing: NumberOrDistribution = _share(
        0.8,
        "Spacing",
        "Distance of both centres over the sum of both radii: 1 touches.",
        (0.3, 1.0),
    )


@SHAPES.register
class Bubble(ShapeModel):
    """A free bubble: a ball, of gas when its material says so (index 1, or name air)."""

    title = "Bubble"
    holds_inclusions = True
    isotropic = True
    exact_theory = True

    kind: Literal["bubble"] = "bubble"
    radius_um: NumberOrDistribution = length_parameter(
        2.0, "Radius", "Radius of the bubble.", (0.1, 50.0), role="radius"
    )

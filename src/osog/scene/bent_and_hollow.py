"""Bodies that a line of sight may cross more than once: bent, dimpled and hollow ones."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi, radians, sin
from typing import Any, ClassVar, Literal

import numpy as np

from osog.scene.distributions import NumberOrDistribution
from osog.scene.model import parameter
from osog.scene.shapes import SHAPES, ShapeModel, length_parameter


@SHAPES.register
class RedCell(ShapeModel):
    """A biconcave disc, as red blood cells are; it lies flat when nothing turns it.

    The half thickness at the distance ρ from the axis is ½ √(1 − s) (C0 + C1 s + C2 s²) with
    s = (2ρ/D)² (Evans & Fung, Microvasc. Res. 4, 335, 1972). C0 is the thickness in the middle; C1
    and C2 follow from the largest thickness and from where it lies. The numbers that the class
    starts with are those of Evans & Fung for 300 mOsm: C0, C1, C2 = 0.81, 7.83, −4.39 µm and
    D = 7.82 µm.
    """

    title = "Red cell (biconcave)"

    kind: Literal["red_cell"] = "red_cell"
    diameter_um: NumberOrDistribution = length_parameter(
        7.82, "Diameter", "Diameter of the disc.", (1.0, 20.0)
    )
    rim_thickness_um: NumberOrDistribution = length_parameter(
        2.5657, "Rim thickness", "Largest thickness, on the rim.", (0.3, 6.0)
    )
    centre_thickness_um: NumberOrDistribution = length_parameter(
        0.81, "Centre thickness", "Thickness in the middle of the dimples.", (0.05, 4.0)
    )
    crest_diameter_um: NumberOrDistribution = length_parameter(
        5.4756,
        "Crest diameter",
        "Diameter of the circle on which the cell is thickest.",
        (0.5, 15.0),
    )

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Refuse cells without dimples, or with a crest where the profile would cross itself."""
        names = ("diameter_um", "rim_thickness_um", "centre_thickness_um", "crest_diameter_um")
        numbers = [particle.get(name, getattr(self, name)) for name in names]
        if not all(isinstance(number, float) for number in numbers):
            return None
        diameter, rim, centre, crest = numbers
        if centre > rim:
            return (
                f"centre_thickness_um = {centre:g} must not exceed rim_thickness_um = {rim:g}; "
                "a cell without dimples is an ellipsoid."
            )
        low, high = CREST_SHARES
        if not low * diameter <= crest <= high * diameter:
            return (
                f"crest_diameter_um = {crest:g} must lie between {low * diameter:.4g} and "
                f"{high * diameter:.4g}, {low:g} to {high:g} of diameter_um = {diameter:g}."
            )
        return None

    def mended(self, numbers: Mapping[str, Any]) -> Mapping[str, Any]:
        """Hold drawn thicknesses and crests to what a cell can have."""
        diameter, rim = numbers["diameter_um"], numbers["rim_thickness_um"]
        low, high = CREST_SHARES
        return {
            "centre_thickness_um": np.minimum(numbers["centre_thickness_um"], rim),
            "crest_diameter_um": np.clip(
                numbers["crest_diameter_um"], low * diameter, high * diameter
            ),
        }


CREST_SHARES = (0.65, 0.85)
"""Where the crest of a red cell may lie, as a share of its diameter: there the law has one
crest, and a thickness everywhere, for any thickness of the middle."""


class _Bent(ShapeModel):
    """What tubes along a circular arc have in common."""

    round_tips: ClassVar[bool] = True

    length_um: NumberOrDistribution = length_parameter(
        12.0, "Length", "Length from end to end along the arc.", role="length"
    )
    radius_um: NumberOrDistribution = length_parameter(
        0.75, "Radius", "Half of the width in the middle.", (0.05, 10.0), role="radius"
    )
    bend_deg: NumberOrDistribution = parameter(
        60.0,
        title="Bend",
        help="Angle between the directions of both ends; 0 is straight, negative bends the other "
        "way.",
        unit="°",
        limits=(-300.0, 300.0),
        slider=(-180.0, 180.0),
    )
    taper: NumberOrDistribution = parameter(
        0.0,
        title="Taper",
        help="Share of the radius that the ends lack, along a parabola from the middle.",
        limits=(0.0, 0.9),
        slider=(0.0, 0.9),
    )

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Refuse fibres that are shorter than wide, or bent into themselves."""
        names = ("length_um", "radius_um", "bend_deg", "taper")
        numbers = [particle.get(name, getattr(self, name)) for name in names]
        if not all(isinstance(number, float) for number in numbers):
            return None
        length, radius, bend, taper = numbers
        if self.round_tips and length < 2 * radius:
            return (
                f"length_um = {length:g} must be at least twice radius_um = {radius:g}, "
                "since a bent rod is measured from tip to tip."
            )
        straight = length - 2 * radius * (1 - taper) * self.round_tips
        most = _most_bend(straight, radius)
        if abs(radians(bend)) > most:
            return (
                f"bend_deg = {bend:g} must lie between ±{np.degrees(most):.3g} for a fibre of "
                f"length_um = {length:g} and radius_um = {radius:g}: beyond, it meets itself."
            )
        return None

    def mended(self, numbers: Mapping[str, Any]) -> Mapping[str, Any]:
        """Hold drawn lengths and bends to what a fibre can have."""
        radius, length = np.asarray(numbers["radius_um"]), np.asarray(numbers["length_um"])
        if self.round_tips:
            length = np.maximum(length, 2 * radius)
        straight = length - 2 * radius * (1 - np.asarray(numbers["taper"])) * self.round_tips
        most = np.degrees(np.vectorize(_most_bend, otypes=[float])(straight, radius))
        return {"length_um": length, "bend_deg": np.clip(numbers["bend_deg"], -most, most)}


def _most_bend(straight: float, radius: float) -> float:
    """Largest bend in radians of an arc of this length and radius of its tube.

    The tube may not be wider than its own circle, and its ends may not meet.
    """
    if straight <= 0:
        return 2 * pi
    # Half of a 0.8 of the circle's radius, so that the inner side keeps a curvature to draw.
    most = min(radians(300.0), 0.8 * straight / radius)
    while most > pi and 2 * straight / most * sin(most / 2) < 2 * radius:
        most *= 0.98
    return most


@SHAPES.register
class BentRod(_Bent):
    """A fibre with round ends along a circular arc; without bend and taper it is a rod."""

    title = "Bent fibre (round ends)"

    kind: Literal["bent_rod"] = "bent_rod"


@SHAPES.register
class BentCylinder(_Bent):
    """A fibre with flat ends along a circular arc; without bend and taper it is a cylinder."""

    title = "Bent fibre (flat ends)"
    round_tips = False

    kind: Literal["bent_cylinder"] = "bent_cylinder"


@SHAPES.register
class Vesicle(ShapeModel):
    """An ellipsoid with a wall around a hollow that is filled with the medium."""

    title = "Vesicle, bubble with a wall"

    kind: Literal["vesicle"] = "vesicle"
    semi_axes_um: tuple[NumberOrDistribution, NumberOrDistribution, NumberOrDistribution] = (
        length_parameter(
            (2.0, 1.6, 1.6),  # type: ignore[arg-type]
            "Semi-axes",
            "Half lengths along the body's own axes, wall included.",
            (0.05, 20.0),
        )
    )
    wall_um: NumberOrDistribution = length_parameter(
        0.2, "Wall", "Thickness of the wall at the ends of the axes.", (0.005, 5.0)
    )

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Refuse walls that leave no hollow."""
        axes = particle.get("semi_axes_um", self.semi_axes_um)
        wall = particle.get("wall_um", self.wall_um)
        if not isinstance(wall, float) or not all(isinstance(axis, float) for axis in axes):
            return None
        return _thick_wall(wall, min(axes), "the shortest of semi_axes_um")


@SHAPES.register
class Tube(ShapeModel):
    """A cylinder with a bore from end to end, filled with the medium."""

    title = "Tube (hollow cylinder)"

    kind: Literal["tube"] = "tube"
    length_um: NumberOrDistribution = length_parameter(
        8.0, "Length", "Length between the two open ends.", role="length"
    )
    radius_um: NumberOrDistribution = length_parameter(
        0.8, "Radius", "Outer radius.", (0.05, 20.0), role="radius"
    )
    wall_um: NumberOrDistribution = length_parameter(
        0.2, "Wall", "Thickness of the wall.", (0.005, 5.0)
    )

    def fault(self, particle: Mapping[str, Any]) -> str | None:
        """Refuse walls that leave no bore."""
        radius = particle.get("radius_um", self.radius_um)
        wall = particle.get("wall_um", self.wall_um)
        if not isinstance(wall, float) or not isinstance(radius, float):
            return None
        return _thick_wall(wall, radius, "radius_um")

    def mended(self, numbers: Mapping[str, Any]) -> Mapping[str, Any]:
        """Hold drawn walls to what leaves a bore."""
        return {"wall_um": np.minimum(numbers["wall_um"], _THICKEST * numbers["radius_um"])}


_THICKEST = 0.99
"""Largest wall, as a share of the shortest half length."""


def _thick_wall(wall: float, shortest: float, name: str) -> str | None:
    if wall > _THICKEST * shortest:
        return f"wall_um = {wall:g} must be at most {_THICKEST:g} of {name} = {shortest:g}."
    return None

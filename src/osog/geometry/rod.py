"""Rods: cylinders closed by two half balls (spherocylinders)."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, ClassVar

import torch

from osog.geometry.axial import Strip, box_along_axis
from osog.geometry.shape import Bodies, Column, Shape
from osog.scene.shapes import Rod, ShapeModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class RodGeometry(Shape):
    """Rods of the size (half of the length from tip to tip, radius, radius)."""

    models: ClassVar[tuple[type[ShapeModel], ...]] = (Rod,)
    round_ends = True
    arithmetic = True

    def half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Half of the length, and the radius twice."""
        length, radius = numbers
        return length / 2, radius, radius

    def volume(self, bodies: Bodies) -> Tensor:
        """π r² (l − 2 r) + 4/3 π r³ for the length l from tip to tip."""
        a, b, _ = bodies.size.unbind(-1)
        return pi * b**2 * (2 * (a - b).clamp_min(0) + 4 / 3 * b)

    def half_extents(self, bodies: Bodies) -> Tensor:
        """Half of the straight part along each axis, and the radius."""
        size = bodies.size
        straight = (size[:, :1] - size[:, 1:2]).clamp_min(0)
        return bodies.rotation[:, :, 0].abs() * straight + size[:, 1:2]

    def hull(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Both ends of the straight part."""
        size = bodies.size
        points = size.new_zeros(len(size), 2, 3)
        points[:, 0, 0] = (size[:, 0] - size[:, 1]).clamp_min(0)
        points[:, 1, 0] = -points[:, 0, 0]
        return points, size[:, 1]

    def half_width(self, bodies: Bodies) -> Tensor:
        """Radius."""
        return bodies.size[:, 1]

    def path(
        self, x: Tensor, y: Tensor, bodies: Bodies, pitch_um: tuple[float, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Path through rods: balls of radius ρ along the axis, |a| ≤ h; see `Shape.path`.

        The upper surface belongs to the ball at a₊ = clamp((p + c m)/s, ±h), the lower one to a₋
        with −m. The path is the axial part c (a₊ − a₋), whose pixel mean is c² times that of the
        flat-ended straight part, plus the half chords of both balls.
        """
        axis, radius = bodies.rotation[:, :, 0], bodies.size[:, 1]
        strip = Strip(x, y, axis, (bodies.size[:, 0] - radius).clamp_min(0), radius, pitch_um)
        unclamped = strip.s * (strip.coverage * strip.m)
        p, own, _ = strip.covered()
        halves, fractions, covered = [], [], []
        for side in (1.0, -1.0):
            wish = strip.p + side * strip.cm
            fraction, half_chord = strip.ball(
                strip.p - strip.reach * strip.along(wish, strip.kernel_p)
            )
            fractions.append(fraction)
            halves.append(torch.lerp(half_chord, unclamped, strip.within(wish)))
            # Where the pixel is only partly covered, the ball of the covered part.
            covered.append(strip.along(p + side * strip.cm, own))
        half_path = (strip.straight_path() * (strip.c * strip.c) + halves[0] + halves[1]) / 2
        height = (covered[0] + covered[1]) * (strip.half * strip.c / 2)
        middle = height + (halves[0] - halves[1]) / 2
        ends = torch.maximum(fractions[0], fractions[1])
        coverage = torch.lerp(ends, strip.coverage, strip.within(strip.p))
        return half_path, middle, coverage

    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """Two half circles at the ends of the straight part."""
        flat = bodies.rotation[:, :2, 0]
        side = (flat @ normals.T).sign()[..., None]
        half, radius = bodies.size[:, 0, None, None], bodies.size[:, 1, None, None]
        straight: Tensor = side * (half - radius).clamp_min(0) * flat[:, None, :]
        return straight + radius * normals

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Along the projected axis."""
        axis, half, radius = bodies.rotation[:, :, 0], bodies.size[:, 0], bodies.size[:, 1]
        length = axis[:, :2].norm(dim=-1) * (half - radius).clamp_min(0) + radius
        return box_along_axis(axis, length, radius)


ROD = RodGeometry()

"""Red cells: biconcave discs by the law of Evans & Fung."""

from __future__ import annotations

from math import cos, pi
from typing import TYPE_CHECKING

import torch

from osog.geometry.level_sets import Level, LevelShape, star_radii
from osog.scene.bent_and_hollow import RedCell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from osog.geometry.shape import Bodies, Column
    from osog.scene.shapes import ShapeModel

_RINGS = 257
"""Circles of the surface among which the farthest is looked for."""
_HULL_RINGS, _HULL_CORNERS, _HULL_ROOM = 12, 24, 1.003
"""Circles and corners of the hull, and what the arcs between two circles bulge at most."""


class RedCellGeometry(LevelShape):
    """Biconcave discs about their own z axis.

    The size is (radius, radius, half of the rim's thickness, half of the middle's, radius of the
    crest).
    """

    models = (RedCell,)
    size_columns = 5
    intervals = 2
    work = 24
    points = 16
    round_ends = False

    def half_lengths(self, model: ShapeModel, numbers: Sequence[Column]) -> tuple[Column, ...]:
        """Halves of the diameter, twice, the rim, the middle and the crest."""
        diameter, rim, centre, crest = numbers
        return diameter / 2, diameter / 2, rim / 2, centre / 2, crest / 2

    def volume(self, bodies: Bodies) -> Tensor:
        """2 π R² ∫ √(1 − s) Q(s) ds."""
        q0, q1, q2 = _profile(bodies)
        return 2 * pi * bodies.size[:, 0] ** 2 * (2 / 3 * q0 + 4 / 15 * q1 + 16 / 105 * q2)

    def half_extents(self, bodies: Bodies) -> Tensor:
        """Farthest circle of the surface along x, y and z."""
        return _support(bodies, bodies.rotation[:, :, 2])

    def half_width(self, bodies: Bodies) -> Tensor:
        """Half of the rim's thickness."""
        return bodies.size[:, 2]

    def windows(self, x: Tensor, y: Tensor, bodies: Bodies, margin_um: float) -> Tensor:
        """Both sides of the point nearest the axis, within the enclosing flat cylinder."""
        rotation = bodies.rotation
        radius, half = (bodies.size[:, k, None, None] + margin_um for k in (0, 2))
        # In the body: p + z d.
        px, py, pz = (_dot(rotation[:, :2, k], x, y) for k in range(3))
        dx, dy, dz = (rotation[:, 2, k, None, None] for k in range(3))
        a, b = dx * dx + dy * dy, px * dx + py * dy
        a = a.clamp_min(1e-12)
        root = b * b - a * (px * px + py * py - radius * radius)
        width = (root.clamp_min(0) + 1e-12).sqrt() / a
        nearest = -b / a
        # Within the two flat faces.
        dz = torch.where(dz.abs() < 1e-9, torch.full_like(dz, 1e-9), dz)
        flat = half / dz.abs()
        low = torch.maximum(nearest - width, -pz / dz - flat)
        high = torch.minimum(nearest + width, -pz / dz + flat)
        high = torch.where(root > 0, high, low)
        split = torch.minimum(torch.maximum(nearest, low), high)
        return torch.stack([torch.stack([low, split]), torch.stack([split, high])])

    def level(self, x: Tensor, y: Tensor, z: Tensor, bodies: Bodies) -> Level:
        """h² − z² for the half thickness h at the distance from the axis."""
        rotation = bodies.rotation
        d = rotation[:, 2]
        # Components across the axis and along it.
        p = [x * rotation[:, 0, k] + y * rotation[:, 1, k] + z * d[:, k] for k in range(3)]
        square = bodies.size[:, 0] ** 2
        rho2 = p[0] * p[0] + p[1] * p[1]
        s = rho2 / square
        q0, q1, q2 = _profile(bodies)
        within = s.clamp_max(1.0)
        q = q0 + within * (q1 + within * q2)
        bend = q1 + 2 * within * q2
        # Beyond the rim the profile goes on straight.
        q = q + (s - within) * bend
        bend2 = torch.where(s < 1, 2 * q2.expand_as(s), 0.0)
        rest = 1 - s
        first = -q * q + 2 * rest * q * bend
        second = -4 * q * bend + 2 * rest * (bend * bend + q * bend2)
        radial = p[0] * d[:, 0] + p[1] * d[:, 1]
        lying2 = 1 - d[:, 2] ** 2
        return Level(
            value=rest * q * q - p[2] * p[2],
            slope_z=2 * first * radial / square - 2 * p[2] * d[:, 2],
            slope2=4 * first * first * s / square + 4 * p[2] * p[2],
            curvature=(4 * second * s + 4 * first) / square - 2,
            curvature_z=4 * second * radial * radial / square**2
            + 2 * first * lying2 / square
            - 2 * d[:, 2] ** 2,
        )

    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """Where rays from the middle leave the silhouette, notches of cells on edge included."""
        farthest = bodies.size[:, 0] * 1.01

        def inside(x: Tensor, y: Tensor) -> Tensor:
            return self.deepest(bodies, x, y) > 0

        radii = star_radii(inside, normals, farthest, 22)
        return radii[..., None] * normals

    def hull(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Rings from the crest to the rim, on both faces; at most 1 % wider than the cell."""
        like = bodies.size
        crest = torch.asin((like[:, 4] / like[:, 0]).clamp_max(1.0))
        share = torch.linspace(0, 1, _HULL_RINGS, dtype=like.dtype, device=like.device)
        rho, height = _profile_at(bodies, crest[:, None] + (pi / 2 - crest[:, None]) * share)
        # Corners of polygons that hold the circles, and room for the arcs between two rings.
        wide = _HULL_ROOM / cos(pi / _HULL_CORNERS)
        turn = torch.arange(_HULL_CORNERS, dtype=like.dtype, device=like.device)
        turn = turn * (2 * pi / _HULL_CORNERS)
        x, y = (wide * rho[..., None] * t for t in (turn.cos(), turn.sin()))
        z = (_HULL_ROOM * height)[..., None].expand_as(x)
        upper = torch.stack([x, y, z], -1).flatten(1, 2)
        lower = upper * like.new_tensor((1.0, 1.0, -1.0))
        return torch.cat([upper, lower], 1), torch.zeros_like(crest)

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Along the projected axis, and across it as wide as the disc."""
        axis = bodies.rotation[:, :, 2]
        lying = axis[:, :2].norm(dim=-1)
        angle = torch.where(lying > 1e-6, torch.atan2(axis[:, 1], axis[:, 0]), 0.0)
        short = _support(bodies, lying[:, None])[:, 0]
        return torch.zeros_like(axis[:, :2]), torch.stack([short, bodies.size[:, 0]], -1), angle

    def thickened(self, bodies: Bodies, pitch_um: float) -> tuple[Bodies, Tensor]:
        """Larger in proportion, so that the law of the profile stays one."""
        from osog.geometry.shape import THINNEST

        factor = (THINNEST * pitch_um / bodies.size[:, 2]).clamp_min(1.0)
        wide = bodies.resized(bodies.size * factor[:, None])
        return wide, self.volume(bodies) / self.volume(wide)


def _profile(bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
    """Half of C0, C1 and C2: thickness in the middle, and a crest of the stated place and height.

    With Q = C0 + C1 s + C2 s² the thickness √(1 − s) Q has its crest where Q' = Q / (2 (1 − s)).
    """
    radius, _, rim, centre, crest = bodies.size.unbind(-1)
    s = (crest / radius) ** 2
    value = rim * torch.rsqrt(1 - s)
    slope = value / (2 * (1 - s))
    second = (slope - (value - centre) / s) / s
    return centre, slope - 2 * second * s, second


def _support(bodies: Bodies, along_axis: Tensor) -> Tensor:
    """How far (n, V) bodies reach along directions with these components (n, V) along the axis."""
    number = torch.linspace(0, pi / 2, _RINGS, dtype=along_axis.dtype, device=along_axis.device)
    ring, height = _profile_at(bodies, number)
    lying = (1 - along_axis**2).clamp_min(0).sqrt()
    reach = ring[:, None] * lying[..., None] + height[:, None] * along_axis.abs()[..., None]
    # Between two circles lies at most so much more.
    return reach.amax(-1) * (1 + 5 / _RINGS**2)


def _profile_at(bodies: Bodies, number: Tensor) -> tuple[Tensor, Tensor]:
    """Radii and heights (n, V) of circles of the surface, by asin √s."""
    rho, rest = torch.sin(number), torch.cos(number)
    s = rho * rho
    q0, q1, q2 = (t[:, None] for t in _profile(bodies))
    return bodies.size[:, :1] * rho, rest * (q0 + s * (q1 + s * q2))


def _dot(rows: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Component of lines along one axis of the body."""
    return rows[:, 0, None, None] * x + rows[:, 1, None, None] * y


RED_CELL = RedCellGeometry()

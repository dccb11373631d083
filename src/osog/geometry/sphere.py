"""Balls, solid or with a concentric core."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.geometry.edges import root_mean_product
from osog.geometry.ellipsoid import ellipse_points
from osog.geometry.shape import Bodies, Column, Shape
from osog.scene.assembled_shapes import Bubble
from osog.scene.shapes import CoatedSphere, ShapeModel, Sphere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class SphereGeometry(Shape):
    """Balls of the size (radius, radius, radius); a core changes nothing about their surface."""

    models = (Sphere, CoatedSphere, Bubble)
    smooth_above_px = 2.5
    round_ends = True
    arithmetic = True

    def half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """(radius, radius, radius); further numbers are those of the core."""
        radius = numbers[0]
        return radius, radius, radius

    def volume(self, bodies: Bodies) -> Tensor:
        """4/3 π r³."""
        return 4 / 3 * pi * bodies.size[:, 0] ** 3

    def half_extents(self, bodies: Bodies) -> Tensor:
        """Radius on all sides."""
        return bodies.size[:, :1].expand(-1, 3)

    def hull(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """The centre."""
        size = bodies.size
        return size.new_zeros(len(size), 1, 3), size[:, 0]

    def half_width(self, bodies: Bodies) -> Tensor:
        """Radius."""
        return bodies.size[:, 0]

    def path(
        self, x: Tensor, y: Tensor, bodies: Bodies, pitch_um: tuple[float, float]
    ) -> tuple[Tensor, None, Tensor]:
        """Path through balls: 2 √(R² − r²), as pixel mean; see `Shape.path`."""
        py, px = pitch_um
        radius = bodies.size[:, 0, None, None]
        y2, x2 = y * y, x * x
        # Mean of −r² over the cell beyond its centre value: −p²/24 per second derivative.
        e = ((radius * radius - (px * px + py * py) / 12) - x2) - y2
        speck = (1e-3 * px * py) ** 2
        half_range = (torch.add(x2 * (px * px), speck) + y2 * (py * py)).sqrt()
        coverage, half_path = root_mean_product(e, half_range)
        return half_path, None, coverage

    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """Points of circles."""
        radii = bodies.size[:, :1].expand(-1, 3)
        return ellipse_points(bodies.rotation[:, :2, :] * radii[:, None, :], normals)

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Upright squares."""
        size = bodies.size
        zero = torch.zeros_like(size[:, 0])
        return torch.zeros_like(size[:, :2]), size[:, :1].expand(-1, 2), zero

    def hydrodynamic_axes(self, bodies: Bodies) -> Tensor:
        """Balls are ellipsoids themselves."""
        return bodies.size


SPHERE = SphereGeometry()

"""Cylinders with flat ends; short ones are discs."""

from __future__ import annotations

from math import cos, pi
from typing import TYPE_CHECKING

import torch

from osog.geometry.axial import Strip, box_along_axis
from osog.geometry.edges import smooth_clamp
from osog.geometry.shape import Bodies, Column, Shape
from osog.scene.shapes import Cylinder, ShapeModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class CylinderGeometry(Shape):
    """Cylinders of the size (half of the length, radius, radius)."""

    models = (Cylinder,)
    arithmetic = True

    def half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Half of the length, and the radius twice."""
        length, radius = numbers
        return length / 2, radius, radius

    def volume(self, bodies: Bodies) -> Tensor:
        """π r² l."""
        a, b, _ = bodies.size.unbind(-1)
        return 2 * pi * a * b**2

    def half_extents(self, bodies: Bodies) -> Tensor:
        """Half of the axis along each direction, and the end disc's reach."""
        axis, size = bodies.rotation[:, :, 0], bodies.size
        return axis.abs() * size[:, :1] + (1 - axis**2).clamp_min(0).sqrt() * size[:, 1:2]

    def hull(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Prisms around the discs, which reach 0.5 % farther."""
        size, corners = bodies.size, 32
        angle = torch.arange(corners, dtype=size.dtype, device=size.device) * (2 * pi / corners)
        rim = torch.stack([angle.cos(), angle.sin()], 1) / cos(pi / corners)
        ends = size.new_tensor((-1.0, 1.0)).repeat_interleave(corners)[:, None]
        unit = torch.cat([ends, rim.repeat(2, 1)], 1)
        return unit * size[:, None, :], size.new_zeros(len(size))

    def half_width(self, bodies: Bodies) -> Tensor:
        """Radius."""
        return bodies.size[:, 1]

    def path(
        self, x: Tensor, y: Tensor, bodies: Bodies, pitch_um: tuple[float, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Path through flat-ended cylinders; see `Shape.path`."""
        axis, half, radius = bodies.rotation[:, :, 0], bodies.size[:, 0], bodies.size[:, 1]
        strip = Strip(x, y, axis, half, radius, pitch_um)
        half_path = strip.straight_path() / 2
        p, own, part = strip.covered()
        # Corner-safe middle: both coordinates of the end points are held to the body.
        tip = strip.reach * torch.copysign(torch.ones_like(strip.c), strip.c)
        middle = torch.zeros_like(p)
        for side in (1.0, -1.0):
            axial = strip.half * strip.along(p + side * strip.cm, own)
            radial = strip.m * smooth_clamp(side * tip - p, strip.cm.abs(), own)
            radial = radial * torch.copysign(torch.ones_like(strip.c), strip.c)
            middle = middle + (axial * strip.c + radial * strip.s) / 2
        return half_path, middle, strip.coverage * part

    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """Points of the end discs that lie farthest along each normal."""
        axis = bodies.rotation[:, :, 0]
        flat = axis[:, :2]
        side = (flat @ normals.T).sign()[..., None]
        half, radius = bodies.size[:, 0, None, None], bodies.size[:, 1, None, None]
        # The end disc's farthest point along n: n less its part along the axis, at the radius.
        n3 = torch.nn.functional.pad(normals, (0, 1))
        across = n3 - (n3 @ axis.transpose(0, 1)).transpose(0, 1)[..., None] * axis[:, None, :]
        across = across / across.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        ends: Tensor = side * half * flat[:, None, :]
        disc: Tensor = radius * across[..., :2]
        return ends + disc

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Along the projected axis."""
        axis, half, radius = bodies.rotation[:, :, 0], bodies.size[:, 0], bodies.size[:, 1]
        length = axis[:, :2].norm(dim=-1) * half + axis[:, 2].abs() * radius
        return box_along_axis(axis, length, radius)


CYLINDER = CylinderGeometry()

"""Rectangular blocks: needles, blocks and plates."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from osog.geometry.edges import smaller_side, smooth_abs, smooth_sign
from osog.geometry.ellipsoid import ELLIPSOID
from osog.geometry.rectangles import least_rectangle
from osog.geometry.shape import THINNEST, Bodies, Column, Shape
from osog.geometry.walls import SHORT, VERTICAL, Planes, kernel_reach, wall_mean
from osog.scene.shapes import Box, ShapeModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


_SPECK_PX = 0.6
"""Half of the longest edge in pixels below which the shape of a box does not show."""


class BoxGeometry(Shape):
    """Boxes of the size (a, b, c), half of their edges."""

    models: ClassVar[tuple[type[ShapeModel], ...]] = (Box,)
    flat_faces = True
    arithmetic = True

    def half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Half of the edges."""
        a, b, c = numbers
        return a / 2, b / 2, c / 2

    def volume(self, bodies: Bodies) -> Tensor:
        """8 a b c."""
        a, b, c = bodies.size.unbind(-1)
        return 8 * a * b * c

    def half_extents(self, bodies: Bodies) -> Tensor:
        """Σ |R_ij| a_j along axis i."""
        return (bodies.rotation.abs() * bodies.size[:, None, :]).sum(-1)

    def hull(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Eight corners."""
        size = bodies.size
        signs = torch.cartesian_prod(*[size.new_tensor((-1.0, 1.0))] * 3)
        return signs * size[:, None, :], size.new_zeros(len(size))

    def half_width(self, bodies: Bodies) -> Tensor:
        """Half of the smallest width of the silhouette."""
        rotation, size = bodies.rotation, bodies.size
        return _zonogon_supports(_zonogon_normals(rotation, size, 0.0), rotation, size).amin(-1)

    def path(
        self, x: Tensor, y: Tensor, bodies: Bodies, pitch_um: tuple[float, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Path through boxes; the silhouette is the zonogon of the three projected axes.

        See `Shape.path`.
        """
        rotation, size = bodies.rotation, bodies.size
        normals = _zonogon_normals(rotation, size, smaller_side(pitch_um))
        supports = _zonogon_supports(normals, rotation, size)
        # The edges of an axis along the line of sight have vanished.
        far = 10 * size.detach().sum(-1, keepdim=True)
        supports = torch.where(_vertical_axes(rotation), far, supports)

        reach = kernel_reach(pitch_um)
        rim = Planes(reach)
        for i in range(3):
            n_x, n_y = normals[:, i, 0, None, None], normals[:, i, 1, None, None]
            offset = n_x * x + n_y * y
            wide = offset.new_full((), reach)
            side = smooth_sign(offset, wide)
            distance = supports[:, i, None, None] - smooth_abs(offset, wide)
            rim.add(distance, -n_x * side, -n_y * side)

        e_z = rotation[:, 2, :]
        upright = e_z.abs() < VERTICAL
        e_z = torch.where(upright, 1.0, e_z)
        # Faces that stand upright are part of the silhouette only.
        height = torch.where(upright, 100 * far, size / e_z.abs())
        fall = rotation[:, :2, :] / e_z[:, None, :]
        fall = torch.where(upright[:, None, :], 0.0, fall).transpose(-1, -2)
        highest = (rotation[:, 2, :].abs() * size).sum(-1)[:, None, None]
        up, down = (height, fall), (height, -fall)
        return wall_mean(x, y, rim, up, down, highest, pitch_um)

    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """Corners of the zonogon, each as often as directions point to it."""
        generators = bodies.rotation[:, :2, :] * bodies.size[:, None, :]
        return (normals @ generators).sign() @ generators.transpose(-1, -2)

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Least rectangle, which has a side along an edge of the silhouette."""
        rotation, size = bodies.rotation, bodies.size
        signs = torch.cartesian_prod(*[size.new_tensor((-1.0, 1.0))] * 3)
        body = signs * size[:, None, :]
        mask = torch.ones(body.shape[:2], dtype=torch.bool, device=body.device)
        normals = _zonogon_normals(rotation, size, 0.0)
        usable = torch.ones(normals.shape[:2], dtype=torch.bool, device=body.device)
        corner = body @ rotation[:, :2, :].transpose(-1, -2)
        return least_rectangle(corner, mask, normals, usable)

    def specks(self, bodies: Bodies, pitch_um: float) -> Tensor:
        """Boxes that lie within a pixel or so."""
        return bodies.size.detach().amax(-1) < _SPECK_PX * pitch_um

    def speck(self, bodies: Bodies, pitch_um: float) -> tuple[Shape, Bodies]:
        """Ellipsoids of the same second moments."""
        wide = (bodies.size * (5 / 3) ** 0.5).clamp_min(THINNEST * pitch_um)
        return ELLIPSOID, bodies.resized(wide)


BOX = BoxGeometry()


def _zonogon_supports(normals: Tensor, rotation: Tensor, size: Tensor) -> Tensor:
    """Distances (n, 3) of the pairs of silhouette edges from the centre."""
    reach = (normals @ (rotation[:, :2, :] * size[:, None, :])).abs()
    # An edge's own generator lies along it and adds nothing.
    along = _vertical_axes(rotation)
    own = torch.eye(3, dtype=torch.bool, device=size.device) & ~along[..., None]
    return torch.where(own, 0.0, reach).sum(-1)


def _vertical_axes(rotation: Tensor) -> Tensor:
    """Tell (n, 3) which body axes lie along the line of sight."""
    return (rotation[:, :2, :] ** 2).sum(-2) < 1e-8


def _zonogon_normals(rotation: Tensor, size: Tensor, pitch_um: float) -> Tensor:
    """Normals (n, 3, 2) of the silhouette's three pairs of edges.

    An edge much shorter than a pixel keeps its direction but passes no gradient through it:
    that direction turns infinitely fast where the axis points along the line of sight.
    """
    projected = rotation[:, :2, :].transpose(-1, -2)
    length2 = (projected**2).sum(-1, keepdim=True)
    along_z = _vertical_axes(rotation)[..., None]
    stand_in = projected.new_tensor((1.0, 0.0)).expand_as(projected)
    direction = torch.where(along_z, stand_in, projected)
    direction = direction / (direction**2).sum(-1, keepdim=True).sqrt()
    # Where one axis is along the line of sight, its edges have vanished: repeat a neighbour's.
    direction = torch.where(along_z, direction.roll(-1, dims=-2), direction)
    normals = torch.stack([-direction[..., 1], direction[..., 0]], dim=-1)
    short = (length2.sqrt() * size[..., None]).detach() * 2 < SHORT * pitch_um
    return torch.where(short, normals.detach(), normals)

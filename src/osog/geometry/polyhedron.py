"""Convex polyhedra: crystals by their habit, or by half-spaces of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.geometry.half_spaces import corners_of_many, deviations, unit_volumes, vertices
from osog.geometry.rectangles import least_rectangle
from osog.geometry.shape import Array, Bodies, Column, Shape
from osog.geometry.silhouettes import beyond, silhouette, world_planes
from osog.geometry.walls import SHORT, VERTICAL, Planes, Walls, kernel_reach, wall_mean
from osog.scene.habits import half_spaces, true_planes
from osog.scene.shapes import Polyhedron, RandomPolyhedron, ShapeModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


_THIN = 0.4
"""Distance in pixels of the nearest face to which thin polyhedra are thickened."""


class PolyhedronGeometry(Shape):
    """Bodies n · (x / size) ≤ d with the half-spaces (n, d) of their habit."""

    models = (Polyhedron, RandomPolyhedron)
    flat_faces = True
    has_planes = True
    walled = True

    def half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Full extents, since habits fill the unit cube; 1 for half-spaces in µm."""
        a, b, c = numbers
        if _own(model) is not None or _true(model) is not None:
            return _constant(a, 1.0), _constant(b, 1.0), _constant(c, 1.0)
        return a, b, c

    def outer_half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Half of the extents; for half-spaces of its own half as much again as the farthest."""
        a, b, c = numbers
        own = _own(model)
        if own is not None:
            reach = 1.5 * max(row[3] for row in own)
            return _constant(a, reach), _constant(b, reach), _constant(c, reach)
        true: Array | None = _true(model)
        if true is not None:
            faces: Array = true
            size = np.stack([np.asarray(n, dtype=np.float64) for n in numbers], -1).reshape(-1, 3)
            rows = np.broadcast_to(faces[:, :3], (len(size), len(faces), 3))
            planes = np.concatenate([rows, (size @ faces[:, 3:].T)[..., None]], -1)
            corners, known = corners_of_many(planes, np.ones(planes.shape[:2], dtype=bool))
            far = np.where(known[..., None], np.abs(corners), 0.0).max(1, initial=0.0)
            x, y, z = (_like(a, far[:, k]) for k in range(3))
            return x, y, z
        return a / 2, b / 2, c / 2

    def planes(self, model: ShapeModel) -> Array | None:
        """Half-spaces of the habit, or its own, with normals of length 1; of grains none."""
        if not isinstance(model, Polyhedron):
            return None
        if model.half_spaces is None:
            return half_spaces(model.habit)
        own = np.asarray(model.half_spaces, dtype=np.float64)
        unit: Array = own / np.linalg.norm(own[:, :3], axis=1, keepdims=True)
        return unit

    def volume(self, bodies: Bodies) -> Tensor:
        """Volume of the corners' hull times the three factors; not differentiable in the planes."""
        return unit_volumes(*bodies.faces) * bodies.size.prod(-1)

    def half_extents(self, bodies: Bodies) -> Tensor:
        """Farthest corner along each axis."""
        body, mask = vertices(*bodies.faces)
        corner = (body * bodies.size[:, None, :]) @ bodies.rotation.transpose(-1, -2)
        return (corner.abs() * mask[..., None]).amax(-2)

    def hull(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Corners."""
        body, _ = vertices(*bodies.faces)
        return body * bodies.size[:, None, :], body.new_zeros(len(body))

    def half_width(self, bodies: Bodies) -> Tensor:
        """Distance of the nearest face from the position."""
        planes, mask = bodies.faces
        offset = planes[..., 3] / (planes[..., :3] / bodies.size[:, None, :]).norm(
            dim=-1
        ).clamp_min(1e-30)
        return torch.where(mask, offset.abs(), torch.inf).amin(-1).clamp_min(1e-9)

    def path(
        self, x: Tensor, y: Tensor, bodies: Bodies, pitch_um: tuple[float, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Path through convex polyhedra; see `Shape.path`.

        The upper surface is the minimum over faces that look up, the lower one the maximum over
        faces that look down; the silhouette comes from eliminating z (Fourier–Motzkin): one line
        per pair of an upward and a downward face, of which only those that touch are kept.
        """
        walls = self.walls(bodies, min(pitch_um))
        rim = Planes(kernel_reach(pitch_um))
        for e in range(walls.edges.shape[1]):
            n_x, n_y, bound = walls.edges[:, e, :, None, None].unbind(1)
            rim.add((bound - n_x * x) - n_y * y, -n_x, -n_y)
        highest = walls.highest[:, None, None]
        return wall_mean(x, y, rim, walls.up, walls.down, highest, pitch_um)

    def walls(self, bodies: Bodies, least_um: float | Tensor) -> Walls:
        """Edges of the silhouettes and faces; see `Shape.walls`."""
        planes, mask = bodies.faces
        normals, offsets = world_planes(bodies.rotation, bodies.size, planes, mask)
        lines, bounds, lengths = silhouette(normals, offsets, mask)
        short = (lengths < SHORT * least_um)[..., None]
        lines = torch.where(short, lines.detach(), lines)
        n_z = normals[..., 2]
        upward, downward = mask & (n_z > VERTICAL), mask & (n_z < -VERTICAL)
        limit = beyond(offsets)
        return Walls(
            edges=torch.cat([lines, bounds[..., None]], -1),
            up=_faces(normals, offsets, upward, limit),
            down=_faces(normals, offsets, downward, limit),
            highest=offsets.detach().abs().amax(-1),
            counts=torch.stack([(lengths > 0).sum(-1), upward.sum(-1), downward.sum(-1)], -1),
        )

    def strip(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Along the longest way between two corners of the silhouette."""
        body, mask = vertices(*bodies.faces)
        corner = (body * bodies.size[:, None, :]) @ bodies.rotation[:, :2, :].transpose(-1, -2)
        corner = corner * mask[..., None]
        rows = torch.arange(len(corner), device=corner.device)
        one = corner[rows, (corner**2).sum(-1).argmax(-1)]
        other = corner[rows, ((corner - one[:, None]) ** 2).sum(-1).argmax(-1)]
        along = other - one
        along = along / along.norm(dim=-1, keepdim=True).clamp_min(1e-30)
        across = corner[..., 1] * along[:, None, 0] - corner[..., 0] * along[:, None, 1]
        return along, across.abs().amax(-1)

    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """Corners, each as often as directions point to it."""
        body, mask = vertices(*bodies.faces)
        flat = bodies.rotation[:, :2, :]
        corner = (body * bodies.size[:, None, :]) @ flat.transpose(-1, -2)
        reach = normals @ corner.transpose(-1, -2)
        reach = torch.where(mask[:, None, :], reach, -torch.inf)
        best = reach.argmax(-1)
        return torch.gather(corner, 1, best[..., None].expand(-1, -1, 2))

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Least rectangle, which has a side along an edge of the silhouette."""
        rotation, size = bodies.rotation, bodies.size
        planes, plane_mask = bodies.faces
        body, mask = vertices(planes, plane_mask)
        body = body * size[:, None, :]
        normals, _, lengths = silhouette(
            *world_planes(rotation, size, planes, plane_mask), plane_mask
        )
        corner = body @ rotation[:, :2, :].transpose(-1, -2)
        return least_rectangle(corner, mask, normals, lengths > 0)

    def hydrodynamic_axes(self, bodies: Bodies) -> Tensor:
        """√5 times the root mean square of the body's x, y and z: an ellipsoid of these moments."""
        return bodies.size * (5**0.5 * deviations(*bodies.faces))

    def thickened(self, bodies: Bodies, pitch_um: float) -> tuple[Bodies, Tensor]:
        """Only the thin axes grow: a thin plate stays as wide as it is."""
        size = bodies.size
        least = _THIN * pitch_um / self.half_width(bodies.resized(torch.ones_like(size)))
        drawn = torch.maximum(size, least[:, None])
        return bodies.resized(drawn), (size / drawn).prod(-1)


POLYHEDRON = PolyhedronGeometry()


def _own(model: ShapeModel) -> tuple[tuple[float, float, float, float], ...] | None:
    """Half-spaces that replace habit and size."""
    return model.half_spaces if isinstance(model, Polyhedron) else None


def _true(model: ShapeModel) -> Array | None:
    """Faces of a habit that keeps its angles, in µm for each µm of size."""
    if not isinstance(model, Polyhedron) or model.half_spaces is not None:
        return None
    return true_planes(model.habit)


def _constant(like: Column, value: float) -> Column:
    """As many numbers of one value."""
    if isinstance(like, torch.Tensor):
        return torch.full_like(like, value)
    return np.full_like(like, value)


def _like(column: Column, values: Array) -> Column:
    """These values, as a column of the same type."""
    if isinstance(column, torch.Tensor):
        return torch.as_tensor(values, dtype=column.dtype, device=column.device)
    return values


def _faces(normals: Tensor, offsets: Tensor, chosen: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
    """Heights (n, f) above the position and slopes (n, f, 2) of the chosen faces."""
    count = int(chosen.sum(-1).max())
    order = torch.argsort(chosen.to(torch.int8), dim=-1, descending=True, stable=True)[:, :count]
    valid = torch.gather(chosen, 1, order)
    n = torch.gather(normals, 1, order[..., None].expand(-1, -1, 3))
    d = torch.gather(offsets, 1, order)
    steep = torch.where(valid, n[..., 2].abs(), 1.0)
    height = torch.where(valid, d / steep, far[:, None])
    return height, torch.where(valid[..., None], n[..., :2] / steep[..., None], 0.0)

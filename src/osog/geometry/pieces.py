"""Silhouettes of particles that are made of several bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.geometry.cuts import cut_outline
from osog.geometry.ellipsoid import ELLIPSOID
from osog.geometry.half_spaces import vertices
from osog.geometry.polyhedron import POLYHEDRON
from osog.geometry.shape import Bodies
from osog.geometry.shapes import SHAPES, by_shape
from osog.geometry.silhouettes import world_planes
from osog.geometry.sphere import SPHERE
from osog.particles import assembled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.particles import ParticleBatch

_AROUND, _NEARBY = 200, 1e-4
"""Points around a corner that are looked at, and how far away they are as a share of the body."""
_AT_ONCE = 64
"""Pieces whose outlines are looked at together."""


def in_pieces(batch: ParticleBatch) -> Tensor:
    """Particles (H,) whose outside is not their own body alone, ascending."""
    if batch.parts is None:
        return torch.zeros(0, dtype=torch.int64, device=batch.device)
    members = assembled(batch.detach()).membership
    assert members is not None
    later = torch.arange(len(members.host), device=batch.device) >= len(batch)
    found: Tensor = torch.unique(members.host[later & (members.thickness != 0)])
    return found


def _outer_pieces(batch: ParticleBatch) -> Iterator[tuple[Tensor, Tensor, Bodies, object]]:
    whole = assembled(batch.detach())
    members = whole.membership
    assert members is not None
    several = torch.isin(members.host, in_pieces(batch))
    carved = torch.isin(members.host, _carved(whole))
    rows = torch.nonzero(members.outer & several & ~carved).flatten()
    for shape, mine in by_shape(whole, rows):
        for part in torch.split(rows[mine], _AT_ONCE):
            yield members.host[part], whole.position[part, :2], Bodies.of(whole, part, shape), shape


def _carved(whole: ParticleBatch) -> Tensor:
    """Crystals that half-spaces were taken out of."""
    members = whole.membership
    assert members is not None
    crystal = whole.shape_kind == SHAPES.index(POLYHEDRON)
    none: Tensor = torch.unique(members.host[crystal & (members.thickness < 0)])
    return none


def _left_corners(whole: ParticleBatch, particle: int) -> Tensor:
    """Corners (k, 2) in the world, (x, y), of what is left of a crystal.

    They are corners of it and of what was taken out; one is left when points around it are.
    """
    members = whole.membership
    assert members is not None
    crystal = whole.shape_kind == SHAPES.index(POLYHEDRON)
    of_it = torch.nonzero((members.host == particle) & crystal & (members.thickness != 0)).flatten()
    bodies = Bodies.of(whole, of_it, POLYHEDRON)
    body, known = vertices(*bodies.faces)
    corner = (body * bodies.size[:, None]) @ bodies.rotation.transpose(-1, -2)
    points = (corner + whole.position[of_it, None])[known]
    normals, offsets = world_planes(bodies.rotation, bodies.size, *bodies.faces)
    scale = offsets.abs()[bodies.faces[1]].max()
    way = torch.randn(
        _AROUND, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    ).to(points)
    way = way / way.norm(dim=1, keepdim=True)
    around = points[:, None] + _NEARBY * scale * way
    local = around[None] - whole.position[of_it, None, None]
    room = offsets[:, None, None] - local @ normals.transpose(-1, -2)[:, None]
    within = ((room > 0) | ~bodies.faces[1][:, None, None]).all(-1)
    solid = members.outer[of_it][:, None, None]
    left = (within & solid).any(0) & ~(within & ~solid).any(0)
    # A sharp corner of the crystal that nothing touches may hold none of the points around it.
    at = points[None] - whole.position[of_it, None]
    room = offsets[:, None] - at @ normals.transpose(-1, -2)
    touched = ((room > -2 * _NEARBY * scale) | ~bodies.faces[1][:, None]).all(-1) & ~solid[..., 0]
    return points[left.any(1) | ~touched.any(0), :2]


def points_of_pieces(batch: ParticleBatch, normals: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Points of the silhouettes of all outer pieces.

    Parameters
    ----------
    batch : ParticleBatch
    normals : Tensor, shape (V, 2)

    Yields
    ------
    host : Tensor, shape (n,), int64
        Particle of each piece.
    points : Tensor, shape (n, V, 2)
        (x, y) in the world.
    """
    whole = assembled(batch.detach())
    for one in _carved(whole).tolist():
        corner = _left_corners(whole, one)
        best = (normals @ corner.T).argmax(1)
        yield torch.tensor([one], device=batch.device), corner[best][None]
    for host, place, bodies, shape in _outer_pieces(batch):
        if bodies.planes is not None and shape in (SPHERE, ELLIPSOID):
            points = cut_outline(bodies, normals)
        else:
            points = shape.outline(bodies, normals)  # type: ignore[attr-defined]
        yield host, points + place[:, None, :]


def reach_of_pieces(batch: ParticleBatch, normals: Tensor) -> Tensor:
    """How far (N, V) the pieces of each particle reach along directions, from the origin."""
    reach = batch.size.new_full((len(batch), len(normals)), -torch.inf)
    for host, points in points_of_pieces(batch, normals):
        far = (points @ normals.T).amax(1)
        reach.scatter_reduce_(0, host[:, None].expand_as(far), far, "amax")
    return reach


def outline_of_pieces(batch: ParticleBatch, normals: Tensor, hosts: Tensor) -> Tensor:
    """Convex outlines (H, V, 2) around the pieces of some particles, (x, y) in the world."""
    best = batch.size.new_full((len(batch), len(normals)), -torch.inf)
    found = batch.size.new_zeros(len(batch), len(normals), 2)
    for host, points in points_of_pieces(batch, normals):
        reach = points @ normals.T
        far, which = reach.max(1)
        corner = torch.gather(points, 1, which[..., None].expand(-1, -1, 2))
        for k, particle in enumerate(host.tolist()):
            better = far[k] > best[particle]
            best[particle] = torch.where(better, far[k], best[particle])
            found[particle] = torch.where(better[:, None], corner[k], found[particle])
    return found[hosts]

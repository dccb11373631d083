"""Volume, thinness and bounding box of every shape family."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from osog.geometry.polyhedra import vertices
from osog.sample.batch import ParticleBatch, ShapeKind, rotation_matrix


def half_extents(batch: ParticleBatch, index: Tensor) -> Tensor:
    """Half sizes of the axis-aligned bounding boxes in the world frame.

    Parameters
    ----------
    batch : ParticleBatch
    index : Tensor, shape (n,), int64
        Particles to look at, of any kinds.

    Returns
    -------
    Tensor, shape (n, 3)
        Half sizes along x, y, z in µm about the particle's position; detached. For a polyhedron
        that is not symmetric about its position it is the farther side.
    """
    quaternion, size = batch.quaternion[index].detach(), batch.size[index].detach()
    kind = batch.shape_kind[index]
    rotation = rotation_matrix(quaternion)
    out = torch.zeros_like(size)

    def select(wanted: ShapeKind) -> Tensor:
        return torch.nonzero(kind == wanted).squeeze(-1)

    if len(i := select(ShapeKind.SPHERE)):
        out[i] = size[i, :1].expand(-1, 3)
    if len(i := select(ShapeKind.ELLIPSOID)):
        out[i] = ((rotation[i] * size[i, None, :]) ** 2).sum(-1).sqrt()
    if len(i := select(ShapeKind.ROD)):
        straight = (size[i, :1] - size[i, 1:2]).clamp_min(0)
        out[i] = rotation[i, :, 0].abs() * straight + size[i, 1:2]
    if len(i := select(ShapeKind.CYLINDER)):
        axis = rotation[i, :, 0]
        out[i] = axis.abs() * size[i, :1] + (1 - axis**2).clamp_min(0).sqrt() * size[i, 1:2]
    if len(i := select(ShapeKind.BOX)):
        out[i] = (rotation[i].abs() * size[i, None, :]).sum(-1)
    if len(i := select(ShapeKind.POLYHEDRON)):
        body, mask = vertices(batch, index[i])
        corner = (body * size[i, None, :]) @ rotation[i].transpose(-1, -2)
        out[i] = (corner.abs() * mask[..., None]).amax(-2)
    return out


def volume(kind: ShapeKind, size: Tensor) -> Tensor:
    """Analytic volumes of every family but the polyhedron.

    Parameters
    ----------
    kind : ShapeKind
    size : Tensor, shape (n, 3)
        Half lengths in µm, see `ParticleBatch`.

    Returns
    -------
    Tensor, shape (n,)
        µm³.

    Raises
    ------
    ValueError
        For a polyhedron, whose half lengths alone do not give a volume.
    """
    a, b, c = size.unbind(-1)
    if kind == ShapeKind.SPHERE:
        return 4 / 3 * math.pi * a**3
    if kind == ShapeKind.ELLIPSOID:
        return 4 / 3 * math.pi * a * b * c
    if kind == ShapeKind.ROD:
        return math.pi * b**2 * (2 * (a - b).clamp_min(0) + 4 / 3 * b)
    if kind == ShapeKind.CYLINDER:
        return 2 * math.pi * a * b**2
    if kind == ShapeKind.BOX:
        return 8 * a * b * c
    raise ValueError("The volume of a polyhedron does not follow from its half lengths alone.")

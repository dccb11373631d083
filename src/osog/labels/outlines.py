"""Silhouettes as polygons."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from osog.geometry import vertices as polyhedron_vertices
from osog.sample.batch import ParticleBatch, ShapeKind, rotation_matrix


@torch.no_grad()
def outlines(batch: ParticleBatch, vertices: int = 64) -> Tensor:
    """Convex polygons around every particle's silhouette, whole even where others cover it.

    The points are those where the silhouette's normal has equally spaced directions (for
    ellipses, equally spaced eccentric anomalies), so corners appear several times.

    Parameters
    ----------
    batch : ParticleBatch
    vertices : int
        Points of each polygon, at least 8.

    Returns
    -------
    Tensor, shape (N, vertices, 2)
        (y, x) in µm, in order around the silhouette.

    Raises
    ------
    ValueError
        For fewer than 8 points.
    """
    if vertices < 8:
        raise ValueError(f"vertices = {vertices} is too few for an outline; use 8 or more.")
    dtype, device = batch.dtype, batch.device
    # Half a step off the axes: normals of faces that are aligned with them would be ambiguous.
    step = torch.arange(vertices, dtype=dtype, device=device) + 0.5
    angle = step * (2 * math.pi / vertices)
    normal = torch.stack([angle.cos(), angle.sin()], dim=-1)
    rotation = rotation_matrix(batch.quaternion)
    out = torch.zeros(len(batch), vertices, 2, dtype=dtype, device=device)
    for kind in ShapeKind:
        i = torch.nonzero(batch.shape_kind == kind).squeeze(-1)
        if not len(i):
            continue
        size, turn = batch.size[i], rotation[i]
        flat = turn[:, :2, :]
        if kind in (ShapeKind.SPHERE, ShapeKind.ELLIPSOID):
            if kind == ShapeKind.SPHERE:
                size = size[:, :1].expand(-1, 3)
            edge = normal @ _cholesky(flat * size[:, None, :]).transpose(-1, -2)
        elif kind in (ShapeKind.ROD, ShapeKind.CYLINDER):
            edge = _around_axis(kind, normal, turn[:, :, 0], size)
        elif kind == ShapeKind.BOX:
            generators = flat * size[:, None, :]
            edge = (normal @ generators).sign() @ generators.transpose(-1, -2)
        else:
            body, mask = polyhedron_vertices(batch, i)
            corner = (body * size[:, None, :]) @ flat.transpose(-1, -2)
            reach = normal @ corner.transpose(-1, -2)
            reach = torch.where(mask[:, None, :], reach, -torch.inf)
            best = reach.argmax(-1)
            edge = torch.gather(corner, 1, best[..., None].expand(-1, -1, 2))
        out[i] = (edge + batch.position[i, None, :2]).flip(-1)
    return out


def _cholesky(half_axes: Tensor) -> Tensor:
    """Lower factor (n, 2, 2) of Σ⊥ = A Aᵀ for A (n, 2, 3)."""
    x, y = half_axes.unbind(-2)
    l_xx = (x * x).sum(-1).sqrt()
    l_yx = (x * y).sum(-1) / l_xx
    # What y has across x; the difference of squares would cancel for needles.
    l_yy = (y - x * (l_yx / l_xx)[:, None]).norm(dim=-1)
    zero = torch.zeros_like(l_xx)
    return torch.stack([torch.stack([l_xx, zero], -1), torch.stack([l_yx, l_yy], -1)], -2)


def _around_axis(kind: ShapeKind, normal: Tensor, axis: Tensor, size: Tensor) -> Tensor:
    """Silhouette points (n, V, 2) of rods and cylinders for given normals (V, 2)."""
    flat = axis[:, :2]
    side = (flat @ normal.T).sign()[..., None]
    half, radius = size[:, 0, None, None], size[:, 1, None, None]
    if kind == ShapeKind.ROD:
        straight: Tensor = side * (half - radius).clamp_min(0) * flat[:, None, :]
        return straight + radius * normal
    # The end disc's farthest point along n: n less its part along the axis, at the radius.
    n3 = torch.nn.functional.pad(normal, (0, 1))
    across = n3 - (n3 @ axis.transpose(0, 1)).transpose(0, 1)[..., None] * axis[:, None, :]
    across = across / across.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    ends: Tensor = side * half * flat[:, None, :]
    disc: Tensor = radius * across[..., :2]
    return ends + disc

"""Oriented boxes around silhouettes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from osog.geometry import padded_planes, vertices
from osog.geometry.polytopes import silhouette, world_planes, zonogon_normals
from osog.sample.batch import ParticleBatch, ShapeKind, rotation_matrix


@torch.no_grad()
def boxes(
    batch: ParticleBatch,
    pixel_size_um: float,
    shape: tuple[int, int] | None = None,
) -> Tensor:
    """Oriented bounding boxes of whole silhouettes, hidden parts included.

    Exact for every family. Rods and cylinders: along the projected long axis. Ellipsoids:
    along the axes of the projected ellipse. Boxes and polyhedra: the rectangle of least area,
    which has a side along an edge of the silhouette.

    Parameters
    ----------
    batch : ParticleBatch
    pixel_size_um : float
    shape : tuple of int, optional
        (Y, X) of the frame: boxes that lie wholly outside it get zero width and height, so
        that row i still belongs to particle i.

    Returns
    -------
    Tensor, shape (N, 5)
        Centre x and y (pixel centres are integers), width ≥ height in px, and the angle of
        the width from +x towards +y in [−π/2, π/2) radians. Where both sides are equal the
        angle is the one nearest 0.
    """
    rotation = rotation_matrix(batch.quaternion)
    out = batch.position.new_zeros(len(batch), 5)
    for kind in ShapeKind:
        i = torch.nonzero(batch.shape_kind == kind).squeeze(-1)
        if not len(i):
            continue
        turn, size = rotation[i], batch.size[i]
        centre = torch.zeros_like(batch.position[i, :2])
        if kind == ShapeKind.SPHERE:
            half = size[:, :1].expand(-1, 2)
            angle = torch.zeros_like(size[:, 0])
        elif kind == ShapeKind.ELLIPSOID:
            half, angle = _ellipse(turn[:, :2, :] * size[:, None, :])
        elif kind in (ShapeKind.ROD, ShapeKind.CYLINDER):
            half, angle = _along_axis(kind, turn[:, :, 0], size)
        else:
            centre, half, angle = _polygon(kind, batch, i, turn, size)
        centre = centre + batch.position[i, :2]
        out[i] = torch.cat([centre, 2 * half, angle[:, None]], dim=-1)
    out[:, :4] /= pixel_size_um
    width, height, angle = out[:, 2].clone(), out[:, 3].clone(), out[:, 4]
    angle = torch.where(height > width, angle + math.pi / 2, angle)
    out[:, 2], out[:, 3] = torch.maximum(width, height), torch.minimum(width, height)
    square = (width - height).abs() < 1e-5 * out[:, 2]
    period = torch.where(square, math.pi / 2, math.pi)
    angle = torch.remainder(angle + period / 2, period) - period / 2
    # π/2 rounded to float32 lies outside of the interval.
    limit = angle.new_tensor(math.pi / 2 * (1 - 2**-23))
    angle = torch.where(angle > limit, angle - math.pi, angle)
    out[:, 4] = torch.maximum(angle, -limit)
    if shape is not None:
        cosine, sine = out[:, 4].cos().abs(), out[:, 4].sin().abs()
        reach_x = (cosine * out[:, 2] + sine * out[:, 3]) / 2
        reach_y = (sine * out[:, 2] + cosine * out[:, 3]) / 2
        rows, columns = shape
        seen = (out[:, 0] + reach_x > -0.5) & (out[:, 0] - reach_x < columns - 0.5)
        seen &= (out[:, 1] + reach_y > -0.5) & (out[:, 1] - reach_y < rows - 0.5)
        out[:, 2:4] *= seen[:, None]
    return out


def _ellipse(half_axes: Tensor) -> tuple[Tensor, Tensor]:
    """Half axes (n, 2) and angle (n,) of the ellipse A Aᵀ, A (n, 2, 3)."""
    x, y = half_axes.double().unbind(-2)
    s_xx, s_xy, s_yy = (x * x).sum(-1), (x * y).sum(-1), (y * y).sum(-1)
    angle = 0.5 * torch.atan2(2 * s_xy, s_xx - s_yy)
    mean, spread = (s_xx + s_yy) / 2, torch.hypot((s_xx - s_yy) / 2, s_xy)
    long = mean + spread
    # det / λ₁ instead of mean − spread, which cancels for needles.
    area2 = (torch.linalg.cross(x, y) ** 2).sum(-1)
    half = torch.stack([long, area2 / long], dim=-1).sqrt()
    return half.to(half_axes.dtype), angle.to(half_axes.dtype)


def _along_axis(kind: ShapeKind, axis: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Half sides (n, 2) and angle (n,) of rods and cylinders along their projected axes."""
    half, radius = size[:, 0], size[:, 1]
    lying = axis[:, :2].norm(dim=-1)
    if kind == ShapeKind.ROD:
        length = lying * (half - radius).clamp_min(0) + radius
    else:
        length = lying * half + axis[:, 2].abs() * radius
    angle = torch.where(lying > 1e-6, torch.atan2(axis[:, 1], axis[:, 0]), 0.0)
    return torch.stack([length, radius], dim=-1), angle


def _polygon(
    kind: ShapeKind, batch: ParticleBatch, index: Tensor, rotation: Tensor, size: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Centre, half sides and angle of the least rectangle around a projected polytope."""
    if kind == ShapeKind.BOX:
        signs = torch.cartesian_prod(*[size.new_tensor((-1.0, 1.0))] * 3)
        body = signs * size[:, None, :]
        mask = torch.ones(body.shape[:2], dtype=torch.bool, device=body.device)
        normals = zonogon_normals(rotation, size, 0.0)
        usable = torch.ones(normals.shape[:2], dtype=torch.bool, device=body.device)
    else:
        body, mask = vertices(batch, index)
        body = body * size[:, None, :]
        planes, plane_mask = padded_planes(batch, index)
        normals, _, lengths = silhouette(
            *world_planes(rotation, size, planes, plane_mask), plane_mask
        )
        usable = lengths > 0
    corner = body @ rotation[:, :2, :].transpose(-1, -2)
    along = torch.stack([-normals[..., 1], normals[..., 0]], dim=-1)

    def extent(direction: Tensor) -> tuple[Tensor, Tensor]:
        reach = direction @ corner.transpose(-1, -2)
        low = torch.where(mask[:, None, :], reach, torch.inf).amin(-1)
        high = torch.where(mask[:, None, :], reach, -torch.inf).amax(-1)
        return (low + high) / 2, (high - low) / 2

    (mid_a, half_a), (mid_n, half_n) = extent(along), extent(normals)
    best = torch.where(usable, half_a * half_n, torch.inf).argmin(-1, keepdim=True)

    def pick(values: Tensor) -> Tensor:
        return torch.gather(values, 1, best)

    direction = torch.gather(along, 1, best[..., None].expand(-1, -1, 2)).squeeze(1)
    across = torch.gather(normals, 1, best[..., None].expand(-1, -1, 2)).squeeze(1)
    centre = pick(mid_a) * direction + pick(mid_n) * across
    half = torch.cat([pick(half_a), pick(half_n)], dim=-1)
    return centre, half, torch.atan2(direction[:, 1], direction[:, 0])

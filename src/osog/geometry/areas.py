"""Areas of silhouettes."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.geometry.pieces import in_pieces, outline_of_pieces
from osog.geometry.shape import Bodies
from osog.geometry.shapes import by_shape

if TYPE_CHECKING:
    from torch import Tensor

    from osog.particles import ParticleBatch

_DIRECTIONS = 256
_AT_ONCE = 4096


@torch.no_grad()
def silhouette_areas(batch: ParticleBatch) -> Tensor:
    """Area of the outline of every particle, seen along the light.

    Parameters
    ----------
    batch : ParticleBatch

    Returns
    -------
    Tensor, shape (N,)
        µm²; of round outlines those of a polygon with 256 corners, 1e-4 too small; of particles
        that are made of several bodies those of the convex hull around all of them.
    """
    angle = (torch.arange(_DIRECTIONS, dtype=batch.dtype, device=batch.device) + 0.5) * (
        2 * pi / _DIRECTIONS
    )
    normals = torch.stack([angle.cos(), angle.sin()], dim=-1)
    out = batch.position.new_zeros(len(batch))
    for shape, every in by_shape(batch):
        for rows in every.split(_AT_ONCE):
            x, y = shape.outline(Bodies.of(batch, rows, shape), normals).unbind(-1)
            out[rows] = _area(x, y)
    hosts = in_pieces(batch)
    for rows in hosts.split(_AT_ONCE) if len(hosts) else ():
        out[rows] = _area(*outline_of_pieces(batch, normals, rows).unbind(-1))
    return out


def _area(x: Tensor, y: Tensor) -> Tensor:
    """Area (n,) within polygons (n, V)."""
    doubled = x * y.roll(-1, -1) - y * x.roll(-1, -1)
    found: Tensor = 0.5 * doubled.sum(-1).abs()
    return found

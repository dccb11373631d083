"""Silhouettes as polygons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from osog.geometry import Bodies, by_shape, volume_outline
from osog.geometry.pieces import in_pieces, outline_of_pieces

if TYPE_CHECKING:
    from osog.particles import ParticleBatch


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
    out = torch.zeros(len(batch), vertices, 2, dtype=dtype, device=device)
    for shape, i in by_shape(batch):
        edge = shape.outline(Bodies.of(batch, i, shape), normal)
        out[i] = (edge + batch.position[i, None, :2]).flip(-1)
    for row in () if batch.voxels is None else batch.voxels.rows:
        out[row] = volume_outline(batch, row, normal).flip(-1)
    i = in_pieces(batch)
    if len(i):
        out[i] = outline_of_pieces(batch, normal, i).flip(-1)
    return out

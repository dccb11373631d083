"""What can be seen of volumes from above: maps on the camera's pixels, and outlines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.spatial import ConvexHull
from torch import Tensor

from osog.derivatives import outside_func
from osog.geometry.edges import REACH, SPREAD
from osog.geometry.rectangles import least_rectangle_of_outline
from osog.geometry.shapes import half_extents
from osog.geometry.voxel_boxes import Placed, Samples, voxel_sums
from osog.rotations import rotation_matrix

if TYPE_CHECKING:
    from osog.particles import ParticleBatch
    from osog.voxels import VoxelGrid

_SAMPLES = 1_000_000
"""Places looked at together."""


@dataclass(frozen=True)
class VolumeMap:
    """One volume on pixels, those outside the frame included.

    Attributes
    ----------
    row, column : int
        Of the first pixel.
    opd, path : Tensor, shape (P, Q)
        Σ Δn · path and Σ path in µm.
    top : Tensor, shape (P, Q), int64
        Particle that lies uppermost; −1 where none is.
    depth : Tensor, shape (P, Q)
        Height of its upper surface in µm.
    areas : Tensor, shape (A, 2), int64
        Every pair of a particle and a flat pixel number that it lies on, hidden or not.
    """

    row: int
    column: int
    opd: Tensor
    path: Tensor
    top: Tensor
    depth: Tensor
    areas: Tensor


@torch.no_grad()
def volume_map(batch: ParticleBatch, parts: Tensor, pixel_size_um: float) -> VolumeMap:
    """Draw one volume.

    Parameters
    ----------
    batch : ParticleBatch
    parts : Tensor, shape (L,)
        Its particles.
    pixel_size_um : float

    Returns
    -------
    VolumeMap
        Path lengths are means over the drawing kernel as for all bodies. A pixel bears the number
        of what lies at its centre, so parts much smaller than a pixel can be missed.
    """
    voxels, lead = batch.voxels, parts[0]
    assert voxels is not None
    number = int(voxels.grid[lead])
    grid, weights = voxels.grids[number], voxels.weights[number]
    half = half_extents(batch, parts[:1])[0].tolist()
    x, y, z = batch.position[lead].tolist()
    margin = REACH * SPREAD / 2
    rows, columns = (
        range(
            floor((at - side) / pixel_size_um - margin),
            ceil((at + side) / pixel_size_um + margin) + 1,
        )
        for at, side in ((y, half[1]), (x, half[0]))
    )
    pitch = (pixel_size_um, pixel_size_um)
    samples = Samples(pitch, (0.0, 0.0), rows, columns, 0.0, range(1))
    placed = Placed(batch.position[lead], batch.quaternion[lead], batch.size[lead, :3])
    steps = batch.delta_index[parts]
    sums = voxel_sums(grid, weights, [steps], placed, samples)[0, 0]
    rotation = rotation_matrix(batch.quaternion[lead])
    sides = batch.size.new_tensor([grid.shape[2], grid.shape[1], grid.shape[0]])
    size = 2 * batch.size[lead, :3] / sides
    by_x, by_y, by_z = rotation / size
    real: dict[str, Any] = {"dtype": batch.dtype, "device": batch.device}
    px = torch.arange(columns.start, columns.stop, **real) * pixel_size_um - x
    py = torch.arange(rows.start, rows.stop, **real) * pixel_size_um - y
    plane = px[:, None] * by_x + (py[:, None] * by_y)[:, None] + sides / 2
    # A step passes no voxel by, and the planes of an upright array are met in their middles.
    climb = float(1 / by_z.abs().max())
    count = max(1, round(2 * half[2] / climb))
    step = 2 * half[2] / count
    top = torch.zeros(len(py), len(px), dtype=torch.int64, device=batch.device)
    depth, path, last = torch.zeros_like(sums), torch.zeros_like(sums), torch.zeros_like(top)
    pixel = torch.arange(top.numel(), device=batch.device).view_as(top)
    seen = []
    layers = max(1, _SAMPLES // top.numel())
    for start in range(0, count, layers):
        numbers = torch.arange(start, min(start + layers, count), device=batch.device)
        heights = half[2] - (numbers + 0.5) * step
        ranks = _nearest(grid, plane + (heights[:, None] * by_z)[:, None, None])
        path += (ranks > 0).sum(0) * step
        for height, rank in zip(heights, ranks, strict=True):
            new = (rank != last) & (rank > 0)
            if bool(new.any()):
                seen.append(torch.stack((rank[new], pixel[new]), 1))
                first = new & (top == 0)
                depth[first] = z + height + step / 2
                top = torch.where(first, rank, top)
            last = rank
    areas = torch.cat(seen) if seen else top.new_zeros(0, 2)
    key = torch.unique(areas[:, 0] * top.numel() + areas[:, 1])
    rank, where = torch.div(key, top.numel(), rounding_mode="floor"), key % max(top.numel(), 1)
    areas = torch.stack((parts[rank - 1], where), 1)
    top = torch.where(top > 0, parts[(top - 1).clamp_min(0)], -1)
    return VolumeMap(rows.start, columns.start, sums, path, top, depth, areas)


def _nearest(grid: VoxelGrid, places: Tensor) -> Tensor:
    """Parts (…) at indices (…, 3) along x, y and z, counted from the corner of the array."""
    i, j, k = torch.floor(places).long().unbind(-1)
    planes, rows, columns = grid.shape
    inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows) & (k >= 0) & (k < planes)
    flat = (k * rows + j) * columns + i
    found = grid.mask.reshape(-1)[torch.where(inside, flat, 0)].long()
    return torch.where(inside, found, 0)


@torch.no_grad()
def volume_outline(batch: ParticleBatch, row: int, normals: Tensor) -> Tensor:
    """Points of the silhouette of one part of a volume that lie farthest along directions.

    Parameters
    ----------
    batch : ParticleBatch
    row : int
        Its particle.
    normals : Tensor, shape (V, 2)

    Returns
    -------
    Tensor, shape (V, 2)
        (x, y) in µm; of the convex hull.
    """
    corners = _corners(batch, row)
    return corners[(normals @ corners.T).argmax(1)]


@torch.no_grad()
def volume_box(batch: ParticleBatch, row: int) -> tuple[Tensor, Tensor, Tensor]:
    """Least rectangle around the silhouette of one part of a volume, as of `Shape.box`.

    Returns
    -------
    centre, half, angle : Tensor, shapes (1, 2), (1, 2), (1,)
        In the world.
    """
    corners = _corners(batch, row)

    def outline(normals: Tensor) -> Tensor:
        return corners[(normals @ corners.T).argmax(1)][None]

    return least_rectangle_of_outline(outline, batch.size[row][None])


def _corners(batch: ParticleBatch, row: int) -> Tensor:
    """Corners (M, 2) of the hull of one part, seen from above, in the world."""
    voxels = batch.voxels
    assert voxels is not None
    grid = voxels.grids[int(voxels.grid[row])]
    points = _hulls(grid)[int(voxels.part[row]) - 1]
    sides = batch.size.new_tensor([grid.shape[2], grid.shape[1], grid.shape[0]])
    body = torch.as_tensor(points).to(batch.size) * (2 * batch.size[row, :3] / sides)
    rotation = rotation_matrix(batch.quaternion[row])
    return body @ rotation[:2].T + batch.position[row, :2]


@lru_cache(maxsize=8)
def _hulls(grid: VoxelGrid) -> list[np.ndarray]:
    """Corners (M, 3) of the convex hull of every part, in voxels (x, y, z) from the centre."""
    with outside_func():
        mask = grid.mask.cpu().numpy()
    # Only the ends of a row of like voxels can be corners.
    change = np.ones((*mask.shape[:2], mask.shape[2] + 1), bool)
    change[:, :, 1:-1] = mask[:, :, 1:] != mask[:, :, :-1]
    k, j, i = np.nonzero(change)
    before = np.where(i > 0, mask[k, j, np.maximum(i - 1, 0)], 0)
    behind = np.where(i < mask.shape[2], mask[k, j, np.minimum(i, mask.shape[2] - 1)], 0)
    ranks = np.concatenate([before, behind])
    points = np.tile(np.stack([i, j, k], 1), (2, 1))[ranks > 0]
    ranks = ranks[ranks > 0]
    order = np.argsort(ranks, kind="stable")
    parts = np.split(points[order], np.searchsorted(ranks[order], np.arange(2, grid.parts + 1)))
    centre = np.array(mask.shape[::-1]) / 2
    found = []
    for part in parts:
        if not len(part):
            found.append(np.zeros((1, 3)))
            continue
        corners = np.concatenate([part + np.array((0, dy, dz)) for dy in (0, 1) for dz in (0, 1)])
        corners = np.unique(corners, axis=0)
        found.append(corners[ConvexHull(corners).vertices] - centre)
    return found


__all__ = ["VolumeMap", "volume_box", "volume_map", "volume_outline"]

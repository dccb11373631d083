"""Half-spaces of convex polyhedra: padding to rectangular tensors, and corners."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from osog.sample.batch import ParticleBatch


def padded_planes(batch: ParticleBatch, index: Tensor) -> tuple[Tensor, Tensor]:
    """Collect the half-spaces of some polyhedra in one rectangular tensor.

    Parameters
    ----------
    batch : ParticleBatch
    index : Tensor, shape (n,), int64

    Returns
    -------
    planes : Tensor, shape (n, F, 4)
        (n_x, n_y, n_z, d) in the body frame; F is the largest number of faces among them.
    mask : Tensor, shape (n, F), bool
        False where a row is padding.
    """
    start, stop = batch.plane_start[index], batch.plane_start[index + 1]
    count = stop - start
    faces = int(count.max()) if len(index) else 0
    offset = torch.arange(faces, device=start.device)
    mask = offset < count[:, None]
    if not faces:
        return batch.planes.new_zeros(len(index), 0, 4), mask
    rows = (start[:, None] + offset).clamp_max(len(batch.planes) - 1)
    planes = torch.where(mask[..., None], batch.planes[rows], batch.planes.new_zeros(()))
    return planes, mask


def vertices(batch: ParticleBatch, index: Tensor) -> tuple[Tensor, Tensor]:
    """Corners of some polyhedra in their body frames, before scaling by ``size``.

    Corners of a plane set are computed once and kept, since a population shares its habit.

    Parameters
    ----------
    batch : ParticleBatch
    index : Tensor, shape (n,), int64

    Returns
    -------
    corners : Tensor, shape (n, V, 3)
        Detached; padded with the first corner.
    mask : Tensor, shape (n, V), bool
        False where a row is padding.

    Raises
    ------
    ValueError
        When half-spaces enclose no volume or leave it unbounded.
    """
    planes, mask = padded_planes(batch, index)
    packed = torch.cat([planes, mask[..., None].to(planes.dtype)], dim=-1).detach()
    flat = packed.reshape(len(index), -1).cpu().double()
    if len(flat) and bool((flat == flat[:1]).all()):
        distinct, inverse = flat[:1], torch.zeros(len(flat), dtype=torch.int64)
    else:
        distinct, inverse = torch.unique(flat, dim=0, return_inverse=True)
    sets = []
    for row in distinct.reshape(len(distinct), -1, 5).numpy():
        sets.append(_corners(np.ascontiguousarray(row[row[:, 4] > 0, :4]).tobytes()))
    widest = max((len(corner) for corner in sets), default=0)
    table = np.zeros((len(sets), widest, 3))
    known = np.zeros((len(sets), widest), dtype=bool)
    for i, corner in enumerate(sets):
        table[i] = corner[0]
        table[i, : len(corner)] = corner
        known[i, : len(corner)] = True
    corners = torch.from_numpy(table)[inverse].to(planes.device, planes.dtype)
    return corners, torch.from_numpy(known)[inverse].to(planes.device)


@lru_cache(maxsize=512)
def _corners(packed: bytes) -> np.ndarray:
    """Corners of {x: n · x ≤ d}: all triple points that satisfy every half-space."""
    planes = np.frombuffer(packed, dtype=np.float64).reshape(-1, 4)
    normals, offsets = planes[:, :3], planes[:, 3]
    if len(planes) < 4:
        raise ValueError(
            f"half_spaces: {len(planes)} half-spaces cannot enclose a volume; give at least 4."
        )
    triples = np.array(list(combinations(range(len(planes)), 3)))
    systems = normals[triples]
    determinant = np.linalg.det(systems)
    solvable = np.abs(determinant) > 1e-9
    points = np.linalg.solve(systems[solvable], offsets[triples[solvable]][..., None])[..., 0]
    scale = max(float(np.abs(offsets).max()), 1e-300)
    inside = (points @ normals.T <= offsets + 1e-6 * scale).all(axis=1)
    points = points[inside]
    if len(points):
        _, first = np.unique(np.round(points / (1e-5 * scale)), axis=0, return_index=True)
        points = points[np.sort(first)]
    # Bounded: no direction may leave every half-space unviolated, i.e. the normals surround 0.
    if len(points) < 4 or not _surround_origin(normals):
        raise ValueError(
            "half_spaces: these half-spaces do not enclose a bounded volume; "
            "add faces or check the signs of d_um."
        )
    return points


def _surround_origin(normals: np.ndarray) -> bool:
    """Tell whether 0 lies strictly inside the convex hull of the normals."""
    for i, j in combinations(range(len(normals)), 2):
        axis = np.cross(normals[i], normals[j])
        length = np.linalg.norm(axis)
        if length < 1e-9:
            continue
        side = normals @ (axis / length)
        if side.max() < 1e-9 or side.min() > -1e-9:
            return False
    return True

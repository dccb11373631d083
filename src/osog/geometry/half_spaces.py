"""Half-spaces of convex polyhedra: padding to rectangular tensors; corners, volumes, moments."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osog.derivatives import array

if TYPE_CHECKING:
    from osog.particles import ParticleBatch

_CELLS = 48
"""Cells along each side of the cube in which a polyhedron's moments are taken."""

_FEW = 8
"""Sets of half-spaces up to which corners are found, checked and kept one by one."""

Array = NDArray[np.float64]


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


def vertices(planes: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Corners of some polyhedra in their body frames, before scaling by ``size``.

    Corners of a plane set are computed once and kept, since a population shares its habit.

    Parameters
    ----------
    planes : Tensor, shape (n, F, 4)
    mask : Tensor, shape (n, F), bool
        As from `padded_planes`.

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
    packed = torch.cat([planes, mask[..., None].to(planes.dtype)], dim=-1).detach()
    flat = packed.cpu().double()
    if len(flat) > _FEW and not bool((flat == flat[:1]).all()):
        table, known = _many_corners(array(flat).tobytes(), flat.shape[1])
        inverse = torch.arange(len(flat))
    else:
        distinct, inverse = _distinct(planes, mask)
        sets = [_corners(one) for one in distinct]
        widest = max((len(corner) for corner in sets), default=0)
        table = np.zeros((len(sets), widest, 3))
        known = np.zeros((len(sets), widest), dtype=bool)
        for i, corner in enumerate(sets):
            table[i] = corner[0]
            table[i, : len(corner)] = corner
            known[i, : len(corner)] = True
    corners = torch.from_numpy(table)[inverse].to(planes.device, planes.dtype)
    return corners, torch.from_numpy(known)[inverse].to(planes.device)


def unit_volumes(planes: Tensor, mask: Tensor) -> Tensor:
    """Volumes (n,) of polyhedra before scaling by ``size``; parameters as for `vertices`."""
    distinct, inverse = _distinct(planes, mask)
    each = torch.tensor([_volume(one) for one in distinct], dtype=torch.float64)
    return each[inverse].to(planes.device, planes.dtype)


def deviations(planes: Tensor, mask: Tensor) -> Tensor:
    """Standard deviations (n, 3) of x, y, z inside polyhedra before scaling by ``size``.

    Parameters as for `vertices`; the cells of a cube are counted, detached.
    """
    distinct, inverse = _distinct(planes, mask)
    each = [_deviations(one) for one in distinct]
    table = torch.from_numpy(np.array(each).reshape(-1, 3))
    return table[inverse].to(planes.device, planes.dtype)


def _distinct(planes: Tensor, mask: Tensor) -> tuple[list[bytes], Tensor]:
    """Different plane sets as float64 bytes, and the number (n,) of each particle's."""
    packed = torch.cat([planes, mask[..., None].to(planes.dtype)], dim=-1)
    flat = packed.reshape(len(planes), -1).cpu().double()
    if len(flat) and bool((flat == flat[:1]).all()):
        distinct, inverse = flat[:1], torch.zeros(len(flat), dtype=torch.int64)
    else:
        distinct, inverse = torch.unique(flat, dim=0, return_inverse=True)
    rows = array(distinct.reshape(len(distinct), -1, 5))
    return [np.ascontiguousarray(row[row[:, 4] > 0, :4]).tobytes() for row in rows], inverse


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


def corners_of_many(planes: Array, mask: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """Corners of many sets of half-spaces at once.

    Parameters
    ----------
    planes : ndarray, shape (n, F, 4)
    mask : ndarray of bool, shape (n, F)
        False where a row is padding.

    Returns
    -------
    corners : ndarray, shape (n, V, 3)
        Corners where more than three faces meet come several times; padded with the first.
    known : ndarray of bool, shape (n, V)
        False where a row is padding; nowhere True for a set that encloses nothing.
    """
    count, faces = mask.shape
    i, j, k = np.array(list(combinations(range(faces), 3)), dtype=np.int64).reshape(-1, 3).T
    # Distances grow with the body, so that tolerances are shares of its size.
    scale = np.where(mask, np.abs(planes[..., 3]), 0.0).max(1, initial=1e-300)
    found = []
    block = max(1, 2_000_000 // max(1, len(i) * faces))
    for start in range(0, count, block):
        rows = slice(start, start + block)
        n, d, there = planes[rows, :, :3], planes[rows, :, 3], mask[rows]
        cross = np.cross(n[:, j], n[:, k])
        det = (n[:, i] * cross).sum(-1)
        usable = there[:, i] & there[:, j] & there[:, k] & (np.abs(det) > 1e-9)
        points = d[:, i, None] * cross
        points += d[:, j, None] * np.cross(n[:, k], n[:, i])
        points += d[:, k, None] * np.cross(n[:, i], n[:, j])
        points /= np.where(usable, det, 1.0)[..., None]
        room = d[:, None, :] - points @ n.transpose(0, 2, 1)
        tolerance = 1e-6 * scale[rows, None, None]
        inside = usable & ((room >= -tolerance) | ~there[:, None, :]).all(-1)
        found.append((points, inside))
    widest = max((int(inside.sum(1).max(initial=0)) for _, inside in found), default=0)
    corners = np.zeros((count, widest, 3))
    known = np.zeros((count, widest), dtype=bool)
    for number, (points, inside) in enumerate(found):
        order = np.argsort(~inside, axis=1, kind="stable")[:, :widest]
        rows = slice(number * block, number * block + len(points))
        known[rows] = np.take_along_axis(inside, order, 1)
        corners[rows] = np.take_along_axis(points, order[..., None], 1)
    corners = np.where(known[..., None], corners, corners[:, :1])
    return corners, known


@lru_cache(maxsize=32)
def _many_corners(packed: bytes, faces: int) -> tuple[Array, NDArray[np.bool_]]:
    """`corners_of_many` of rows (n_x, n_y, n_z, d, mask), kept."""
    rows = np.frombuffer(packed, dtype=np.float64).reshape(-1, faces, 5)
    corners, known = corners_of_many(rows[..., :4], rows[..., 4] > 0)
    if not known.any(1).all():
        raise ValueError("half_spaces: some of these half-spaces enclose no volume.")
    return corners, known


@lru_cache(maxsize=512)
def _volume(packed: bytes) -> float:
    """Volume of {x: n · x ≤ d}."""
    from scipy.spatial import ConvexHull  # a quarter of a second that few need

    return float(ConvexHull(_corners(packed)).volume)


@lru_cache(maxsize=512)
def _deviations(packed: bytes) -> Array:
    """Standard deviations of x, y, z inside {x: n · x ≤ d}."""
    planes = np.frombuffer(packed, dtype=np.float64).reshape(-1, 4)
    # The half-spaces hold the origin: the nearest plane bounds the body from inside.
    reach, points = 2 * float(planes[:, 3].max()), np.empty((0, 3))
    while True:
        points = _inside(planes, reach)
        found = float(np.abs(points).max()) + reach / _CELLS
        if found < reach:
            break
        reach *= 2
    deviations: Array = _inside(planes, found).std(0)
    return deviations


def _inside(planes: Array, reach: float) -> Array:
    """Centres of the cells of a cube of half side `reach` that lie inside."""
    step = reach * ((2 * np.arange(_CELLS) + 1) / _CELLS - 1)
    points = np.stack(np.meshgrid(step, step, step, indexing="ij"), -1).reshape(-1, 3)
    inside: Array = points[(points @ planes[:, :3].T <= planes[:, 3]).all(1)]
    return inside

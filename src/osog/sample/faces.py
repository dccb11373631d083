"""Faces of the crystals of a population: true angles, random grains, bevels, breaks and taper."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import pi, sqrt
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osog.geometry.half_spaces import corners_of_many
from osog.scene import Box, Polyhedron, RandomPolyhedron, half_spaces
from osog.scene.habits import true_planes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osog.sample.further import Beside
    from osog.scene import ShapeModel

Array = NDArray[np.float64]
Long = NDArray[np.int64]

_BESIDE = 0.3
"""Faces whose normal leans less than this along the long axis lie beside it."""
_LEAST = 0.3
"""Share of an edge's or a corner's distance at which a cut ends, however deep it is asked for."""


@dataclass(frozen=True)
class Faces:
    """Faces of n crystals, as far as they do not depend on tensors.

    Attributes
    ----------
    owner : ndarray of int, shape (R,)
        Crystal of each face, ascending.
    rows : ndarray, shape (R, 4)
        (n_x, n_y, n_z, d) of size 1.
    by_size : ndarray, shape (R, 3), or None
        For true angles: d in µm is the product with the size.
    own : bool
        Whether the rows are in µm as they are.
    edges, corners : ndarray of int, shapes (E, 2) and (C, 3)
        Faces of the edges that are bevelled and of the corners that have broken off.
    weights, shares : ndarray, shapes (C, 3) and (C,)
        How a break leans, and how deep it is as a share.
    """

    owner: Long
    rows: Array
    by_size: Array | None = None
    own: bool = False
    edges: Long = field(default_factory=lambda: np.empty((0, 2), np.int64))
    corners: Long = field(default_factory=lambda: np.empty((0, 3), np.int64))
    weights: Array = field(default_factory=lambda: np.empty((0, 3)))
    shares: Array = field(default_factory=lambda: np.empty(0))

    def physical(
        self, size: Tensor, numbers: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Faces in µm, sorted by their crystals.

        Parameters
        ----------
        size : Tensor, shape (n, 3)
        numbers : mapping of field to Tensor (n,), optional
            Those of the surface; without them there are no cuts.

        Returns
        -------
        owner, normals, distances : Tensor, shapes (F,), (F, 3) and (F,)
        """
        device = size.device
        owner = torch.as_tensor(self.owner, device=device)
        rows = torch.as_tensor(self.rows, dtype=size.dtype, device=device)
        normals, distances = rows[:, :3], rows[:, 3]
        if self.by_size is not None:
            by = torch.as_tensor(self.by_size, dtype=size.dtype, device=device)
            distances = (by * size[owner]).sum(1)
        elif not self.own:
            scaled = normals / size[owner]
            length = scaled.norm(dim=1)
            normals, distances = scaled / length[:, None], distances / length
        if numbers is None:
            return owner, normals, distances
        normals, distances = _tapered(normals, distances, size[owner, 0], numbers["taper"][owner])
        found = [(owner, normals, distances)]
        if len(self.edges):
            i, j = torch.as_tensor(self.edges, device=device).unbind(1)
            even = torch.ones(len(i), 2, dtype=size.dtype, device=device)
            depth = numbers["bevel_um"][owner[i]]
            found.append(_between(owner, normals, distances, torch.stack([i, j], 1), even, depth))
        if len(self.corners):
            which = torch.as_tensor(self.corners, device=device)
            weights = torch.as_tensor(self.weights, dtype=size.dtype, device=device)
            shares = torch.as_tensor(self.shares, dtype=size.dtype, device=device)
            depth = numbers["broken_um"][owner[which[:, 0]]] * shares
            found.append(_between(owner, normals, distances, which, weights, depth))
        owner, normals, distances = (torch.cat(part) for part in zip(*found, strict=True))
        order = torch.argsort(owner, stable=True)
        return owner[order], normals[order], distances[order]


def draw_faces(
    model: ShapeModel, count: int, rng: np.random.Generator, beside: Beside
) -> Faces | None:
    """Draw the faces of n crystals; None for a shape that has none.

    Parameters
    ----------
    model : ShapeModel
    count : int
    rng : numpy Generator
        For grains, each of which has faces of its own.
    beside : Beside
        Numbers that those of grains may hang on.
    """
    if isinstance(model, RandomPolyhedron):
        numbers = beside.draw("shape", model, ("faces", "roughness"), count, rng)
        faces, roughness = np.rint(numbers["faces"]).astype(np.int64), numbers["roughness"]
        sets = [_grain(int(f), float(r), rng) for f, r in zip(faces, roughness, strict=True)]
        owner = np.repeat(np.arange(count), [len(rows) for rows in sets])
        return Faces(owner, np.concatenate(sets) if sets else np.empty((0, 4)))
    by_size, own = None, False
    if isinstance(model, Box):
        rows = half_spaces("cube")
    elif isinstance(model, Polyhedron) and model.half_spaces is not None:
        rows, own = np.asarray(model.half_spaces, dtype=np.float64), True
        rows = rows / np.linalg.norm(rows[:, :3], axis=1, keepdims=True)
    elif isinstance(model, Polyhedron):
        rows, true = half_spaces(model.habit), true_planes(model.habit)
        by_size = None if true is None else np.tile(true[:, 3:], (count, 1))
    else:
        return None
    owner = np.repeat(np.arange(count), len(rows))
    return Faces(owner, np.tile(rows, (count, 1)), by_size, own)


def with_cuts(
    faces: Faces, size: Array, numbers: Mapping[str, Array], rng: np.random.Generator
) -> Faces:
    """Draw which edges and corners are cut, from the numbers that the scene states.

    Parameters
    ----------
    faces : Faces
    size : ndarray, shape (n, 3)
    numbers : mapping of field to ndarray (n,)
        Those of the surface.
    rng : numpy Generator
    """
    plain = {name: torch.from_numpy(column) for name, column in numbers.items()}
    _, normals, distances = faces.physical(torch.from_numpy(size), plain)
    rows = np.column_stack([normals.numpy(), distances.numpy()])
    planes, mask, number = padded(faces.owner, rows, len(size))
    corners, known = corners_of_many(planes, mask)
    room = planes[:, None, :, 3] - corners @ planes[..., :3].transpose(0, 2, 1)
    scale = np.where(mask, np.abs(planes[..., 3]), 0.0).max(1, initial=0.0)
    touch = (np.abs(room) < 1e-6 * scale[:, None, None]) & mask[:, None, :] & known[..., None]
    edges: list[tuple[int, int]] = []
    broken: list[tuple[Long, Array, float]] = []
    for i in range(len(size)):
        points = corners[i][known[i]]
        _, first = np.unique(np.round(points / (1e-5 * scale[i])), axis=0, return_index=True)
        at = touch[i][known[i]][np.sort(first)]
        if numbers["bevel_um"][i] > 0:
            shared = at.T.astype(np.int64) @ at.astype(np.int64)
            pairs = np.argwhere(np.triu(shared >= 2, 1))
            edges += [(int(number[i, a]), int(number[i, b])) for a, b in pairs]
        for corner in at:
            # Drawn for every corner, so that a share that changes moves no others.
            chance, lean, share = rng.uniform(), rng.uniform(0.5, 1.5, 3), rng.uniform(0.5, 1.0)
            if chance < numbers["broken_corners"][i]:
                around = np.flatnonzero(corner)
                around = around[np.linspace(0, len(around) - 1, 3).astype(int)]
                broken.append((number[i, around], lean, share))
    return Faces(
        faces.owner,
        faces.rows,
        faces.by_size,
        faces.own,
        np.array(edges, np.int64).reshape(-1, 2),
        np.array([b[0] for b in broken], np.int64).reshape(-1, 3),
        np.array([b[1] for b in broken]).reshape(-1, 3),
        np.array([b[2] for b in broken]).reshape(-1),
    )


def padded(owner: Long, rows: Array, count: int) -> tuple[Array, NDArray[np.bool_], Long]:
    """Rows of each crystal (n, F, 4), their mask and their numbers (n, F); owners ascend."""
    counts = np.bincount(owner, minlength=count)
    most = int(counts.max(initial=0))
    mask = np.arange(most) < counts[:, None]
    number = np.zeros(mask.shape, np.int64)
    number[mask] = np.arange(len(rows))
    return np.where(mask[..., None], rows[number], 0.0), mask, number


def _tapered(
    normals: Tensor, distances: Tensor, length: Tensor, taper: Tensor
) -> tuple[Tensor, Tensor]:
    """Lean the faces beside the long axis over, so that the body narrows towards +x."""
    beside = (normals[:, 0].abs() < _BESIDE).to(length)
    lean = beside * distances * taper / ((1 - taper / 2) * length)
    leaning = torch.cat([(normals[:, 0] + lean)[:, None], normals[:, 1:]], 1)
    scale = leaning.norm(dim=1)
    return leaning / scale[:, None], distances / scale


def _between(
    owner: Tensor, normals: Tensor, distances: Tensor, which: Tensor, weights: Tensor, depth: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Planes (k,) between faces that meet, this deep behind where they do."""
    normal = (normals[which] * weights[..., None]).sum(1)
    length = normal.norm(dim=1)
    apex = (distances[which] * weights).sum(1) / length
    return owner[which[:, 0]], normal / length[:, None], torch.maximum(apex - depth, _LEAST * apex)


def _grain(faces: int, roughness: float, rng: np.random.Generator) -> Array:
    """Half-spaces of a grain that fills the cube −½ … ½: rows (n_x, n_y, n_z, d)."""
    while True:
        # Directions as even as can be on a spiral (Fibonacci), turned and shaken.
        k = np.arange(faces) + 0.5
        z, angle = 1 - 2 * k / faces, k * pi * (3 - sqrt(5))
        ring = np.sqrt(1 - z * z)
        even = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], 1)
        turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        shake = rng.standard_normal((faces, 3)) * (0.5 * roughness + 0.1) / sqrt(faces / 4)
        normals = even @ turn.T + shake
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        distances = np.exp(-roughness * rng.uniform(0, 1, faces))
        rows = np.column_stack([normals, distances])
        corners, known = corners_of_many(rows[None], np.ones((1, faces), bool))
        points = corners[0][known[0]]
        # A grain that is open or a splinter is drawn again.
        if len(points) < 4 or np.abs(points).max() > 3 or not _closed(normals):
            continue
        used = (np.abs(points @ normals.T - distances) < 1e-6).sum(0) >= 3
        low, high = points.min(0), points.max(0)
        scaled = normals[used] * (high - low)
        moved = distances[used] - normals[used] @ ((low + high) / 2)
        length = np.linalg.norm(scaled, axis=1)
        if (moved > 1e-3 * length).all():
            found: Array = np.column_stack([scaled, moved]) / length[:, None]
            return found


def _closed(normals: Array) -> bool:
    """Whether faces with these normals enclose a finite body: 0 lies within their hull."""
    from scipy.spatial import ConvexHull

    return bool((ConvexHull(normals).equations[:, 3] < -1e-6).all())

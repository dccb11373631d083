"""Least squares in which each particle acts on its patch alone and a few numbers act everywhere.

The normal matrix has a block for each particle, one for each pair whose patches overlap, and a
border of the shared numbers. The particles are eliminated first and the shared numbers solved from
their Schur complement, so that time and memory follow the number of overlapping pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix, diags_array
from scipy.sparse.linalg import splu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix
    from scipy.sparse.linalg import SuperLU

    from osog.fitting.problem.region import Region

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Right-hand sides that are solved at once for the variances.
_TOGETHER = 256


@dataclass(frozen=True)
class Block:
    """Derivatives of the weighted residual along the fields of one particle, in its patch.

    Attributes
    ----------
    region : Region
    rows : ndarray of float32, shape (F, y, x)
    """

    region: Region
    rows: NDArray[np.float32]


@dataclass(frozen=True)
class Covariance:
    """Covariance of all numbers on the solver's scale.

    Attributes
    ----------
    particles : ndarray, shape (N, F, F)
        Of each particle's own; infinite on the diagonal of what is held or has no effect.
    shared : ndarray, shape (G, G)
    """

    particles: Array
    shared: Array


class NormalEquations:
    """JᵀJ and Jᵀr of a frame.

    Parameters
    ----------
    blocks : sequence of Block
        N particles with F fields each.
    shared : ndarray, shape (G, Y, X)
        Derivatives of the weighted residual along the shared numbers; those of the linear part of
        the model come last, along which the residual has no component.
    residual : ndarray, shape (Y, X)
        Weighted; 0 where a pixel does not count.
    prior : (ndarray (N, F), ndarray (N, F), ndarray (G,), ndarray (G,))
        What priors add to the diagonal and to the gradient, of particles and of shared numbers.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        shared: NDArray[np.float32],
        residual: Array,
        prior: tuple[Array, Array, Array, Array],
    ) -> None:
        count, fields = len(blocks), len(blocks[0].rows) if blocks else 0
        self._count, self._fields = count, fields
        self.blocks = list(blocks)
        self.gradient = np.zeros((count, fields))
        border = np.zeros((count, fields, len(shared)))
        self.own = np.zeros((count, fields, fields))
        rows, columns, numbers = [], [], []
        place = np.arange(count * fields).reshape(count, fields)
        flat = [block.rows.reshape(fields, -1) for block in blocks]
        for p, block in enumerate(blocks):
            here = residual[block.region.slices].astype(np.float32).ravel()
            self.gradient[p] = flat[p] @ here
            seen = shared[(slice(None), *block.region.slices)].reshape(len(shared), -1)
            border[p] = flat[p] @ seen.T
            self.own[p] = flat[p] @ flat[p].T
        for p, q in _overlapping([block.region for block in blocks]):
            a, b = _common(blocks[p], blocks[q])
            product = (a.reshape(fields, -1) @ b.reshape(fields, -1).T).astype(np.float64)
            for first, second, part in ((p, q, product), (q, p, product.T)):
                rows.append(np.repeat(place[first], fields))
                columns.append(np.tile(place[second], fields))
                numbers.append(part.ravel())
        self.own += np.einsum("pf,fg->pfg", prior[0], np.eye(fields))
        self.gradient += prior[1]
        for p in range(count):
            rows.append(np.repeat(place[p], fields))
            columns.append(np.tile(place[p], fields))
            numbers.append(self.own[p].ravel())
        size = count * fields
        self._matrix = coo_matrix(
            (np.concatenate(numbers), (np.concatenate(rows), np.concatenate(columns))),
            shape=(size, size),
        ).tocsc() if size else None  # fmt: skip
        self._border = border.reshape(size, len(shared))
        wide = shared.reshape(len(shared), -1)
        self._corner = (wide @ wide.T).astype(np.float64) + np.diag(prior[2])
        self.shared_gradient = (wide @ residual.astype(np.float32).ravel()).astype(
            np.float64
        ) + prior[3]

    def step(
        self, damping: Array, shared_damping: Array, free: Flags, shared_free: Flags
    ) -> tuple[Array, Array]:
        """Damped step of all numbers.

        Parameters
        ----------
        damping : ndarray, shape (N,)
            Of each particle, relative to the diagonal (Marquardt 1963).
        shared_damping : ndarray, shape (G,)
        free : ndarray of bool, shape (N, F)
            False for what a bound holds.
        shared_free : ndarray of bool, shape (G,)

        Returns
        -------
        (ndarray (N, F), ndarray (G,))
        """
        solve, scale = self._solver(np.repeat(damping, self._fields), free.ravel())
        border = self._border[:, shared_free] * scale[:, None] * free.ravel()[:, None]
        gradient = self.gradient.ravel() * scale * free.ravel()
        corner = self._corner[np.ix_(shared_free, shared_free)]
        corner = corner + np.diag(shared_damping[shared_free] * np.diag(corner))
        eliminated = solve(np.column_stack([border, gradient]))
        wide, own = eliminated[:, :-1], eliminated[:, -1]
        shared = np.zeros(len(shared_free))
        if shared_free.any():
            rest = self.shared_gradient[shared_free] - border.T @ own
            shared[shared_free] = -_solved(corner - border.T @ wide, rest)
        step = -(own + wide @ shared[shared_free]) * scale
        return step.reshape(self._count, self._fields), shared

    def covariance(self, free: Flags, shared_free: Flags) -> Covariance:
        """Invert the whole matrix as far as it is asked for."""
        solve, scale = self._solver(np.full(free.size, 1e-10), free.ravel())
        border = self._border[:, shared_free] * scale[:, None] * free.ravel()[:, None]
        wide = solve(border) if border.size else border
        corner = self._corner[np.ix_(shared_free, shared_free)] - border.T @ wide
        inverse = _solved(corner, np.eye(len(corner)))
        shared = np.diag(np.full(len(shared_free), np.inf))
        shared[np.ix_(shared_free, shared_free)] = inverse
        fields, size = self._fields, free.size
        blocks = np.zeros((self._count, fields, fields))
        each = max(1, _TOGETHER // max(fields, 1))
        for first in range(0, self._count, each):
            last = min(first + each, self._count)
            wanted = slice(first * fields, last * fields)
            unit = np.zeros((size, wanted.stop - wanted.start))
            unit[wanted] = np.eye(unit.shape[1])
            part = solve(unit)[wanted]
            part = part + wide[wanted] @ inverse @ wide[wanted].T
            part *= np.outer(scale[wanted], scale[wanted])
            for p in range(first, last):
                here = slice((p - first) * fields, (p - first + 1) * fields)
                blocks[p] = part[here, here]
        diagonal = np.einsum("pff->pf", blocks)
        diagonal[~free | (np.einsum("pff->pf", self.own) <= 0)] = np.inf
        return Covariance(blocks, shared)

    def _solver(self, damping: Array, free: Flags) -> tuple[_Solve, Array]:
        """Solver of the particles' own part, scaled to a unit diagonal; what is held stays 0."""
        if self._matrix is None:
            return _Solve(None, free), np.empty(0)
        diagonal = self._matrix.diagonal()
        floor = max(float(diagonal.max()) * 1e-14, 1e-300)
        scale = 1 / np.sqrt(np.maximum(diagonal, floor))
        kept = diags_array(scale * free)
        scaled = kept @ self._matrix @ kept + diags_array(np.where(free, damping, 1.0))
        return _Solve(scaled.tocsc(), free), scale


class _Solve:
    """Factor of a symmetric sparse matrix; more is added to its diagonal where it is singular."""

    def __init__(self, matrix: csc_matrix | None, free: Flags) -> None:
        self._factor: SuperLU | None = None
        if matrix is None:
            return
        options = {"SymmetricMode": True}
        extra = 0.0
        for _ in range(8):
            try:
                more = diags_array(np.where(free, extra, 0.0))
                self._factor = splu(
                    (matrix + more).tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
                    options=options,
                )  # fmt: skip
            except RuntimeError:  # exactly singular
                extra = max(1e-8, 100 * extra)
            else:
                return

    def __call__(self, right: Array) -> Array:
        if self._factor is None or right.size == 0:
            return np.zeros_like(right)
        return np.asarray(self._factor.solve(np.ascontiguousarray(right)), np.float64)


def _solved(matrix: Array, right: Array) -> Array:
    """Solution of a small symmetric system, scaled to a unit diagonal first."""
    if not len(matrix):
        return right
    scale = 1 / np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    shape = (-1,) + (1,) * (right.ndim - 1)
    unit = matrix * np.outer(scale, scale)
    found = np.linalg.lstsq(unit, right * scale.reshape(shape), rcond=1e-12)[0]
    return np.asarray(found * scale.reshape(shape), np.float64)


def _overlapping(regions: Sequence[Region]) -> list[tuple[int, int]]:
    """Pairs of regions that share pixels."""
    edges = np.array([(r.y0, r.y1, r.x0, r.x1) for r in regions]).reshape(-1, 4)
    out = []
    for p, (y0, y1, x0, x1) in enumerate(edges.tolist()):
        rest = edges[p + 1 :]
        meet = (rest[:, 0] < y1) & (rest[:, 1] > y0) & (rest[:, 2] < x1) & (rest[:, 3] > x0)
        out += [(p, p + 1 + int(q)) for q in np.flatnonzero(meet)]
    return out


def _common(a: Block, b: Block) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Derivatives of both where their regions overlap."""
    y0, y1 = max(a.region.y0, b.region.y0), min(a.region.y1, b.region.y1)
    x0, x1 = max(a.region.x0, b.region.x0), min(a.region.x1, b.region.x1)
    first, second = (
        block.rows[
            :,
            y0 - block.region.y0 : y1 - block.region.y0,
            x0 - block.region.x0 : x1 - block.region.x0,
        ]
        for block in (a, b)
    )
    return first, second


__all__ = ["Block", "Covariance", "NormalEquations"]

"""Whole silhouettes as masks, also where particles cover each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.geometry import Bodies, buckets, chords, patch_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.particles import ParticleBatch

_CHUNK_PX = 150_000


@torch.no_grad()
def masks(
    batch: ParticleBatch, shape: tuple[int, int], pixel_size_um: float
) -> list[tuple[int, int, NDArray[np.bool_]]]:
    """Pixels that every particle owns where no other covers it.

    By the rule of `GBuffer.instances`: a pixel whose area it covers by more than half, or more than
    half as much as it covers of any.

    Parameters
    ----------
    batch : ParticleBatch
    shape : tuple of int
        (Y, X) of the frame, at which masks end.
    pixel_size_um : float

    Returns
    -------
    list of (int, int, ndarray of bool)
        First row and column inside the frame, and the pixels from there; of no size for a particle
        outside.
    """
    batch = batch.detach()
    pitch = (pixel_size_um, pixel_size_um)
    nothing = (0, 0, np.zeros((0, 0), dtype=bool))
    out = [nothing] * len(batch)
    for form, height, width, members in buckets(batch, pitch):
        for index in torch.split(members, max(1, _CHUNK_PX // (height * width))):
            bodies, position = Bodies.of(batch, index, form), batch.position[index]
            row, column, x, y = patch_grid(position, height, width, pitch)
            chord = chords(
                form, x, y, position, bodies.quaternion, bodies.size, bodies.planes,
                bodies.plane_mask, pitch, wall_samples=1,
            )  # fmt: skip
            peak = chord.coverage.amax((-2, -1), keepdim=True)
            owned = (chord.coverage > peak.clamp_max(1.0) / 2).cpu().numpy()
            places = zip(index.tolist(), row.tolist(), column.tolist(), owned, strict=True)
            for number, r, c, pixels in places:
                out[number] = _within(r, c, pixels, shape)
    return out


def _within(
    row: int, column: int, pixels: NDArray[np.bool_], shape: tuple[int, int]
) -> tuple[int, int, NDArray[np.bool_]]:
    """Cut a patch at the frame and at its own outermost pixels."""
    top, left = max(0, -row), max(0, -column)
    inside = pixels[top : max(top, shape[0] - row), left : max(left, shape[1] - column)]
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return 0, 0, np.zeros((0, 0), dtype=bool)
    inside = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return row + top + int(rows[0]), column + left + int(columns[0]), inside.copy()

"""Whole silhouettes as masks, also where particles cover each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.geometry import GBuffer


def masks(buffer: GBuffer, shape: tuple[int, int]) -> list[tuple[int, int, NDArray[np.bool_]]]:
    """Pixels that every particle owns where no other covers it.

    Parameters
    ----------
    buffer : GBuffer
        With silhouettes.
    shape : tuple of int
        (Y, X) of the frame, at which masks end.

    Returns
    -------
    list of (int, int, ndarray of bool)
        First row and column inside the frame, and the pixels from there; of no size for a particle
        outside.

    Raises
    ------
    ValueError
        When the G-buffer was drawn without silhouettes.
    """
    if buffer.silhouettes is None:
        raise ValueError("masks need a G-buffer that was drawn with silhouettes=True.")
    return [_within(s.row, s.column, s.pixels, shape) for s in buffer.silhouettes]


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

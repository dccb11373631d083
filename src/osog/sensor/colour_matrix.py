"""The matrix that turns a camera's colours into those of a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.sensor.white_balance import unchanged

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def correct_colours(counts: Tensor, exposure: Exposure) -> Tensor:
    """Counts of three colours behind the colour matrix."""
    camera = exposure.camera
    if camera.colour == "monochrome" or unchanged(camera.colour_matrix, IDENTITY):
        return counts
    entries = torch.stack([torch.as_tensor(entry).to(counts) for entry in camera.colour_matrix])
    return corrected(counts, entries.reshape(3, 3), torch.as_tensor(camera.offset_counts))


def corrected(counts: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """Mix the colours of every pixel, o + M (c − o).

    Parameters
    ----------
    counts : Tensor (3, Ny, Nx)
    matrix : Tensor (3, 3)
        Rows are the red, green and blue that come out. Rows of sum 1 keep white.
    offset : Tensor, 0-dim
        Grey level without light, which stays.

    Returns
    -------
    Tensor (3, Ny, Nx)
    """
    offset = offset.to(counts)
    red, green, blue = (counts - offset).unbind(0)
    # Sums rather than a product of matrices, which a GPU would round to ten bits.
    rows = [row[0] * red + row[1] * green + row[2] * blue for row in matrix]
    return offset + torch.stack(rows)

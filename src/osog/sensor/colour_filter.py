"""The colour filter on a sensor, and the colours computed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import pad

if TYPE_CHECKING:
    from osog.sensor.exposure import Exposure


def filtered(light: Tensor, colour: str) -> Tensor:
    """Light on the pixels of the sensor, behind its colour filter.

    Parameters
    ----------
    light : Tensor (Ny, Nx) or (3, Ny, Nx)
    colour : {"monochrome", "rgb", "bayer"}

    Returns
    -------
    Tensor (Ny, Nx), or (3, Ny, Nx) of three chips

    Raises
    ------
    ValueError
        If the light has channels that the sensor cannot see.
    """
    if colour == "monochrome":
        if light.ndim != 2:
            raise ValueError(
                f"camera.colour = monochrome: light of shape {tuple(light.shape)} must be (Ny, Nx)."
            )
        return light
    if light.ndim not in (2, 3) or (light.ndim == 3 and light.shape[0] != 3):
        raise ValueError(
            f"camera.colour = {colour}: light of shape {tuple(light.shape)} must be "
            "(3, Ny, Nx), or (Ny, Nx) for white light."
        )
    if colour == "bayer":
        return mosaic(light) if light.ndim == 3 else light
    return light if light.ndim == 3 else light.expand(3, *light.shape)


def interpolate_colours(counts: Tensor, exposure: Exposure) -> Tensor:
    """Counts (3, Ny, Nx) from those behind a Bayer filter; other sensors' stay as they are."""
    return demosaic(counts) if exposure.camera.colour == "bayer" else counts


def mosaic(colours: Tensor) -> Tensor:
    """Keep of each pixel the one colour that its filter passes.

    Parameters
    ----------
    colours : Tensor (3, Ny, Nx)
        Red, green, blue.

    Returns
    -------
    Tensor (Ny, Nx)
        The Bayer pattern RGGB: red at even rows and columns, blue at odd rows and columns.
    """
    red, green, blue = colours
    row, column = _parities(colours)
    return torch.where(row == column, torch.where(row, blue, red), green)


def demosaic(raw: Tensor) -> Tensor:
    """Compute the two missing colours of every pixel.

    Parameters
    ----------
    raw : Tensor (Ny, Nx)
        Readings behind the Bayer pattern of `mosaic`.

    Returns
    -------
    Tensor (3, Ny, Nx)
        Red, green, blue; the measured colour of a pixel stays as it is.

    Notes
    -----
    Linear filters of 5 × 5 pixels (Malvar, He & Cutler 2004), which suppose that the colours rise
    and fall together. A flat field and a linear ramp are kept. Beyond the border the pattern is
    continued by reflection about the outermost pixels, which keeps its colours in place.
    """
    rows, columns = raw.shape
    if min(rows, columns) < 3:
        raise ValueError(f"frame of {rows} × {columns} px: a Bayer camera needs at least 3 × 3.")
    # Sums of neighbours: one and two steps along a row, along a column, and the diagonal ones.
    framed = pad(raw[None, None], (2, 2, 2, 2), mode="reflect")[0, 0]

    def at(down: int, right: int) -> Tensor:
        return framed[2 + down : 2 + down + rows, 2 + right : 2 + right + columns]

    row_1, column_1 = at(0, -1) + at(0, 1), at(-1, 0) + at(1, 0)
    row_2, column_2 = at(0, -2) + at(0, 2), at(-2, 0) + at(2, 0)
    diagonals = at(-1, -1) + at(-1, 1) + at(1, -1) + at(1, 1)
    # A bilinear estimate plus a Laplacian of the colour that the pixel itself sees, with the gains
    # 1/2, 5/8 and 3/4. Sums rather than a convolution, which a GPU would round to ten bits.
    green = (4 * raw + 2 * (row_1 + column_1) - (row_2 + column_2)) / 8
    along_row = (10 * raw + 8 * row_1 - 2 * (diagonals + row_2) + column_2) / 16
    along_column = (10 * raw + 8 * column_1 - 2 * (diagonals + column_2) + row_2) / 16
    diagonal = (12 * raw + 4 * diagonals - 3 * (row_2 + column_2)) / 16
    row, column = _parities(raw)
    at_green = row != column
    # In even rows red lies left and right of a green pixel, in odd rows above and below.
    red = torch.where(at_green, torch.where(row, along_column, along_row), diagonal)
    blue = torch.where(at_green, torch.where(row, along_row, along_column), diagonal)
    return torch.stack(
        [
            torch.where(~row & ~column, raw, red),
            torch.where(at_green, raw, green),
            torch.where(row & column, raw, blue),
        ]
    )


def _parities(image: Tensor) -> tuple[Tensor, Tensor]:
    """Whether the row (Ny, 1) and the column (1, Nx) of a pixel is odd."""
    rows = torch.arange(image.shape[-2], device=image.device) % 2 == 1
    columns = torch.arange(image.shape[-1], device=image.device) % 2 == 1
    return rows[:, None], columns[None, :]

"""The colour filter on a sensor, and the colours computed from it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

# Malvar, He & Cutler 2004, figure 2, in sixteenths: a bilinear estimate plus a Laplacian of the
# colour that the pixel itself sees, with gains ½, ⅝ and ¾.
_GREEN = (
    (0, 0, -2, 0, 0),
    (0, 0, 4, 0, 0),
    (-2, 4, 8, 4, -2),
    (0, 0, 4, 0, 0),
    (0, 0, -2, 0, 0),
)
_ALONG_ROW = (
    (0, 0, 1, 0, 0),
    (0, -2, 0, -2, 0),
    (-2, 8, 10, 8, -2),
    (0, -2, 0, -2, 0),
    (0, 0, 1, 0, 0),
)
_DIAGONAL = (
    (0, 0, -3, 0, 0),
    (0, 4, 0, 4, 0),
    (-3, 0, 12, 0, -3),
    (0, 4, 0, 4, 0),
    (0, 0, -3, 0, 0),
)


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
    if min(raw.shape) < 3:
        rows, columns = raw.shape
        raise ValueError(f"frame of {rows} × {columns} px: a Bayer camera needs at least 3 × 3.")
    column_kernel = tuple(zip(*_ALONG_ROW, strict=True))
    kernels = torch.tensor([_GREEN, _ALONG_ROW, column_kernel, _DIAGONAL]).to(raw) / 16
    framed = pad(raw[None, None], (2, 2, 2, 2), mode="reflect")
    green, along_row, along_column, diagonal = conv2d(framed, kernels[:, None])[0]
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

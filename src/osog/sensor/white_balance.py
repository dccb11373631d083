"""The gains by which a colour camera makes its light white."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.derivatives import followed
from osog.sensor.colour_filter import mosaic

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def balance_white(counts: Tensor, exposure: Exposure) -> Tensor:
    """Counts behind the white balance; on a Bayer sensor before the colours are computed."""
    camera = exposure.camera
    if camera.colour == "monochrome" or unchanged(camera.white_balance, (1.0, 1.0, 1.0)):
        return counts
    gains = torch.stack([torch.as_tensor(gain).to(counts) for gain in camera.white_balance])
    return balanced(counts, gains, torch.as_tensor(camera.offset_counts).to(counts))


def balanced(counts: Tensor, gains: Tensor, offset: Tensor) -> Tensor:
    """Multiply each colour above the offset by its gain, o + g (c − o).

    Parameters
    ----------
    counts : Tensor (3, Ny, Nx), or (Ny, Nx) behind a Bayer filter
    gains : Tensor (3,)
        Of red, green and blue.
    offset : Tensor, 0-dim
        Grey level without light, which stays.

    Returns
    -------
    Tensor of the same shape
    """
    factors = gains[:, None, None]
    if counts.ndim == 2:
        factors = mosaic(factors.expand(3, *counts.shape))
    return offset + factors * (counts - offset)


def unchanged(numbers: tuple[float | Tensor, ...], neutral: tuple[float, ...]) -> bool:
    """Whether numbers have the values that leave a picture as it is, and nobody varies them."""
    tensors = [number for number in numbers if isinstance(number, torch.Tensor)]
    return not followed(*tensors) and tuple(float(number) for number in numbers) == neutral

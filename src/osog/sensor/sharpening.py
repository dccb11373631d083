"""Sharpening in the camera's electronics."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def sharpen(counts: Tensor, exposure: Exposure) -> Tensor:
    """Counts with sharper edges, by `sharpened`."""
    if not exposure.acts(exposure.camera.sharpening):
        return counts
    camera = exposure.camera
    strength = torch.as_tensor(camera.sharpening).to(counts)
    return sharpened(counts, strength, torch.as_tensor(camera.sharpening_radius_px).to(counts))


def sharpened(picture: Tensor, strength: Tensor, radius_px: Tensor) -> Tensor:
    """Unsharp mask: add the difference from a blurred copy.

    Parameters
    ----------
    picture : Tensor (Ny, Nx) or (C, Ny, Nx)
    strength : 0-dim Tensor
        0 leaves the picture as it is.
    radius_px : 0-dim Tensor
        Standard deviation of the Gaussian blur.

    Returns
    -------
    Tensor of the same shape
        (1 + s) picture − s blurred; beyond the border the outermost pixels are repeated.
    """
    weights = gaussian(radius_px.to(picture))
    blurred = _filtered(_filtered(picture, weights, -2), weights, -1)
    return picture + strength.to(picture) * (picture - blurred)


def gaussian(sigma: Tensor) -> Tensor:
    """Weights of a Gaussian blur, of sum 1.

    Parameters
    ----------
    sigma : 0-dim Tensor
        Standard deviation in pixels. The number of weights follows it in steps; those left out are
        below 4e-5 of the largest.

    Returns
    -------
    Tensor (2 M + 1,)
    """
    reach = ceil(4.5 * float(sigma.detach())) + 1
    distance = torch.arange(-reach, reach + 1, dtype=sigma.dtype, device=sigma.device)
    weights = torch.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum()


def _filtered(picture: Tensor, weights: Tensor, dim: int) -> Tensor:
    """Weighted sum of shifted copies along one axis; the outermost pixels are repeated."""
    reach, size = weights.numel() // 2, picture.shape[dim]
    ends = [picture.narrow(dim, k, 1) for k in (0, size - 1)]
    margins = [end.repeat_interleave(reach, dim) for end in ends]
    framed = torch.cat([margins[0], picture, margins[1]], dim)
    # Sums rather than a convolution, which a GPU would round to ten bits.
    total = weights[reach] * picture
    for k in range(1, reach + 1):
        pair = framed.narrow(dim, reach - k, size) + framed.narrow(dim, reach + k, size)
        total = total + weights[reach + k] * pair
    return total

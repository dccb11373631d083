"""What the electronics and the file format do to a picture after the converter."""

from __future__ import annotations

from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor


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


def jpeg(picture: Tensor, quality: int) -> Tensor:
    """Store a picture as a JPEG and read it again.

    Parameters
    ----------
    picture : Tensor (Ny, Nx) or (3, Ny, Nx)
        Whole numbers 0 … 255.
    quality : int
        1 … 100, on the scale of the Independent JPEG Group.

    Returns
    -------
    Tensor of the same shape
        Colour is stored at half the resolution in both directions (4:2:0), as cameras do.
    """
    levels = picture.detach().to("cpu", torch.uint8)
    array = levels.movedim(0, -1).numpy() if levels.ndim == 3 else levels.numpy()
    file = BytesIO()
    # Subsampling 2 is Pillow's name of 4:2:0; a grey picture has no colour to subsample.
    Image.fromarray(np.ascontiguousarray(array)).save(file, "JPEG", quality=quality, subsampling=2)
    decoded = torch.from_numpy(np.array(Image.open(file))).to(picture)
    return decoded.movedim(-1, 0) if decoded.ndim == 3 else decoded

"""What the electronics and the file format do to a picture after the converter."""

from __future__ import annotations

from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import conv2d, pad

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
    half = gaussian(radius_px.to(picture))
    margin = half.numel() // 2
    flat = picture.reshape(-1, 1, *picture.shape[-2:])
    framed = pad(flat, (margin, margin, margin, margin), mode="replicate")
    blurred = conv2d(conv2d(framed, half[None, None, :, None]), half[None, None, None, :])
    return picture + strength.to(picture) * (picture - blurred.reshape(picture.shape))


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

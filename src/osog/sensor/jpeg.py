"""The file format in which a camera stores its pictures."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def store_as_jpeg(counts: Tensor, exposure: Exposure) -> Tensor:
    """Counts of 8 bits as they are read back from the camera's JPEG."""
    quality = exposure.camera.jpeg_quality
    return counts if quality is None else jpeg(counts, quality)


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

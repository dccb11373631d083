"""Motion during the exposure."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.waves.phase_factors import sinc

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values


def motion_path(values: Values) -> tuple[Tensor, Tensor] | None:
    """Path (y, x) in pixels that the image of the sample moves during an exposure.

    Parameters
    ----------
    values : Values
        Numbers of the scene.

    Returns
    -------
    (Tensor, Tensor) or None
        None without a camera or without motion.
    """
    camera = values.camera
    if camera is None or not values.acts(camera.motion_blur_px):
        return None
    length = camera.motion_blur_px
    azimuth = camera.motion_azimuth_deg * (pi / 180)
    return length * torch.sin(azimuth), length * torch.cos(azimuth)


def motion_transfer(path: tuple[Tensor, Tensor], fy: Tensor, fx: Tensor) -> Tensor:
    """Transfer function of a steady motion along a straight path: sinc(f · d).

    Parameters
    ----------
    path : (Tensor, Tensor)
        Displacement d = (y, x) from the beginning to the end of the exposure, in pixels; the image
        is centred on its middle.
    fy : Tensor (M,)
        Frequencies in cycles per pixel.
    fx : Tensor (N,)

    Returns
    -------
    Tensor (M, N)
        Real; the mean of the image over the path is this times its spectrum.
    """
    y, x = path
    return sinc(fy[:, None] * y.to(fy) + fx * x.to(fx))

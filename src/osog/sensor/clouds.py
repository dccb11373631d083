"""Slow light from what is far out of focus."""

from __future__ import annotations

from functools import lru_cache
from math import pi
from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.sensor.counter import normal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from osog.sensor.exposure import Exposure

_CONTRAST = 0.6
"""Standard deviation of the logarithm of the clouds' light."""


def add_clouds(light: Tensor, exposure: Exposure) -> Tensor:
    """Light plus the clouds, which belong to the sample and are drawn from its seed."""
    if not exposure.acts(exposure.background.structured_haze):
        return light
    background = exposure.background
    frame, here = exposure.window(light)
    scale_px = background.haze_scale_um / exposure.pixel_size_um
    glow: Tensor = background.structured_haze * clouds(frame, scale_px, exposure.seed)[here]
    return light + glow


def clouds(shape: tuple[int, int], scale_px: Tensor, seed: int) -> Tensor:
    """Slow random light, never negative, of root mean square 1 over many frames.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the frame.
    scale_px : 0-dim Tensor
        Correlation length ℓ: distance over which the correlation of the logarithm falls to 1/e.
    seed : int

    Returns
    -------
    Tensor (Ny, Nx)
        exp(s z − s²), s = 0.6, with z a Gaussian random field of variance 1 and correlation
        exp(−r²/ℓ²): white noise filtered by exp(−π²ℓ²f²/2). The noise stays while ℓ changes, so the
        derivative in ℓ is that of one and the same cloud. Clouds wider than twice the frame are an
        even glow.
    """
    rows, columns = (2 * n for n in shape)
    spectrum = torch.from_numpy(_white(seed, rows, columns)).to(
        device=scale_px.device,
        dtype=torch.complex64 if scale_px.dtype == torch.float32 else torch.complex128,
    )
    fy = torch.fft.fftfreq(rows, dtype=scale_px.dtype, device=scale_px.device)[:, None]
    fx = torch.fft.fftfreq(columns, dtype=scale_px.dtype, device=scale_px.device)
    exponent = -0.5 * (pi * scale_px) ** 2
    along_y, along_x = torch.exp(exponent * fy**2), torch.exp(exponent * fx**2)
    variance = (along_y**2).mean() * (along_x**2).mean()
    kept = columns // 2 + 1
    filtered = spectrum * (along_y * along_x[:kept]) / torch.sqrt(variance)
    half = torch.fft.ifft(filtered, dim=-2)[: shape[0]]
    field: Tensor = torch.fft.irfft(half, n=columns, dim=-1)[:, : shape[1]]
    return torch.exp(_CONTRAST * field - _CONTRAST**2)


@lru_cache(maxsize=2)
def _white(seed: int, rows: int, columns: int) -> NDArray[np.complex64]:
    """Half spectrum of white noise of variance 1."""
    noise = normal(seed, "clouds", np.arange(rows)[:, None], np.arange(columns))
    return np.fft.rfft2(noise).astype(np.complex64)

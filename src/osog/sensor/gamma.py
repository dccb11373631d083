"""The tone curve of a camera that brightens shadows for a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.sensor.white_balance import unchanged

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure

TOE = 1e-3
"""Light, as a share of white, below which the curve is nearly straight."""


def apply_gamma(counts: Tensor, exposure: Exposure) -> Tensor:
    """Counts behind the tone curve."""
    camera = exposure.camera
    if unchanged((camera.gamma,), (1.0,)):
        return counts
    offset, gamma = (
        torch.as_tensor(number).to(counts) for number in (camera.offset_counts, camera.gamma)
    )
    return toned(counts, gamma, offset, float(camera.white_counts))


def toned(counts: Tensor, gamma: Tensor, offset: Tensor, white: float) -> Tensor:
    """Bend counts by a power law that keeps the offset and white.

    Parameters
    ----------
    counts : Tensor
    gamma : Tensor, 0-dim
        γ; 1 leaves the picture as it is, 2.2 is usual for screens.
    offset : Tensor, 0-dim
        Grey level without light.
    white : float
        Highest grey level.

    Returns
    -------
    Tensor of the same shape
        o + (w − o) ((x + t)^(1/γ) − t^(1/γ)) / ((1 + t)^(1/γ) − t^(1/γ)) with x = (c − o)/(w − o),
        odd in x. The toe t = 0.001 keeps the slope at black finite, as the straight piece of the
        curve of sRGB does; for γ = 2.2 the curve is within 0.035 of x^(1/γ) above x = 0.01.
    """
    span = white - offset
    x = (counts - offset) / span
    power = 1 / gamma
    low = torch.as_tensor(TOE).to(counts) ** power
    high = torch.as_tensor(1 + TOE).to(counts) ** power
    bent = ((x.abs() + TOE) ** power - low) / (high - low)
    return offset + span * torch.copysign(bent, x)

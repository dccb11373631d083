"""From electrons at the amplifier to grey levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def converted(electrons: Tensor, exposure: Exposure) -> Tensor:
    """Counts = electrons / gain + offset within the converter (EMVA Standard 1288)."""
    camera = exposure.camera
    return settled(
        electrons / camera.gain_electrons_per_count + camera.offset_counts,
        exposure,
    )


def settled(counts: Tensor, exposure: Exposure) -> Tensor:
    """Counts clipped to 0 … 2^bits − 1, and rounded where the picture is sampled."""
    whole = torch.round(counts) if exposure.sampled else counts
    return whole.clamp(0.0, float(exposure.camera.white_counts))


def rounded_straight_through(counts: Tensor) -> Tensor:
    """Round, and pass the gradient on as if nothing had happened (straight through)."""
    return counts + (torch.round(counts) - counts).detach()

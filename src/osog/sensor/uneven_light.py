"""Illumination that rises across the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def tilt_illumination(light: Tensor, exposure: Exposure) -> Tensor:
    """Light (1 + g_x x) (1 + g_y y), with x and y from −1/2 to 1/2 over the frame."""
    if exposure.acts(exposure.background.gradient_x):
        _, x = exposure.positions(light)
        light = light * (1 + exposure.background.gradient_x * x)
    if exposure.acts(exposure.background.gradient_y):
        y, _ = exposure.positions(light)
        light = light * (1 + exposure.background.gradient_y * y)
    return light

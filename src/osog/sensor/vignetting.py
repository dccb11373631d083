"""Corners that the lenses cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def vignette(light: Tensor, exposure: Exposure) -> Tensor:
    """Light (1 − 2 v (x² + y²)), which is 1 − v in the corners x, y = ±1/2."""
    if not exposure.acts(exposure.background.vignette):
        return light
    y, x = exposure.positions(light)
    loss: Tensor = exposure.background.vignette * 2 * (x**2 + y**2)
    return light * (1 - loss)

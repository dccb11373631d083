"""Even stray light."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def add_haze(light: Tensor, exposure: Exposure) -> Tensor:
    """Light plus the haze, both in units of the irradiance 1."""
    return light + exposure.background.haze if exposure.acts(exposure.background.haze) else light

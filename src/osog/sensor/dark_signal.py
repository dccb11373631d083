"""Electrons of thermal origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def add_dark_signal(electrons: Tensor, exposure: Exposure) -> Tensor:
    """Mean photo-electrons plus the mean dark electrons of the exposure."""
    if not exposure.acts(exposure.camera.dark_electrons):
        return electrons
    warmed: Tensor = electrons + exposure.camera.dark_electrons
    return warmed

"""The error that all pixels of one row share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def add_row_noise(electrons: Tensor, exposure: Exposure) -> Tensor:
    """Electrons at the amplifier plus one normal number for each row of each channel."""
    if not exposure.acts(exposure.camera.row_noise_electrons):
        return electrons
    rows = exposure.normal((*electrons.shape[:-1], 1), electrons)
    noisy: Tensor = electrons + exposure.camera.row_noise_electrons * rows
    return noisy

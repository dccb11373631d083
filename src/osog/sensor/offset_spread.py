"""Pixels of unequal dark level (DSNU)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.sensor.pixel_maps import pixel_map

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def vary_offsets(electrons: Tensor, exposure: Exposure) -> Tensor:
    """Electrons at the amplifier plus s z, with z of `offset_pattern`."""
    if not exposure.acts(exposure.camera.dark_nonuniformity_electrons):
        return electrons
    camera = exposure.camera
    pattern = offset_pattern(camera.pixel_seed, tuple(electrons.shape), electrons)
    shift: Tensor = camera.dark_nonuniformity_electrons * pattern
    return electrons + shift


def offset_pattern(seed: int, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Deviation of the pixels' dark levels in units of its standard deviation.

    Parameters and result as for `osog.sensor.pixel_maps.pixel_map`.
    """
    return pixel_map(seed, "offset", shape, like)

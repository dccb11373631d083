"""Pixels of unequal sensitivity (PRNU)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.sensor.pixel_maps import pixel_map

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def vary_response(electrons: Tensor, exposure: Exposure) -> Tensor:
    """Mean photo-electrons times 1 + s z, never negative, with z of `response_pattern`."""
    if not exposure.acts(exposure.camera.response_nonuniformity):
        return electrons
    camera = exposure.camera
    pattern = response_pattern(camera.pixel_seed, tuple(electrons.shape), electrons)
    response: Tensor = 1 + camera.response_nonuniformity * pattern
    return electrons * response.clamp(min=0.0)


def response_pattern(seed: int, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Deviation of the pixels' sensitivities in units of its standard deviation.

    Parameters and result as for `osog.sensor.pixel_maps.pixel_map`.
    """
    return pixel_map(seed, "response", shape, like)

"""The light that the pixels of the camera receive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.sensor.effects import with_effects
from osog.sensor.exposure import Exposure
from osog.sensor.motion import motion_path
from osog.sensor.pixels import pixels

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values
    from osog.waves.sampling_plan import SamplingPlan


def light_on_pixels(
    fine: Tensor, plan: SamplingPlan, values: Values, seed: int = 0, *, integrate: bool
) -> Tensor:
    """Irradiance per pixel with the background of the scene.

    Parameters
    ----------
    fine : Tensor (..., Fy, Fx)
        Irradiance on the fine grid.
    plan : SamplingPlan
    values : Values
    seed : int
        Draws the clouds of the background.
    integrate : bool
        True gives what a camera receives: the mean over each pixel, and over the motion during the
        exposure. False gives the value at the pixels' centres, of one instant.

    Returns
    -------
    Tensor (..., Ny, Nx)
        A phase in radians, which is no light, has no background.
    """
    path = motion_path(values) if integrate else None
    received = pixels(fine, plan, integrate, path)
    if values.scene.microscope.modality.measures_phase:
        return received
    return with_background(received, values, seed)


def with_background(irradiance_px: Tensor, values: Values, seed: int = 0) -> Tensor:
    """Light on the camera's pixels with all that is not of the sample.

    Parameters
    ----------
    irradiance_px : Tensor (..., Ny, Nx)
        Light of the sample, background 1 where that is bright.
    values : Values
        Numbers of the scene; those under ``background`` may be the caller's tensors.
    seed : int
        Draws the clouds, which belong to the sample; dust has a number of its own.

    Returns
    -------
    Tensor (..., Ny, Nx)
        (illumination × sample + haze + clouds) × vignette × dust, never negative. The input itself
        where the scene has no background.

    Notes
    -----
    The effects on light of `osog.sensor.effects`, in their order. The illumination and the dust
    stay while the sample moves, so motion blur has no part in them. All of it is smooth on the
    scale of a pixel and is taken at the pixels' centres.
    """
    exposure = Exposure.of_values(values, seed, noise=False)
    return with_effects("light", irradiance_px, exposure)

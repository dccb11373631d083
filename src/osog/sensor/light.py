"""The light that the pixels of the camera receive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.sensor.background import with_background
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
    if values.scene.microscope.modality.kind == "phase":
        return received
    return with_background(received, values, seed)

"""Caution: pixels that are full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution

if TYPE_CHECKING:
    from torch import Tensor

    from osog.scene import Camera

_CLIPPED_SHARE = 0.01
"""Share of saturated pixels that goes without saying."""


def saturation(picture: Tensor, light: Tensor, camera: Camera) -> list[Caution]:
    """Say that a picture is overexposed, and the exposure at which it would not be.

    Parameters
    ----------
    picture : Tensor
        Counts that the camera reported.
    light : Tensor
        Irradiance per pixel that it received.
    camera : Camera

    Returns
    -------
    list of Caution
        Empty as long as no more than 1 % of the pixels are full.
    """
    white, gain = camera.white_counts, camera.gain_electrons_per_count / camera.em_gain
    well = camera.offset_counts + camera.full_well_electrons / gain
    # Read noise leaves a full well a little below its level, now and then.
    noise = 3 * camera.read_noise_electrons / camera.gain_electrons_per_count
    full = min(float(white), well - noise - 0.5)
    share = float((picture >= full).to(torch.float32).mean())
    if share <= _CLIPPED_SHARE:
        return []
    what = f"white level of {white}" if white <= well else "full well"
    most = min(camera.full_well_electrons, (white - camera.offset_counts) * gain)
    brightest = float(light.max())
    shown = f"{100 * share:.0f}" if share > 0.03 else f"{100 * share:.1f}"
    text = f"{shown} % of the pixels are saturated (at the {what})."
    room = 0.8 * most - camera.dark_electrons
    chosen = camera.target_counts is not None  # by the camera itself
    if chosen or brightest <= 0 or room <= 0 or brightest * camera.electrons_at_one <= room:
        return [Caution(text)]
    name = "background_electrons" if camera.background_photons is None else "background_photons"
    factor = room / brightest / camera.electrons_at_one
    wanted = float(f"{getattr(camera, name) * factor:.2g}")
    return [Caution(text, {f"camera.{name}": wanted}, "Shorten the exposure")]

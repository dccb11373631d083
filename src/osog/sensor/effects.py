"""The effects of the camera and of the light on it, in the order in which they act.

A new effect is a function in a file of its own and one line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from osog.sensor.clouds import add_clouds
from osog.sensor.colour_filter import interpolate_colours
from osog.sensor.colour_matrix import correct_colours
from osog.sensor.converter import settled
from osog.sensor.dark_signal import add_dark_signal
from osog.sensor.dust import shade_by_dust
from osog.sensor.gamma import apply_gamma
from osog.sensor.haze import add_haze
from osog.sensor.hot_pixels import add_hot_pixels
from osog.sensor.jpeg import store_as_jpeg
from osog.sensor.offset_spread import vary_offsets
from osog.sensor.response_spread import vary_response
from osog.sensor.row_noise import add_row_noise
from osog.sensor.sharpening import sharpen
from osog.sensor.uneven_light import tilt_illumination
from osog.sensor.vignetting import vignette
from osog.sensor.white_balance import balance_white

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from osog.sensor.exposure import Exposure

Place = Literal["light", "electrons", "reading", "counts"]
"""Light on the pixels (background 1), mean electrons in the wells, electrons at the amplifier,
grey levels."""


@dataclass(frozen=True)
class Effect:
    """One effect and its place.

    Attributes
    ----------
    place : {"light", "electrons", "reading", "counts"}
        What it acts on; `Place` says what each is.
    apply : function (Tensor, Exposure) -> Tensor
        Returns its input where the effect is off. Tensors are (..., Ny, Nx), and behind a Bayer
        filter the counts are (Ny, Nx) up to the interpolation of the colours.
    noise : bool
        Whether it belongs to the noise, which can be left out.
    smooth : bool
        Whether it has a derivative; otherwise it acts on sampled pictures only.
    """

    place: Place
    apply: Callable[[Tensor, Exposure], Tensor]
    noise: bool = False
    smooth: bool = True


EFFECTS = (
    # In the order of the light: it falls on the sample unevenly; stray light and the glow of what
    # is far out of focus join it; the lenses cut off the corners; dust near the camera shades all.
    Effect("light", tilt_illumination),
    Effect("light", add_haze),
    Effect("light", add_clouds),
    Effect("light", vignette),
    Effect("light", shade_by_dust),
    Effect("electrons", vary_response, noise=True),
    Effect("electrons", add_dark_signal),
    Effect("electrons", add_hot_pixels, noise=True),
    Effect("reading", add_row_noise, noise=True),
    Effect("reading", vary_offsets, noise=True),
    # In the order of a camera's electronics: the gains act on the raw picture, the matrix on light
    # that is still linear, the tone curve and the sharpening on what is shown.
    Effect("counts", balance_white),
    Effect("counts", interpolate_colours),
    Effect("counts", correct_colours),
    Effect("counts", apply_gamma),
    Effect("counts", sharpen),
    Effect("counts", store_as_jpeg, smooth=False),
)
"""All effects; those of one place act from the first to the last."""


def with_effects(place: Place, picture: Tensor, exposure: Exposure) -> Tensor:
    """Picture behind all effects of one place.

    Parameters
    ----------
    place : {"light", "electrons", "reading", "counts"}
    picture : Tensor (..., Ny, Nx)
    exposure : Exposure

    Returns
    -------
    Tensor
        Counts stay within the converter, and are whole in a sampled picture. The input itself where
        no effect acts.
    """
    for effect in EFFECTS:
        if effect.place != place:
            continue
        if (effect.noise and not exposure.noise) or not (effect.smooth or exposure.sampled):
            continue
        changed = effect.apply(picture, exposure)
        if place == "counts" and changed is not picture:
            changed = settled(changed, exposure)
        picture = changed
    return picture

"""Shadows of dust on the optics near the camera."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import ndtri

from osog.derivatives import followed, needs_plain_operations, outside_func
from osog.sensor.counter import uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from osog.sensor.exposure import Exposure

_SPREAD = 0.45
"""Standard deviation of the logarithm of the radii of dust specks."""
_LOBES = (0.05, 0.05, 0.03, 0.03)
"""Standard deviations of the two and three lobes around a speck's border, in radii."""


def shade_by_dust(light: Tensor, exposure: Exposure) -> Tensor:
    """Light (1 − d shade), with the shade of `dust`; it stays while the sample moves."""
    background = exposure.background
    if not (background.dust_count and exposure.acts(exposure.background.dust_darkness)):
        return light
    frame, here = exposure.window(light)
    specks = background.dust_count, background.dust_radius_px, background.dust_seed
    shade: Tensor = background.dust_darkness * dust(frame, *specks)[here]
    return light * (1 - shade)


def dust(shape: tuple[int, int], count: int, radius_px: Tensor, seed: int) -> Tensor:
    """Share of the densest speck's shade in every pixel.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the frame.
    count : int
        Specks in the frame; one more leaves the others where they are.
    radius_px : 0-dim Tensor
        Median radius.
    seed : int
        Which microscope.

    Returns
    -------
    Tensor (Ny, Nx)
        1 in the middle of the densest speck, 0 in the open, slightly negative in the bright rims.

    Notes
    -----
    An empirical picture, not a diffraction integral: dust lies out of focus near the camera, so a
    speck casts a soft, slightly irregular shade with a faint bright rim. Radii are log-normal
    (sigma 0.45), depths even between 0.3 and 1, and the border is 0.2 to 0.7 radii wide, the more
    so the farther the speck is from the camera; overlapping specks multiply their transmissions.
    """
    if (torch.is_grad_enabled() and followed(radius_px)) or needs_plain_operations(radius_px):
        return _dust(shape, count, radius_px, seed)
    still = radius_px.detach()
    kind = (str(still.dtype).removeprefix("torch."), str(still.device))
    # Out of inference mode, or the map could not be used in a later call with gradients.
    return _dust_kept(shape, count, float(still), seed, *kind)


@lru_cache(maxsize=4)
def _dust_kept(
    shape: tuple[int, int], count: int, radius: float, seed: int, dtype: str, device: str
) -> Tensor:
    with torch.inference_mode(False), torch.no_grad(), outside_func():
        like = torch.tensor(radius, dtype=getattr(torch, dtype), device=device)
        return _dust(shape, count, like, seed)


def _dust(shape: tuple[int, int], count: int, radius_px: Tensor, seed: int) -> Tensor:
    height, width = shape
    specks = np.arange(count)

    def drawn(stream: str) -> NDArray[np.float64]:
        return uniform(seed, f"dust {stream}", specks)

    columns = [
        drawn("y") * height - 0.5,
        drawn("x") * width - 0.5,
        np.exp(_SPREAD * ndtri(drawn("radius"))),
        0.3 + 0.7 * drawn("depth"),
        0.2 + 0.5 * drawn("distance"),
        *(amplitude * ndtri(drawn(f"lobe {k}")) for k, amplitude in enumerate(_LOBES)),
    ]
    kind: dict[str, Any] = {"dtype": radius_px.dtype, "device": radius_px.device}
    clear = torch.ones(shape, **kind)
    for y, x, size, opacity, soft, *lobes in np.stack(columns, axis=1).tolist():
        radius = radius_px * size
        reach = 1.3 * (1 + 4 * soft) * float(radius.detach()) + 1
        top, bottom = max(0, int(y - reach)), min(height, int(y + reach) + 2)
        left, right = max(0, int(x - reach)), min(width, int(x + reach) + 2)
        if top >= bottom or left >= right:
            continue
        dy = (torch.arange(top, bottom, **kind) - y)[:, None]
        dx = torch.arange(left, right, **kind) - x
        square = dx**2 + dy**2 + 1e-12
        # cos and sin of two and of three times the angle, without the angle.
        two = (lobes[0] * (dx**2 - dy**2) + lobes[1] * 2 * dx * dy) / square
        three = lobes[2] * dx * (dx**2 - 3 * dy**2) + lobes[3] * dy * (3 * dx**2 - dy**2)
        border = radius * torch.exp(two + three / square**1.5)
        shade = opacity * _profile(torch.sqrt(square) / border, soft)
        # The copy is what the product remembers; the frame itself is written to.
        window = clear[top:bottom, left:right].clone()
        clear[top:bottom, left:right] = window * (1 - shade)
    return 1 - clear


def _profile(distance: Tensor, softness: float) -> Tensor:
    """Shade at a distance from the middle, in units of the radius: a soft disc, a bright rim."""
    outside = (distance - 1) / softness
    disc: Tensor = 0.5 * torch.erfc(outside)
    return disc - 0.12 * torch.exp(-(((outside - 1.6) / 0.6) ** 2))

"""Uneven illumination, vignetting, haze, and dust on the optics."""

from __future__ import annotations

from functools import lru_cache
from math import pi
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import ndtri

from osog.sensor.counter import normal, uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from osog.sample import Values

_CONTRAST = 0.6
"""Standard deviation of the logarithm of the clouds' light."""
_SPREAD = 0.45
"""Standard deviation of the logarithm of the radii of dust specks."""
_LOBES = (0.05, 0.05, 0.03, 0.03)
"""Standard deviations of the two and three lobes around a speck's border, in radii."""


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
    In the order of the light: it falls on the sample unevenly; stray light and the glow of what is
    far out of focus join it; the lenses cut off the corners; dust near the camera shades all of it.
    The illumination and the dust stay while the sample moves, so motion blur has no part in them.
    All of it is smooth on the scale of a pixel and is taken at the pixels' centres.
    """
    scene = values.scene
    light = irradiance_px

    def number(name: str) -> Tensor:
        return values.number(f"background.{name}").to(irradiance_px)

    def acts(name: str) -> bool:
        return getattr(scene.background, name) != 0 or (
            values.given(f"background.{name}") is not None
        )

    shape = (light.shape[-2], light.shape[-1])
    top, left, rows, columns = scene.background.crop or (0, 0, *shape)
    here = slice(top, top + shape[0]), slice(left, left + shape[1])
    # Half the frame is 1/2; the borders of the outermost pixels, not their centres.
    y = ((torch.arange(top, here[0].stop).to(light) + 0.5) / rows - 0.5)[:, None]
    x = (torch.arange(left, here[1].stop).to(light) + 0.5) / columns - 0.5
    if acts("gradient_x"):
        light = light * (1 + number("gradient_x") * x)
    if acts("gradient_y"):
        light = light * (1 + number("gradient_y") * y)
    if acts("haze"):
        light = light + number("haze")
    if acts("structured_haze"):
        scale_px = number("haze_scale_um") / scene.grid.pixel_size_um
        light = light + number("structured_haze") * clouds((rows, columns), scale_px, seed)[here]
    if acts("vignette"):
        light = light * (1 - number("vignette") * 2 * (x**2 + y**2))
    if scene.background.dust_count and acts("dust_darkness"):
        count, pattern = scene.background.dust_count, scene.background.dust_seed
        shade = dust((rows, columns), count, number("dust_radius_px"), pattern)
        light = light * (1 - number("dust_darkness") * shade[here])
    return light


def clouds(shape: tuple[int, int], scale_px: Tensor, seed: int) -> Tensor:
    """Slow random light, never negative, of root mean square 1 over many frames.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the frame.
    scale_px : 0-dim Tensor
        Correlation length ℓ: distance over which the correlation of the logarithm falls to 1/e.
    seed : int

    Returns
    -------
    Tensor (Ny, Nx)
        exp(s z − s²), s = 0.6, with z a Gaussian random field of variance 1 and correlation
        exp(−r²/ℓ²): white noise filtered by exp(−π²ℓ²f²/2). The noise stays while ℓ changes, so the
        derivative in ℓ is that of one and the same cloud. Clouds wider than twice the frame are an
        even glow.
    """
    rows, columns = (2 * n for n in shape)
    spectrum = torch.from_numpy(_white(seed, rows, columns)).to(
        device=scale_px.device,
        dtype=torch.complex64 if scale_px.dtype == torch.float32 else torch.complex128,
    )
    fy = torch.fft.fftfreq(rows, dtype=scale_px.dtype, device=scale_px.device)[:, None]
    fx = torch.fft.fftfreq(columns, dtype=scale_px.dtype, device=scale_px.device)
    exponent = -0.5 * (pi * scale_px) ** 2
    along_y, along_x = torch.exp(exponent * fy**2), torch.exp(exponent * fx**2)
    variance = (along_y**2).mean() * (along_x**2).mean()
    kept = columns // 2 + 1
    filtered = spectrum * (along_y * along_x[:kept]) / torch.sqrt(variance)
    half = torch.fft.ifft(filtered, dim=-2)[: shape[0]]
    field: Tensor = torch.fft.irfft(half, n=columns, dim=-1)[:, : shape[1]]
    return torch.exp(_CONTRAST * field - _CONTRAST**2)


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
    if radius_px.requires_grad and torch.is_grad_enabled():
        return _dust(shape, count, radius_px, seed)
    still = radius_px.detach()
    kind = (str(still.dtype).removeprefix("torch."), str(still.device))
    # Out of inference mode, or the map could not be used in a later call with gradients.
    return _dust_kept(shape, count, float(still), seed, *kind)


@lru_cache(maxsize=4)
def _dust_kept(
    shape: tuple[int, int], count: int, radius: float, seed: int, dtype: str, device: str
) -> Tensor:
    with torch.inference_mode(False), torch.no_grad():
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


@lru_cache(maxsize=2)
def _white(seed: int, rows: int, columns: int) -> NDArray[np.complex64]:
    """Half spectrum of white noise of variance 1."""
    noise = normal(seed, "clouds", np.arange(rows)[:, None], np.arange(columns))
    return np.fft.rfft2(noise).astype(np.complex64)

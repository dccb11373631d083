"""Noise of a camera, from the mean number of electrons to a reading in electrons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.sensor.pixel_maps import (
    hot_pixels,
    offset_pattern,
    read_noise_pattern,
    response_pattern,
)

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values
    from osog.scene import Camera


def drawn(light: Tensor, camera: Camera, seed: int) -> Tensor:
    """Draw the electrons that the amplifier of each pixel reports.

    Parameters
    ----------
    light : float64 Tensor (Ny, Nx) or (C, Ny, Nx)
        Mean photo-electrons.
    camera : Camera
    seed : int

    Returns
    -------
    float32 Tensor of the same shape

    Notes
    -----
    Electrons ~ Poisson((1 + PRNU) light + dark + hot), cut at the full well. An EM register turns n
    of them into n + Poisson(Γ(n) (g − 1)), the sum of n geometric numbers of mean g; that is a
    chain of many stages with a small chance of multiplication each. Its variance is n g (g − 1), so
    that with the shot noise it is (2 − 1/g) g² times the mean (Robbins & Hadwen 2003). For large g
    it is the gamma law of Basden, Haniff & Mackay 2003. The amplifier adds normal noise, the row
    its own, and the pixel its offset (EMVA Standard 1288).
    """
    shape, device = tuple(light.shape), light.device
    generator = torch.Generator(device=device).manual_seed(seed)
    number = camera.pixel_seed
    mean = light
    if camera.response_nonuniformity > 0:
        spread = camera.response_nonuniformity * response_pattern(number, shape, mean)
        mean = mean * (1 + spread).clamp(min=0.0)
    if camera.dark_electrons > 0:
        mean = mean + camera.dark_electrons
    if camera.hot_pixels_per_million > 0:
        hot = (camera.hot_pixels_per_million, camera.hot_pixel_electrons)
        mean = mean + hot_pixels(number, shape, *hot, mean)
    electrons = torch.poisson(mean, generator).clamp(max=camera.full_well_electrons)
    if camera.em_gain > 1:
        electrons = _multiplied(electrons, camera.em_gain, seed)
    # Single precision is enough for the amplifier, and four times as fast.
    electrons = electrons.to(torch.float32)
    noise = torch.randn(shape, generator=generator, device=device)
    if camera.read_noise_spread > 0:
        noise *= torch.exp(camera.read_noise_spread * read_noise_pattern(number, shape, noise))
    electrons += camera.read_noise_electrons * noise
    if camera.row_noise_electrons > 0:
        rows = torch.randn((*shape[:-1], 1), generator=generator, device=device)
        electrons += camera.row_noise_electrons * rows
    if camera.dark_nonuniformity_electrons > 0:
        electrons += camera.dark_nonuniformity_electrons * offset_pattern(number, shape, electrons)
    return electrons


def reparameterised(light: Tensor, values: Values, seed: int) -> Tensor:
    """Noisy electrons as a smooth function of the mean and of the camera's numbers.

    Parameters
    ----------
    light : Tensor (Ny, Nx) or (C, Ny, Nx)
        Mean photo-electrons.
    values : Values
        Numbers of a scene with a camera; the numbers of the noise may be the caller's tensors.
    seed : int
        Draws the standard normal ε, which stays while the numbers change.

    Returns
    -------
    Tensor of the same shape
        g e + √(F² g² e + σ²) ε, F² = 2 − 1/g, with the pixels' own sensitivities, offsets and read
        noises and the noise of the rows.

    Notes
    -----
    The normal law stands for the Poisson law: visibly wrong below some 20 electrons, where it is
    symmetric and turns negative. Which pixels are hot is no smooth function of how many there are,
    so there is no derivative in ``hot_pixels_per_million``.
    """
    camera = values.scene.camera
    assert camera is not None
    shape, pixel_seed = tuple(light.shape), camera.pixel_seed
    generator = torch.Generator().manual_seed(seed)
    shot = torch.randn(shape, generator=generator).to(light)
    rows = torch.randn((*shape[:-1], 1), generator=generator).to(light)

    def number(name: str) -> Tensor:
        return values.number(f"camera.{name}").to(light)

    def acts(name: str) -> bool:
        return getattr(camera, name) > 0 or values.given(f"camera.{name}") is not None

    mean = light
    if acts("response_nonuniformity"):
        pattern = response_pattern(pixel_seed, shape, light)
        mean = mean * (1 + number("response_nonuniformity") * pattern).clamp(min=0.0)
    mean = mean + number("dark_electrons")
    if camera.hot_pixels_per_million > 0:
        hot = hot_pixels(pixel_seed, shape, camera.hot_pixels_per_million, 1.0, light)
        mean = mean + number("hot_pixel_electrons") * hot
    mean = torch.minimum(mean, number("full_well_electrons"))
    gain, read = number("em_gain"), number("read_noise_electrons")
    if acts("read_noise_spread"):
        logarithm = read_noise_pattern(pixel_seed, shape, light)
        read = read * torch.exp(number("read_noise_spread") * logarithm)
    # A thousandth of an electron keeps the root smooth where there is neither light nor noise.
    variance = gain * (2 * gain - 1) * mean + read**2 + 1e-6
    electrons = gain * mean + torch.sqrt(variance) * shot
    if acts("row_noise_electrons"):
        electrons = electrons + number("row_noise_electrons") * rows
    if acts("dark_nonuniformity_electrons"):
        pattern = offset_pattern(pixel_seed, shape, light)
        electrons = electrons + number("dark_nonuniformity_electrons") * pattern
    return electrons


def _multiplied(electrons: Tensor, gain: float, seed: int) -> Tensor:
    # torch has no public gamma numbers with a generator of one's own.
    rng = np.random.default_rng((seed % 2**63, 1))
    entering = electrons.cpu().numpy()
    born = rng.poisson((gain - 1) * rng.standard_gamma(entering))
    return electrons + torch.from_numpy(born).to(electrons)

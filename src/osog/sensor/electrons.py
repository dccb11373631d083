"""From mean electrons in the wells to electrons at the amplifier: shot and read noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.sensor.pixel_maps import pixel_map

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sensor.exposure import Exposure


def mean_electrons(mean: Tensor, exposure: Exposure) -> Tensor:
    """Electrons at the amplifier without noise: min(e, full well) times the EM gain.

    Parameters
    ----------
    mean : Tensor (Ny, Nx) or (C, Ny, Nx)
        Mean electrons in the wells.
    exposure : Exposure

    Returns
    -------
    Tensor of the same shape
    """
    camera = exposure.camera
    full = torch.as_tensor(camera.full_well_electrons).to(mean)
    electrons: Tensor = torch.minimum(mean, full) * camera.em_gain
    return electrons


def sample_electrons(mean: Tensor, exposure: Exposure) -> Tensor:
    """Draw the electrons that the amplifier of each pixel reports.

    Parameters
    ----------
    mean : float64 Tensor (Ny, Nx) or (C, Ny, Nx)
        Mean electrons in the wells.
    exposure : Exposure
        Of a sampled picture; its random numbers lie on the device of `mean`.

    Returns
    -------
    float32 Tensor of the same shape

    Notes
    -----
    Electrons ~ Poisson(mean), cut at the full well. An EM register turns n of them into
    n + Poisson(Γ(n) (g − 1)), the sum of n geometric numbers of mean g; that is a chain of many
    stages with a small chance of multiplication each. Its variance is n g (g − 1), so that with the
    shot noise it is (2 − 1/g) g² times the mean (Robbins & Hadwen 2003). For large g it is the
    gamma law of Basden, Haniff & Mackay 2003. The amplifier adds normal noise (EMVA Standard 1288).
    """
    camera = exposure.camera
    electrons = torch.poisson(mean, exposure.generator).clamp(max=camera.full_well_electrons)
    if camera.em_gain > 1:
        electrons = _multiplied(electrons, camera.em_gain, exposure.seed)
    # Single precision is enough for the amplifier, and four times as fast.
    electrons = electrons.to(torch.float32)
    shape = tuple(electrons.shape)
    noise = exposure.normal(shape, electrons)
    if camera.read_noise_spread > 0:
        logarithm = read_noise_pattern(camera.pixel_seed, shape, noise)
        noise *= torch.exp(camera.read_noise_spread * logarithm)
    electrons += camera.read_noise_electrons * noise
    return electrons


def reparameterised_electrons(mean: Tensor, exposure: Exposure) -> Tensor:
    """Noisy electrons as a smooth function of the mean and of the camera's numbers.

    Parameters
    ----------
    mean : Tensor (Ny, Nx) or (C, Ny, Nx)
        Mean electrons in the wells.
    exposure : Exposure
        Its seed draws the standard normal ε, which stays while the numbers change.

    Returns
    -------
    Tensor of the same shape
        g e + √(F² g² e + σ²) ε, F² = 2 − 1/g, e = min(mean, full well), with the read noise σ of
        each pixel.

    Notes
    -----
    The normal law stands for the Poisson law: visibly wrong below some 20 electrons, where it is
    symmetric and turns negative.
    """
    camera, shape = exposure.camera, tuple(mean.shape)
    shot = exposure.normal(shape, mean)
    mean = torch.minimum(mean, camera.full_well_electrons)
    gain, read = camera.em_gain, camera.read_noise_electrons
    if exposure.acts(exposure.camera.read_noise_spread):
        logarithm = read_noise_pattern(camera.pixel_seed, shape, mean)
        read = read * torch.exp(camera.read_noise_spread * logarithm)
    # A thousandth of an electron keeps the root smooth where there is neither light nor noise.
    variance = gain * (2 * gain - 1) * mean + read**2 + 1e-6
    electrons: Tensor = gain * mean + torch.sqrt(variance) * shot
    return electrons


def read_noise_pattern(seed: int, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Logarithm of the pixels' read noises over its standard deviation.

    Parameters and result as for `osog.sensor.pixel_maps.pixel_map`. CMOS pixels have an amplifier
    each, and the long tail of a log-normal law describes their spread.
    """
    return pixel_map(seed, "read", shape, like)


def _multiplied(electrons: Tensor, gain: float, seed: int) -> Tensor:
    # torch has no public gamma numbers with a generator of one's own.
    rng = np.random.default_rng((seed % 2**63, 1))
    entering = electrons.cpu().numpy()
    born = rng.poisson((gain - 1) * rng.standard_gamma(entering))
    return electrons + torch.from_numpy(born).to(electrons)

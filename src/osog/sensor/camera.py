"""The camera: electrons, noise, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values
    from osog.scene import Camera


def expected_counts(irradiance_px: Tensor, values: Values) -> Tensor:
    """Noise-free camera counts, neither rounded nor noisy; differentiable.

    Parameters
    ----------
    irradiance_px : Tensor (Ny, Nx)
        Irradiance per pixel in units of that which gives ``background_electrons``.
    values : Values
        Numbers of a scene that has a camera; gain, offset, exposure and full well may be the
        caller's tensors.

    Returns
    -------
    Tensor (Ny, Nx)
        min(e, full well)/gain + offset, at most the white level 2^bits − 1.

    Raises
    ------
    ValueError
        If the scene has no camera.

    Notes
    -----
    EMVA Standard 1288. Where a pixel saturates the derivative is zero, as it is in a camera.
    """
    camera = values.scene.camera
    if camera is None:
        raise ValueError("camera = null: a scene without a camera has no counts.")

    def number(name: str) -> Tensor:
        return values.number(f"camera.{name}").to(irradiance_px)

    if camera.background_photons is not None:
        at_one = number("background_photons") * number("quantum_efficiency")
    else:
        at_one = number("background_electrons")
    electrons = torch.minimum(irradiance_px.clamp(min=0.0) * at_one, number("full_well_electrons"))
    counts = electrons / number("gain_electrons_per_count") + number("offset_counts")
    return counts.clamp(max=float(camera.white_counts))


def expose(irradiance_px: Tensor, camera: Camera, seed: int) -> Tensor:
    """Take one picture: photons arrive by chance, the amplifier adds noise, the converter rounds.

    Parameters
    ----------
    irradiance_px : Tensor (Ny, Nx)
        Irradiance per pixel in units of that which gives ``background_electrons``.
    camera : Camera
    seed : int
        The same seed gives the same picture on the same device.

    Returns
    -------
    float32 Tensor (Ny, Nx)
        Whole counts in 0 … 2^bits − 1.

    Notes
    -----
    Electrons ~ Poisson(mean), cut at the full well, plus read noise ~ Normal(0, σ); counts =
    round(electrons/gain + offset), clipped by the converter (EMVA Standard 1288). With
    ``camera.noise`` off only the cut, the rounding and the clipping act.
    """
    with torch.no_grad():
        # Poisson numbers are not made on every device, nor is double precision; the CPU has both.
        target = irradiance_px.device
        exact = target.type in ("cpu", "cuda")
        mean = irradiance_px.detach() if exact else irradiance_px.detach().cpu()
        electrons = mean.to(torch.float64).clamp(min=0.0) * camera.electrons_at_one
        generator = torch.Generator(device=electrons.device).manual_seed(seed)
        if camera.noise:
            electrons = torch.poisson(electrons, generator)
        electrons = electrons.clamp(max=camera.full_well_electrons).to(torch.float32)
        if camera.noise:
            # Single precision is enough for the amplifier, and four times as fast.
            noise = torch.randn(electrons.shape, generator=generator, device=electrons.device)
            electrons += camera.read_noise_electrons * noise
        counts = torch.round(electrons / camera.gain_electrons_per_count + camera.offset_counts)
        return counts.clamp(0.0, float(camera.white_counts)).to(target)

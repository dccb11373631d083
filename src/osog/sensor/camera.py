"""The camera: electrons, noise, counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from osog.sensor.automatic_exposure import electrons_for
from osog.sensor.colour_filter import filtered
from osog.sensor.converter import converted, rounded_straight_through
from osog.sensor.effects import with_effects
from osog.sensor.electrons import mean_electrons, reparameterised_electrons, sample_electrons
from osog.sensor.exposure import Exposure

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values
    from osog.scene import Camera


def expected_counts(irradiance_px: Tensor, values: Values) -> Tensor:
    """Noise-free camera counts, neither rounded nor noisy; differentiable.

    Parameters
    ----------
    irradiance_px : Tensor (Ny, Nx) or (3, Ny, Nx)
        Irradiance per pixel in units of that which gives ``background_electrons``, or the exposure
        that ``target_counts`` asks for. A colour camera takes three channels; one stands for equal
        light in all of them.
    values : Values
        Numbers of a scene that has a camera; all of them may be the caller's tensors.

    Returns
    -------
    Tensor (Ny, Nx), or (Ny, Nx, 3) of a colour camera
        min(e + dark, full well) EM gain/gain + offset, at most the white level 2^bits − 1;
        behind a Bayer filter the colours computed from it; sharpened.

    Raises
    ------
    ValueError
        If the scene has no camera, or the irradiance has channels that the camera cannot see.

    Notes
    -----
    EMVA Standard 1288. Where a pixel saturates the derivative is zero, as it is in a camera. Fixed
    deviations of single pixels count as noise and are left out, and so is the JPEG, which is no
    smooth function.
    """
    _camera(values)
    exposure = Exposure.of_values(values, noise=False)
    mean = _mean(irradiance_px, exposure)
    return _processed(converted(mean_electrons(mean, exposure), exposure), exposure)


def noisy(irradiance_px: Tensor, values: Values, seed: int) -> Tensor:
    """One noisy picture as a differentiable function of the light and of the camera's numbers.

    Parameters
    ----------
    irradiance_px, values
        As for `expected_counts`.
    seed : int
        Fixes the random numbers; the same seed gives the same picture on every device.

    Returns
    -------
    Tensor (Ny, Nx), or (Ny, Nx, 3) of a colour camera
        Whole counts. The noise is reparameterised, e + √(e + σ²) ε with a fixed standard normal ε
        (`osog.sensor.electrons.reparameterised_electrons`), and rounding passes the gradient on
        unchanged.

    Raises
    ------
    ValueError
        As for `expected_counts`.

    Notes
    -----
    To learn through a camera; `expose` draws true Poisson numbers and stores the JPEG as well.
    With ``camera.noise`` off this is `expected_counts`, rounded.
    """
    if not _camera(values).noise:
        return rounded_straight_through(expected_counts(irradiance_px, values))
    exposure = Exposure.of_values(values, seed, noise=True)
    electrons = reparameterised_electrons(_mean(irradiance_px, exposure), exposure)
    counts = converted(with_effects("reading", electrons, exposure), exposure)
    return rounded_straight_through(_processed(rounded_straight_through(counts), exposure))


def expose(irradiance_px: Tensor, camera: Camera, seed: int) -> Tensor:
    """Take one picture: photons arrive by chance, the amplifier adds noise, the converter rounds.

    Parameters
    ----------
    irradiance_px : Tensor (Ny, Nx) or (3, Ny, Nx)
        As for `expected_counts`.
    camera : Camera
    seed : int
        The same seed gives the same picture on the same device.

    Returns
    -------
    float32 Tensor (Ny, Nx), or (Ny, Nx, 3) of a colour camera
        Whole counts in 0 … 2^bits − 1.

    Raises
    ------
    ValueError
        If the irradiance has channels that the camera cannot see.

    Notes
    -----
    In the order of a camera: the colour filter passes one colour per pixel; photo- and dark
    electrons fill the well by chance; an EM register multiplies them; the amplifier adds its noise
    (`osog.sensor.electrons.sample_electrons`); the converter rounds electrons/gain + offset and
    clips them (EMVA Standard 1288). Then, on counts, the missing colours are computed, edges are
    sharpened, each result is rounded and clipped, and the picture is stored as a JPEG
    (`osog.sensor.effects`). With ``camera.noise`` off there is no noise and no pixel differs from
    the others.
    """
    with torch.no_grad():
        # Poisson numbers are not made on every device, nor is double precision; the CPU has both.
        target = irradiance_px.device
        exact = target.type in ("cpu", "cuda")
        light = irradiance_px.detach() if exact else irradiance_px.detach().cpu()
        exposure = Exposure.of_camera(camera, seed, light.device)
        mean = _mean(light.to(torch.float64), exposure)
        if camera.noise:
            electrons = with_effects("reading", sample_electrons(mean, exposure), exposure)
        else:
            electrons = mean_electrons(mean.to(torch.float32), exposure)
        return _processed(converted(electrons, exposure), exposure).to(target)


def _camera(values: Values) -> Camera:
    camera = values.scene.camera
    if camera is None:
        raise ValueError("camera = null: a scene without a camera has no counts.")
    return camera


def _mean(irradiance_px: Tensor, exposure: Exposure) -> Tensor:
    """Mean electrons in every well: (Ny, Nx), or (3, Ny, Nx) of three chips."""
    camera, light = exposure.camera, irradiance_px.clamp(min=0.0)
    if camera.target_counts is not None:
        at_one = electrons_for(camera.target_counts, light, lambda e: _metered(light * e, exposure))
    elif camera.background_photons is not None:
        at_one = camera.background_photons * camera.quantum_efficiency
    else:
        at_one = camera.background_electrons
    return with_effects("electrons", filtered(light * at_one, camera.colour), exposure)


def _metered(electrons: Tensor, exposure: Exposure) -> Tensor:
    """Noise-free counts of mean electrons, by which an exposure is chosen."""
    plain = replace(exposure, sampled=False, noise=False)
    mean = with_effects("electrons", filtered(electrons, plain.camera.colour), plain)
    return _processed(converted(mean_electrons(mean, plain), plain), plain)


def _processed(counts: Tensor, exposure: Exposure) -> Tensor:
    """Counts behind the camera's electronics, channels last."""
    counts = with_effects("counts", counts, exposure)
    return counts.movedim(0, -1) if counts.ndim == 3 else counts

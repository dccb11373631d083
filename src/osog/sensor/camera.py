"""The camera: electrons, noise, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.sensor.artefacts import jpeg, sharpened
from osog.sensor.colour_filter import demosaic, mosaic
from osog.sensor.noise import drawn, reparameterised

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values
    from osog.scene import Camera

_CLIPPED_SHARE = 0.01
"""Share of saturated pixels that goes without saying."""


def expected_counts(irradiance_px: Tensor, values: Values) -> Tensor:
    """Noise-free camera counts, neither rounded nor noisy; differentiable.

    Parameters
    ----------
    irradiance_px : Tensor (Ny, Nx) or (3, Ny, Nx)
        Irradiance per pixel in units of that which gives ``background_electrons``. A colour camera
        takes three channels; one stands for equal light in all of them.
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
    camera = _camera(values)
    light = _electrons(irradiance_px, values, camera)
    full = values.number("camera.full_well_electrons").to(light)
    electrons = torch.minimum(light + values.number("camera.dark_electrons").to(light), full)
    return _processed(
        _read_out(electrons * values.number("camera.em_gain").to(light), values), values
    )


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
        (`osog.sensor.noise.reparameterised`), and rounding passes the gradient on unchanged.

    Raises
    ------
    ValueError
        As for `expected_counts`.

    Notes
    -----
    To learn through a camera; `expose` draws true Poisson numbers and stores the JPEG as well.
    With ``camera.noise`` off this is `expected_counts`, rounded.
    """
    camera = _camera(values)
    if not camera.noise:
        return _rounded(expected_counts(irradiance_px, values))
    electrons = reparameterised(_electrons(irradiance_px, values, camera), values, seed)
    return _rounded(_processed(_rounded(_read_out(electrons, values)), values))


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
    (`osog.sensor.noise.drawn`); the converter rounds electrons/gain + offset and clips them (EMVA
    Standard 1288). Then, on counts, the missing colours are computed, edges are sharpened, each
    result is rounded and clipped, and the picture is stored as a JPEG. With ``camera.noise`` off
    there is no noise and no pixel differs from the others.
    """
    with torch.no_grad():
        # Poisson numbers are not made on every device, nor is double precision; the CPU has both.
        target = irradiance_px.device
        exact = target.type in ("cpu", "cuda")
        light = irradiance_px.detach() if exact else irradiance_px.detach().cpu()
        light = light.to(torch.float64).clamp(min=0.0) * camera.electrons_at_one
        light = _on_sensor(light, camera)
        if camera.noise:
            electrons = drawn(light, camera, seed)
        else:
            full = camera.full_well_electrons
            electrons = (light + camera.dark_electrons).clamp(max=full).to(torch.float32)
            electrons *= camera.em_gain
        counts = electrons / camera.gain_electrons_per_count + camera.offset_counts
        white = float(camera.white_counts)
        counts = torch.round(counts).clamp(0.0, white)
        if camera.colour == "bayer":
            counts = torch.round(demosaic(counts)).clamp(0.0, white)
        if camera.sharpening > 0:
            strength, radius = camera.sharpening, camera.sharpening_radius_px
            counts = sharpened(counts, counts.new_tensor(strength), counts.new_tensor(radius))
            counts = torch.round(counts).clamp(0.0, white)
        if camera.jpeg_quality is not None:
            counts = jpeg(counts, camera.jpeg_quality)
        return (counts.movedim(0, -1) if counts.ndim == 3 else counts).to(target)


def _camera(values: Values) -> Camera:
    camera = values.scene.camera
    if camera is None:
        raise ValueError("camera = null: a scene without a camera has no counts.")
    return camera


def _electrons(irradiance_px: Tensor, values: Values, camera: Camera) -> Tensor:
    """Mean photo-electrons of every pixel: (Ny, Nx), or (3, Ny, Nx) of three chips."""
    if camera.background_photons is not None:
        at_one = values.number("camera.background_photons")
        at_one = at_one * values.number("camera.quantum_efficiency")
    else:
        at_one = values.number("camera.background_electrons")
    return _on_sensor(irradiance_px.clamp(min=0.0) * at_one.to(irradiance_px), camera)


def _on_sensor(light: Tensor, camera: Camera) -> Tensor:
    """Light on the pixels of the sensor, behind its colour filter."""
    if camera.colour == "monochrome":
        if light.ndim != 2:
            raise ValueError(
                f"camera.colour = monochrome: light of shape {tuple(light.shape)} must be (Ny, Nx)."
            )
        return light
    if light.ndim not in (2, 3) or (light.ndim == 3 and light.shape[0] != 3):
        raise ValueError(
            f"camera.colour = {camera.colour}: light of shape {tuple(light.shape)} must be "
            "(3, Ny, Nx), or (Ny, Nx) for white light."
        )
    if camera.colour == "bayer":
        return mosaic(light) if light.ndim == 3 else light
    return light if light.ndim == 3 else light.expand(3, *light.shape)


def _read_out(electrons: Tensor, values: Values) -> Tensor:
    """Counts from electrons at the amplifier, clipped by the converter at the white level."""
    camera = _camera(values)
    counts = electrons / values.number("camera.gain_electrons_per_count").to(electrons)
    counts = counts + values.number("camera.offset_counts").to(electrons)
    return counts.clamp(0.0, float(camera.white_counts))


def _processed(counts: Tensor, values: Values) -> Tensor:
    """Colours of every pixel and sharp edges, channels last."""
    camera = _camera(values)
    white = float(camera.white_counts)
    if camera.colour == "bayer":
        counts = demosaic(counts).clamp(0.0, white)
    if camera.sharpening > 0 or values.given("camera.sharpening") is not None:
        radius = values.number("camera.sharpening_radius_px")
        counts = sharpened(counts, values.number("camera.sharpening"), radius).clamp(0.0, white)
    return counts.movedim(0, -1) if counts.ndim == 3 else counts


def _rounded(counts: Tensor) -> Tensor:
    """Round, and pass the gradient on as if nothing had happened (straight through)."""
    return counts + (torch.round(counts) - counts).detach()


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
    if brightest <= 0 or room <= 0 or brightest * camera.electrons_at_one <= room:
        return [Caution(text)]
    name = "background_electrons" if camera.background_photons is None else "background_photons"
    factor = room / brightest / camera.electrons_at_one
    wanted = float(f"{getattr(camera, name) * factor:.2g}")
    return [Caution(text, {f"camera.{name}": wanted}, "Shorten the exposure")]

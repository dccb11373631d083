"""The four stages as one sentence: sample → geometry and exit wave → optics → sensor.

Around them run three loops: over the frames of a time series, over the wavelengths of the light and
over the planes of a stack.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from osog.exit_wave import (
    EmissionSlabs,
    emission_slabs,
    exit_wave,
    jones_wave,
    jones_waves,
    reflected_wave,
)
from osog.optics import image as form_image
from osog.optics.resample import magnified
from osog.optics.spectrum import at_wavelength, focus_shift, magnification, spectral_samples
from osog.sample import dispersed
from osog.sensor import expected_counts, light_on_pixels, noisy, pixels
from osog.sensor.scale_bar import with_scale_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor

    from osog.exit_wave import Wave
    from osog.optics.spectrum import SpectralSample
    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves import SamplingPlan

SCATTERING: dict[str, Callable[[ParticleBatch, Values, SamplingPlan], Wave]] = {
    "scalar": exit_wave,
    "emission": emission_slabs,
    "jones": jones_wave,
    "reflected": reflected_wave,
}
"""How the sample makes the kind of light that a modality images (`ModalityModel.wave`)."""
SPECTRA: dict[
    str, Callable[[Iterable[tuple[ParticleBatch, Values]], SamplingPlan], Iterator[Wave]]
] = {"jones": jones_waves}
"""The same for all wavelengths of a spectrum, where they have something in common."""


def samples_of_spectrum(values: Values, plan: SamplingPlan) -> list[SpectralSample]:
    """Wavelengths of the light, with their weights in the channels of the camera."""
    return spectral_samples(values, plan.wavelengths, in_colour(values.scene))


def waves_behind_sample(
    batch: ParticleBatch, values: Values, plan: SamplingPlan, spectrum: list[SpectralSample]
) -> Iterator[Wave]:
    """Light that leaves the sample at each wavelength, one after the other.

    Parameters
    ----------
    batch : ParticleBatch
        With the indices at the microscope's wavelength.
    values : Values
    plan : SamplingPlan
    spectrum : list of SpectralSample

    Yields
    ------
    Wave
        All on the grids of `plan`.
    """
    optics = values.microscope
    scatter = SCATTERING[optics.modality.wave]
    if optics.spectrum.monochromatic:
        yield scatter(batch, values, plan)
        return
    together = SPECTRA.get(optics.modality.wave)
    if together is not None:
        wavelengths = [line.wavelength_um for line in spectrum]
        yield from together(
            ((dispersed(batch, values, w), at_wavelength(values, w)) for w in wavelengths), plan
        )
        return
    emission: EmissionSlabs | None = None
    for line in spectrum:
        numbers = at_wavelength(values, line.wavelength_um)
        if emission is not None:  # where light is emitted does not depend on its colour
            yield replace(
                emission, wavelength_um=line.wavelength_um, medium_index=numbers.medium.index
            )
            continue
        wave = scatter(dispersed(batch, values, line.wavelength_um), numbers, plan)
        if isinstance(wave, EmissionSlabs):
            emission = wave
        yield wave


def light_in_image(
    waves: Iterable[Wave], spectrum: list[SpectralSample], values: Values, plan: SamplingPlan
) -> tuple[list[Tensor], Tensor | None]:
    """Light on the fine grid in every plane of focus.

    Parameters
    ----------
    waves : iterable of Wave
        One for each wavelength.
    spectrum : list of SpectralSample
    values : Values
    plan : SamplingPlan

    Returns
    -------
    light : list of Tensor, shapes ([3,] Fy, Fx)
        Σ_λ w(λ) I_λ for each plane, in three channels for a colour camera; radians in
        quantitative phase.
    field : complex Tensor (Fy, Fx) or None
        Of the last plane, for coherent light of a single wavelength.
    """
    optics = values.microscope
    colour, single = in_colour(values.scene), optics.spectrum.monochromatic
    planes = optics.focus_planes_um
    light: list[Tensor | None] = [None] * len(planes)
    field = None
    for wave, line in zip(waves, spectrum, strict=True):
        numbers = at_wavelength(values, line.wavelength_um)
        rise = None if single else focus_shift(values, line.wavelength_um)
        factor = None if single else magnification(values, line.wavelength_um)
        for k, plane in enumerate(planes):
            optical = form_image(wave, _focused(numbers, plane, rise))
            part = optical.irradiance
            if factor is not None:
                part = magnified(part, plan, factor)
            if colour:
                part = line.weights[:, None, None] * part
            elif not single:
                part = line.weights * part
            so_far = light[k]
            light[k] = part if so_far is None else so_far + part
            field = optical.field if single else None
    return [part for part in light if part is not None], field


def _focused(values: Values, plane: Tensor, rise: Tensor | None) -> Values:
    """Numbers with one plane in focus, which axial colour has raised."""
    if rise is None:
        return values.replaced({"microscope": {"focus_um": plane}})
    # What hangs on the plane in focus stays in its place while colours come to focus around it.
    modality = values.microscope.modality
    heights = {name: getattr(modality, name) - rise for name in modality.above_focus}
    return values.replaced({"microscope": {"focus_um": plane + rise, "modality": heights}})


def camera_reading(
    light: Tensor,
    plan: SamplingPlan,
    values: Values,
    seed: int = 0,
    noise_seed: int | None = None,
) -> Tensor:
    """Reading of every pixel from the light on the fine grid; differentiable.

    Parameters
    ----------
    light : Tensor, shape ([3,] Fy, Fx)
    plan : SamplingPlan
    values : Values
    seed : int
        Draws the clouds of the background.
    noise_seed : int, optional
        Draws the noise of the camera; without it there is none.

    Returns
    -------
    Tensor, shape (Y, X [, 3])
        Counts with a camera, else the value at the pixel centres.
    """
    if not has_counts(values.scene):
        return light_at_pixels(light, plan, values, seed)
    on_pixels = light_on_pixels(light, plan, values, seed, integrate=True)
    if noise_seed is None:
        counts = expected_counts(on_pixels, values)
    else:
        counts = noisy(on_pixels, values, noise_seed)
    return with_scale_bar(counts, values.scene)


def light_at_pixels(light: Tensor, plan: SamplingPlan, values: Values, seed: int) -> Tensor:
    """Light at the pixel centres; radians in quantitative phase, where no background acts."""
    if values.scene.microscope.modality.measures_phase:
        return pixels(light, plan, integrate=False)
    return light_on_pixels(light, plan, values, seed, integrate=False)


def has_counts(scene: Scene) -> bool:
    """Whether a camera counts the light."""
    return scene.camera is not None and not scene.microscope.modality.measures_phase


def in_colour(scene: Scene) -> bool:
    """Whether the picture has colour channels."""
    camera = scene.camera
    return camera is not None and camera.channels == 3 and has_counts(scene)


def stacked(pictures: list[Tensor], scene: Scene) -> Tensor:
    """Pictures of all frames and planes as ``([T,] [Z,] …)``."""
    whole = torch.stack(pictures)
    planes = len(scene.microscope.focus_planes_um)
    whole = whole.reshape(scene.series.frames, planes, *whole.shape[1:])
    if not isinstance(scene.microscope.focus_um, tuple):
        whole = whole.squeeze(1)
    return whole if scene.series.frames > 1 else whole[0]

"""Reflected light: interference with the light that the coverslip reflects."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.geometry import half_extents
from osog.optics.abbe import abbe_sum
from osog.optics.lens import coherent_field, is_coherent
from osog.optics.optical_image import OpticalImage
from osog.scene import InterferometricScattering, Reflection, SceneError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.exit_wave.wave import ExitWave, ReflectedWave
    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_LEAST = 1e-5
"""Reflected amplitude below which a coverslip counts as invisible."""


def reflection(wave: ReflectedWave, values: Values) -> OpticalImage:
    """Reflection interference contrast, or darkfield in reflection.

    Bright: I = Σ_s w_s |r_g P(f_s) + E_s|² / Σ_s w_s |r_g P(f_s)|², where E_s is the light of the
    particles, weakened by 1 − r_g² on its two ways through the coverslip's surface, and
    r_g = (n_g − n_m)/(n_g + n_m) is what that surface reflects; the empty background is 1. The
    round trip between them gives the fringes, λ/(2 n_m) of height apart. An opening illumination
    averages over its directions, and fringes fade with height. Dark: I = Σ_s w_s |E_s|² relative
    to the incident light, as when the reflection of the coverslip is blocked.

    Parameters
    ----------
    wave : ReflectedWave
    values : Values

    Returns
    -------
    OpticalImage
        With the field relative to the background (bright) or to the incident wave (dark) for one
        source point.

    Raises
    ------
    SceneError
        If the coverslip has the index of the medium and the field is bright.

    Notes
    -----
    Two-beam interference with Fresnel amplitudes at normal incidence (Rädler & Sackmann 1993;
    Limozin & Sengupta 2009): multiple reflections between coverslip and particle, 0.2 % of the
    irradiance for n 1.45 in water, are left out, and so is what the particle hides of the light
    that was reflected elsewhere.
    """
    glass = values.microscope.modality
    assert isinstance(glass, Reflection)
    bright = glass.field == "bright"
    amplitude, share = coverslip(wave, glass.glass_index, bright)
    height = glass.interface_um.to(amplitude)
    reference = amplitude if bright else torch.zeros_like(amplitude)
    beside = wave.beside(reference, height, share)
    return against(beside, values, reference if bright else torch.ones_like(reference))


def coverslip(wave: ReflectedWave, glass_index: Tensor, needed: bool) -> tuple[Tensor, Tensor]:
    """Amplitude r_g that the coverslip's surface reflects, and the share 1 − r_g² on both ways.

    Parameters
    ----------
    wave : ReflectedWave
    glass_index : Tensor, 0-dim
    needed : bool
        Whether the light of the particles is compared to that of the coverslip.

    Raises
    ------
    SceneError
        If there is no such light although it is needed.
    """
    glass = glass_index.to(wave.medium_index)
    amplitude = fresnel_amplitude(wave.medium_index, glass)
    if needed and abs(float(amplitude.detach())) < _LEAST:
        raise SceneError(
            f"glass_index = {float(glass):g} must differ from the medium's index "
            f"{float(wave.medium_index):g}: without a reflection of the coverslip there is "
            "nothing to interfere with."
        )
    return amplitude, 1 - amplitude.square()


def fresnel_amplitude(before: Tensor, behind: Tensor) -> Tensor:
    """Amplitude that a surface reflects at normal incidence, (n₂ − n₁)/(n₂ + n₁).

    Parameters
    ----------
    before, behind : Tensor
        Indices n₁ and n₂ on the side of the light and on the other one.

    Notes
    -----
    Its sign is that of a wave whose phase grows along the light; positive towards the denser
    medium, as ``ReflectedWave.beside`` counts it.
    """
    return (behind - before) / (behind + before)


def against(wave: ExitWave, values: Values, reference: Tensor) -> OpticalImage:
    """Image of particles beside a mirror, relative to a reference amplitude.

    Parameters
    ----------
    wave : ExitWave
    values : Values
    reference : Tensor, 0-dim
    """
    if is_coherent(wave):
        field, _ = coherent_field(wave, values)
        field = field / reference
        return OpticalImage(field.real.square() + field.imag.square(), field)
    return OpticalImage(abbe_sum(wave, values, [(1.0, None)]) / reference.square())


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when particles reach into the coverslip."""
    modality = scene.microscope.modality
    assert isinstance(modality, Reflection | InterferometricScattering)
    if len(batch) == 0:
        return
    height = modality.interface_um
    with torch.no_grad():
        every = torch.arange(len(batch), device=batch.device)
        top = batch.position[:, 2] + half_extents(batch, every)[:, 2]
        inside, highest = int((top > height + 1e-6).sum()), float(top.max())
    if inside:
        # Rounded up, so that the remedy clears the particle.
        wanted = ceil(highest * 1000) / 1000
        noun = "particle reaches" if inside == 1 else "particles reach"
        yield Caution(
            f"{inside} {noun} into the coverslip, whose surface lies at {height:g} µm; the "
            f"highest ends at {highest:.3g} µm. They are drawn as if the medium went on there.",
            {"microscope.modality.interface_um": wanted},
            "Lift the coverslip",
        )

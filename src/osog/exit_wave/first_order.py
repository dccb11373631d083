"""Scattering to first order: the light of every slab added up, not multiplied."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from osog.cancellation import raise_if_cancelled
from osog.cautions import Caution
from osog.geometry import half_extents
from osog.waves.bundles import bundles
from osog.waves.phase_factors import phasor
from osog.waves.plane_waves import in_band
from osog.waves.recomputation import KEPT_SAMPLES, recomputed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.plane_waves import ForwardWaves
    from osog.waves.sampling_plan import SamplingPlan

_WEAK_PHASE = 0.3
"""Phase in radians above which the weak-object preview is wrong by more than 15 % of contrast."""


def is_first_order(scene: Scene) -> bool:
    """Whether a scene asks for the weak-object preview, in a modality that has it."""
    asked = scene.numerics.partial_coherence == "weak_object"
    return asked and scene.microscope.modality.weak_object


def first_order(
    slabs: Sequence[Tensor], occupied: Sequence[int], waves: ForwardWaves, plan: SamplingPlan
) -> Tensor:
    """Scattered spectrum of phase slabs in the first Born approximation.

    Ê_s(f) = (k/k_zs) Σ_j (iφ̂_j(f) − α̂_j(f)) exp(iκ_s(f) (z_last − z_j)).

    Parameters
    ----------
    slabs : sequence of one or two Tensors, shape (K, Gy, Gx)
        Phase φ in rad, and where there is absorption the loss of amplitude α.
    occupied : sequence of int
        Numbers of the slabs that hold anything, ascending.
    waves : ForwardWaves
    plan : SamplingPlan

    Returns
    -------
    Tensor, shape (S, By, Bx), complex
        At the last slab plane, before `slab_correction`; linear in the slabs.

    Notes
    -----
    Born & Wolf §13.1. Right to first order in the phase: the error of the contrast is about half
    the largest phase of the sample in radians.
    """
    rows, columns = waves.rows, waves.columns
    count = waves.kappa.shape[0]
    spectra = []
    for j in occupied:
        spectrum = 1j * torch.fft.fft2(slabs[0][j], norm="forward")[rows[:, None], columns]
        if len(slabs) > 1:
            spectrum = (
                spectrum - torch.fft.fft2(slabs[1][j], norm="forward")[rows[:, None], columns]
            )
        spectra.append(spectrum)

    ends = [*occupied[1:], plan.slabs - 1] if occupied else []

    def scattered(some: slice) -> Tensor:
        kappa = in_band(waves.kappa[some], rows, columns)
        total = torch.complex(torch.zeros_like(kappa), torch.zeros_like(kappa))
        travel: dict[int, Tensor] = {}
        for j, end, spectrum in zip(occupied, ends, spectra, strict=True):
            total = total + spectrum
            if end > j:
                if end - j not in travel:
                    travel[end - j] = phasor(kappa * ((end - j) * plan.slab_um))
                total = total * travel[end - j]
        return total * waves.stretch[some, None, None]

    samples = len(rows) * len(columns)
    spare = count * len(spectra) * samples > KEPT_SAMPLES
    points = []
    for some in bundles(0, count, samples, waves.kappa):
        raise_if_cancelled()
        points.append(recomputed(spare, scattered, some))
    return torch.cat(points)


def peak_phase(scene: Scene, batch: ParticleBatch) -> float:
    """Largest phase of a single particle seen along the axis, in radians."""
    with torch.no_grad():
        every = torch.arange(len(batch), device=batch.device)
        paths = batch.delta_index.abs() * 2 * half_extents(batch, every)[:, 2]
        return 2 * pi / scene.microscope.wavelength_um * float(paths.max())


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when the weak-object preview is asked for where it does not hold."""
    optics = scene.microscope
    if len(batch) == 0 or scene.numerics.partial_coherence != "weak_object":
        return
    remedy, remedy_text = {"numerics.partial_coherence": "abbe"}, "Use Abbe's sum"
    if not is_first_order(scene):
        if optics.modality.backdrop == "dark" and not optics.emits:
            yield Caution(
                f"{optics.modality.title} has no weak-object preview, since its contrast is of "
                "second order; Abbe's sum is used.",
                remedy,
                remedy_text,
            )
        return
    if optics.pupil.vectorial:
        yield Caution(
            "The weak-object preview is scalar; the vectorial pupil does not act in it.",
            remedy,
            remedy_text,
        )
    phase = peak_phase(scene, batch)
    if phase > _WEAK_PHASE:
        yield Caution(
            f"The weak-object preview holds up to {_WEAK_PHASE:g} rad, but particles shift the "
            f"light by up to {phase:.2g} rad.",
            remedy,
            remedy_text,
        )


__all__ = ["cautions", "first_order", "is_first_order", "peak_phase"]

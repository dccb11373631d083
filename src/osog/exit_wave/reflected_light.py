"""Particles → the light that they send back to the objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.exit_wave.facets import facet_spectrum
from osog.exit_wave.illumination import light_points
from osog.exit_wave.lorenz_mie.backscatter import backscattered
from osog.exit_wave.raster import modelled_by
from osog.exit_wave.wave import ReflectedWave
from osog.waves.plane_waves import UpwardWaves

if TYPE_CHECKING:
    from osog.sample import ParticleBatch, Values
    from osog.waves.sampling_plan import SamplingPlan


def reflected_wave(batch: ParticleBatch, values: Values, plan: SamplingPlan) -> ReflectedWave:
    """Light that the particles send back when they are lit through the objective.

    Populations that the plan gives to Lorenz-Mie theory scatter back exactly; all others reflect
    with their upper and lower surfaces (`facet_spectrum` gives the range of validity).

    Parameters
    ----------
    batch : ParticleBatch
    values : Values
        Wavelength, index of the medium and the opening of the light are read from it.
    plan : SamplingPlan

    Returns
    -------
    ReflectedWave
        Differentiable in the batch and the numbers read. The fields of different particles add.
    """
    wavelength, index = values.microscope.wavelength_um, values.medium.index
    source, weights = light_points(values, plan)
    waves = UpwardWaves.of(plan, source, wavelength, index)
    by_mie = modelled_by("mie", batch, plan)
    if by_mie is None:
        by_mie = torch.zeros_like(batch.population, dtype=torch.bool)
    spectrum = facet_spectrum(batch, waves, plan, index, ~by_mie)
    if bool(by_mie.any()):
        spheres = batch.taken(torch.nonzero(by_mie).flatten())
        spectrum = spectrum + backscattered(spheres, waves, plan, index, wavelength)
    return ReflectedWave(
        spectrum=spectrum * waves.travels,
        fx=waves.fx,
        fy=waves.fy,
        source=source,
        weights=weights,
        wavelength_um=wavelength,
        medium_index=index,
        reference_um=plan.reference_um,
        plan=plan,
    )


__all__ = ["reflected_wave"]

"""Particles → slabs of emitters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.exit_wave.deposit import deposited
from osog.exit_wave.raster import Raster
from osog.exit_wave.wave import EmissionSlabs
from osog.particles import assembled

if TYPE_CHECKING:
    from osog.sample import ParticleBatch, Values
    from osog.waves.sampling_plan import SamplingPlan


def emission_slabs(batch: ParticleBatch, values: Values, plan: SamplingPlan) -> EmissionSlabs:
    """Deposit the fluorescence of the particles into slabs.

    Parameters
    ----------
    batch : ParticleBatch
    values : Values
    plan : SamplingPlan

    Returns
    -------
    EmissionSlabs
        Differentiable in the batch. Attenuation and refraction on the way out are not modelled.
    """
    batch = assembled(batch)
    return EmissionSlabs(
        slabs=deposited(batch, batch.steps(batch.emission_per_um), Raster(batch, plan)),
        z_um=plan.slab_planes_um,
        wavelength_um=values.microscope.wavelength_um,
        medium_index=values.medium.index,
        plan=plan,
    )


__all__ = ["emission_slabs"]

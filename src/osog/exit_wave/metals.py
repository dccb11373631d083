"""What metals ask of the models of scattering, said in words."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.scene.metals import METAL_RANGE_UM, METALS, metal_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_STALE = 0.02
"""Change of n + iκ, as a share of it, from which numbers of another wavelength are called so."""
_LARGE_PERCENT = 8.0


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when a named metal has the index of other light, and when surfaces lack its absorption.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan
    """
    if scene.microscope.emits or len(batch) == 0:
        return
    drawn = batch.population.unique().tolist()
    for number in drawn:
        yield from _of_other_light(scene, number)
        if scene.microscope.epi and plan.scattering[number : number + 1] == ("facets",):
            yield from _of_surfaces(scene, batch, number)


def _of_other_light(scene: Scene, number: int) -> Iterator[Caution]:
    population, wavelength = scene.populations[number], scene.microscope.wavelength_um
    material = population.material
    name, index, absorption = material.name, material.index, material.absorption_per_um
    if name not in METALS:
        return
    first, last = METAL_RANGE_UM
    if not first <= wavelength <= last:
        yield Caution(
            f"The index of {name} is known from {first:.3g} to {last:.3g} µm; at {wavelength:.3g} "
            "µm the value of the nearest end stands for it."
        )
    if not isinstance(index, float) or not isinstance(absorption, float):
        return
    known = metal_numbers(name, wavelength)
    to_kappa = wavelength / (4 * pi)
    stated = complex(index, absorption * to_kappa)
    right = complex(known["index"], known["absorption_per_um"] * to_kappa)
    if abs(stated - right) > _STALE * abs(right):
        base = f"populations.{population.name}.material"
        yield Caution(
            f"'{population.name}' is of {name} with n + iκ = {stated.real:.3g} + "
            f"{stated.imag:.3g}i; at {1000 * wavelength:.0f} nm {name} has {right.real:.3g} + "
            f"{right.imag:.3g}i.",
            {f"{base}.name": name},
            f"Take {name} at {1000 * wavelength:.0f} nm",
        )


def _of_surfaces(scene: Scene, batch: ParticleBatch, number: int) -> Iterator[Caution]:
    with torch.no_grad():
        mine = batch.population == number
        own = scene.medium.index + batch.delta_index[mine].double().cpu()
        kappa = batch.absorption_per_um[mine].double().cpu()
        kappa = kappa * (scene.microscope.wavelength_um / (4 * pi))
    medium = scene.medium.index
    taken = (medium - own) / (medium + own)
    whole = torch.complex(own, kappa)
    true = (medium - whole) / (medium + whole)
    error = 100 * ((taken - true).abs() / true.abs().clamp_min(1e-12))
    # Where almost nothing is reflected, a share of it is nothing either.
    worst = float(torch.where(kappa > 0.01, error, 0.0).max())
    if worst > _LARGE_PERCENT:
        name = scene.populations[number].name
        yield Caution(
            f"The light that '{name}' sends back is about {worst:.0f} % off: its surfaces reflect "
            "as if it did not absorb. Spheres are exact by Lorenz-Mie theory."
        )


__all__ = ["cautions"]

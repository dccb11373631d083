"""What named materials ask of the light and of the models of scattering, said in words."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.scene import materials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_STALE = 0.02
"""Change of n + iκ, as a share of it, from which numbers of another wavelength are called so."""
_LARGE_PERCENT = 8.0


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when the light lies outside a material's table, or its index is that of other light.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan
    """
    drawn = batch.populations
    yield from _of_range(scene, drawn)
    if scene.microscope.emits or len(batch) == 0:
        return
    for number in drawn:
        yield from _of_other_light(scene, number)
        if scene.microscope.epi and plan.scattering[number : number + 1] == ("facets",):
            yield from _of_surfaces(scene, batch, number)


def _of_range(scene: Scene, drawn: list[int]) -> Iterator[Caution]:
    """Name each material that is used outside the wavelengths of its source, once."""
    optics = scene.microscope
    shortest, longest = optics.wavelengths_um
    bodies = [scene.populations[number].material for number in drawn]
    names = [scene.medium.dispersion or scene.medium.name]
    names += [body.dispersion or body.name for body in bodies]
    for name in dict.fromkeys(names):
        substance = materials.known(name)
        if substance is None:
            continue
        low, high = substance.range_um
        if low <= shortest and longest <= high:
            continue
        light = f"{shortest:.3g} µm" if shortest == longest else f"{shortest:.3g}–{longest:.3g} µm"
        if low == high:
            yield Caution(
                f"The index of {name} is known at {low:.3g} µm alone; the same is used for the "
                f"light of {light}."
            )
        else:
            yield Caution(
                f"The index of {name} is known from {low:.3g} to {high:.3g} µm; beyond it, in the "
                f"light of {light}, its law is continued."
            )


def _of_other_light(scene: Scene, number: int) -> Iterator[Caution]:
    population, wavelength = scene.populations[number], scene.microscope.wavelength_um
    material = population.material
    name, index, absorption = material.name, material.index, material.absorption_per_um
    substance = materials.known(name)
    if substance is None or not isinstance(index, float) or not isinstance(absorption, float):
        return
    to_kappa = wavelength / (4 * pi)
    known = substance.numbers(wavelength)
    stated = complex(index, absorption * to_kappa)
    right = complex(known["index"], known.get("absorption_per_um", absorption) * to_kappa)
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

"""Which model scatters the light of each population, and what each model is worth."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, pi
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.exit_wave.first_order import is_first_order
from osog.exit_wave.lorenz_mie.neighbours import neighbour_cautions
from osog.exit_wave.model_errors import (
    facet_error_percent,
    grid_error_percent,
    neighbour_error_percent,
    projection_error_percent,
    slab_error_percent,
    wide_angle_error_percent,
)
from osog.geometry import half_extents

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

MODELS = ("slabs", "projection", "mie", "facets")
TOLERANCE_PERCENT = 2.0
"""Field error up to which ``auto`` is content with slabs."""
MIE_PERCENT = {"fine": 0.1, "standard": 0.4, "draft": 0.7}
"""Field error of one exact sphere in the frame: the edge of the pupil in a finite domain."""
_MOST_SAMPLES = 6e7
"""Spheres × source points × frequencies that ``auto`` spends on exact spheres, about 1 s."""
_LARGE_ERROR = 8.0
"""Per cent of the scattered field from which a caution says that a model does not hold."""


@dataclass(frozen=True)
class ModelChoice:
    """The model of one population.

    Attributes
    ----------
    population : int
        Its position in ``scene.populations``.
    model : str
        One of `MODELS`.
    error_percent : float
        Estimated error of the scattered field inside the pupil, relative L2, against Lorenz-Mie;
        in darkfield that of the irradiance.
    reason : str
        Why this model, in one sentence.
    """

    population: int
    model: str
    error_percent: float
    reason: str


@dataclass(frozen=True)
class PopulationSummary:
    """What the error of a population depends on.

    Attributes
    ----------
    count : int
    delta_index : float
        Largest |n + iκ - n_m|, cores included.
    radius_um : float
        Median of the smallest half extents.
    neighbours : float
        Share of the field of view that the *other* scatterers of the scene cover.
    exact_theory, birefringent : bool
    """

    count: int
    delta_index: float
    radius_um: float
    neighbours: float
    exact_theory: bool
    birefringent: bool


def bodies(scene: Scene, batch: ParticleBatch) -> dict[int, PopulationSummary]:
    """Sum up each population that has particles, by its position in ``scene.populations``."""
    found: dict[int, PopulationSummary] = {}
    with torch.no_grad():
        half = half_extents(batch, torch.arange(len(batch), device=batch.device))
        area = pi * half[:, 0] * half[:, 1]
        inside = batch.delta_index + batch.core_index_step * (batch.core_radius > 0)
        indices = torch.stack((batch.delta_index, inside, batch.delta_index + batch.birefringence))
        absorption = batch.absorption_per_um
        core = absorption + batch.core_absorption_step * (batch.core_radius > 0)
        extinction = torch.maximum(absorption, core)
        extinction = extinction * (scene.microscope.wavelength_um / (4 * pi))
        strength = torch.hypot(indices.abs().amax(0), extinction)
        numbers = torch.stack((half.min(1).values, area, strength, batch.birefringence.abs()))
        radius, area, strength, split = numbers.double().cpu()
        population = batch.population.cpu()
        # Particles of the margin count with their share of the enlarged field.
        (height, width), pixel = scene.grid.shape, scene.grid.pixel_size_um
        margin = max((p.placement.margin_um for p in scene.populations), default=0.0)
        view = (height * pixel + 2 * margin) * (width * pixel + 2 * margin)
        for number in batch.populations:
            mine = population == number
            others = float(area.sum() - area[mine].max())
            found[number] = PopulationSummary(
                count=int(mine.sum()),
                delta_index=float(strength[mine].max()),
                radius_um=float(radius[mine].median()),
                neighbours=others / view,
                exact_theory=scene.populations[number].shape.exact_theory,
                birefringent=float(split[mine].max()) > 0,
            )
    return found


def without_choice(scene: Scene, batch: ParticleBatch) -> tuple[str, ...] | None:
    """Models of the populations where none is for grids to decide; None where one is.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    """
    drawn = set(batch.populations)
    names = _asked(scene, drawn)
    if scene.microscope.emits:
        return names
    mine = (population for k, population in enumerate(scene.populations) if k in drawn)
    undecided = any(p.scattering in ("auto", "mie") and p.shape.exact_theory for p in mine)
    return None if undecided else names


def _asked(scene: Scene, drawn: Container[int]) -> tuple[str, ...]:
    """Models of the populations, of which some have particles, as far as grids have no say."""
    optics = scene.microscope
    usual = "facets" if optics.epi else "slabs"
    flat = () if optics.epi or optics.emits else drawn
    return tuple(
        "projection" if k in flat and population.scattering == "projection" else usual
        for k, population in enumerate(scene.populations)
    )


def scattering_models(
    scene: Scene,
    batch: ParticleBatch,
    plan: SamplingPlan,
    samples_per_sphere: float,
    tolerance_percent: float = TOLERANCE_PERCENT,
) -> tuple[str, ...]:
    """Choose the model of every population, ``slabs`` for those without particles.

    A population keeps the model that its scene names. ``auto`` takes slabs while they are good to
    the tolerance, else exact spheres where that is better and affordable, else slabs all the same.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan
        Its grids say what slabs are worth.
    samples_per_sphere : float
        Frequencies × source points × wavelengths, what one exact sphere costs.
    tolerance_percent : float
        Field error up to which ``auto`` is content with slabs.
    """
    groups = bodies(scene, batch)
    names = list(_asked(scene, groups))
    if scene.microscope.emits:
        return tuple(names)
    for number, group in groups.items():
        wish = scene.populations[number].scattering
        if wish not in ("auto", "mie") or _why_never(scene, group):
            continue
        if scene.microscope.epi:
            if wish == "mie" or group.count * samples_per_sphere <= _MOST_SAMPLES:
                names[number] = "mie"
            continue
        slabs = model_error_percent("slabs", group, scene, plan)
        exact = model_error_percent("mie", group, scene, plan)
        affordable = group.count * samples_per_sphere <= _MOST_SAMPLES
        if wish == "mie" or (slabs > tolerance_percent and exact < slabs and affordable):
            names[number] = "mie"
    return tuple(names)


def scattering_choices(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> list[ModelChoice]:
    """Say what the models of a plan are worth, and why each was taken.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan

    Returns
    -------
    list of ModelChoice
        One for each population with particles; empty where no light is scattered.
    """
    if scene.microscope.emits or len(batch) == 0:
        return []
    found: list[ModelChoice] = []
    for number, group in bodies(scene, batch).items():
        wish = scene.populations[number].scattering
        model = plan.scattering[number] if plan.scattering else "slabs"
        if scene.microscope.epi:
            reason = _epi_reason(scene, group, wish, model)
            error = model_error_percent(model, group, scene, plan)
            found.append(ModelChoice(number, model, error, reason))
            continue
        slabs = model_error_percent("slabs", group, scene, plan)
        exact = model_error_percent("mie", group, scene, plan)
        never = _why_never(scene, group)
        words = f"slabs are {percent(slabs)} % off"
        if model == wish:
            reason = f"the scene asks for {'Lorenz-Mie theory' if wish == 'mie' else wish}"
        elif model == "mie":
            reason = f"{words} (Δn {group.delta_index:.2g})"
        elif slabs <= TOLERANCE_PERCENT:
            reason = f"{words}, within {TOLERANCE_PERCENT:g} %"
        elif never:
            reason = f"{words}; {never}"
        elif exact >= slabs:
            reason = f"{words}; adding the fields of so many is {percent(exact)} % off"
        else:
            reason = f"{words}; {group.count} exact spheres would be slow"
        error = model_error_percent(model, group, scene, plan)
        found.append(ModelChoice(number, model, error, reason))
    return found


def _epi_reason(scene: Scene, group: PopulationSummary, wish: str, model: str) -> str:
    """Why a population sends light back by this model."""
    if model == "mie":
        if wish == model:
            return "the scene asks for Lorenz-Mie theory"
        return "it is exact for what a sphere sends back"
    never = _why_never(scene, group)
    if wish in ("slabs", "projection"):
        return f"the scene asks for {wish}, not for Lorenz-Mie theory"
    return never or f"{group.count} exact spheres would be slow"


def why_not_mie(scene: Scene, batch: ParticleBatch, choice: ModelChoice) -> str:
    """Why Lorenz-Mie theory is out of the question for a population; empty if it is not."""
    return _why_never(scene, bodies(scene, batch)[choice.population])


def _why_never(scene: Scene, group: PopulationSummary) -> str:
    """Why the exact model is out of the question for a population; empty if it is not."""
    if scene.microscope.modality.wave == "jones":
        return "this modality follows light through slabs only"
    if is_first_order(scene):
        return "the weak-object preview adds up slabs to first order"
    if group.birefringent:
        return "Lorenz-Mie theory has no birefringence"
    return "" if group.exact_theory else "Lorenz-Mie theory is for spheres"


def model_error_percent(
    model: str, group: PopulationSummary, scene: Scene, plan: SamplingPlan
) -> float:
    """Error of one model for one population, grids included, in per cent of the field."""
    optics, index = scene.microscope, scene.medium.index
    aperture, in_medium = optics.numerical_aperture, optics.wavelength_um / scene.medium.index
    dn, radius = group.delta_index, group.radius_um
    if model == "mie":
        phase = 4 * pi * dn * radius / optics.wavelength_um
        # Light that comes back has not passed its neighbours.
        shade = 0.0 if optics.epi else neighbour_error_percent(group.neighbours, phase)
        return hypot(MIE_PERCENT[plan.accuracy], shade)
    if model == "facets":
        return facet_error_percent(dn, radius, aperture, in_medium)
    projected = model == "projection"
    formula = projection_error_percent if projected else slab_error_percent
    grid = grid_error_percent(
        dn, radius, max(plan.pitch_um), plan.slab_um, aperture, in_medium, index, projected
    )
    error = hypot(formula(dn, radius, aperture, in_medium), grid)
    steepest = optics.modality.dark_aperture
    if steepest is not None:
        error = hypot(error, wide_angle_error_percent(dn, radius, steepest, in_medium))
    # An error of the size of the field itself does not grow further.
    return error / hypot(1, error / (100 if projected else 130))


def percent(value: float) -> str:
    """Per cent with the digits that an estimate has."""
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when a model loses much, is not the one asked for, or adds up close neighbours."""
    if len(batch) == 0 or scene.microscope.epi or scene.microscope.emits:
        return
    choices = scattering_choices(scene, batch, plan)
    for choice in choices:
        population = scene.populations[choice.population]
        name = population.name
        never = why_not_mie(scene, batch, choice)
        if population.scattering == "mie" and choice.model != "mie":
            yield Caution(
                f"'{name}' asks for Lorenz-Mie theory, but {never}.",
                {f"populations.{name}.scattering": "auto"},
                "Choose automatically",
            )
        elif (
            choice.model in ("slabs", "projection")
            and choice.error_percent > _LARGE_ERROR
            and plan.accuracy != "draft"
        ):
            possible = not never and population.scattering != "auto"
            yield Caution(
                f"The light of '{name}' is about {percent(choice.error_percent)} % off: "
                f"{choice.reason}.",
                {f"populations.{name}.scattering": "mie"} if possible else {},
                "Use Lorenz-Mie theory" if possible else "",
            )
    exact = [choice.population for choice in choices if choice.model == "mie"]
    if exact:
        yield from neighbour_cautions(batch, exact)

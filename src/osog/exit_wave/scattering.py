"""Which model scatters the light of each population, and what each model is worth."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, pi
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.exit_wave.first_order import is_first_order
from osog.exit_wave.spheres import neighbour_cautions
from osog.geometry import half_extents
from osog.scene import Darkfield

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.exit_wave.plan import SamplingPlan
    from osog.sample import ParticleBatch
    from osog.scene import Scene

MODELS = ("slabs", "projection", "mie", "facets")
TOLERANCE_PERCENT = 2.0
"""Field error up to which ``auto`` is content with slabs."""
MIE_PERCENT = {"fine": 0.1, "standard": 0.4, "draft": 0.7}
"""Field error of one exact sphere in the frame: the edge of the pupil in a finite domain."""
_MOST_SAMPLES = 6e7
"""Spheres × source points × frequencies that ``auto`` spends on exact spheres, about 1 s."""
_REFERENCE_WAVELENGTH_UM = 0.55 / 1.33
_SAFE = 1.15
"""The fits of errors are centred; rather say a little too much."""
_LARGE_ERROR = 8.0
"""Per cent of the scattered field from which a caution says that a model does not hold."""


@dataclass(frozen=True)
class Choice:
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
class Bodies:
    """What the error of a population depends on.

    Attributes
    ----------
    count : int
    delta_index : float
        Largest |n - n_m|, cores included.
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


def bodies(scene: Scene, batch: ParticleBatch) -> dict[int, Bodies]:
    """Sum up each population that has particles, by its position in ``scene.populations``."""
    found: dict[int, Bodies] = {}
    with torch.no_grad():
        half = half_extents(batch, torch.arange(len(batch), device=batch.device))
        area = pi * half[:, 0] * half[:, 1]
        inside = batch.delta_index + batch.core_index_step * (batch.core_radius > 0)
        indices = torch.stack((batch.delta_index, inside, batch.delta_index + batch.birefringence))
        strength = indices.abs().amax(0)
        numbers = torch.stack((half.min(1).values, area, strength, batch.birefringence.abs()))
        radius, area, strength, split = numbers.double().cpu()
        population = batch.population.cpu()
        # Particles of the margin count with their share of the enlarged field.
        (height, width), pixel = scene.grid.shape, scene.grid.pixel_size_um
        margin = max((p.placement.margin_um for p in scene.populations), default=0.0)
        view = (height * pixel + 2 * margin) * (width * pixel + 2 * margin)
        for number in population.unique().tolist():
            mine = population == number
            others = float(area.sum() - area[mine].max())
            found[number] = Bodies(
                count=int(mine.sum()),
                delta_index=float(strength[mine].max()),
                radius_um=float(radius[mine].median()),
                neighbours=others / view,
                exact_theory=scene.populations[number].shape.exact_theory,
                birefringent=float(split[mine].max()) > 0,
            )
    return found


def scattering_models(
    scene: Scene, batch: ParticleBatch, plan: SamplingPlan, samples_per_sphere: float
) -> tuple[str, ...]:
    """Choose the model of every population, ``slabs`` for those without particles.

    A population keeps the model that its scene names. ``auto`` takes slabs while they are good to
    2 %, else exact spheres where that is better and affordable, else slabs all the same.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan
        Its grids say what slabs are worth.
    samples_per_sphere : float
        Frequencies × source points × wavelengths, what one exact sphere costs.
    """
    names = ["facets" if scene.microscope.epi else "slabs"] * len(scene.populations)
    if scene.microscope.emits:
        return tuple(names)
    for number, group in bodies(scene, batch).items():
        wish = scene.populations[number].scattering
        if wish == "projection" and not scene.microscope.epi:
            names[number] = wish
        if wish not in ("auto", "mie") or _why_never(scene, group):
            continue
        if scene.microscope.epi:
            if wish == "mie" or group.count * samples_per_sphere <= _MOST_SAMPLES:
                names[number] = "mie"
            continue
        slabs = model_error_percent("slabs", group, scene, plan)
        exact = model_error_percent("mie", group, scene, plan)
        affordable = group.count * samples_per_sphere <= _MOST_SAMPLES
        if wish == "mie" or (slabs > TOLERANCE_PERCENT and exact < slabs and affordable):
            names[number] = "mie"
    return tuple(names)


def scattering_choices(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> list[Choice]:
    """Say what the models of a plan are worth, and why each was taken.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan

    Returns
    -------
    list of Choice
        One for each population with particles; empty where no light is scattered.
    """
    if scene.microscope.emits or len(batch) == 0:
        return []
    found: list[Choice] = []
    for number, group in bodies(scene, batch).items():
        wish = scene.populations[number].scattering
        model = plan.scattering[number] if plan.scattering else "slabs"
        if scene.microscope.epi:
            reason = _epi_reason(scene, group, wish, model)
            error = model_error_percent(model, group, scene, plan)
            found.append(Choice(number, model, error, reason))
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
        found.append(Choice(number, model, error, reason))
    return found


def _epi_reason(scene: Scene, group: Bodies, wish: str, model: str) -> str:
    """Why a population sends light back by this model."""
    if model == "mie":
        if wish == model:
            return "the scene asks for Lorenz-Mie theory"
        return "it is exact for what a sphere sends back"
    never = _why_never(scene, group)
    if wish in ("slabs", "projection"):
        return f"the scene asks for {wish}, not for Lorenz-Mie theory"
    return never or f"{group.count} exact spheres would be slow"


def why_not_mie(scene: Scene, batch: ParticleBatch, choice: Choice) -> str:
    """Why Lorenz-Mie theory is out of the question for a population; empty if it is not."""
    return _why_never(scene, bodies(scene, batch)[choice.population])


def _why_never(scene: Scene, group: Bodies) -> str:
    """Why the exact model is out of the question for a population; empty if it is not."""
    if scene.microscope.modality.wave == "jones":
        return "this modality follows light through slabs only"
    if is_first_order(scene):
        return "the weak-object preview adds up slabs to first order"
    if group.birefringent:
        return "Lorenz-Mie theory has no birefringence"
    return "" if group.exact_theory else "Lorenz-Mie theory is for spheres"


def model_error_percent(model: str, group: Bodies, scene: Scene, plan: SamplingPlan) -> float:
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
    if isinstance(optics.modality, Darkfield):
        steepest = optics.modality.outer_numerical_aperture
        error = hypot(error, wide_angle_error_percent(dn, radius, steepest, in_medium))
    # An error of the size of the field itself does not grow further.
    return error / hypot(1, error / (100 if projected else 130))


def wide_angle_error_percent(
    delta_index: float, radius_um: float, outer_aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of a darkfield picture by slabs, in per cent of its irradiance, against Lorenz–Mie.

    Parameters
    ----------
    delta_index, radius_um, wavelength_in_medium_um
        As for `slab_error_percent`.
    outer_aperture : float
        Outer edge of the annulus of light.

    Notes
    -----
    75 Δn^0.63 R^1.32 NA_out^2.04: a fit to 72 spheres over R 0.3–2.5 µm, Δn 0.02–0.12 and annuli up
    to NA 0.6, 0.95 and 1.2, which scatter around two thirds of it by a factor of 2. A dark field
    holds light of large angles alone, where slabs are worst.
    """
    radius = radius_um * _REFERENCE_WAVELENGTH_UM / wavelength_in_medium_um
    error: float = 75 * delta_index**0.63 * radius**1.32 * outer_aperture**2.04
    return error


def facet_error_percent(
    delta_index: float, radius_um: float, aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of the light that two surfaces send back, for a sphere, against Lorenz–Mie.

    Parameters and result as for `slab_error_percent`.

    Notes
    -----
    100 √[0.025² + (3.2 Δn^0.8 R^0.5 NA^0.8)²]: a fit over NA 0.4–1.2, R 0.1–5 µm and Δn 0.02 and
    0.12, good to a factor of 2. What is lost is the refraction of light that comes back from the
    lower surface through the curved upper one; flat bodies have no such error.
    """
    radius = radius_um * _REFERENCE_WAVELENGTH_UM / wavelength_in_medium_um
    refracted = 3.2 * delta_index**0.8 * radius**0.5 * aperture**0.8
    return 100 * hypot(0.025, refracted)


def neighbour_error_percent(coverage: float, phase: float) -> float:
    """Error of adding the fields of particles that also light each other.

    Parameters
    ----------
    coverage : float
        Share of the field of view that the other particles cover.
    phase : float
        Phase across the middle of one of them in radians.

    Returns
    -------
    float
        Percent of the scattered field inside the pupil.

    Notes
    -----
    50 c^0.64 min(1, φ/0.7)^0.6: a fit to sums against multislice for spheres of 1 µm in ± 10 µm,
    Δn 0.01 and 0.03 and coverages of 0.03 to 0.3, good to a factor of 1.5.
    """
    strength: float = min(1.0, phase / 0.7) ** 0.6
    return 50 * float(coverage**0.64) * strength


def slab_error_percent(
    delta_index: float, radius_um: float, aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of the slab engine's scattered field against Lorenz-Mie, before discretisation.

    Parameters
    ----------
    delta_index : float
        |n - n_m|.
    radius_um : float
        Smallest half extent of the body.
    aperture : float
        Objective NA.
    wavelength_in_medium_um : float
        λ/n_m; the radius is scaled by it.

    Returns
    -------
    float
        Percent of the scattered field inside the pupil (relative L2).

    Notes
    -----
    1.15 √[(0.306 NA^3.35)² + (251 Δn^2.13 R^0.96 NA^2.27)²] with R at λ 0.55 µm in water: with
    `grid_error_percent` a fit to 580 spheres against Lorenz-Mie over NA 0.35-1.25, R 0.25-5 µm, Δn
    0.01-0.25 and heights of ± 20 µm, good to a factor of 1.28 rms; 97 % of the spheres of fine and
    standard grids are within 1.5 times the number, and 93 % of drafts.
    """
    radius = _scaled(radius_um, wavelength_in_medium_um)
    thin = 0.306 * aperture**3.35
    strong = 251 * delta_index**2.13 * radius**0.96 * aperture**2.27
    return _SAFE * hypot(thin, strong)


def projection_error_percent(
    delta_index: float, radius_um: float, aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of the projection model's scattered field against Lorenz-Mie.

    Parameters and result as for `slab_error_percent`.

    Notes
    -----
    1.15 √[(7.7 NA^2.63 R^-0.14)² + (476 Δn^1.58 R^1.12 NA^1.10)²]: a fit over the same range, good
    to a factor of 1.35 rms together with `grid_error_percent`.
    """
    radius = _scaled(radius_um, wavelength_in_medium_um)
    thin = 7.7 * aperture**2.63 * radius**-0.14
    strong = 476 * delta_index**1.58 * radius**1.12 * aperture**1.10
    return _SAFE * hypot(thin, strong)


def grid_error_percent(
    delta_index: float,
    radius_um: float,
    pitch_um: float,
    slab_um: float,
    aperture: float,
    wavelength_in_medium_um: float,
    medium_index: float,
    projected: bool = False,
) -> float:
    """Error that the grids add to the scattered field.

    Parameters
    ----------
    delta_index, radius_um, aperture, wavelength_in_medium_um
        As for `slab_error_percent`.
    pitch_um, slab_um : float
        Pitch of the field grid and spacing of the slabs.
    medium_index : float
    projected : bool
        For the projection model.

    Returns
    -------
    float
        Percent of the scattered field inside the pupil.

    Notes
    -----
    With p in units of λ/n and c = dz NA²/(λ n), in quadrature: pixels that the body's edge is
    drawn with, 30.5 Δn^0.97 R^-0.86 p^0.98; light that the grid cannot bend further, 370 Δn^1.52
    R^0.19 p^1.98; the place of a small body on the grid, 1.96 (p/R)^2.2; the slabs, 8.6 c^3.1
    R^-0.73. For a projection 51.7 Δn^0.77 R^-0.12 p^1.54, 0.77 (p/R)^5.9 and 14.1 c^4.6 R^-1.1.
    """
    radius = _scaled(radius_um, wavelength_in_medium_um)
    pitch, coarse = pitch_um / wavelength_in_medium_um, pitch_um / radius_um
    spacing = slab_um * aperture**2 / (wavelength_in_medium_um * medium_index**2)
    parts: tuple[float, ...]
    if projected:
        parts = (
            51.7 * delta_index**0.77 * radius**-0.12 * pitch**1.54,
            0.77 * coarse**5.9,
            14.1 * spacing**4.6 * radius**-1.1,
        )
    else:
        parts = (
            30.5 * delta_index**0.97 * radius**-0.86 * pitch**0.98,
            370 * delta_index**1.52 * radius**0.19 * pitch**1.98,
            1.96 * coarse**2.2,
            8.6 * spacing**3.1 * radius**-0.73,
        )
    return _SAFE * hypot(*parts)


def _scaled(radius_um: float, wavelength_in_medium_um: float) -> float:
    """Radius of the same body at λ 0.55 µm in water, at least what was measured."""
    return max(radius_um * _REFERENCE_WAVELENGTH_UM / wavelength_in_medium_um, 0.05)


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

"""Which approximation a render uses, what it is worth, and what to change when it does not hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import asin, ceil, cos, degrees, floor, hypot, pi, radians, sin
from typing import TYPE_CHECKING, Any

import torch

from osog.exit_wave.first_order import is_first_order
from osog.exit_wave.illumination import Cone
from osog.exit_wave.sampling.field_nodes import node_step
from osog.exit_wave.scattering import percent, scattering_choices, why_not_mie
from osog.geometry import half_extents
from osog.scene import MODALITY_TITLES, Darkfield, OffAxisHologram

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import ParticleBatch
    from osog.scene import Camera, Scene
    from osog.waves import SamplingPlan

_CLIPPED_SHARE = 0.01
"""Share of saturated pixels that goes without saying."""
_WEAK_PHASE = 0.3
"""Phase in radians above which the weak-object preview is wrong by more than 15 % of contrast."""
_COARSE_FIELD = 0.9
"""Wavefront step in rad rms between the pupils of neighbouring places that dims points by 20 %."""
_LARGE_ERROR = 8.0
"""Per cent of the scattered field from which a caution says that a model does not hold."""
_NEAR = 1.1
"""Distance of two spheres, in sums of their radii, below which they count as touching."""
_SHADED = 0.7
"""The same for the distance across the light, below which one shades the other."""

_STRONG_RETARDANCE = 1.0
"""Retardance in rad from which one wave is more than 12 % wrong for the mean of two."""


@dataclass(frozen=True)
class Caution:
    """A sentence for the user, and the change of the scene that would answer it.

    Attributes
    ----------
    text : str
        What is wrong, with the numbers.
    remedy : dict
        Dotted names and new values; empty when there is no simple one.
    remedy_text : str
        Words for a button.
    """

    text: str
    remedy: dict[str, Any] = field(default_factory=dict)
    remedy_text: str = ""


def field_error_percent(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> float:
    """Estimated field error of a render in percent: the worst population, with its grids.

    Returns
    -------
    float
        0 without particles, and where particles emit instead of scattering.
    """
    choices = scattering_choices(scene, batch, plan)
    return max((choice.error_percent for choice in choices), default=0.0)


def reasons(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> list[str]:
    """Why each population is computed as it is, one sentence each, for a tooltip."""
    titles = {
        "slabs": "phase slabs",
        "projection": "one projected slab",
        "mie": "Lorenz-Mie",
        "facets": "upper and lower facets",
    }
    return [
        f"'{scene.populations[c.population].name}': {titles[c.model]}, since {c.reason}."
        for c in scattering_choices(scene, batch, plan)
    ]


def _models_line(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> str:
    """Name the models with their estimated errors: "Mie ×3, exact to 0.1 %"."""
    choices = scattering_choices(scene, batch, plan)
    parts = []
    through = [c for c in choices if c.model != "mie"]
    if through and scene.microscope.epi:
        error = max(c.error_percent for c in through)
        slope = steepest_slope_deg(scene)
        parts.append(f"facets, slopes < {slope:.0f}°, round bodies ~{percent(error)} %")
    elif through or not choices:
        error = max((c.error_percent for c in through), default=0.0)
        projected = all(c.model == "projection" for c in through)
        name = "projection" if projected and through else "slabs"
        of = "irradiance" if scene.microscope.modality.kind == "darkfield" else "field"
        parts.append(f"{name} ×{plan.slabs}, {of} error ~{percent(error)} %")
    exact = [c for c in choices if c.model == "mie"]
    if exact:
        numbers = torch.tensor([c.population for c in exact], device=batch.device)
        count = int(torch.isin(batch.population, numbers).sum())
        error = max(c.error_percent for c in exact)
        words = "exact to " if error < 1 else "added fields ~"
        parts.append(f"Mie ×{count}, {words}{percent(error)} %")
    return ", ".join(parts)


def steepest_slope_deg(scene: Scene) -> float:
    """Slope of a facet that still sends axial light into the objective: half of its angle."""
    sine = scene.microscope.numerical_aperture / scene.medium.index
    return degrees(asin(min(sine, 1.0))) / 2


def explain_line(
    scene: Scene, batch: ParticleBatch, plan: SamplingPlan, device: str, milliseconds: float
) -> str:
    """One line under the image: what was computed, how well, on what, and how fast."""
    title = MODALITY_TITLES[scene.microscope.modality.kind]
    parts = [title]
    if not scene.microscope.emits:
        points = plan.lights
        light = "coherent" if points == 1 else f"{points} source points"
        parts.append(light)
        if len(batch) and is_first_order(scene):
            error = 50 * peak_phase(scene, batch)
            parts.append(
                f"weak-object preview, contrast error ~{error:.{0 if error > 10 else 1}f} %"
            )
        elif len(batch):
            parts.append(_models_line(scene, batch, plan))
    else:
        parts.append(f"slabs ×{plan.slabs}")
    parts[1:1] = _several(scene, plan)
    noun = "particle" if len(batch) == 1 else "particles"
    parts += [f"{len(batch)} {noun}", f"{device} {milliseconds:.0f} ms"]
    if plan.accuracy == "draft":
        parts.append("preview")
    return " | ".join(parts)


def _several(scene: Scene, plan: SamplingPlan) -> list[str]:
    """Frames, planes and wavelengths, where there are more than one."""
    optics, parts = scene.microscope, []
    if scene.series.frames > 1:
        parts.append(f"{scene.series.frames} frames every {scene.series.interval_s:g} s")
    if isinstance(optics.focus_um, tuple):
        low, high = min(optics.focus_um), max(optics.focus_um)
        noun = "plane" if len(optics.focus_um) == 1 else "planes"
        parts.append(f"{len(optics.focus_um)} {noun} {low:g} to {high:g} µm")
    if optics.spectrum.kind != "monochromatic":
        shortest, longest = (1000 * edge for edge in optics.wavelengths_um)
        noun = "wavelength" if plan.wavelengths == 1 else "wavelengths"
        parts.append(f"{plan.wavelengths} {noun} {shortest:.0f}–{longest:.0f} nm")
    return parts


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> list[Caution]:
    """Everything about this render that a user should know, in words.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan

    Returns
    -------
    list of Caution
        Empty when all is well.
    """
    found: list[Caution] = []
    optics, pixel = scene.microscope, scene.grid.pixel_size_um
    nyquist = optics.wavelength_um / (4 * optics.numerical_aperture)
    if scene.camera is not None and pixel > nyquist * 1.0001:
        nanometres = optics.wavelength_um * 1000
        found.append(
            Caution(
                f"Pixels of {pixel:.3g} µm undersample NA {optics.numerical_aperture:g} at "
                f"{nanometres:.0f} nm (Nyquist {nyquist:.3g} µm); fine detail aliases as it does "
                "in such a camera.",
                {"grid.pixel_size_um": round(nyquist * 0.999, 4)},
                "Use pixels at Nyquist",
            )
        )
    if optics.numerical_aperture > 0.98 * scene.medium.index:
        found.append(
            Caution(
                f"NA {optics.numerical_aperture:g} exceeds the medium's index "
                f"{scene.medium.index:g}: only the waves up to NA {scene.medium.index:g} travel "
                "in the sample.",
                {"microscope.numerical_aperture": round(0.95 * scene.medium.index, 2)},
                "Lower the NA",
            )
        )
    if plan.padding_um < 0.95 * plan.padding_wanted_um:
        found.append(
            Caution(
                f"Light of particles {plan.padding_wanted_um:.0f} µm beyond the border would reach "
                f"the frame, but only {plan.padding_um:.0f} µm of margin fit in memory; rings may "
                "wrap around at the border.",
            )
        )
    found += _direct_light(scene) + _over_the_field(scene, plan)
    if isinstance(optics.modality, OffAxisHologram):
        found += _fringes(scene, optics.modality)
    if len(batch) == 0:
        found.append(Caution("The scene draws no particles; the image is the empty background."))
        return found
    found += _below_cover_glass(scene, batch)
    if optics.epi:
        found += _beyond_coverslip(scene, batch) + _steep(scene, batch, plan)
    elif not optics.emits:
        found += _scattering(scene, batch, plan) + _polars(scene, batch)
    if scene.numerics.partial_coherence == "weak_object":
        found += _weak(scene, batch)
    return found


def _over_the_field(scene: Scene, plan: SamplingPlan) -> list[Caution]:
    """Coarse steps between the pupils of a frame, and what distortion does not reach."""
    found = []
    step = node_step(scene, plan.field_nodes, plan.field_rings)
    if step > _COARSE_FIELD and plan.accuracy != "draft":
        rows, columns = plan.field_nodes
        found.append(
            Caution(
                f"The optics change fast over the frame: {rows} × {columns} places have a pupil of "
                f"their own, {step:.1f} rad rms apart, and sharp points between them are blends."
            )
        )
    if scene.microscope.field_aberrations.distortion_percent != 0:
        found.append(
            Caution("Distortion moves the picture, but not the labels, which are of the object.")
        )
    return found


def _below_cover_glass(scene: Scene, batch: ParticleBatch) -> list[Caution]:
    """Where the plane in focus really lies, and particles inside the glass."""
    optics, glass = scene.microscope, scene.microscope.cover_glass
    if glass is None:
        return []
    found = []
    with torch.no_grad():
        every = torch.arange(len(batch), device=batch.device)
        height = half_extents(batch, every)[:, 2]
        low = float((batch.position[:, 2] - height).min())
        high = float((batch.position[:, 2] + height).max())
    if high > glass.depth_um:
        found.append(
            Caution(
                f"Particles reach up to z = {high:.3g} µm, but the cover glass begins at "
                f"{glass.depth_um:.3g} µm.",
                {"microscope.cover_glass.depth_um": float(f"{high + 0.005:.2f}")},
                "Lower the sample",
            )
        )
    if glass.focus_scale == "object":
        return found
    ratio = scene.medium.index / optics.immersion_index
    field_depth = optics.wavelength_um * scene.medium.index / optics.numerical_aperture**2
    planes = optics.focus_planes_um
    sharp = [glass.depth_um - (glass.depth_um - z) * ratio for z in planes]
    met = max(planes) > low - field_depth and min(planes) < high + field_depth
    missed = max(sharp) < low - field_depth or min(sharp) > high + field_depth
    if met and missed:
        found.append(
            Caution(
                f"Focus counts the travel of the stage: below the cover glass z = {sharp[0]:.3g} "
                f"µm is sharp instead of {planes[0]:.3g} µm, and the particles are not.",
                {"microscope.cover_glass.focus_scale": "object"},
                "Let focus count heights in the sample",
            )
        )
    return found


def _polars(scene: Scene, batch: ParticleBatch) -> list[Caution]:
    """Say when polars have nothing to show, or when light without polars meets strong crystals."""
    kind = scene.microscope.modality.kind
    with torch.no_grad():
        every = torch.arange(len(batch), device=batch.device)
        path = 2 * half_extents(batch, every)[:, 2]
        retardance = 2 * pi / scene.microscope.wavelength_um * batch.birefringence.abs() * path
        number = int(batch.population[retardance.argmax()])
        largest = float(retardance.max())
    name = scene.populations[number].name
    if kind == "polarized" and largest == 0:
        return [
            Caution(
                "No particle is birefringent, so crossed polars show nothing of the sample.",
                {f"populations.{name}.material.birefringence": 0.01},
                f"Make '{name}' birefringent",
            )
        ]
    if kind != "polarized" and largest > _STRONG_RETARDANCE:
        return [
            Caution(
                f"'{name}' is a strong crystal (retardance up to {largest:.1f} rad): without "
                "polars it is drawn with the mean of both indices, not as two waves."
            )
        ]
    return []


def _beyond_coverslip(scene: Scene, batch: ParticleBatch) -> list[Caution]:
    """Say when particles of a reflected-light scene reach into the coverslip."""
    modality = scene.microscope.modality
    height = float(getattr(modality, "interface_um", 0.0))
    with torch.no_grad():
        every = torch.arange(len(batch), device=batch.device)
        top = batch.position[:, 2] + half_extents(batch, every)[:, 2]
        inside, highest = int((top > height + 1e-6).sum()), float(top.max())
    if not inside:
        return []
    # Rounded up, so that the remedy clears the particle.
    wanted = ceil(highest * 1000) / 1000
    noun = "particle reaches" if inside == 1 else "particles reach"
    return [
        Caution(
            f"{inside} {noun} into the coverslip, whose surface lies at {height:g} µm; the "
            f"highest ends at {highest:.3g} µm. They are drawn as if the medium went on there.",
            {"microscope.modality.interface_um": wanted},
            "Lift the coverslip",
        )
    ]


def _steep(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> list[Caution]:
    """Say when facets are too small to stand for a body of high index."""
    numbers = [i for i, model in enumerate(plan.scattering) if model == "facets"]
    if not numbers:
        return []
    with torch.no_grad():
        drawn = torch.tensor(numbers, dtype=torch.int64, device=batch.device)
        mine = torch.isin(batch.population, drawn)
        if not bool(mine.any()):
            return []
        index = torch.nonzero(mine).flatten()
        width = 2 * half_extents(batch, index)[:, :2].min(1).values
        phase = 4 * pi * batch.delta_index[index].abs() / scene.microscope.wavelength_um
        phase = phase * half_extents(batch, index)[:, 2]
        wavelength = scene.microscope.wavelength_um / scene.medium.index
        small = int(((width < 2 * wavelength) & (phase > 0.5)).sum())
    if not small:
        return []
    noun = "body is" if small == 1 else "bodies are"
    return [
        Caution(
            f"{small} {noun} less than two wavelengths wide ({2 * wavelength:.2g} µm) and of high "
            "index: facets stand for large surfaces or weak bodies only."
        )
    ]


def peak_phase(scene: Scene, batch: ParticleBatch) -> float:
    """Largest phase of a single particle seen along the axis, in radians."""
    with torch.no_grad():
        every = torch.arange(len(batch), device=batch.device)
        paths = batch.delta_index.abs() * 2 * half_extents(batch, every)[:, 2]
        return 2 * pi / scene.microscope.wavelength_um * float(paths.max())


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


def _direct_light(scene: Scene) -> list[Caution]:
    """Say when direct light spoils a darkfield, or when there is none where it is the unit."""
    optics = scene.microscope
    aperture = optics.numerical_aperture
    if isinstance(optics.modality, Darkfield):
        inner = optics.modality.inner_numerical_aperture
        if inner >= aperture:
            return []
        return [
            Caution(
                f"The annulus of light begins at NA {inner:g}, inside the objective's NA "
                f"{aperture:g}: direct light enters and the background is not dark.",
                {"microscope.numerical_aperture": round(0.95 * inner, 3)} if inner > 0.03 else {},
                "Close the objective's aperture" if inner > 0.03 else "",
            )
        ]
    cone = Cone.of(scene)
    shift = hypot(cone.shift_x, cone.shift_y)
    if max(shift - cone.outer, cone.hole * cone.outer - shift) <= aperture:
        return []
    return [
        Caution(
            f"All the light falls in from outside the objective's NA {aperture:g}: the image is a "
            "darkfield, and its values are relative to the incident light.",
            {"microscope.oblique_numerical_aperture": 0.0, "microscope.condenser_stop": 0.0},
            "Centre the light",
        )
    ]


def _fringes(scene: Scene, modality: OffAxisHologram) -> list[Caution]:
    """Say when the orders of an off-axis hologram overlap, or pixels miss the fringes."""
    optics, carrier, found = scene.microscope, modality.carrier_per_um, []
    limit = optics.numerical_aperture / optics.wavelength_um
    if carrier < 3 * limit:
        enough = ceil(30 * limit) / 10
        found.append(
            Caution(
                f"A carrier of {carrier:g} fringes per µm is below 3 NA/λ = {3 * limit:.3g}: the "
                "orders overlap, and the field cannot be recovered without error.",
                {"microscope.modality.carrier_per_um": enough},
                f"Use {enough:g} fringes per µm",
            )
        )
    pixel, azimuth = scene.grid.pixel_size_um, radians(modality.carrier_azimuth_deg)
    widest = 0.5 / (carrier * max(abs(cos(azimuth)), abs(sin(azimuth))) + limit)
    if pixel > widest * 1.0001:
        found.append(
            Caution(
                f"Pixels of {pixel:.3g} µm undersample the fringes with their sidebands (at most "
                f"{widest:.3g} µm): the hologram aliases, as it does in such a camera.",
                {"grid.pixel_size_um": floor(1e4 * widest) / 1e4},
                "Use finer pixels",
            )
        )
    return found


def _weak(scene: Scene, batch: ParticleBatch) -> list[Caution]:
    """Say when the weak-object preview is asked for where it does not hold."""
    kind, remedy = scene.microscope.modality.kind, {"numerics.partial_coherence": "abbe"}
    if not is_first_order(scene):
        if kind not in ("darkfield", "polarized"):
            return []
        return [
            Caution(
                f"{MODALITY_TITLES[kind]} has no weak-object preview, since its contrast is of "
                "second order; Abbe's sum is used.",
                remedy,
                "Use Abbe's sum",
            )
        ]
    found = []
    if scene.microscope.pupil.vectorial:
        found.append(
            Caution(
                "The weak-object preview is scalar; the vectorial pupil does not act in it.",
                remedy,
                "Use Abbe's sum",
            )
        )
    phase = peak_phase(scene, batch)
    if phase > _WEAK_PHASE:
        found.append(
            Caution(
                f"The weak-object preview holds up to {_WEAK_PHASE:g} rad, but particles shift the "
                f"light by up to {phase:.2g} rad.",
                remedy,
                "Use Abbe's sum",
            )
        )
    return found


def _scattering(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> list[Caution]:
    """Say when a model of scattering loses much, is not the one asked for, or adds neighbours."""
    found = []
    choices = scattering_choices(scene, batch, plan)
    for choice in choices:
        population = scene.populations[choice.population]
        name = population.name
        never = why_not_mie(scene, batch, choice)
        if population.scattering == "mie" and choice.model != "mie":
            found.append(
                Caution(
                    f"'{name}' asks for Lorenz-Mie theory, but {never}.",
                    {f"populations.{name}.scattering": "auto"},
                    "Choose automatically",
                )
            )
        elif (
            choice.model in ("slabs", "projection")
            and choice.error_percent > _LARGE_ERROR
            and plan.accuracy != "draft"
        ):
            possible = not never and population.scattering != "auto"
            found.append(
                Caution(
                    f"The light of '{name}' is about {percent(choice.error_percent)} % off: "
                    f"{choice.reason}.",
                    {f"populations.{name}.scattering": "mie"} if possible else {},
                    "Use Lorenz-Mie theory" if possible else "",
                )
            )
    exact = [choice.population for choice in choices if choice.model == "mie"]
    return found + (_close_spheres(batch, exact) if exact else [])


def _close_spheres(batch: ParticleBatch, exact: list[int]) -> list[Caution]:
    """Say how many exact spheres touch a neighbour, lie in its shadow, or overlap with it."""
    with torch.no_grad():
        numbers = torch.tensor(exact, dtype=torch.int64, device=batch.device)
        mine = torch.nonzero(torch.isin(batch.population, numbers)).flatten()
        radius = half_extents(batch, torch.arange(len(batch), device=batch.device)).max(1).values
        place = batch.position
        close = shaded = overlapping = 0
        # In parts, so that thousands of particles need no square table.
        for part in mine.split(512):
            reach = radius[part][:, None] + radius
            distance, across = (
                torch.cdist(place[part], place),
                torch.cdist(place[part, :2], place[:, :2]),
            )
            itself = torch.arange(len(part), device=batch.device), part
            distance[itself], across[itself] = float("inf"), float("inf")
            close += int((distance < _NEAR * reach).any(1).sum())
            shaded += int((across < _SHADED * reach).any(1).sum())
            overlapping += int((distance < 0.999 * reach).any(1).sum())
    found = []
    if close:
        noun = "exact sphere touches" if close == 1 else "exact spheres touch"
        words = f"{close} {noun} a neighbour or nearly: their fields are added, some 3 % off"
        if overlapping:
            words += f", and {overlapping} overlap, which no sum of spheres describes"
        found.append(Caution(words + "."))
    if shaded:
        noun = "exact sphere lies" if shaded == 1 else "exact spheres lie"
        found.append(
            Caution(
                f"{shaded} {noun} before or behind another body: what passes from one to the other "
                "is left out, some 20 % of their light."
            )
        )
    return found

"""Which approximation a render uses, what it is worth, and what to change when it does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.exit_wave.birefringence import cautions as strong_crystals
from osog.exit_wave.facets import cautions as small_facets
from osog.exit_wave.facets import steepest_slope_deg
from osog.exit_wave.first_order import cautions as weak_preview
from osog.exit_wave.first_order import is_first_order, peak_phase
from osog.exit_wave.illumination import cautions as direct_light
from osog.exit_wave.material_cautions import cautions as named_materials
from osog.exit_wave.sampling.domain import cautions as narrow_margin
from osog.exit_wave.sampling.memory_caution import cautions as much_memory
from osog.exit_wave.sampling.source_error import cautions as few_source_points
from osog.exit_wave.sampling.source_error import source_error_percent
from osog.exit_wave.scattering import cautions as scattering_models
from osog.exit_wave.scattering import percent, scattering_choices
from osog.exit_wave.volume_errors import cautions as voxels
from osog.exit_wave.volume_errors import voxel_words
from osog.optics import modality_cautions
from osog.optics.cover_glass import cautions as below_cover_glass
from osog.optics.distortion import cautions as unmoved_labels
from osog.optics.field_dependence import cautions as coarse_field
from osog.optics.pupil import cautions as wide_aperture
from osog.sample.draw import cautions as empty_scene
from osog.sensor.pixels import cautions as undersampled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from osog.cautions import Caution
    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves import SamplingPlan

    Check = Callable[[Scene, ParticleBatch, SamplingPlan], Iterable[Caution]]

CHECKS: tuple[Check, ...] = (
    undersampled,
    wide_aperture,
    narrow_margin,
    much_memory,
    few_source_points,
    direct_light,
    modality_cautions,
    coarse_field,
    unmoved_labels,
    empty_scene,
    below_cover_glass,
    small_facets,
    scattering_models,
    named_materials,
    strong_crystals,
    weak_preview,
    voxels,
)
"""What each part of the physics says about a render, in the order in which it is read."""


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
        # Light from an annulus leaves no direct wave whose field could be the measure.
        of = "irradiance" if scene.microscope.modality.light == "annulus" else "field"
        parts.append(f"{name} ×{plan.slabs}, {of} error ~{percent(error)} %")
    exact = [c for c in choices if c.model == "mie"]
    if exact:
        numbers = torch.tensor([c.population for c in exact], device=batch.device)
        count = int(torch.isin(batch.population, numbers).sum())
        error = max(c.error_percent for c in exact)
        words = "exact to " if error < 1 else "added fields ~"
        parts.append(f"Mie ×{count}, {words}{percent(error)} %")
    return ", ".join(parts)


def _light_line(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> str:
    """Directions of the light: "24 exit waves for 1740 source points, contrast error ~3 %"."""
    waves = plan.lights
    if waves == 1:
        return "coherent"
    shown = sum(plan.interference_rings)
    words = f"{waves} exit waves for {shown} source points" if shown else f"{waves} source points"
    error = source_error_percent(scene, batch, plan)
    return f"{words}, contrast error ~{percent(error)} %" if error >= 1 else words


def explain_line(
    scene: Scene, batch: ParticleBatch, plan: SamplingPlan, device: str, milliseconds: float
) -> str:
    """One line under the image: what was computed, how well, on what, and how fast."""
    parts = [scene.microscope.modality.title]
    if not scene.microscope.emits:
        parts.append(_light_line(scene, batch, plan))
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
    of_voxels = voxel_words(scene, batch)
    if of_voxels is not None:
        parts.append(of_voxels)
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
    if not optics.spectrum.monochromatic:
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
    return [caution for check in CHECKS for caution in check(scene, batch, plan)]

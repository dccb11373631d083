"""The plan of one render: every rule of this package, in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.exit_wave.sampling.accuracy import (
    FINE,
    STANDARD,
    accuracy_named,
    affords_fine,
    sphere_samples,
)
from osog.exit_wave.sampling.band import field_band, planned_aperture
from osog.exit_wave.sampling.domain import domain, refuse_dense_fringes
from osog.exit_wave.sampling.field_nodes import node_counts
from osog.exit_wave.sampling.grid_request import GridRequest, SceneFacts, followed
from osog.exit_wave.sampling.margin import MARGIN
from osog.exit_wave.sampling.memory import refuse_too_large
from osog.exit_wave.sampling.pitch import PITCH, exact_pitch, grid_shape
from osog.exit_wave.sampling.slab_spacing import SLAB_SPACING, near_um, slab_numbers
from osog.exit_wave.sampling.source_count import source
from osog.exit_wave.sampling.spectral_sample_count import spectral_sample_count
from osog.exit_wave.scattering import TOLERANCE_PERCENT, scattering_models, without_choice
from osog.waves.pupil_edge import RAISED_COSINE, SHARP
from osog.waves.sampling_plan import SamplingPlan

if TYPE_CHECKING:
    from osog.sample import ParticleBatch
    from osog.scene import Scene


def plan_sampling(
    scene: Scene, batch: ParticleBatch, *, accuracy: str | None = None
) -> SamplingPlan:
    """Choose the grids for a scene and its particles.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
        Its positions and sizes say how far light spreads and where slabs are needed.
    accuracy : str, optional
        Overrides ``scene.numerics.accuracy``.

    Returns
    -------
    SamplingPlan

    Raises
    ------
    SceneError
        If the accuracy has no such name, or the memory is too small for the image or its fringes.
    """
    plan = _chosen(scene, batch, accuracy)
    refuse_too_large(scene, batch, plan)
    return plan


def _chosen(scene: Scene, batch: ParticleBatch, accuracy: str | None) -> SamplingPlan:
    """Plan of the accuracy that is asked for, or that can be afforded."""
    facts = SceneFacts(scene, batch)
    asked = accuracy_named(accuracy or scene.numerics.accuracy)
    refuse_dense_fringes(facts)
    models = without_choice(scene, batch)
    if models is None:
        # The model depends on the scene alone: a draft shows what the image at rest will show.
        rest, best = planned(GridRequest(facts, STANDARD)), planned(GridRequest(facts, FINE))
        models = scattering_models(scene, batch, best, sphere_samples(rest))
    if asked is not None:
        hurried = asked.draft and accuracy != scene.numerics.accuracy and accuracy is not None
        return planned(GridRequest(facts, asked, models, hurried=hurried))
    exact = len(batch) if facts.all_exact(models) else 0
    for resolve in (True, False):
        plan = planned(GridRequest(facts, FINE, models, resolve))
        if affords_fine(plan, exact):
            return plan
    return planned(GridRequest(facts, STANDARD, models))


def models_near(scene: Scene, batch: ParticleBatch, factor: float) -> list[tuple[str, ...]]:
    """Models of scattering of the populations: those that are chosen, then those nearly chosen.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    factor : float
        Above 1: others are what a tolerance smaller or larger by this factor would have chosen.

    Returns
    -------
    list of tuple of str
        Each as `SamplingPlan.scattering`.
    """
    facts = SceneFacts(scene, batch)
    rest, best = planned(GridRequest(facts, STANDARD)), planned(GridRequest(facts, FINE))
    samples = sphere_samples(rest)
    found = [
        scattering_models(scene, batch, best, samples, TOLERANCE_PERCENT * share)
        for share in (1.0, 1 / factor, factor)
    ]
    return list(dict.fromkeys(found))


def planned(request: GridRequest) -> SamplingPlan:
    """Follow every rule.

    Parameters
    ----------
    request : GridRequest

    Returns
    -------
    SamplingPlan
    """
    facts, grid = request.facts, request.facts.scene.grid
    wanted = followed(MARGIN, request)
    area = domain(request, wanted)
    extent = [number * grid.pixel_size_um for number in area.size_px]
    aperture = planned_aperture(request, extent)
    band = field_band(request, aperture)
    pitch = exact_pitch(request, band) if request.exact else followed(PITCH, request)
    slab = followed(SLAB_SPACING, request)
    first, slabs = slab_numbers(request, slab)
    wavelengths = spectral_sample_count(request)
    shape = grid_shape(extent, pitch)
    fine = area.size_px[0] * area.size_px[1] * facts.oversampling**2
    planes = len(facts.scene.microscope.focus_planes_um)
    light = source(request, shape[0] * shape[1] * slabs * wavelengths, fine * wavelengths * planes)
    images = max(light.points, 1) * wavelengths
    nodes, rings = node_counts(facts.scene, request.accuracy.name, images)
    return SamplingPlan(
        frame_shape=grid.shape,
        pixel_size_um=grid.pixel_size_um,
        pad_px=area.before_px,
        domain_px=area.size_px,
        grid_shape=shape,
        oversampling=facts.oversampling,
        slab_um=slab,
        first_slab=first,
        slabs=slabs,
        band=band,
        aperture=aperture,
        source_points=light.points,
        source_rings=light.rings,
        outer_rings=light.outer_rings,
        interference_rings=light.interference_rings,
        scatter_rings=light.scatter_rings,
        middle_um=slab * (first + (slabs - 1) // 2),
        accuracy=request.accuracy.name,
        padding_wanted_um=wanted,
        padding_um=area.margin_um,
        wavelengths=wavelengths,
        scattering=request.models,
        edge_steps=SHARP if request.sharp else RAISED_COSINE,
        field_nodes=nodes,
        field_rings=rings,
        near_um=near_um(request),
    )


__all__ = ["models_near", "plan_sampling", "planned"]

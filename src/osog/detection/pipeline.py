"""Detection from the checks of its input to the particles: templates, correlation, peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.detection.axes import template_axes
from osog.detection.peaks import BestTemplates, best_templates, peaks
from osog.fitting.errors import FitError
from osog.fitting.problem.inputs import checked_image
from osog.fitting.starts.binning import binned, binning
from osog.fitting.starts.extents import half_extents
from osog.fitting.starts.template_matching import (
    brightness_matched,
    contrast,
    parabola_top,
    rendered_templates,
    template_size,
)
from osog.scene import Particle

if TYPE_CHECKING:
    from osog.scene import Population, Scene

# Defocus in µm up to which a template holds the whole cone of light.
_WHOLE_CONE_UM = 3.0


def detect(
    image: Any,
    scene: Scene,
    *,
    population: str | None = None,
    depth_range_um: float = 3.0,
    most: int = 1000,
    mask: Any = None,
    device: str = "cpu",
) -> tuple[Particle, ...]:
    """Find particles by matched templates and non-maximum suppression.

    Templates of the population's shape run over depth, size, index and azimuth (over the support
    of a distribution where the scene gives one, around the number where it gives a number); every
    place at which one of them explains clearly more than noise, and most within one particle's
    width, is a particle.

    Parameters
    ----------
    image : array_like, shape (Y, X)
        Counts, irradiance or phase, as the scene's modality and camera say. Pixels that a masked
        array hides are left out.
    scene : Scene
        Optics, and the population to look for.
    population : str, optional
        Its name; the first visible one when left out.
    depth_range_um : float
        How far from the plane in focus to look, where the scene gives no distribution of depth.
    most : int
        Largest number of particles.
    mask : array_like of bool, shape (Y, X), optional
        True where a pixel counts.
    device : str

    Returns
    -------
    tuple of Particle
        Clearest first, each with position, depth, index, radius and azimuth as far as its shape
        has them.

    Raises
    ------
    FitError
        If the image does not fit the scene, or the scene has no population to look for.
    """
    checked = checked_image(image, scene, mask)
    looked_for = _population(scene, population)
    axes = template_axes(scene, looked_for, depth_range_um)
    halves = half_extents(looked_for)
    smallest = min(axes.radii) if axes.radii else min(halves)
    factor = binning(scene, smallest, checked.values.shape)
    small, used = binned(checked.values, factor, checked.counted)
    pixel = scene.grid.pixel_size_um * factor
    grid = scene.grid.model_copy(update={"pixel_size_um": pixel, "shape": small.shape})
    coarse = scene.model_copy(update={"grid": grid})
    deepest = min(max(abs(d) for d in axes.defocuses), _WHOLE_CONE_UM)
    size = template_size(coarse, max(halves), deepest, pixel, (small.shape[0], small.shape[1]))
    templates = rendered_templates(coarse, looked_for, axes, size, device=device)
    modality = scene.microscope.modality
    unknown = modality.backdrop == "dark" or (modality.measures_phase and checked.grey_levels)
    cut = brightness_matched(
        contrast(small, modality.backdrop, used), templates, unknown_scale=unknown
    )
    best = best_templates(cut, templates, size, used, unknown_scale=unknown)
    places = peaks(best, cut, max(2.0, smallest / pixel), most)
    return tuple(
        _particle(scene, looked_for, best, place, factor, indexed=not unknown) for place in places
    )


def _population(scene: Scene, name: str | None) -> Population:
    visible = [p for p in scene.populations if p.visible]
    named = visible if name is None else [p for p in scene.populations if p.name == name]
    if not named:
        known = ", ".join(p.name for p in scene.populations) or "none"
        raise FitError(
            f"population = {name!r}: the scene has no such population to look for; it has {known}."
        )
    return named[0]


def _particle(
    scene: Scene,
    population: Population,
    best: BestTemplates,
    place: tuple[int, int],
    factor: int,
    *,
    indexed: bool,
) -> Particle:
    """Particle that the best template shows at a pixel of the binned image."""
    row, column = place
    template = best.template(row, column)
    amplitude = float(best.amplitude[row, column])
    pixel, medium = scene.grid.pixel_size_um, scene.medium.index
    shift = (factor - 1) / 2
    dy = parabola_top(best.chi2_reduction[:, column], row)
    dx = parabola_top(best.chi2_reduction[row], column)
    own: dict[str, Any] = {}
    if np.isfinite(template.radius):
        own["radius_um"] = template.radius
    if indexed:
        own["index"] = float(np.clip(medium + amplitude * (template.index - medium), 1.0, 4.0))
    if not population.shape.isotropic:
        own["orientation_deg"] = (template.azimuth, 0.0, 0.0)
    return Particle(
        x_um=(factor * (column + dx) + shift) * pixel,
        y_um=(factor * (row + dy) + shift) * pixel,
        z_um=scene.microscope.focus_planes_um[0] - template.defocus,
        **own,
    )

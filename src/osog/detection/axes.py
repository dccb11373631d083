"""What the templates of a detection run over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting.problem.depth_of_field import depth_of_field_um
from osog.fitting.starts.initial_guess import directions
from osog.fitting.starts.template_matching import TemplateAxes, geometric
from osog.scene import Distribution

if TYPE_CHECKING:
    from osog.scene import Population, Scene


def template_axes(scene: Scene, population: Population, depth_range_um: float) -> TemplateAxes:
    """Cover what the particles of a population may be.

    Parameters
    ----------
    scene : Scene
    population : Population
        Its distributions are covered over their support, its numbers with some room.
    depth_range_um : float
        Room around depths that are numbers.
    """
    shape, particles = population.shape, population.particles or ()
    radii: list[float] = []
    if shape.size_fields() == ("radius_um",):
        radii = _radii(dict(shape)["radius_um"], [p.radius_um for p in particles])
    azimuths = (0.0,) if shape.isotropic else directions()
    return TemplateAxes(
        _defocuses(scene, population, depth_range_um), radii, _indices(scene, population), azimuths
    )


def _defocuses(scene: Scene, population: Population, depth_range_um: float) -> list[float]:
    focus = scene.microscope.focus_planes_um[0]
    depth = population.placement.z_um
    if population.particles:
        depths = [p.z_um for p in population.particles]
        low, high = focus - max(depths) - depth_range_um, focus - min(depths) + depth_range_um
    elif isinstance(depth, Distribution):
        low, high = focus - depth.support[1], focus - depth.support[0]
    else:
        low, high = focus - float(depth) - depth_range_um, focus - float(depth) + depth_range_um
    step = 0.5 * depth_of_field_um(scene)
    count = int(np.clip(np.ceil((high - low) / step) + 1, 3, 17))
    return [float(d) for d in np.linspace(low, high, count)]


def _indices(scene: Scene, population: Population) -> list[float]:
    medium, index = scene.medium.index, population.material.index
    support = [p.index for p in population.particles or () if p.index is not None]
    if not support and not isinstance(index, Distribution):
        return [float(index)]
    support += list(index.support) if isinstance(index, Distribution) else [float(index)]
    indices = sorted({min(support), 0.5 * (min(support) + max(support)), max(support)})
    # The amplitude covers the rest; an index equal to the medium shows nothing.
    return [n for n in indices if abs(n - medium) > 1e-4] or [medium + 0.02]


def _radii(quantity: Any, own: list[float | None]) -> list[float]:
    given = [v for v in own if v is not None]
    if isinstance(quantity, Distribution):
        low, high = quantity.support
        given += [max(low, 1e-3), high]
        return geometric(min(given), max(given), 1.35, 5)
    given.append(float(quantity))
    return geometric(min(given) / 1.4, max(given) * 1.4, 1.4, 5)

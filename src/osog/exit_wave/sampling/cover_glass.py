"""How far light goes astray below a cover glass that the objective was not made for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.exit_wave.sampling.steps import step_up
from osog.waves.evanescence import STEEPEST

if TYPE_CHECKING:
    from osog.scene import Scene


def cover_glass_um(scene: Scene, aperture: float, focus_um: float) -> float:
    """Sideways error of the marginal ray by cover glass and depth, in steps of a factor 1.25.

    d (t_s − r t_i) + Δt (t_g − (n_i/n_g) t_i), with t = NA/√(n² − NA²) the slope of the marginal
    ray in the medium, the immersion and the glass, d the depth of the plane in focus, Δt the excess
    of the glass and r as in `osog.optics.cover_glass`.

    Parameters
    ----------
    scene : Scene
    aperture : float
        NA of light that can travel in the medium.
    focus_um : float
    """
    glass = scene.microscope.cover_glass
    if glass is None:
        return 0.0
    medium, immersion = scene.medium.index, scene.microscope.immersion_index
    aperture = min(aperture, STEEPEST * min(medium, immersion, glass.index))
    slopes = [aperture / (n**2 - aperture**2) ** 0.5 for n in (medium, immersion, glass.index)]
    scale = 1.0 if glass.focus_scale == "stage" else immersion / medium
    away = (glass.depth_um - focus_um) * (slopes[0] - scale * slopes[1])
    excess = glass.thickness_um - glass.design_thickness_um
    away += excess * (slopes[2] - immersion / glass.index * slopes[1])
    return step_up(abs(away), 1.25) if away else 0.0


__all__ = ["cover_glass_um"]

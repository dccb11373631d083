"""What too few directions of light are worth, in words and in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.exit_wave.sampling.grid_request import SceneFacts
from osog.exit_wave.sampling.source_count import directions, exit_waves, wanted_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_WORTH_SAYING = 5.0
"""Per cent of the contrast from which a caution names the number of points that it takes."""
_MOST_NAMED = 100_000
"""Largest number that ``source_points`` takes."""


@dataclass(frozen=True)
class LightInUse:
    """How the directions of the light of a render are represented.

    Attributes
    ----------
    exit_waves : int
        Directions that were followed through the sample; 1 for one plane wave.
    source_points : int
        Directions that the image is made of; more where exit waves are interpolated.
    wanted : int
        Directions that it needs.
    error_percent : float
        What having fewer is worth, as `source_error_percent` gives it.
    """

    exit_waves: int
    source_points: int
    wanted: int
    error_percent: float


def light_in_use(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> LightInUse | None:
    """Sum up the light of a render; None where particles emit.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan
    """
    if scene.microscope.emits:
        return None
    shown = max(plan.lights, sum(plan.interference_rings))
    wanted = wanted_points(SceneFacts(scene, batch))
    return LightInUse(plan.lights, shown, wanted, source_error_percent(scene, batch, plan))


def source_error_percent(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> float:
    """Error of the contrast from the number of directions that stand for the light.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan

    Returns
    -------
    float
        Per cent of the rms contrast of the particles; 0 for one plane wave, and for light that
        comes back, of which it is not known.

    Notes
    -----
    With q = N/n, n the directions that a particle needs at its distance from the focus, at least
    12: 40 S/(q (1 + q/0.22)) for a disc with S = NA_c/NA, 20/(q (1 + q/0.5)) for an annulus, a
    half of it behind a phase plate. Fits to spheres of 0.5 µm at NA 0.8, S 0.3–0.9 and distances
    of 0–15 µm against sums of thousands of directions, good to a factor of 1.5. Particles count
    with the square of their contrast, 1/(1 + Φ^1.3). Interpolated exit waves leave the scattered
    light of several particles, 2.2 q^-1.15 √(m/34) with q = N/n and m particles in the defocused
    cone of one: fits to 30 and 100 spheres.
    """
    facts = SceneFacts(scene, batch)
    if facts.cone.outer == 0 or len(batch) == 0 or not facts.interpolates:
        return 0.0
    if plan.interference_rings:
        return max(_fringes(facts, plan), _interpolation(facts, plan))
    return _undersampling(facts, plan)


def _undersampling(facts: SceneFacts, plan: SamplingPlan) -> float:
    """Error of a plain sum over the exit waves, with every particle at its own distance."""
    optics, cone = facts.scene.microscope, facts.cone
    light = optics.modality.light
    with torch.no_grad():
        heights = facts.batch.position[:, 2].double().cpu()
    worst = 0.0
    points = sum(plan.source_rings)
    for plane in (min(optics.focus_planes_um), max(optics.focus_planes_um)):
        # A hundred heights say as much as all of them.
        error = contrast = 0.0
        for distance in (heights - plane).abs().sort().values[:: max(len(heights) // 100, 1)]:
            phase_range = facts.phase_range(float(distance))
            q = points / max(directions(phase_range, cone), 12.0)
            if cone.hole > 0:
                part = (10 if light == "ring" else 20) / (q * (1 + q / 0.5))
            else:
                part = 40 * min(cone.outer / facts.acting, 1.0) / (q * (1 + q / 0.22))
            weight = 1 / (1 + phase_range**1.3)
            error, contrast = error + (part * weight) ** 2, contrast + weight**2
        worst = max(worst, sqrt(error / contrast))
    return worst


def _fringes(facts: SceneFacts, plan: SamplingPlan) -> float:
    """Speckle of the light that several particles scatter together."""
    if facts.lonely:
        return 0.0
    points = sum(plan.scatter_rings or plan.source_rings)
    height, width = plan.extent_um
    cone = pi * (facts.defocus_um * facts.tangent) ** 2
    together = len(facts.batch) * min(cone / (height * width), 1.0)
    share: float = points / wanted_points(facts)
    rough: float = share**-1.15
    return 2.2 * rough * sqrt(together / 34)


def _interpolation(facts: SceneFacts, plan: SamplingPlan) -> float:
    """What is lost between fewer exit waves than the depth of the sample wants."""
    points = sum(plan.source_rings)
    missing = exit_waves(facts) / points - 1
    return 1.5 * missing if missing > 0.3 else 0.0


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when the light would need more directions than it got."""
    if plan.accuracy == "draft":
        return
    error = source_error_percent(scene, batch, plan)
    if error < _WORTH_SAYING:
        return
    facts = SceneFacts(scene, batch)
    wanted = wanted_points(facts)
    used = max(plan.lights, sum(plan.scatter_rings))
    yield Caution(
        f"{used} points stand for the light, but particles up to {facts.defocus_um:.3g} µm out of "
        f"focus need about {wanted}: contrasts are off by about {error:.0f} %.",
        {"microscope.source_points": wanted} if wanted <= _MOST_NAMED else {},
        f"Take {wanted} points (slow)" if wanted <= _MOST_NAMED else "",
    )


__all__ = ["LightInUse", "cautions", "light_in_use", "source_error_percent"]

"""The three accuracies, and how one of them is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from osog.scene import SceneError

if TYPE_CHECKING:
    from osog.waves.sampling_plan import SamplingPlan


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """What one accuracy asks for.

    Attributes
    ----------
    name : str
    pitch : float
        Pitch of the field grid in units of λ/NA.
    slab : float
        Slab spacing in units of λn/NA².
    source_points : int
        Most points that stand for a condenser.
    cone : float
        Padding in units of |z| tan α.
    broad, line, most : int
        Wavelengths for the shape of a broad spectrum, for that of one line, and at most.
    per_fringe : int
        Further wavelengths for every fringe that a spectrum blurs.
    spots : float
        Distance from the focus up to which a confocal image needs every slab, in depths of its
        spot.
    """

    name: str
    pitch: float
    slab: float
    source_points: int
    cone: float
    broad: int
    line: int
    most: int
    per_fringe: int
    spots: float

    @property
    def draft(self) -> bool:
        """Whether it is the coarsest, for pictures while a hand moves."""
        return self is DRAFT

    @property
    def fine(self) -> bool:
        """Whether it is the best."""
        return self is FINE


DRAFT = Accuracy(
    name="draft", pitch=1 / 3, slab=0.7, source_points=8, cone=0.5,
    broad=6, line=3, most=12, per_fringe=1, spots=2.0,
)  # fmt: skip
STANDARD = Accuracy(
    name="standard", pitch=1 / 3.7, slab=0.5, source_points=32, cone=0.75,
    broad=12, line=4, most=32, per_fringe=2, spots=3.0,
)  # fmt: skip
FINE = Accuracy(
    name="fine", pitch=1 / 6, slab=0.25, source_points=64, cone=1.0,
    broad=12, line=5, most=64, per_fringe=2, spots=6.0,
)  # fmt: skip
ACCURACIES = {accuracy.name: accuracy for accuracy in (DRAFT, STANDARD, FINE)}
"""By name. Contrast errors at the border of the frame: 2–3, 0.5–0.8 and 0.3–0.5 %."""

_SPHERE_BUDGET = 3e7
"""Spheres × frequencies × source points up to which ``auto`` takes ``fine`` for exact spheres."""
_SLAB_BUDGET = 1.2e7
"""Slab samples (all source points together) up to which ``auto`` takes ``fine``."""


def accuracy_named(name: str) -> Accuracy | None:
    """Return the accuracy that a user asks for; None leaves the choice.

    Raises
    ------
    SceneError
        If there is none of this name.
    """
    if name == "auto":
        return None
    if name not in ACCURACIES:
        raise SceneError(f"accuracy = '{name}' is not one of auto, {', '.join(ACCURACIES)}.")
    return ACCURACIES[name]


def sphere_samples(plan: SamplingPlan) -> float:
    """Frequencies × source points × wavelengths, what one exact sphere costs."""
    height, width = plan.extent_um
    lights = plan.lights * plan.wavelengths
    return (2 * plan.band) ** 2 * height * width * lights


def affords_fine(plan: SamplingPlan, exact_spheres: int) -> bool:
    """Whether a fine plan is cheap enough for ``auto``: about a second on one core.

    Parameters
    ----------
    plan : SamplingPlan
        A fine one.
    exact_spheres : int
        Their number where all particles are exact spheres; else 0.
    """
    if exact_spheres:
        return exact_spheres * sphere_samples(plan) <= _SPHERE_BUDGET
    cost = plan.grid_shape[0] * plan.grid_shape[1] * plan.slabs * plan.source_points
    return cost * plan.wavelengths <= _SLAB_BUDGET


__all__ = [
    "ACCURACIES",
    "DRAFT",
    "FINE",
    "STANDARD",
    "Accuracy",
    "accuracy_named",
    "affords_fine",
    "sphere_samples",
]

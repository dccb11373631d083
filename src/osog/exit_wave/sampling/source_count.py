"""How many points stand for the light."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

from osog.exit_wave.sampling.steps import at_least
from osog.waves.condenser_points import ring_numbers

if TYPE_CHECKING:
    from osog.exit_wave.illumination import Cone
    from osog.exit_wave.sampling.grid_request import GridRequest, SceneFacts

_COUNTS = (8, 16, 24, 32, 48, 64)


@dataclass(frozen=True)
class SourcePoints:
    """Points asked for, points on each ring, and points on rings outside the objective's NA."""

    points: int
    rings: tuple[int, ...]
    outer_rings: tuple[int, ...]


def source(request: GridRequest) -> SourcePoints:
    """Choose the points of the light of a scene."""
    facts, cone = request.facts, request.facts.cone
    points = max(defocus_points(request), mirror_points(request))
    hole = cone.hole if cone.outer else 0.0
    outer_rings: tuple[int, ...] = ()
    if overfills(facts):
        edge = facts.acting / cone.outer
        hole = cone.hole / edge
        outer_rings = ring_numbers(max(12, points // 2), edge)
    return SourcePoints(points, ring_numbers(points, hole), outer_rings)


def defocus_points(request: GridRequest) -> int:
    """Points by the phase range of the defocused condenser, as `source_count` gives them."""
    facts = request.facts
    return source_count(
        facts.scene.microscope.source_points,
        facts.cone,
        facts.acting,
        facts.defocus_um,
        facts.index,
        facts.shortest_um,
        request.accuracy.source_points,
    )


def mirror_points(request: GridRequest) -> int:
    """3.5 (2 + 2zNA²/(nλ))² for light that interferes with the reflection of a mirror; 0 else.

    The round trip to the mirror dephases over the opening of the light, from ring to ring: two
    rings, and two more per turn of 2k (1 − cos θ) z.
    """
    facts = request.facts
    below, outer = facts.below_mirror_um, facts.cone.outer
    if not below or not outer or facts.scene.microscope.source_points:
        return 0
    rings = 2 + 2 * below * outer**2 / (facts.index * facts.shortest_um)
    return min(request.accuracy.source_points, round(3.5 * rings**2))


def overfills(facts: SceneFacts) -> bool:
    """Whether a centred condenser lights the sample from inside and outside the objective's NA."""
    cone, aperture = facts.cone, facts.acting
    return (
        facts.scene.microscope.modality.condenser
        and cone.shift_x == cone.shift_y == 0
        and cone.hole * cone.outer < 0.98 * aperture < aperture < cone.outer
    )


def source_count(
    wished: int,
    cone: Cone,
    aperture: float,
    defocus_um: float,
    index: float,
    wavelength_um: float,
    most: int,
) -> int:
    """Number of source points, by the phase range of the defocused condenser.

    With Φ = 2 NA NA_c |z| / (n λ) a disc takes ``max(16, 6 Φ²)``, and an annulus with a hole of
    share h ``max(32, 6 Φ² (1 − h²), 4π Φ)``: its angles count, and the light across its width. At
    most `most`; a number that the user set is kept, and one plane wave is one point.

    Parameters
    ----------
    wished : int
        The user's number; 0 leaves the choice.
    cone : Cone
        The light.
    aperture : float
        NA of the objective.
    defocus_um, index, wavelength_um : float
    most : int
    """
    if cone.outer == 0:
        return 1
    if wished > 0:
        return wished
    phase_range = (
        2
        * min(cone.outer, aperture if cone.hole == 0 else cone.outer)
        * aperture
        * defocus_um
        / (index * wavelength_um)
    )
    count = max(6 * phase_range**2 * (1 - cone.hole**2), 16)
    if cone.hole > 0:
        count = max(count, 4 * pi * phase_range, 32)
    return at_least(count, _COUNTS, most)


__all__ = ["SourcePoints", "overfills", "source", "source_count"]

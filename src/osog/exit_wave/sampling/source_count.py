"""How many directions of light an image is made of, and how many of them get an exit wave."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, pi
from typing import TYPE_CHECKING

from osog.exit_wave.sampling.steps import at_least, step_up
from osog.waves.condenser_points import ring_numbers

if TYPE_CHECKING:
    from osog.exit_wave.illumination import Cone
    from osog.exit_wave.sampling.grid_request import GridRequest, SceneFacts

_COUNTS = (8, 16, 24, 32, 48, 64)
_LEAST_WAVES = 16
_QUICK = {"draft": 1e5, "standard": 1e6, "fine": 1e6}
"""Samples of the image of one direction up to which the interference is always tabulated."""
_MORE = 500
"""Directions of the interference beyond those of the defocus, for the rim of the pupil."""
_SCATTERED = {"draft": 16, "standard": 32, "fine": 32}
"""Directions that the light scattered by one particle is added up over."""
_FIELD_SAMPLES = {"draft": 3e6, "standard": 4e8, "fine": 4e8}
"""Slab samples (exit waves × slabs × grid × wavelengths) spent on more exit waves than usual."""
_IMAGE_SAMPLES = {"draft": 2e6, "standard": 3e8, "fine": 3e8}
"""Samples of all images together (directions × fine grid × wavelengths × planes) spent likewise."""


@dataclass(frozen=True)
class SourcePoints:
    """Directions of light: those asked for, and the points on each ring of every set.

    Attributes
    ----------
    points : int
        Exit waves asked for.
    rings, outer_rings : tuple of int
        Of the exit waves, within and outside the objective's aperture.
    interference_rings, scatter_rings : tuple of int
        Of the two parts of the image; empty where the exit waves suffice.
    """

    points: int
    rings: tuple[int, ...]
    outer_rings: tuple[int, ...] = ()
    interference_rings: tuple[int, ...] = ()
    scatter_rings: tuple[int, ...] = ()


def source(request: GridRequest, wave_samples: float, image_samples: float) -> SourcePoints:
    """Choose the directions of the light of a scene.

    Parameters
    ----------
    request : GridRequest
    wave_samples, image_samples : float
        What one exit wave costs (slabs × grid × wavelengths), and the image of one direction (fine
        grid × wavelengths × planes).
    """
    facts, cone = request.facts, request.facts.cone
    wished = facts.scene.microscope.source_points
    if request.hurried:
        wished = min(wished, request.accuracy.source_points)
    if cone.outer == 0:
        return SourcePoints(1, (1,))
    points, interference, scatter = (
        (wished, 0, 0) if wished else _numbers(request, wave_samples, image_samples)
    )
    two_parts = overfills(facts)
    edge = facts.acting / cone.outer if two_parts else 1.0
    hole = cone.hole / edge
    return SourcePoints(
        points,
        ring_numbers(points, hole),
        ring_numbers(max(24, points // 2), edge) if two_parts else (),
        ring_numbers(interference, hole) if interference else (),
        ring_numbers(scatter, hole) if scatter > points else (),
    )


def _numbers(
    request: GridRequest, wave_samples: float, image_samples: float
) -> tuple[int, int, int]:
    """Exit waves, directions of the interference, and of the scattered light; 0 for the same.

    As many exit waves as the image needs directions, if the accuracy allows them. Else as many as
    the depth of the sample needs, where those are far fewer, and the image interpolates between
    them (`osog.optics.interference`); that costs little in small round images and is then always
    done. Where both would take too long, as many exit waves as time allows.
    """
    facts, accuracy = request.facts, request.accuracy
    most = accuracy.source_points
    wanted, between = wanted_points(facts), exit_waves(facts)
    affordable = max(most, int(_FIELD_SAMPLES[accuracy.name] / wave_samples))
    small = facts.round and image_samples <= _QUICK[accuracy.name]
    quick = small and between <= 2 * max(most, _LEAST_WAVES)
    enough = wanted <= most
    between_pays = 3 * between <= wanted and between <= affordable
    if not facts.interpolates or not (quick or (between_pays and not enough)):
        # In steps: every other number of points is another set of exit waves.
        more = round(_COUNTS[-1] * step_up(wanted / _COUNTS[-1], 1.25))
        points = at_least(max(wanted, _LEAST_WAVES), _COUNTS, most) if enough else more
        return min(points, affordable), 0, 0
    scatter = _SCATTERED[accuracy.name]
    if not facts.lonely:
        shown = int(_IMAGE_SAMPLES[accuracy.name] / image_samples)
        scatter = max(scatter, min(scatter_points(wanted), shown))
    return min(between, max(affordable, _LEAST_WAVES)), ceil(1.3 * wanted) + _MORE, scatter


def overfills(facts: SceneFacts) -> bool:
    """Whether a centred condenser lights the sample from inside and outside the objective's NA."""
    cone, aperture = facts.cone, facts.acting
    return (
        facts.scene.microscope.modality.condenser
        and cone.shift_x == cone.shift_y == 0
        and cone.hole * cone.outer < 0.98 * aperture < aperture < cone.outer
    )


def wanted_points(facts: SceneFacts) -> int:
    """Directions that an image needs, in steps of a factor 1.1; 1 for one plane wave.

    By the phase range of the defocused condenser, or that of the round trip to a mirror.
    """
    if facts.cone.outer == 0:
        return 1
    phase_range = facts.phase_range(facts.defocus_um)
    count = max(directions(phase_range, facts.cone), mirror_directions(facts))
    return ceil(step_up(count, 1.1))


def directions(phase_range: float, cone: Cone) -> float:
    """Directions that resolve the turns of a defocused image.

    With Φ = 2 NA NA_c |z| / (n λ) a disc takes 6 Φ², and an annulus with a hole of share h
    ``max(32, 6 Φ² (1 − h²), 4π Φ)``: its angles count, and the light across its width.

    Parameters
    ----------
    phase_range : float
        Φ.
    cone : Cone
        The light.
    """
    count = max(6 * phase_range**2 * (1 - cone.hole**2), 1.0)
    return max(count, 4 * pi * phase_range, 32) if cone.hole > 0 else count


def mirror_directions(facts: SceneFacts) -> float:
    """3.5 (2 + 2zNA²/(nλ))² for light that interferes with the reflection of a mirror; 0 else.

    The round trip to the mirror dephases over the opening of the light, from ring to ring: two
    rings, and two more per turn of 2k (1 − cos θ) z.
    """
    below, outer = facts.below_mirror_um, facts.cone.outer
    if not below or not outer:
        return 0.0
    rings = 2 + 2 * below * outer**2 / (facts.index * facts.shortest_um)
    return 3.5 * rings**2


def exit_waves(facts: SceneFacts) -> int:
    """Exit waves between which those of all other directions can be interpolated.

    0.875 (φ + 3.5)² where φ = π Φ is the phase by which a wave from the highest or lowest point of
    the sample differs from its neighbour at the rim of the light: polynomials of degree φ + 3 are
    then right to about 1 %. At least 16; in steps of a factor 1.25.
    """
    phase = pi * facts.phase_range(facts.half_depth_um)
    count = max(0.875 * (phase + 3.5) ** 2, 32 if facts.cone.hole > 0 else _LEAST_WAVES)
    return round(_LEAST_WAVES * step_up(count / _LEAST_WAVES, 1.25))


def scatter_points(wanted: int) -> int:
    """Directions for the light that many particles scatter: fringes between them wash out.

    Where 0.65 of `wanted_points` remain, the speckle of too few directions is about 3 % of the
    contrast.
    """
    return ceil(0.65 * wanted)


__all__ = [
    "SourcePoints",
    "exit_waves",
    "overfills",
    "scatter_points",
    "source",
    "wanted_points",
]

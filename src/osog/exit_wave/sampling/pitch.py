"""Rules for the pitch of the field grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.exit_wave.sampling.steps import fast_length, step_down

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.exit_wave.sampling.grid_request import GridRequest


def aperture(request: GridRequest, pitch: float) -> float:
    """λ/(3.7 NA); λ/(3 NA) in a draft and λ/(6 NA) in a fine plan.

    A tilted source shifts the pupil: the field then needs (1 + S) NA/λ on either side, with S the
    reach of the light over the NA, and 5 % more.
    """
    facts = request.facts
    share = min(request.accuracy.pitch, 1 / (2.1 * (1 + facts.cone.reach / facts.acting)))
    return share * facts.resolving_um / facts.acting


def small_bodies(request: GridRequest, pitch: float) -> float:
    """A third of the smallest half height in a fine plan, but half of the pitch at least.

    Bodies of one or two samples want a finer grid, as far as that is affordable; 1/1.6 else.
    """
    if not request.accuracy.fine or not len(request.facts.batch):
        return pitch
    smallest = request.facts.heights[2]
    return min(pitch, max(smallest / (3 if request.resolve else 1.6), pitch / 2))


def round_trip(request: GridRequest, pitch: float) -> float:
    """Half for light that comes back: its phase turns twice as fast on a slope as in a body."""
    return pitch / 2 if request.facts.scene.microscope.epi else pitch


def in_steps(request: GridRequest, pitch: float) -> float:
    """Steps of 3 %."""
    return step_down(pitch, 1.03)


def asked_for(request: GridRequest, pitch: float) -> float:
    """At most the user's own number, if there is one."""
    return min(pitch, request.facts.scene.numerics.pitch_um or pitch)


PITCH: tuple[Callable[[GridRequest, float], float], ...] = (
    aperture,
    small_bodies,
    round_trip,
    in_steps,
    asked_for,
)


def exact_pitch(request: GridRequest, band: float) -> float:
    """Pitch for exact spheres: 0.49 over the band, since nothing is drawn on the grid.

    Parameters
    ----------
    request : GridRequest
    band : float
        Frequencies in cycles/µm that the grid must hold.
    """
    return request.facts.scene.numerics.pitch_um or step_down(0.49 / band, 1.03)


def grid_shape(extent_um: list[float], pitch_um: float) -> tuple[int, int]:
    """Samples (y, x) of a pitch over an extent, 1.5 % fewer where a transform is cheaper then."""
    rows, columns = (fast_length(extent / pitch_um, slack=0.015) for extent in extent_um)
    return rows, columns


__all__ = ["PITCH", "exact_pitch", "grid_shape"]

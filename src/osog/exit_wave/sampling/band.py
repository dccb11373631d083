"""Frequencies up to which the exit wave is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.exit_wave.sampling.steps import step_up
from osog.waves.pupil_edge import SHARP

if TYPE_CHECKING:
    from osog.exit_wave.sampling.grid_request import GridRequest


def planned_aperture(request: GridRequest, extent_um: list[float]) -> float:
    """NA up to which the exit wave is kept: 2 % above the objective's, in steps of a factor 1.1.

    A sharp edge of the pupil overshoots by a few frequency steps, and is held in steps of 1 %.

    Parameters
    ----------
    request : GridRequest
    extent_um : list of float
        Height and width of the domain.
    """
    facts = request.facts
    aperture = step_up(facts.aperture * 1.02, 1.1)
    if request.sharp:
        edge = SHARP * facts.shortest_um / min(extent_um)
        aperture = max(aperture, step_up(facts.aperture + edge, 1.01))
    return aperture


def field_band(request: GridRequest, aperture: float) -> float:
    """Frequencies in cycles/µm up to which the exit wave is kept: (NA + reach of the light)/λ.

    A wave cannot be steeper than NA n, and a tilted source shifts the pupil.

    Parameters
    ----------
    request : GridRequest
    aperture : float
        As `planned_aperture` gives it.
    """
    facts = request.facts
    return (min(aperture, facts.index) + facts.cone.reach) / facts.shortest_um


__all__ = ["field_band", "planned_aperture"]

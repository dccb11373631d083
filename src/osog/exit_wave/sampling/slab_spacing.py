"""Rules for the spacing of the slab planes."""

from __future__ import annotations

from math import ceil, floor, inf
from typing import TYPE_CHECKING

from osog.exit_wave.sampling.steps import step_down, step_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.exit_wave.sampling.grid_request import GridRequest

_SHEET_SLABS = 256
"""Slabs of the sample up to which they are made thin enough for a light sheet."""


def depth_of_field(request: GridRequest, slab: float) -> float:
    """½ λn/NA² of the steepest light; 0.7 in a draft and ¼ in a fine plan."""
    facts = request.facts
    return request.accuracy.slab * facts.shortest_um * facts.index / facts.steepest**2


def emission(request: GridRequest, slab: float) -> float:
    """Half as much where particles emit, but not in a fine plan, times √(λ_r/λ).

    A product of two spots is √½ as deep as one, though its band is twice as wide: λ_r is the
    wavelength of a widefield microscope that resolves as much.
    """
    facts = request.facts
    if not facts.scene.microscope.emits:
        return slab
    factor = 1.0 if request.accuracy.fine else 0.5
    return slab * (factor * float((facts.resolving_um / facts.shortest_um) ** 0.5))


def light_sheet(request: GridRequest, slab: float) -> float:
    """A third of the sheet, unless the sample is deeper than 256 such slabs."""
    facts = request.facts
    sheet, (low, high, _) = facts.scene.microscope.modality.sheet_um, facts.heights
    return slab if sheet is None else min(slab, max(sheet / 3, (high - low) / _SHEET_SLABS))


def thin_bodies(request: GridRequest, slab: float) -> float:
    """Height of the thinnest body, but 1/1.5 of the spacing at least; half of both in a fine plan.

    A third instead of 1/1.5 in a fine plan. Not in a draft.
    """
    if request.accuracy.draft or not len(request.facts.batch):
        return slab
    fine, smallest = request.accuracy.fine, request.facts.heights[2]
    least = slab / (3 if fine else 1.5)
    return min(slab, max((1 if fine and request.resolve else 2) * smallest, least))


def in_steps(request: GridRequest, slab: float) -> float:
    """Steps of 3 %."""
    return step_down(slab, 1.03)


def asked_for(request: GridRequest, slab: float) -> float:
    """At most the user's own number, if there is one."""
    return min(slab, request.facts.scene.numerics.slab_um or slab)


SLAB_SPACING: tuple[Callable[[GridRequest, float], float], ...] = (
    depth_of_field,
    emission,
    light_sheet,
    thin_bodies,
    in_steps,
    asked_for,
)


def slab_numbers(request: GridRequest, slab_um: float) -> tuple[int, int]:
    """Index of the lowest plane, and number of planes: one below and one above all particles."""
    low, high, _ = request.facts.heights
    first, last = floor(low / slab_um) - 1, ceil(high / slab_um) + 1
    return first, last - first + 1


def near_um(request: GridRequest) -> float:
    """Distance from the focus up to which a confocal image needs every slab, in µm.

    In steps of a factor 1.25. Measured for beads of 0.5 µm at NA 1.2 and 1 Airy unit, z ± 5 µm: at
    2 and 3 depths of the product spot, λ_r n/NA², the image is within 3e-3 and 5e-4 of one with
    every slab. Wider pinholes see more of what is out of focus. Infinite in other modalities.
    """
    facts = request.facts
    spot = facts.resolving_um * facts.index / facts.steepest**2
    section = facts.scene.microscope.modality.section_um(request.accuracy.spots * spot)
    return section if section == inf else step_up(section, 1.25)


__all__ = ["SLAB_SPACING", "near_um", "slab_numbers"]

"""The periodic domain: the frame with as much of its margin as fits in memory."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

from osog.cautions import Caution
from osog.exit_wave.sampling.steps import fast_length
from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.exit_wave.sampling.grid_request import GridRequest, SceneFacts
    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_ALWAYS, _PER_SAMPLE, _NEVER = 2.5e6, 6.0, 4e7
"""Samples of the padded fine grid: always allowed, allowed per sample of the frame, never passed.

Light that a far defocused particle spreads beyond them wraps around, and a caution says so.
"""
_SHARP_ALWAYS = 4.5e6
"""Samples that a sharp edge of the pupil may always have, in a fine plan."""
_JOIN_PX = 4
"""Pixels of margin, at least, in which the straight fringes of a hologram close on themselves."""


@dataclass(frozen=True)
class Domain:
    """Camera pixels of the domain, and of it before the frame (y, x); margin really used."""

    size_px: tuple[int, int]
    before_px: tuple[int, int]
    margin_um: float


def domain(request: GridRequest, wanted_um: float) -> Domain:
    """Lay the domain around the frame.

    Parameters
    ----------
    request : GridRequest
    wanted_um : float
        Margin that the rules ask for.
    """
    facts, (rows, columns) = request.facts, request.facts.scene.grid.shape
    pixel = facts.scene.grid.pixel_size_um
    margin = affordable_margin(request, wanted_um)
    if facts.scene.microscope.modality.fringes_per_um is not None:
        margin = max(margin, _JOIN_PX * pixel)
    more = 2 * ceil(margin / pixel)
    height, width = fast_length(rows + more), fast_length(columns + more)
    return Domain((height, width), ((height - rows) // 2, (width - columns) // 2), margin)


def affordable_margin(request: GridRequest, wanted_um: float) -> float:
    """Margin that fits in memory: what is wanted, or 0.8 of it as often as needed."""
    facts, grid = request.facts, request.facts.scene.grid
    frame, pixel = grid.shape, grid.pixel_size_um
    always = _SHARP_ALWAYS if request.sharp and request.accuracy.fine else _ALWAYS
    samples = frame[0] * frame[1] * facts.oversampling**2
    limit = min(max(always, _PER_SAMPLE * samples), _NEVER)
    margin = wanted_um
    while True:
        sides = [(n + 2 * margin / pixel) * facts.oversampling for n in frame]
        if sides[0] * sides[1] <= limit or margin < pixel:
            return margin
        margin *= 0.8


def refuse_dense_fringes(facts: SceneFacts) -> None:
    """Refuse fringes whose fine grid would not fit in memory, and say which ones would.

    Raises
    ------
    SceneError
        If one frame would hold more samples than a domain ever may.
    """
    optics, pixel = facts.scene.microscope, facts.scene.grid.pixel_size_um
    fringes = optics.modality.fringes_per_um
    if fringes is None:
        return
    samples = facts.scene.grid.shape[0] * facts.scene.grid.shape[1]
    affordable = max(1, floor((_NEVER / samples) ** 0.5))
    if facts.oversampling > affordable:
        most = affordable / (2 * pixel) - facts.acting / optics.wavelength_um
        limit = f"at most {most:.3g}" if most > 0 else "seen with finer pixels or fewer of them"
        raise SceneError(
            f"modality.carrier_per_um = {fringes:g} 1/µm needs "
            f"{facts.oversampling} samples across each of {samples} pixels, more than fit in "
            f"memory; in this frame it must be {limit}."
        )


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when the margin around the frame is narrower than the light reaches."""
    if plan.padding_um < 0.95 * plan.padding_wanted_um:
        yield Caution(
            f"Light of particles {plan.padding_wanted_um:.0f} µm beyond the border would reach "
            f"the frame, but only {plan.padding_um:.0f} µm of margin fit in memory; rings may "
            "wrap around at the border.",
        )


__all__ = ["Domain", "affordable_margin", "cautions", "domain", "refuse_dense_fringes"]

"""Rules for the margin around the frame, against light that wraps around the periodic domain."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

from osog.exit_wave.sampling.steps import step_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.exit_wave.sampling.grid_request import GridRequest

_DOMAIN = 40
"""Width of the padded domain in λ/NA, at least, where accuracy is wanted."""
_SHARP_DOMAIN = 3.0
"""Width of the domain for a sharp edge, in units of half the frame plus the defocused cone."""


def defocused_cone(request: GridRequest, margin: float) -> float:
    """¾ |z| tan α + 2 λ/NA: light of particles beyond the border, and the rings around it.

    Contrast errors at the border of the frame: 2–3 % for ½ of the cone, 0.5–0.8 % for ¾, 0.3–0.5 %
    for all of it.
    """
    facts = request.facts
    return request.accuracy.cone * facts.spread_um + 2 * facts.longest_um / facts.acting


def thin_pupil_edge(request: GridRequest, margin: float) -> float:
    """40 λ/NA for the whole domain, in a fine plan.

    The soft edge of the pupil is two frequency steps wide: so it is thin against the pupil.
    """
    if not request.accuracy.fine:
        return margin
    facts, grid = request.facts, request.facts.scene.grid
    width = _DOMAIN * facts.longest_um / facts.acting
    return max(margin, (width - min(grid.shape) * grid.pixel_size_um) / 2)


def halos(request: GridRequest, margin: float) -> float:
    """What the halos of a modality reach, but in a draft."""
    facts, modality = request.facts, request.facts.scene.microscope.modality
    if request.accuracy.draft:
        return margin
    return max(margin, modality.halo_um(facts.longest_um, facts.aperture))


def sharp_pupil_edge(request: GridRequest, margin: float) -> float:
    """3 × (half the frame + the defocused cone) for the domain, where the edge acts as a hard one.

    Measured for spheres of 0.5–1.5 µm at NA 0.8 and 1.2, 12–20 µm out of focus, against a hard edge
    in free space: 2–3e-3 of the field at 2 ×, 1e-3 at 2.4 ×, 1e-4 at 3 ×.
    """
    if not (request.sharp and request.accuracy.fine):
        return margin
    grid = request.facts.scene.grid
    half = max(grid.shape) * grid.pixel_size_um / 2
    return max(margin, _SHARP_DOMAIN / 2 * (half + request.facts.spread_um) - half)


def motion(request: GridRequest, margin: float) -> float:
    """Half the way that the image moves during the exposure, in steps of a factor 1.25."""
    scene = request.facts.scene
    if scene.camera is None or scene.camera.motion_blur_px == 0:
        return margin
    return margin + 0.5 * step_up(scene.camera.motion_blur_px, 1.25) * scene.grid.pixel_size_um


def barrel(request: GridRequest, margin: float) -> float:
    """How far beyond the border a barrel distortion lets the corners look, to third order.

    R (D + 3D² + 12D³) with R half the diagonal and D the distortion, in steps of a factor 1.25.
    """
    scene = request.facts.scene
    bend = max(-scene.microscope.field_aberrations.distortion_percent / 100, 0.0)
    reach = hypot(*scene.grid.extent_um) / 2 * (bend + 3 * bend**2 + 12 * bend**3)
    return margin + (step_up(reach, 1.25) if reach > 0 else 0.0)


def asked_for(request: GridRequest, margin: float) -> float:
    """Return the user's own number, if there is one."""
    own = request.facts.scene.numerics.padding_um
    return margin if own is None else own


MARGIN: tuple[Callable[[GridRequest, float], float], ...] = (
    defocused_cone,
    thin_pupil_edge,
    halos,
    sharp_pupil_edge,
    motion,
    barrel,
    asked_for,
)
"""The first four take the largest; what moves into the frame comes on top."""

__all__ = ["MARGIN"]

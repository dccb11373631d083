"""How many places of the frame get a pupil of their own."""

from __future__ import annotations

from math import ceil, hypot, pi, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osog.scene import Scene

_STEP = {"draft": 0.8, "standard": 0.4, "fine": 0.3}
"""Wavefront error in rad rms that may lie between neighbouring nodes, by accuracy."""
_MOST = {"draft": (5, 12), "standard": (9, 32), "fine": (11, 48)}
"""Most nodes along an axis, and along the radius."""
_BUDGET = {"draft": 200, "standard": 2000, "fine": 3000}
"""Most images (nodes × source points × wavelengths) of one render."""
_LEAST = 3
_OF_STOP = 2.0
"""A stop that moves by one pupil radius counts as this many rad rms."""


def wavefront_change(scene: Scene) -> tuple[float, float]:
    """Wavefront change from the centre of the frame to its corner.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    defocus : float
        By field curvature, rad rms over the pupil: π NA² z/(√12 n λ).
    slope : float
        All together, as the steepest change per half diagonal, which curvature and astigmatism
        (quadratic) reach in the corner.
    """
    optics = scene.microscope
    field = optics.field_aberrations
    shortest = optics.wavelengths_um[0]
    aperture = min(optics.numerical_aperture, scene.medium.index)
    per_um = pi * aperture**2 / (sqrt(12) * scene.medium.index * shortest)
    defocus = abs(field.curvature_um) * per_um
    slope = hypot(
        2 * defocus,
        2 * pi * field.coma,
        4 * pi * field.astigmatism,
        _OF_STOP * field.vignetting,
    )
    return defocus, slope


def node_counts(scene: Scene, accuracy: str, images: int) -> tuple[tuple[int, int], int]:
    """Nodes of the field along (y, x), and along the radius where only the focus changes.

    Parameters
    ----------
    scene : Scene
    accuracy : str
        ``draft``, ``standard`` or ``fine``.
    images : int
        Source points × wavelengths: what one node costs.

    Returns
    -------
    (int, int), int
        At least 3 each.
    """
    height, width = scene.grid.extent_um
    half_diagonal = hypot(height, width) / 2
    defocus, slope = wavefront_change(scene)
    affordable = max(_BUDGET[accuracy] // images, _LEAST**2)
    along, around = _MOST[accuracy]
    step = _STEP[accuracy]
    rings = min(max(ceil(defocus / step) + 1, _LEAST), around, affordable)
    while True:
        grid = [
            # An odd number has a node in the centre, where most optics are at their best.
            min(max(ceil(slope * extent / half_diagonal / step) + 1, _LEAST) | 1, along)
            for extent in (height, width)
        ]
        if grid[0] * grid[1] <= affordable:
            return (grid[0], grid[1]), rings
        step *= 1.2


def node_step(scene: Scene, nodes: tuple[int, int], rings: int) -> float:
    """Wavefront error in rad rms between neighbouring nodes; 0 where the field is even.

    Parameters
    ----------
    scene : Scene
    nodes : (int, int)
        Along (y, x).
    rings : int
        Along the radius, used where nothing but the focus changes.
    """
    field = scene.microscope.field_aberrations
    defocus, slope = wavefront_change(scene)
    if field.coma == field.astigmatism == field.vignetting == 0:
        return defocus / (rings - 1)
    half_diagonal = hypot(*scene.grid.extent_um) / 2
    return max(
        slope * extent / half_diagonal / (number - 1)
        for extent, number in zip(scene.grid.extent_um, nodes, strict=True)
    )


__all__ = ["node_counts", "node_step", "wavefront_change"]

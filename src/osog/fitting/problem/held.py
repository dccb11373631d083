"""Free numbers that nothing in an image can determine, and that a fit therefore holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osog.fitting.problem.linear import LinearPart
    from osog.fitting.problem.parameters import FreeParameters
    from osog.scene import Scene

_GREY_SCALE = (
    "The grey scale of this image is unknown, and it multiplies the index difference: the index "
    "is not determined, only the geometry is."
)
_FOCUS_AND_DEPTH = (
    "Focus and depth of the particles act only through their difference; the focus was held, and "
    "the depths count from it. Give one of them a prior to fit both."
)


def held_names(
    scene: Scene,
    wanted: FreeParameters,
    linear: LinearPart,
    priors: Mapping[str, tuple[float, float]],
) -> dict[str, str]:
    """Free names that stay at their start, with the reason in words.

    Parameters
    ----------
    scene : Scene
        With explicit particles.
    wanted : FreeParameters
        What the caller frees.
    linear : LinearPart
    priors : mapping of names to (value, sd)

    Returns
    -------
    dict
        Name → sentence.
    """
    out = {}
    if linear.gain and scene.microscope.modality.measures_phase:
        out = dict.fromkeys(wanted.named("index"), _GREY_SCALE)
    depths = wanted.named("z")
    particles = sum(len(p.particles or ()) for p in scene.populations if p.visible)
    for focus in wanted.named("focus"):
        if 0 < particles <= len(depths) and not {focus, *depths} & set(priors):
            out[focus] = _FOCUS_AND_DEPTH
    return out

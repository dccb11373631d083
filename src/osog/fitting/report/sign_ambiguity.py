"""The mirror image in focus: a denser particle above it looks like a lighter one below.

Conjugating the field turns (d, Δn, W) into (−d, −Δn, −W) and leaves the image of a transparent
particle as it is, at any phase, where the contrast comes by defocus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osog.fitting.problem.parameters import FreeParameters
    from osog.scene import Scene

_AMBIGUOUS = (
    "The image cannot tell a denser particle above focus from a lighter one below it. The sign "
    "of the index difference was taken from the scene."
)


def sign_ambiguity(parameters: FreeParameters, scene: Scene) -> list[str]:
    """Say that depth and sign of the index difference have a mirror image, where they have.

    Parameters
    ----------
    parameters : FreeParameters
        Free names and nuisances.
    scene : Scene
        As fitted.
    """
    roles = set(parameters.roles)
    if not scene.microscope.modality.contrast_by_defocus or "index" not in roles:
        return []
    if not roles & {"focus", "z"} or "absorption" in roles:
        return []
    extra = ""
    if any(p.visible and not p.shape.isotropic for p in scene.populations):
        extra = " The same holds for the tilt direction."
    if "spherical" in roles:
        extra += " The same holds for the sign of the aberration."
    return [_AMBIGUOUS + extra]


def relief_words(asked: Scene, found: Scene) -> list[str]:
    """Say that the relief was found to be that of the opposite shear."""
    name = "microscope.modality.azimuth_deg"
    return [
        f"The relief is that of the opposite shear: {name} = {found.get(name):g}° was taken, since "
        f"it explains the image better than the stated {asked.get(name):g}°."
    ]

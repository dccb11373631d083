"""The depth of field, by which ranges and steps of a defocus are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osog.scene import Scene


def depth_of_field_um(scene: Scene) -> float:
    """Depth of field λ n / NA² in the medium, in µm."""
    microscope = scene.microscope
    return microscope.wavelength_um * scene.medium.index / microscope.numerical_aperture**2

"""Which scenes have a single field behind their image, and why others have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.scene import Reflection

if TYPE_CHECKING:
    from osog.scene import Scene


def field_problem(scene: Scene) -> str:
    """Say why there is no phase and amplitude behind the image of a scene; "" when there is one.

    Parameters
    ----------
    scene : Scene
    """
    optics, modality = scene.microscope, scene.microscope.modality
    if modality.emits:
        return f"{modality.title}: fluorescent light has no fixed phase."
    if not optics.spectrum.monochromatic:
        return "Light of many wavelengths has no single phase; choose one wavelength."
    if modality.light in ("ring", "annulus"):
        return (
            f"{modality.title}: its light comes from many directions, which have no common phase."
        )
    opening, name = 0.0, ""
    if modality.condenser:
        opening, name = optics.condenser_numerical_aperture, "condenser NA"
    elif modality.light == "backlight":
        opening, name = optics.condenser_in_use, "divergence"
    elif isinstance(modality, Reflection):
        opening, name = modality.illumination_numerical_aperture, "illumination NA"
    if opening > 0:
        return f"Light from many directions has no single phase; set the {name} to 0."
    return ""


__all__ = ["field_problem"]

"""Which scenes have a single field behind their image, and why others have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.scene import EMISSION, MODALITY_TITLES, PARTIALLY_COHERENT, Reflection

if TYPE_CHECKING:
    from osog.scene import Scene

_DARK = "its light comes from many directions, which have no common phase"


def field_problem(scene: Scene) -> str:
    """Say why there is no phase and amplitude behind the image of a scene; "" when there is one.

    Parameters
    ----------
    scene : Scene
    """
    optics = scene.microscope
    kind = optics.modality.kind
    title = MODALITY_TITLES[kind]
    if kind in EMISSION:
        return f"{title}: fluorescent light has no fixed phase."
    if optics.spectrum.kind != "monochromatic":
        return "Light of many wavelengths has no single phase; choose one wavelength."
    if kind in ("phase_contrast", "darkfield"):
        return f"{title}: {_DARK}."
    if kind == "shadowgraph" and optics.condenser_in_use > 0:
        return "Light from many directions has no single phase; set the divergence to 0."
    if isinstance(optics.modality, Reflection) and optics.modality.illumination_numerical_aperture:
        return "Light from many directions has no single phase; set the illumination NA to 0."
    if kind in PARTIALLY_COHERENT and optics.condenser_numerical_aperture > 0:
        return "Light from many directions has no single phase; set the condenser NA to 0."
    return ""


__all__ = ["field_problem"]

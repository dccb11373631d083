"""From what leaves the sample to the light at the image plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.exit_wave.wave import EmissionSlabs, ExitWave, JonesWave, ReflectedWave
from osog.optics.brightfield import brightfield
from osog.optics.confocal import confocal
from osog.optics.darkfield import darkfield
from osog.optics.dic import dic
from osog.optics.distortion import distorted
from osog.optics.field_dependence import pupil_changes, with_field
from osog.optics.fluorescence import fluorescence
from osog.optics.hologram import hologram
from osog.optics.iscat import iscat
from osog.optics.light_sheet import light_sheet
from osog.optics.off_axis_hologram import off_axis_hologram
from osog.optics.phase import phase, phase_of
from osog.optics.phase_contrast import phase_contrast
from osog.optics.polarized import polarized
from osog.optics.reflection import reflection
from osog.optics.shadowgraph import shadowgraph

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.optics.optical_image import OpticalImage
    from osog.sample import Values

MODALITIES: dict[str, tuple[type, Callable[[Any, Values], OpticalImage]]] = {
    "brightfield": (ExitWave, brightfield),
    "phase_contrast": (ExitWave, phase_contrast),
    "dic": (ExitWave, dic),
    "darkfield": (ExitWave, darkfield),
    "hologram": (ExitWave, hologram),
    "off_axis_hologram": (ExitWave, off_axis_hologram),
    "phase": (ExitWave, phase),
    "shadowgraph": (ExitWave, shadowgraph),
    "polarized": (JonesWave, polarized),
    "fluorescence": (EmissionSlabs, fluorescence),
    "confocal": (EmissionSlabs, confocal),
    "light_sheet": (EmissionSlabs, light_sheet),
    "reflection": (ReflectedWave, reflection),
    "iscat": (ReflectedWave, iscat),
}
"""What a modality takes, and the function that images it."""


def image(
    wave: ExitWave | EmissionSlabs | JonesWave | ReflectedWave, values: Values
) -> OpticalImage:
    """Image a sample in the modality of the scene.

    Parameters
    ----------
    wave : ExitWave, EmissionSlabs, JonesWave or ReflectedWave
        What leaves the sample, of the kind that `MODALITIES` names for the modality.
    values : Values
        Numbers of the scene; those under ``microscope`` are used, and wavelength and index are
        taken from ``wave``.

    Returns
    -------
    OpticalImage
        On the fine grid of ``wave.plan``; differentiable.

    Raises
    ------
    ValueError
        If there is no such modality, or it needs another kind of ``wave``.
    """
    kind = values.scene.microscope.modality.kind
    if kind not in MODALITIES:
        raise ValueError(f"modality kind = {kind} must be one of {', '.join(MODALITIES)}.")
    takes, function = MODALITIES[kind]
    if not isinstance(wave, takes):
        raise ValueError(f"modality {kind} images {takes.__name__}, not {type(wave).__name__}.")
    optical = with_field(lambda local: function(wave, local), values, wave.plan)
    if kind == "phase" and optical.field is not None and pupil_changes(values):
        # Phases of two places cannot be averaged, fields can.
        optical = phase_of(optical.field, wave.plan)
    return distorted(optical, values, wave.plan)

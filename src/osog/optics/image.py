"""From what leaves the sample to the light at the image plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.exit_wave.wave import EmissionSlabs, ExitWave, JonesWave
from osog.optics.brightfield import brightfield
from osog.optics.confocal import confocal
from osog.optics.dic import dic
from osog.optics.fluorescence import fluorescence
from osog.optics.hologram import hologram
from osog.optics.light_sheet import light_sheet
from osog.optics.phase import phase
from osog.optics.polarized import polarized

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.optics.optical_image import OpticalImage
    from osog.sample import Values

MODALITIES: dict[str, tuple[type, Callable[[Any, Values], OpticalImage]]] = {
    "brightfield": (ExitWave, brightfield),
    "dic": (ExitWave, dic),
    "hologram": (ExitWave, hologram),
    "phase": (ExitWave, phase),
    "polarized": (JonesWave, polarized),
    "fluorescence": (EmissionSlabs, fluorescence),
    "confocal": (EmissionSlabs, confocal),
    "light_sheet": (EmissionSlabs, light_sheet),
}
"""What a modality takes, and the function that images it."""


def image(wave: ExitWave | EmissionSlabs | JonesWave, values: Values) -> OpticalImage:
    """Image a sample in the modality of the scene.

    Parameters
    ----------
    wave : ExitWave, EmissionSlabs or JonesWave
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
    return function(wave, values)

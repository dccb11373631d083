"""Inline holography."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from osog.optics.abbe import abbe_sum
from osog.optics.lens import coherent_field
from osog.optics.optical_image import OpticalImage
from osog.optics.vectorial import is_vectorial
from osog.scene import Hologram

if TYPE_CHECKING:
    from osog.exit_wave.wave import ExitWave
    from osog.sample import Values


def hologram(wave: ExitWave, values: Values) -> OpticalImage:
    """Inline hologram: the scattered wave interferes with the plane wave that passes by.

    I = |1 + α E|², E = F⁻¹[Ê P(f) exp(iκ (z_focus − z_wave))]; the condenser is closed whatever its
    NA says, and the background is 1. The factor α of the scattered wave stands for what washes
    fringes out without moving them.

    Parameters
    ----------
    wave : ExitWave
        Of one source point.
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance relative to the background, and the field, which a vectorial pupil does not
        have: its light is unpolarised.

    Raises
    ------
    ValueError
        If the wave has several source points.

    Notes
    -----
    Gabor (1948); Lee et al., Opt. Express 15, 18275 (2007), eq. 2, for α.
    """
    modality = values.microscope.modality
    assert isinstance(modality, Hologram)
    wave = replace(wave, spectrum=wave.spectrum * modality.scattered_amplitude)
    if is_vectorial(values):
        return OpticalImage(abbe_sum(wave, values, [(1.0, None)]))
    field, _ = coherent_field(wave, values)
    return OpticalImage(field.real.square() + field.imag.square(), field)

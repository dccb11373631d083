"""Brightfield."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.optics.abbe import abbe_sum
from osog.optics.lens import coherent_field, is_coherent
from osog.optics.optical_image import OpticalImage
from osog.optics.vectorial import is_vectorial
from osog.optics.weak_object import weak_sum

if TYPE_CHECKING:
    from osog.exit_wave.wave import ExitWave
    from osog.sample import Values


def brightfield(wave: ExitWave, values: Values) -> OpticalImage:
    """Transmitted light, coherent or Köhler.

    I = Σ_s w_s |U_s|² / Σ_s w_s |P(f_s)|² with
    U_s = F⁻¹[(Ê_s + δ) P(f + f_s) exp(iκ_s (z_focus − z_wave))]; the empty background is 1.
    One source point gives the field too.

    Parameters
    ----------
    wave : ExitWave
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance relative to the background.

    Notes
    -----
    Abbe's sum: Hopkins (1953); Born & Wolf, Principles of Optics, §10.5.
    """
    if wave.first_order:
        return OpticalImage(weak_sum(wave, values, [(1.0, None)]))
    if is_coherent(wave) and not is_vectorial(values):
        field, _ = coherent_field(wave, values)
        return OpticalImage(field.real.square() + field.imag.square(), field)
    return OpticalImage(abbe_sum(wave, values, [(1.0, None)]))

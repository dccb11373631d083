"""Darkfield."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.optics.abbe import abbe_sum
from osog.optics.optical_image import OpticalImage

if TYPE_CHECKING:
    from osog.exit_wave.wave import ExitWave
    from osog.sample import Values


def darkfield(wave: ExitWave, values: Values) -> OpticalImage:
    """Light from an annulus outside the objective's aperture: what arrives has been scattered.

    I = Σ_s w_s |F⁻¹[Ê_s P(f + f_s) exp(iκ_s (z_focus − z_wave))]|²; the background is 0. Where the
    inner edge of the annulus lies within the aperture of the objective, direct light of that part
    adds to it, as in a microscope with the wrong condenser.

    Parameters
    ----------
    wave : ExitWave
        Of the source points of the annulus.
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance relative to the incident light.

    Notes
    -----
    Abbe's sum: Hopkins (1953); Born & Wolf §10.6 for the geometry.
    """
    return OpticalImage(abbe_sum(wave, values, [(1.0, None)], dark=True))

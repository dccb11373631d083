"""Shadowgraphy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.optics.brightfield import brightfield

if TYPE_CHECKING:
    from osog.exit_wave.wave import ExitWave
    from osog.optics.optical_image import OpticalImage
    from osog.sample import Values


def shadowgraph(wave: ExitWave, values: Values) -> OpticalImage:
    """Shadows in a backlight of small divergence, usually seen out of focus.

    The light is a disc of half angle θ in the medium, NA_c = n sin θ, and the image is that of
    brightfield. A divergence of 0 is one plane wave along the axis.

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
    Settles, Schlieren and Shadowgraph Techniques (2001); the wave optics is Abbe's sum.
    """
    return brightfield(wave, values)

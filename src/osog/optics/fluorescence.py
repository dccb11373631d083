"""Widefield fluorescence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.optics.band import intensity_grid
from osog.optics.emission import PointSpread, blurred, with_background
from osog.scene import Fluorescence

if TYPE_CHECKING:
    from osog.exit_wave.wave import EmissionSlabs
    from osog.optics.optical_image import OpticalImage
    from osog.sample import Values


def fluorescence(emission: EmissionSlabs, values: Values) -> OpticalImage:
    """Widefield fluorescence: every slab of emitters is blurred by its own defocused PSF.

    I = Σ_k F⁻¹[ŝ_k OTF(f; z_focus − z_k)] + background with
    PSF(r; z) = |F⁻¹[P(f) exp(iκ z)]|² and OTF(0) = 1, so that a slab gives the same light in every
    plane of focus.

    Parameters
    ----------
    emission : EmissionSlabs
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance in units of 1 µm of emission 1 per µm, in focus.

    Notes
    -----
    Born & Wolf §8.8. In focus the OTF of a clear uniform pupil is (2/π)(acos ν − ν√(1 − ν²)),
    ν = fλ/2NA (Hopkins 1955).
    """
    spread = PointSpread.of(emission, values, emission.wavelength_um)
    grid = intensity_grid(spread.band.shape, emission.plan.fine_shape)
    optics, modality = values.microscope, values.microscope.modality
    assert isinstance(modality, Fluorescence)
    light = blurred(
        emission, optics.focus_plane_um, emission.slabs, lambda distance: spread.at(distance, grid)
    )
    return with_background(light, modality.background)

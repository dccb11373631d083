"""Frequencies that the grid of the irradiance must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osog.scene.modalities import ModalityModel


def irradiance_band(
    modality: ModalityModel, aperture: float, shortest_um: float, resolving_um: float
) -> float:
    """Highest frequency of the irradiance in cycles/µm: 2 NA/λ, and NA/λ beyond a carrier.

    The squared modulus of a field has twice its band. Where a field meets the straight fringes of
    a reference, the field itself appears around their frequency.

    Parameters
    ----------
    modality : ModalityModel
    aperture : float
        NA of light that can travel in the medium.
    shortest_um, resolving_um : float
        Shortest wavelength of the light, and that of a widefield microscope that resolves as much.
    """
    band = 2 * (aperture / resolving_um)
    fringes = modality.fringes_per_um
    return band if fringes is None else max(band, aperture / shortest_um + fringes)


__all__ = ["irradiance_band"]

"""Interferometric scattering (iSCAT)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.optics.reflection import against, coverslip
from osog.scene import InterferometricScattering

if TYPE_CHECKING:
    from osog.exit_wave.wave import ReflectedWave
    from osog.optics.optical_image import OpticalImage
    from osog.sample import Values


def iscat(wave: ReflectedWave, values: Values) -> OpticalImage:
    """Light scattered back by small particles beside the reflection of the coverslip.

    I = |r + E|²/r², with E the light that the particles scatter back, weakened by 1 − r_g² on its
    ways through the coverslip's surface, and r = r_g √reference_transmission what a mask in the
    pupil leaves of the coverslip's reflection. For small E the contrast is
    2 |E| cos ψ/|r|, and ψ turns by 2π per λ/(2 n_m) of height.

    Parameters
    ----------
    wave : ReflectedWave
    values : Values

    Returns
    -------
    OpticalImage
        Relative to the background, with the field.

    Raises
    ------
    SceneError
        If the coverslip has the index of the medium.

    Notes
    -----
    Lindfors et al. (2004); Mahmoodabadi et al. (2020). Plane-wave light along the axis. The mask
    acts on the direct reflection only, not on the light of the particles that passes near the
    axis.
    """
    glass = values.microscope.modality
    assert isinstance(glass, InterferometricScattering)
    amplitude, share = coverslip(wave, glass.glass_index, True)
    passed = glass.reference_transmission.to(amplitude)
    reference = amplitude * torch.sqrt(passed)
    height = glass.interface_um.to(amplitude)
    return against(wave.beside(reference, height, share), values, reference)

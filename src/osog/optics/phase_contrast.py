"""Zernike phase contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.optics.abbe import abbe_sum
from osog.optics.contrast import transmitted
from osog.optics.optical_image import OpticalImage
from osog.optics.weak_object import weak_sum
from osog.scene import PhaseContrast
from osog.waves.phase_factors import phasor
from osog.waves.pupil_edge import soft_edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from osog.exit_wave.wave import ExitWave
    from osog.optics.contrast import TransferCurve
    from osog.sample import Values


def phase_contrast(wave: ExitWave, values: Values) -> OpticalImage:
    """Phase contrast: the direct light passes a ring that weakens and retards it.

    The pupil is multiplied by a e^{iξ} on the ring and by 1 elsewhere, a² = 1 − absorption, with
    ξ = −retardation for positive contrast (denser is darker) and ξ = +retardation for negative.
    The source is the ring itself. In the limit of a thin ring I = |a e^{iξ} + e^{iφ} − 1|² / a²,
    which is 1 + 2 (φ/a) sin ξ for small φ; halo and shade-off come from the light of the object
    that hits the ring, more of it the wider the ring is.

    Parameters
    ----------
    wave : ExitWave
        Of the source points of the ring.
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance relative to the background.

    Notes
    -----
    Zernike, Physica 9, 686 and 974 (1942); Born & Wolf §8.6.3.
    """
    total = weak_sum if wave.first_order else abbe_sum
    plate = phase_plate(values, wave.wavelength_um, max(wave.plan.frequency_step))
    return OpticalImage(total(wave, values, [(1.0, None)], plate))


def contrast_curve(values: Values, points: int) -> TransferCurve:
    """Contrast of a weak grating in the light of the ring, through the plate."""
    return transmitted(values, points, plate=phase_plate)


def phase_plate(
    values: Values, wavelength_um: Tensor, frequency_step: float
) -> Callable[[Tensor, Tensor], Tensor]:
    """Complex transmission of the plate as a function of the absolute frequency.

    The ring is a little wider than the image of the condenser's annulus, as in an objective, and
    its edges are soft: raised cosines that begin at the rim of the light and are one frequency
    step from there to half height, but a quarter of the ring's width at most.

    Parameters
    ----------
    values : Values
    wavelength_um : Tensor, 0-dim
    frequency_step : float
        Of the domain in cycles/µm.
    """
    optics, ring = values.microscope, values.microscope.modality
    assert isinstance(ring, PhaseContrast)
    cutoff = optics.numerical_aperture.to(wavelength_um) / wavelength_um
    radius = ring.ring_radius.to(wavelength_um) * cutoff
    half = 0.5 * ring.ring_width.to(wavelength_um) * cutoff
    step = (0.5 * half).clamp(max=frequency_step)
    # A clear ring is sqrt(1): the addend keeps the slope of the root finite for an opaque one.
    amplitude = torch.sqrt(1 - ring.absorption.to(wavelength_um) + 1e-12)
    retardation = torch.deg2rad(ring.retardation_deg.to(wavelength_um))
    if ring.polarity == "positive":
        retardation = -retardation
    change = amplitude * phasor(retardation) - 1

    def plate(fx: Tensor, fy: Tensor) -> Tensor:
        frequency = torch.sqrt(fx * fx + fy * fy + 1e-24)
        return 1 + change * soft_ring(frequency, radius, half, step)

    return plate


def soft_ring(frequency: Tensor, radius: Tensor, half_width: Tensor, step: Tensor) -> Tensor:
    """1 on a ring, 0 well beside it, with edges that begin at its rims.

    Parameters
    ----------
    frequency : Tensor
        |f| in cycles/µm.
    radius, half_width : Tensor, 0-dim
        Of the ring in cycles/µm.
    step : Tensor, 0-dim
        From each rim to half height.
    """
    from_within = soft_edge(frequency - (radius - half_width - step), step)
    return from_within * soft_edge(radius + half_width + step - frequency, step)

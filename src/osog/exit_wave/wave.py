"""What the exit-wave stage hands to the optics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from osog.exit_wave.plan import SamplingPlan


@dataclass(frozen=True, kw_only=True)
class ExitWave:
    """Scattered light behind the sample, as spatial frequencies, for each source point.

    Attributes
    ----------
    spectrum : Tensor, shape (S, By, Bx), complex
        Fourier-series coefficients of the scattered part at z = `reference_um`, in the frame that
        is demodulated by the tilt of the source: U(r) = 1 + Σ_f spectrum(f) exp(2πi f·r), r from
        the corner of the domain. Obliquity factor and the deconvolutions of pixel and slab are in.
    fx, fy : Tensor, shapes (Bx,), (By,)
        Frequencies in cycles/µm in FFT order, cropped to the band of `plan`.
    source : Tensor, shape (S, 2)
        Frequencies (x, y) of the source points in cycles/µm; zero when coherent.
    weights : Tensor, shape (S,)
        Weights of the source points; they sum to 1.
    wavelength_um, medium_index : Tensor, 0-dim
    reference_um : float
    plan : SamplingPlan
    """

    spectrum: Tensor
    fx: Tensor
    fy: Tensor
    source: Tensor
    weights: Tensor
    wavelength_um: Tensor
    medium_index: Tensor
    reference_um: float
    plan: SamplingPlan


@dataclass(frozen=True, kw_only=True)
class EmissionSlabs:
    """Fluorescent emission of the sample, split into slabs.

    Attributes
    ----------
    slabs : Tensor, shape (K, Gy, Gx)
        Emission × path length (dimensionless) of every slab, as pixel means on the field grid.
    z_um : list of float
        Heights of the slab planes.
    wavelength_um, medium_index : Tensor, 0-dim
    plan : SamplingPlan
    """

    slabs: Tensor
    z_um: list[float]
    wavelength_um: Tensor
    medium_index: Tensor
    plan: SamplingPlan

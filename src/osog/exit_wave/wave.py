"""What the exit-wave stage hands to the optics."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import pi
from typing import TYPE_CHECKING, Any

import torch

from osog.waves.phase_factors import phasor

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor

    from osog.waves.sampling_plan import SamplingPlan


@dataclass(frozen=True, kw_only=True)
class Wave:
    """Light of one wavelength that leaves the sample.

    Attributes
    ----------
    wavelength_um, medium_index : Tensor, 0-dim
        In vacuum, and of the medium.
    plan : SamplingPlan
        Grids that it lives on.
    """

    wavelength_um: Tensor
    medium_index: Tensor
    plan: SamplingPlan


@dataclass(frozen=True, kw_only=True)
class LitWave(Wave):
    """Light of source points that the sample has scattered, as spatial frequencies.

    Attributes
    ----------
    wavelength_um, medium_index, plan
        As in `Wave`.
    fx, fy : Tensor, shapes (Bx,), (By,)
        Frequencies in cycles/µm in FFT order, cropped to the band of `plan`.
    source : Tensor, shape (S, 2)
        Frequencies (x, y) of the source points in cycles/µm; zero when coherent.
    weights : Tensor, shape (S,)
        Weights of the source points; they sum to 1.
    reference_um : float
        Height of the plane that the spectrum refers to.
    spectrum : Tensor, shape (S, …, By, Bx), complex
        Fourier-series coefficients of the scattered light, f being relative to the light that came
        in.
    """

    fx: Tensor
    fy: Tensor
    source: Tensor
    weights: Tensor
    reference_um: float
    spectrum: Tensor

    @property
    def head(self) -> dict[str, Any]:
        """Fields that every such wave has, to make another one of the same light."""
        names = (field.name for field in fields(LitWave) if field.name != "spectrum")
        return {name: getattr(self, name) for name in names}

    def moved(self, x_um: float, y_um: float) -> Self:
        """Light behind the same sample, all of which is moved sideways in the same light.

        The factor exp(−2πi f·d) on the spectrum is exact for the light itself; a sample that is
        drawn anew in another place differs by the grid it is drawn on.

        Parameters
        ----------
        x_um, y_um : float
        """
        across, down = (
            phasor(-2 * pi * step * frequency)
            for step, frequency in ((x_um, self.fx), (y_um, self.fy))
        )
        return replace(self, spectrum=self.spectrum * (down[:, None] * across))


@dataclass(frozen=True, kw_only=True)
class ExitWave(LitWave):
    """Scattered light behind the sample, as spatial frequencies, for each source point.

    Attributes
    ----------
    spectrum : Tensor, shape (S, By, Bx), complex
        Fourier-series coefficients of the scattered part at z = `reference_um`, in the frame that
        is demodulated by the tilt of the source: U(r) = 1 + Σ_f spectrum(f) exp(2πi f·r), r from
        the corner of the domain. Obliquity factor and the deconvolutions of pixel and slab are in.
    fx, fy, source, weights, wavelength_um, medium_index, reference_um, plan
        As in `LitWave`.
    incident : complex Tensor, 0-dim, or None
        Amplitude of the unscattered wave behind the sample in units of the light that came in;
        None is 1. Given for analysed light, of which an analyser has taken a share and whose
        polarisation needs no further averaging.
    first_order : bool
        Whether the spectrum is linear in the sample, so that images are to be, too.
    """

    incident: Tensor | None = None
    first_order: bool = False


@dataclass(frozen=True, kw_only=True)
class JonesWave(LitWave):
    """Polarised light behind the sample, as spatial frequencies, for each source point.

    Attributes
    ----------
    spectrum : Tensor, shape (S, 2, By, Bx), complex
        As in `ExitWave`, for the components x and y of the field: U(r) = state + Σ_f spectrum(f)
        exp(2πi f·r). The components are those of the frame that a lens without aberrations gives
        to a tilted wave: x and y turned with the direction of the source point.
    state : Tensor, shape (2,), complex
        Polarisation of the light that came in, of unit norm.
    fx, fy, source, weights, wavelength_um, medium_index, reference_um, plan
        As in `LitWave`.
    """

    state: Tensor

    def analysed(self, analyser: Tensor) -> ExitWave:
        """Component of the light that an analyser passes.

        Parameters
        ----------
        analyser : complex Tensor, shape (2,)
            Row of the Jones matrix of everything behind the sample: the field that passes is
            analyser[0] U_x + analyser[1] U_y.
        """
        return ExitWave(
            **self.head,
            spectrum=analyser[0] * self.spectrum[:, 0] + analyser[1] * self.spectrum[:, 1],
            incident=(analyser * self.state).sum(),
        )


@dataclass(frozen=True, kw_only=True)
class ReflectedWave(LitWave):
    """Light that the particles send back to the objective, for each source point.

    Attributes
    ----------
    spectrum : Tensor, shape (S, By, Bx), complex
        Fourier-series coefficients at z = `reference_um`, in the frame that is demodulated by the
        tilt of the source, as in `ExitWave`. The amplitude is that of the light in the medium;
        the phase is relative to a mirror at z = 0: what comes back from a height z has the
        factor exp(−2i k_zs z).
    fx, fy, source, weights, wavelength_um, medium_index, reference_um, plan
        As in `LitWave`.
    """

    def beside(self, reference: Tensor, mirror_um: Tensor, share: Tensor) -> ExitWave:
        """Return this light together with that of a mirror.

        Parameters
        ----------
        reference : Tensor, 0-dim
            Amplitude that the mirror reflects; 0 leaves it out.
        mirror_um : Tensor, 0-dim
            Height of the mirror, to which all phases then refer.
        share : Tensor, 0-dim
            Amplitude that the mirror passes on the way down times that on the way up.
        """
        around = 2 * pi * self.medium_index / self.wavelength_um
        down = torch.sqrt(around**2 - (2 * pi) ** 2 * self.source.square().sum(1))
        round_trip = share * phasor(2 * down * mirror_um)
        return ExitWave(
            **self.head,
            spectrum=self.spectrum * round_trip[:, None, None],
            incident=torch.complex(reference, torch.zeros_like(reference)),
        )


@dataclass(frozen=True, kw_only=True)
class EmissionSlabs(Wave):
    """Fluorescent emission of the sample, split into slabs.

    Attributes
    ----------
    slabs : Tensor, shape (K, Gy, Gx)
        Emission × path length (dimensionless) of every slab, as pixel means on the field grid.
    z_um : list of float
        Heights of the slab planes.
    wavelength_um, medium_index, plan
        As in `Wave`.
    """

    slabs: Tensor
    z_um: list[float]


__all__ = ["EmissionSlabs", "ExitWave", "JonesWave", "LitWave", "ReflectedWave", "Wave"]

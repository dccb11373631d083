"""The pupil of the objective: what it passes, and the wavefront errors it adds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.optics.cover_glass import CoverGlassPath
from osog.optics.zernike import NAMED, noll_of_osa, zernike
from osog.waves.evanescence import STEEPEST, propagating
from osog.waves.phase_factors import phasor
from osog.waves.pupil_edge import RAISED_COSINE, soft_edge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan


@dataclass(frozen=True)
class Pupil:
    """Pupil P(f) of the objective for waves of the sample.

    P = edge(NA/λ − |f|) · edge(|f| − ε NA/λ) · (k_z/k)^a · exp(i Σ c_j Z_j(fλ/NA) + iΦ(f)), cut
    where evanescent, and cut again by a stop of the same radius that vignetting has shifted.

    Attributes
    ----------
    numerical_aperture, wavelength_um, medium_index : 0-dim Tensor
        Differentiable numbers.
    step : float
        Frequency step of the domain in cycles/µm, which sets the width of the edges.
    terms : tuple of (int, 0-dim Tensor)
        Noll index and coefficient in radians rms.
    obstruction : 0-dim Tensor or None
        ε, radius of an opaque disc in the middle as a share of the pupil's.
    apodisation : float
        a: 0 for a uniform pupil; for an aplanatic one ½ on a field that a sample scatters
        (collection), −½ for the waves of a point source or towards a focus.
    glass : CoverGlassPath or None
        Adds Φ.
    stop : (0-dim Tensor, 0-dim Tensor) or None
        Shift (x, y) of the vignetting stop in pupil radii.
    edge_steps : int
        Frequency steps over which the outer edge extends to either side.

    Notes
    -----
    Noll (1976) for the aberrations; a positive coefficient advances the phase, exp(+icZ). The
    aplanatic factor is that of energy conservation in a lens that obeys the sine condition
    (Richards & Wolf, Proc. R. Soc. A 253, 358 (1959)): a field sampled in f loses √(k_z/k), and a
    dipole's spherical wave holds a further k/k_z, the density of directions per df.
    """

    numerical_aperture: Tensor
    wavelength_um: Tensor
    medium_index: Tensor
    step: float
    terms: tuple[tuple[int, Tensor], ...] = ()
    obstruction: Tensor | None = None
    apodisation: float = 0.0
    glass: CoverGlassPath | None = None
    stop: tuple[Tensor, Tensor] | None = None
    edge_steps: int = RAISED_COSINE

    @classmethod
    def of(
        cls,
        values: Values,
        wavelength_um: Tensor,
        medium_index: Tensor,
        frequency_step: tuple[float, float],
        emission: bool | None = None,
        edge_steps: int = RAISED_COSINE,
    ) -> Pupil:
        """Build the pupil that the microscope of a scene describes.

        Parameters
        ----------
        values : Values
            Numbers of the scene, some of them the caller's.
        wavelength_um, medium_index : 0-dim Tensor
            Of the light that is imaged.
        frequency_step : (float, float)
            Of the domain along (y, x) in cycles/µm; the coarser one sets the edge.
        emission : bool, optional
            Whether P acts on the waves of point sources (or focuses a plane wave) instead of a
            scattered field; by default what the modality of the scene does.
        edge_steps : int
            Frequency steps over which the outer edge extends to either side.
        """
        optics = values.microscope
        obstruction = None
        if values.acts(optics.pupil.obstruction):
            obstruction = optics.pupil.obstruction.to(wavelength_um)
        emits = optics.emits if emission is None else emission
        # A vignetting stop belongs to a place of the frame, not to the scene (`at_field`).
        stop_x, stop_y = (values.given(f"microscope.pupil.stop_{axis}") for axis in "xy")
        stop = None
        if stop_x is not None and stop_y is not None:
            stop = (stop_x.to(wavelength_um), stop_y.to(wavelength_um))
        return cls(
            numerical_aperture=optics.numerical_aperture.to(wavelength_um),
            wavelength_um=wavelength_um,
            medium_index=medium_index,
            step=max(frequency_step),
            terms=_terms(values),
            obstruction=obstruction,
            apodisation=0.0 if optics.pupil.apodisation == "uniform" else (-0.5 if emits else 0.5),
            glass=CoverGlassPath.of(values, wavelength_um, medium_index),
            stop=stop,
            edge_steps=edge_steps,
        )

    @property
    def cutoff(self) -> float:
        """Largest |f| that the pupil passes, its soft edge included, in cycles/µm."""
        aperture = float(self.numerical_aperture.detach() / self.wavelength_um.detach())
        widest = float((self.medium_index / self.wavelength_um).detach())
        return min(aperture + self.edge_steps * self.step, widest)

    @property
    def is_round(self) -> bool:
        """Whether it is the same in every direction."""
        # Noll's terms without an angle come first of their order: 1, 4, 11, 22, …
        orders = range(0, 16, 2)
        return self.stop is None and {j for j, _ in self.terms} <= {
            n * (n + 1) // 2 + 1 for n in orders
        }

    @property
    def unvignetted(self) -> Pupil:
        """The same pupil without the vignetting stop: what light is compared to.

        Normalising by the vignetted pupil would undo the loss of light towards the corners.
        """
        return replace(self, stop=None)

    def amplitude(self, fx: Tensor, fy: Tensor) -> Tensor:
        """|P(f)|.

        Parameters
        ----------
        fx, fy : Tensor
            Absolute transverse frequencies in cycles/µm; they broadcast.
        """
        aperture = self.numerical_aperture / self.wavelength_um
        square = fx * fx + fy * fy
        # The addend keeps the derivative of the root finite at f = 0.
        radius = torch.sqrt(square + 1e-24)
        passed = soft_edge(aperture - radius, self.step, self.edge_steps)
        if self.obstruction is not None:
            passed = passed * self._unobstructed(radius, aperture)
        if self.apodisation:
            passed = passed * self._cosine(square) ** self.apodisation
        if self.stop is not None:
            x, y = fx - self.stop[0] * aperture, fy - self.stop[1] * aperture
            # In its place the stop is larger by both soft edges, and takes nothing away.
            shift = torch.sqrt(self.stop[0].square() + self.stop[1].square() + 1e-24) * aperture
            larger = 2 * self.step * torch.exp(-shift / self.step)
            inside = aperture + larger - torch.sqrt(x * x + y * y + 1e-24)
            passed = passed * soft_edge(inside, self.step)
        return passed * propagating(fx, fy, self.wavelength_um, self.medium_index)

    def phase(self, fx: Tensor, fy: Tensor) -> Tensor | None:
        """Wavefront error in radians, positive where the light is advanced; None without any.

        Parameters
        ----------
        fx, fy : Tensor
            Absolute transverse frequencies in cycles/µm; they broadcast.
        """
        phase: Tensor | None = None
        if self.terms:
            aperture = self.numerical_aperture / self.wavelength_um
            x, y = fx / aperture, fy / aperture
            for j, coefficient in self.terms:
                part = coefficient * zernike(j, x, y)
                phase = part if phase is None else phase + part
        if self.glass is not None:
            part = self.glass(fx * fx + fy * fy)
            phase = part if phase is None else phase + part
        return phase

    def __call__(self, fx: Tensor, fy: Tensor) -> Tensor:
        """P(f), complex.

        Parameters
        ----------
        fx, fy : Tensor
            Absolute transverse frequencies in cycles/µm; they broadcast.
        """
        passed, phase = self.amplitude(fx, fy), self.phase(fx, fy)
        if phase is None:
            return torch.complex(passed, torch.zeros_like(passed))
        return passed * phasor(phase)

    def _unobstructed(self, radius: Tensor, aperture: Tensor) -> Tensor:
        """Soft edge of the central disc, which vanishes with its radius."""
        assert self.obstruction is not None
        disc = self.obstruction * aperture
        # An edge two bins wide cannot sit on a disc of no width: it retreats below f = 0.
        inner = disc - self.step * torch.exp(-disc / self.step)
        return soft_edge(radius - inner, self.step)

    def _cosine(self, square: Tensor) -> Tensor:
        """k_z/k; its floor is the mean over the bin in which the root ends."""
        limit = self.medium_index / self.wavelength_um
        least = min(self.step / float(limit.detach()), 1.0)
        return torch.sqrt((1 - square / limit.square()).clamp(min=least))


def _terms(values: Values) -> tuple[tuple[int, Tensor], ...]:
    """Noll index and radians rms of every term that a scene or the caller gives; repeats add."""
    coefficients: dict[int, Tensor] = {}
    aberrations = values.microscope.aberrations
    terms = [(j, getattr(aberrations, name)) for name, j in NAMED.items()]
    terms += aberrations.zernike.items()
    terms += [(noll_of_osa(j), waves) for j, waves in aberrations.osa.items()]
    for j, waves in terms:
        if not values.acts(waves):
            continue
        radians = 2 * math.pi * waves
        coefficients[j] = coefficients[j] + radians if j in coefficients else radians
    return tuple(coefficients.items())


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when the medium lets through less than the objective would."""
    optics, index = scene.microscope, scene.medium.index
    if optics.numerical_aperture > STEEPEST * index:
        yield Caution(
            f"NA {optics.numerical_aperture:g} exceeds the medium's index {index:g}: only the "
            f"waves up to NA {index:g} travel in the sample.",
            {"microscope.numerical_aperture": round(0.95 * index, 2)},
            "Lower the NA",
        )

"""The pupil of the objective: what it passes, and the wavefront errors it adds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from osog.optics.propagate import phasor, propagating
from osog.optics.zernike import NAMED, zernike

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values


def edge(inside: Tensor, step: float) -> Tensor:
    """Raised-cosine edge: 1 well inside, 0 well outside, ½ on the edge.

    Parameters
    ----------
    inside : Tensor
        Distance inside the edge, f_c − |f|, in cycles/µm.
    step : float
        Frequency step df in cycles/µm; the edge is 2 df wide.

    Returns
    -------
    Tensor
        ½ + ½ sin(πt/2), t = clamp((f_c − |f|)/df, −1, 1): with a hard edge the derivative with
        respect to the NA would be zero.
    """
    return 0.5 + 0.5 * torch.sin(0.5 * math.pi * (inside / step).clamp(-1.0, 1.0))


@dataclass(frozen=True)
class Pupil:
    """Scalar pupil P(f) = edge(NA/λ − |f|) · exp(i Σ c_j Z_j(fλ/NA)), cut where evanescent.

    Attributes
    ----------
    numerical_aperture, wavelength_um, medium_index : 0-dim Tensor
        Differentiable numbers.
    step : float
        Frequency step of the domain in cycles/µm, which sets the width of the edge.
    terms : tuple of (int, 0-dim Tensor)
        Noll index and coefficient in radians rms.

    Notes
    -----
    Noll (1976) for the aberrations; a positive coefficient advances the phase, exp(+icZ).
    """

    numerical_aperture: Tensor
    wavelength_um: Tensor
    medium_index: Tensor
    step: float
    terms: tuple[tuple[int, Tensor], ...] = ()

    @classmethod
    def of(
        cls,
        values: Values,
        wavelength_um: Tensor,
        medium_index: Tensor,
        frequency_step: tuple[float, float],
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
        """
        coefficients: dict[int, Tensor] = {}
        base = "microscope.aberrations"
        aberrations = values.scene.microscope.aberrations
        names = {f"{base}.{name}": (getattr(aberrations, name), j) for name, j in NAMED.items()}
        more = values.under(f"{base}.zernike")
        for j in range(2, 121) if more else aberrations.zernike:
            names[f"{base}.zernike[{j}]"] = (aberrations.zernike.get(j, 0.0), j)
        for name, (waves, j) in names.items():
            if waves == 0 and values.given(name) is None:
                continue
            radians = 2 * math.pi * values.number(name)
            coefficients[j] = coefficients[j] + radians if j in coefficients else radians
        aperture = values.number("microscope.numerical_aperture").to(wavelength_um)
        return cls(
            aperture, wavelength_um, medium_index, max(frequency_step), tuple(coefficients.items())
        )

    @property
    def cutoff(self) -> float:
        """Largest |f| that the pupil passes, its soft edge included, in cycles/µm."""
        aperture = float(self.numerical_aperture.detach() / self.wavelength_um.detach())
        return min(aperture + self.step, float((self.medium_index / self.wavelength_um).detach()))

    def __call__(self, fx: Tensor, fy: Tensor) -> Tensor:
        """P(f), complex.

        Parameters
        ----------
        fx, fy : Tensor
            Absolute transverse frequencies in cycles/µm; they broadcast.
        """
        aperture = self.numerical_aperture / self.wavelength_um
        # The addend keeps the derivative of the root finite at f = 0.
        radius = torch.sqrt(fx * fx + fy * fy + 1e-24)
        passed = edge(aperture - radius, self.step)
        passed = passed * propagating(fx, fy, self.wavelength_um, self.medium_index)
        if not self.terms:
            return torch.complex(passed, torch.zeros_like(passed))
        x, y = fx / aperture, fy / aperture
        phase = torch.zeros_like(passed)
        for j, coefficient in self.terms:
            phase = phase + coefficient * zernike(j, x, y)
        return passed * phasor(phase)

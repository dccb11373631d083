"""The lines that stand for the spectrum of the light, and what a camera makes of each."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt, tau
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from osog.sample.dispersion import medium_index
from osog.scene.spectrum import BLUE_LINE_UM, PHOSPHOR_UM, TAIL, VISIBLE_UM

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values

RESPONSES_UM: tuple[tuple[float, float], ...] = ((0.6, 0.038), (0.53, 0.042), (0.46, 0.032))
"""Peak and standard deviation of the red, green and blue response (quantum efficiency).

Gaussians with the peaks and widths that are common among the colour cameras measured by Jiang et
al. (2013, 28 cameras with their infrared filters), rounded.
"""
_FLOOR = 1e-9
"""Least response, so that a lamp outside all three curves can be balanced to white."""
_SECOND_RADIATION_UM_K = 14387.768775
_FWHM_UM_PER_NM = 1e-3 / 2.3548200450309493


@dataclass(frozen=True)
class Line:
    """One wavelength of a spectrum.

    Attributes
    ----------
    wavelength_um : Tensor, 0-dim
    weights : Tensor, shape (), or (3,) for a colour camera
        Share of this wavelength in the reading of each channel.
    """

    wavelength_um: Tensor
    weights: Tensor


def spectral_lines(values: Values, count: int, colour: bool) -> list[Line]:
    """Wavelengths and weights for the light of a scene.

    Parameters
    ----------
    values : Values
        Numbers of the scene; the lines move and change smoothly with those of the spectrum.
    count : int
        How many, as the sampling plan says; 1 for monochromatic light.
    colour : bool
        Whether the camera has red, green and blue channels.

    Returns
    -------
    list of Line

    Notes
    -----
    The reading of a channel is I_c = Σ_λ S(λ) R_c(λ) I_λ / Σ_λ S(λ) R_c(λ), with S in photons: the
    camera is balanced to the lamp, so that its light alone is white with irradiance 1. Where the
    particles themselves emit there is no lamp; the responses are then balanced to light with
    the same number of photons at every wavelength of 0.4–0.7 µm, and green has the peak 1, so that
    an emission has its colour. A monochrome sensor weighs all photons equally.
    """
    wavelengths, photons = _source(values, count)
    photons = photons / photons.sum()
    if not colour:
        weights = photons
    else:
        responses = colour_response(wavelengths) + _FLOOR
        if values.scene.microscope.emits:
            weights = photons[:, None] * responses / _daylight(responses)
        else:
            weights = photons[:, None] * responses
            weights = weights / weights.sum(0)
    return [Line(w, share) for w, share in zip(wavelengths, weights, strict=True)]


def colour_response(wavelength_um: Tensor) -> Tensor:
    """Response of the red, green and blue pixels, 1 at each one's peak.

    Parameters
    ----------
    wavelength_um : Tensor, shape (...)

    Returns
    -------
    Tensor, shape (..., 3)
    """
    centre, sigma = torch.tensor(
        RESPONSES_UM, dtype=wavelength_um.dtype, device=wavelength_um.device
    ).T
    return torch.exp(-0.5 * ((wavelength_um[..., None] - centre) / sigma) ** 2)


def planck_photons(wavelength_um: Tensor, temperature_k: Tensor) -> Tensor:
    """Photons per wavelength of a black body, in relative units: λ⁻⁴/(exp(c₂/λT) − 1)."""
    return wavelength_um**-4 / torch.expm1(_SECOND_RADIATION_UM_K / (wavelength_um * temperature_k))


def _source(values: Values, count: int) -> tuple[Tensor, Tensor]:
    """Wavelengths (L,) and photons (L,) in relative units."""
    spectrum = values.scene.microscope.spectrum
    centre = values.number("microscope.wavelength_um")
    like: dict[str, Any] = {"dtype": centre.dtype, "device": centre.device}
    base = "microscope.spectrum"
    if spectrum.kind == "led":
        sigma = values.number(f"{base}.bandwidth_nm") * _FWHM_UM_PER_NM
        steps = _steps(count, **like)
        half = torch.minimum(TAIL * sigma, centre / 2)
        away = half * steps
        return centre + away, torch.exp(-0.5 * (away / sigma) ** 2)
    if spectrum.kind == "white_led":
        blue = max(2, count // 4)
        share = values.number(f"{base}.blue_share")
        parts = []
        for (middle, sigma_um), number, part in (
            (BLUE_LINE_UM, blue, share),
            (PHOSPHOR_UM, max(2, count - blue), 1 - share),
        ):
            steps = TAIL * _steps(number, **like)
            profile = torch.exp(-0.5 * steps**2)
            parts.append((middle + sigma_um * steps, part * profile / profile.sum()))
        return torch.cat([parts[0][0], parts[1][0]]), torch.cat([parts[0][1], parts[1][1]])
    if spectrum.kind == "halogen":
        nodes, shares = np.polynomial.legendre.leggauss(count)
        low, high = VISIBLE_UM
        wavelengths = torch.as_tensor((low + high) / 2 + (high - low) / 2 * nodes, **like)
        photons = planck_photons(wavelengths, values.number(f"{base}.temperature_k"))
        return wavelengths, torch.as_tensor(shares, **like) * photons
    return centre[None], torch.ones(1, **like)


def _steps(count: int, **like: Any) -> Tensor:
    """Centres of equal parts of −1 … 1: equal steps are the best rule for a Gaussian line."""
    return (2 * torch.arange(count, **like) + 1) / count - 1


def _daylight(like: Tensor) -> Tensor:
    """Photons that each channel reads of a flat spectrum, relative to green."""
    low, high = VISIBLE_UM
    root = sqrt(2)
    areas = []
    for centre, sigma in RESPONSES_UM:
        ends = torch.tensor([(e - centre) / (sigma * root) for e in (low, high)])
        areas.append(sigma * sqrt(tau) / 2 * float(torch.erf(ends[1]) - torch.erf(ends[0])))
    return torch.tensor([a / areas[1] for a in areas], dtype=like.dtype, device=like.device)


def at_wavelength(values: Values, wavelength_um: Tensor) -> Values:
    """Numbers of a scene as they are for one wavelength of its spectrum.

    Parameters
    ----------
    values : Values
        As the scene states them, for ``microscope.wavelength_um`` = λ_c.
    wavelength_um : Tensor, 0-dim
        λ.

    Returns
    -------
    Values
        With the wavelength, the index of the medium, and path differences that the scene states as
        angles or waves at λ_c and that stay the same in µm: aberrations, the bias of DIC and the
        retardation of a phase ring all scale by λ_c/λ. The same object for monochromatic light.
    """
    microscope = values.scene.microscope
    if microscope.spectrum.monochromatic:
        return values
    ratio = values.number("microscope.wavelength_um") / wavelength_um
    numbers = {
        "microscope.wavelength_um": wavelength_um,
        "medium.index": medium_index(values, wavelength_um),
    }
    names = [f"microscope.modality.{name}" for name in microscope.modality.path_differences]
    names += [f"microscope.field_aberrations.{name}" for name in ("coma", "astigmatism")]
    base = "microscope.aberrations"
    for field in type(microscope.aberrations).model_fields:
        if field in ("zernike", "osa"):
            more = values.under(f"{base}.{field}")
            terms = range(1, 121) if more else getattr(microscope.aberrations, field)
            names += [f"{base}.{field}[{j}]" for j in terms]
        else:
            names.append(f"{base}.{field}")
    for name in names:
        # Terms of zero stay absent, so that nobody computes them.
        if values.given(name) is not None or float(values.number(name)) != 0:
            numbers[name] = values.number(name) * ratio
    return values.replaced(numbers)


def focus_shift(values: Values, wavelength_um: Tensor) -> Tensor:
    """Rise of the plane in focus by axial colour, µm.

    Parameters
    ----------
    values : Values
        As the scene states them.
    wavelength_um : Tensor, 0-dim
    """
    per_um = values.number("microscope.chromatic.axial_um_per_100nm") * 10
    return per_um * (wavelength_um - values.number("microscope.wavelength_um"))


def magnification(values: Values, wavelength_um: Tensor) -> Tensor | None:
    """Magnification relative to that of the microscope's wavelength; None without lateral colour.

    Parameters
    ----------
    values : Values
        As the scene states them.
    wavelength_um : Tensor, 0-dim
    """
    name = "microscope.chromatic.lateral_percent_per_100nm"
    chromatic = values.scene.microscope.chromatic
    if chromatic.lateral_percent_per_100nm == 0 and values.given(name) is None:
        return None
    away = wavelength_um - values.number("microscope.wavelength_um")
    return 1 + 0.1 * values.number(name) * away

"""The wavelengths that stand for the spectrum of the light, and what a camera makes of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, singledispatch
from math import sqrt, tau
from typing import TYPE_CHECKING, Any

import torch

from osog.optics.zernike import NAMED
from osog.sample.dispersion import medium_index, table_index
from osog.scene import Halogen, Led, Monochromatic, SpectrumModel, WhiteLed
from osog.scene.spectrum import BLUE_LINE_UM, PHOSPHOR_UM, TAIL, VISIBLE_UM
from osog.waves.condenser_points import gauss_legendre

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from osog.sample import Values

    Light = tuple[Tensor, Tensor]
    """Wavelengths (L,) in µm, and photons (L,) in relative units."""

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
class SpectralSample:
    """One wavelength of a spectrum.

    Attributes
    ----------
    wavelength_um : Tensor, 0-dim
    weights : Tensor, shape (), or (3,) for a colour camera
        Share of this wavelength in the reading of each channel.
    """

    wavelength_um: Tensor
    weights: Tensor


def spectral_samples(values: Values, count: int, colour: bool) -> list[SpectralSample]:
    """Wavelengths and weights for the light of a scene.

    Parameters
    ----------
    values : Values
        Numbers of the scene; the wavelengths move and change smoothly with those of the spectrum.
    count : int
        How many, as the sampling plan says; 1 for monochromatic light.
    colour : bool
        Whether the camera has red, green and blue channels.

    Returns
    -------
    list of SpectralSample

    Notes
    -----
    The reading of a channel is I_c = Σ_λ S(λ) R_c(λ) I_λ / Σ_λ S(λ) R_c(λ), with S in photons: the
    camera is balanced to the lamp, so that its light alone is white with irradiance 1. Where the
    particles themselves emit there is no lamp; the responses are then balanced to light with
    the same number of photons at every wavelength of 0.4–0.7 µm, and green has the peak 1, so that
    an emission has its colour. A monochrome sensor weighs all photons equally.
    """
    optics = values.microscope
    wavelengths, photons = light_source(optics.spectrum, optics.wavelength_um, count)
    photons = photons / photons.sum()
    if not colour:
        weights = photons
    else:
        responses = colour_response(wavelengths) + _FLOOR
        if optics.emits:
            weights = photons[:, None] * responses / _daylight(responses)
        else:
            weights = photons[:, None] * responses
            weights = weights / weights.sum(0)
    return [SpectralSample(w, share) for w, share in zip(wavelengths, weights, strict=True)]


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


@singledispatch
def light_source(spectrum: SpectrumModel[Tensor], centre_um: Tensor, count: int) -> Light:
    """Wavelengths that stand for a spectrum, and the photons at each of them.

    A new kind of spectrum registers its own function here.

    Parameters
    ----------
    spectrum : SpectrumModel
        With tensors for numbers.
    centre_um : Tensor, 0-dim
        The microscope's wavelength.
    count : int
        How many wavelengths.

    Returns
    -------
    wavelengths_um, photons : Tensor, shape (L,)
        Photons in relative units.
    """
    raise NotImplementedError(f"no light source for the spectrum {spectrum.kind}.")


@light_source.register(Monochromatic)
def _one_wavelength(spectrum: Monochromatic[Tensor], centre_um: Tensor, count: int) -> Light:
    return centre_um[None], torch.ones_like(centre_um)[None]


@light_source.register(Led)
def _gaussian_line(spectrum: Led[Tensor], centre_um: Tensor, count: int) -> Light:
    sigma = spectrum.bandwidth_nm * _FWHM_UM_PER_NM
    half = torch.minimum(TAIL * sigma, centre_um / 2)
    away = half * _steps(count, centre_um)
    return centre_um + away, torch.exp(-0.5 * (away / sigma) ** 2)


@light_source.register(WhiteLed)
def _diode_and_phosphor(spectrum: WhiteLed[Tensor], centre_um: Tensor, count: int) -> Light:
    blue = max(2, count // 4)
    parts = []
    for (middle, sigma_um), number, share in (
        (BLUE_LINE_UM, blue, spectrum.blue_share),
        (PHOSPHOR_UM, max(2, count - blue), 1 - spectrum.blue_share),
    ):
        steps = TAIL * _steps(number, centre_um)
        profile = torch.exp(-0.5 * steps**2)
        parts.append((middle + sigma_um * steps, share * profile / profile.sum()))
    return torch.cat([parts[0][0], parts[1][0]]), torch.cat([parts[0][1], parts[1][1]])


@light_source.register(Halogen)
def _filtered_black_body(spectrum: Halogen[Tensor], centre_um: Tensor, count: int) -> Light:
    nodes, shares = gauss_legendre(count)
    low, high = VISIBLE_UM
    wavelengths = torch.as_tensor((low + high) / 2 + (high - low) / 2 * nodes).to(centre_um)
    photons = planck_photons(wavelengths, spectrum.temperature_k)
    return wavelengths, torch.tensor(shares).to(centre_um) * photons


def _steps(count: int, like: Tensor) -> Tensor:
    """Centres of equal parts of −1 … 1: equal steps are the best rule for a Gaussian line."""
    return (2 * torch.arange(count).to(like) + 1) / count - 1


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
        With the wavelength, the indices of medium, immersion and cover glass, and path differences
        that the scene states as angles or waves at λ_c and that stay the same in µm: aberrations,
        the bias of DIC and the retardation of a phase ring all scale by λ_c/λ. The same object for
        monochromatic light.
    """
    optics = values.microscope
    if optics.spectrum.monochromatic:
        return values

    def scaled(stated: Tensor) -> Tensor:
        # Terms of zero stay as they are, so that nobody computes them.
        acts = values.acts(stated)
        return stated * (optics.wavelength_um / wavelength_um) if acts else stated

    def fields(block: Any, names: Iterable[str]) -> dict[str, Callable[[], Tensor]]:
        return {name: partial(lambda n: scaled(getattr(block, n)), name) for name in names}

    aberrations = optics.aberrations
    return values.replaced(
        {
            "medium": {"index": medium_index(values, wavelength_um)},
            "microscope": {
                "wavelength_um": wavelength_um,
                "modality": fields(optics.modality, optics.modality.path_differences),
                "aberrations": {
                    **fields(aberrations, NAMED),
                    "zernike": lambda: {j: scaled(t) for j, t in aberrations.zernike.items()},
                    "osa": lambda: {j: scaled(t) for j, t in aberrations.osa.items()},
                },
                "field_aberrations": fields(optics.field_aberrations, ("coma", "astigmatism")),
                **_glasses(values, wavelength_um),
            },
        }
    )


def _glasses(values: Values, wavelength_um: Tensor) -> dict[str, Any]:
    """Indices of immersion and cover glass, where they follow a known material."""
    optics, found = values.microscope, dict[str, Any]()
    at = optics.wavelength_um
    liquid, glass = optics.immersion_dispersion, optics.cover_glass
    if liquid is not None:
        found["immersion_index"] = lambda: table_index(
            liquid, optics.immersion_index, wavelength_um, at
        )
    if glass is not None and glass.dispersion is not None:
        kind = glass.dispersion
        found["cover_glass"] = {"index": lambda: table_index(kind, glass.index, wavelength_um, at)}
    return found


def focus_shift(values: Values, wavelength_um: Tensor) -> Tensor:
    """Rise of the plane in focus by axial colour, µm.

    Parameters
    ----------
    values : Values
        As the scene states them.
    wavelength_um : Tensor, 0-dim
    """
    optics = values.microscope
    return optics.chromatic.axial_um_per_100nm * 10 * (wavelength_um - optics.wavelength_um)


def magnification(values: Values, wavelength_um: Tensor) -> Tensor | None:
    """Magnification relative to that of the microscope's wavelength; None without lateral colour.

    Parameters
    ----------
    values : Values
        As the scene states them.
    wavelength_um : Tensor, 0-dim
    """
    optics = values.microscope
    lateral = optics.chromatic.lateral_percent_per_100nm
    if not values.acts(lateral):
        return None
    return 1 + 0.1 * lateral * (wavelength_um - optics.wavelength_um)

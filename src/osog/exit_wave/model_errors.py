"""What each model of scattering is worth: fits of errors against Lorenz-Mie theory."""

from __future__ import annotations

from math import hypot

_REFERENCE_WAVELENGTH_UM = 0.55 / 1.33
_SAFE = 1.15
"""The fits of errors are centred; rather say a little too much."""


def wide_angle_error_percent(
    delta_index: float, radius_um: float, outer_aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of a darkfield picture by slabs, in per cent of its irradiance, against Lorenz–Mie.

    Parameters
    ----------
    delta_index, radius_um, wavelength_in_medium_um
        As for `slab_error_percent`.
    outer_aperture : float
        Outer edge of the annulus of light.

    Notes
    -----
    75 Δn^0.63 R^1.32 NA_out^2.04: a fit to 72 spheres over R 0.3–2.5 µm, Δn 0.02–0.12 and annuli up
    to NA 0.6, 0.95 and 1.2, which scatter around two thirds of it by a factor of 2. A dark field
    holds light of large angles alone, where slabs are worst.
    """
    radius = radius_um * _REFERENCE_WAVELENGTH_UM / wavelength_in_medium_um
    error: float = 75 * delta_index**0.63 * radius**1.32 * outer_aperture**2.04
    return error


def facet_error_percent(
    delta_index: float, radius_um: float, aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of the light that two surfaces send back, for a sphere, against Lorenz–Mie.

    Parameters and result as for `slab_error_percent`.

    Notes
    -----
    100 √[0.025² + (3.2 Δn^0.8 R^0.5 NA^0.8)²]: a fit over NA 0.4–1.2, R 0.1–5 µm and Δn 0.02 and
    0.12, good to a factor of 2. What is lost is the refraction of light that comes back from the
    lower surface through the curved upper one; flat bodies have no such error.
    """
    radius = radius_um * _REFERENCE_WAVELENGTH_UM / wavelength_in_medium_um
    refracted = 3.2 * delta_index**0.8 * radius**0.5 * aperture**0.8
    return 100 * hypot(0.025, refracted)


def neighbour_error_percent(coverage: float, phase: float) -> float:
    """Error of adding the fields of particles that also light each other.

    Parameters
    ----------
    coverage : float
        Share of the field of view that the other particles cover.
    phase : float
        Phase across the middle of one of them in radians.

    Returns
    -------
    float
        Percent of the scattered field inside the pupil.

    Notes
    -----
    50 c^0.64 min(1, φ/0.7)^0.6: a fit to sums against multislice for spheres of 1 µm in ± 10 µm,
    Δn 0.01 and 0.03 and coverages of 0.03 to 0.3, good to a factor of 1.5.
    """
    strength: float = min(1.0, phase / 0.7) ** 0.6
    return 50 * float(coverage**0.64) * strength


def slab_error_percent(
    delta_index: float, radius_um: float, aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of the slab engine's scattered field against Lorenz-Mie, before discretisation.

    Parameters
    ----------
    delta_index : float
        |n - n_m|.
    radius_um : float
        Smallest half extent of the body.
    aperture : float
        Objective NA.
    wavelength_in_medium_um : float
        λ/n_m; the radius is scaled by it.

    Returns
    -------
    float
        Percent of the scattered field inside the pupil (relative L2).

    Notes
    -----
    1.15 √[(0.306 NA^3.35)² + (251 Δn^2.13 R^0.96 NA^2.27)²] with R at λ 0.55 µm in water: with
    `grid_error_percent` a fit to 580 spheres against Lorenz-Mie over NA 0.35-1.25, R 0.25-5 µm, Δn
    0.01-0.25 and heights of ± 20 µm, good to a factor of 1.28 rms; 97 % of the spheres of fine and
    standard grids are within 1.5 times the number, and 93 % of drafts.
    """
    radius = _scaled(radius_um, wavelength_in_medium_um)
    thin = 0.306 * aperture**3.35
    strong = 251 * delta_index**2.13 * radius**0.96 * aperture**2.27
    return _SAFE * hypot(thin, strong)


def projection_error_percent(
    delta_index: float, radius_um: float, aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of the projection model's scattered field against Lorenz-Mie.

    Parameters and result as for `slab_error_percent`.

    Notes
    -----
    1.15 √[(7.7 NA^2.63 R^-0.14)² + (476 Δn^1.58 R^1.12 NA^1.10)²]: a fit over the same range, good
    to a factor of 1.35 rms together with `grid_error_percent`.
    """
    radius = _scaled(radius_um, wavelength_in_medium_um)
    thin = 7.7 * aperture**2.63 * radius**-0.14
    strong = 476 * delta_index**1.58 * radius**1.12 * aperture**1.10
    return _SAFE * hypot(thin, strong)


def grid_error_percent(
    delta_index: float,
    radius_um: float,
    pitch_um: float,
    slab_um: float,
    aperture: float,
    wavelength_in_medium_um: float,
    medium_index: float,
    projected: bool = False,
) -> float:
    """Error that the grids add to the scattered field.

    Parameters
    ----------
    delta_index, radius_um, aperture, wavelength_in_medium_um
        As for `slab_error_percent`.
    pitch_um, slab_um : float
        Pitch of the field grid and spacing of the slabs.
    medium_index : float
    projected : bool
        For the projection model.

    Returns
    -------
    float
        Percent of the scattered field inside the pupil.

    Notes
    -----
    With p in units of λ/n and c = dz NA²/(λ n), in quadrature: pixels that the body's edge is
    drawn with, 30.5 Δn^0.97 R^-0.86 p^0.98; light that the grid cannot bend further, 370 Δn^1.52
    R^0.19 p^1.98; the place of a small body on the grid, 1.96 (p/R)^2.2; the slabs, 8.6 c^3.1
    R^-0.73; the height of steep rims within a sample, 9 p^2.5 NA^5.5. It says rather too much: of
    162 spheres over NA 0.2-1.1, R 0.3-5 µm and Δn 0.01-0.15, 97 % are within 1.5 times the number
    and half of them below 0.66 of it, below 0.4 with fine grids at NA 0.2.
    For a projection 51.7 Δn^0.77 R^-0.12 p^1.54, 0.77 (p/R)^5.9 and 14.1 c^4.6 R^-1.1.
    """
    radius = _scaled(radius_um, wavelength_in_medium_um)
    pitch, coarse = pitch_um / wavelength_in_medium_um, pitch_um / radius_um
    spacing = slab_um * aperture**2 / (wavelength_in_medium_um * medium_index**2)
    parts: tuple[float, ...]
    if projected:
        parts = (
            51.7 * delta_index**0.77 * radius**-0.12 * pitch**1.54,
            0.77 * coarse**5.9,
            14.1 * spacing**4.6 * radius**-1.1,
        )
    else:
        parts = (
            30.5 * delta_index**0.97 * radius**-0.86 * pitch**0.98,
            370 * delta_index**1.52 * radius**0.19 * pitch**1.98,
            1.96 * coarse**2.2,
            8.6 * spacing**3.1 * radius**-0.73,
            9.0 * pitch**2.5 * aperture**5.5,
        )
    return _SAFE * hypot(*parts)


def _scaled(radius_um: float, wavelength_in_medium_um: float) -> float:
    """Radius of the same body at λ 0.55 µm in water, at least what was measured."""
    return max(radius_um * _REFERENCE_WAVELENGTH_UM / wavelength_in_medium_um, 0.05)


__all__ = [
    "facet_error_percent",
    "grid_error_percent",
    "neighbour_error_percent",
    "projection_error_percent",
    "slab_error_percent",
    "wide_angle_error_percent",
]

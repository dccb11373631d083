"""All statistics of one picture, and how far those of two lie apart."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from osog.statistics.background import background_trend, checked, cover
from osog.statistics.contrast import contrast_quantiles, histogram_distance, skewness
from osog.statistics.lines import (
    PROFILE_UM,
    find_lines,
    line_shapes,
    profile_distance,
    relief_profiles,
)
from osog.statistics.noise import noise_of
from osog.statistics.spectrum import radial_power_spectrum, spectral_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAINT, STRONG = 0.03, 0.1
"""Contrasts beyond which a place counts as faintly and as strongly covered."""


@dataclass(frozen=True)
class ImageStatistics:
    """Statistics of a picture; contrasts are relative to its empty field.

    Attributes
    ----------
    background : float
        Level of the empty field, grey levels.
    slope_x, slope_y, sag : float
        Its trend, as `Trend` describes it.
    noise : float
        Standard deviation of the noise, grey levels.
    noise_correlation : float
        Correlation of the noise of neighbours, mean of both axes.
    contrast_rms : float
        Root mean square of the contrast.
    contrast_skewness : float
        Third standardised moment of the contrast; below 0 where dark stands out.
    cover_faint, cover_strong : float
        Shares of the field with a contrast beyond 0.03 and 0.1, behind a blur of 0.3 µm.
    lines_per_mm2 : float
        Density of the lines found.
    dark_share : float
        Share of the lines whose main lobe is dark.
    line_depth, line_width_um, second_lobe, line_roughness : float
        Medians over the lines: contrast of the main lobe, its full width at half maximum, the
        other lobe as a share of it, and the spread of the contrast along the line.
    colour_rms : float
        Root mean square of red less green and blue less green, each relative to its own field,
        behind a blur of 0.3 µm; 0 for a grey picture.
    spectrum : ndarray (30,)
        `radial_power_spectrum`.
    quantiles : ndarray (401,)
        `contrast_quantiles`.
    across_odd, across_even, along_even : ndarray (81,)
        `relief_profiles`; NaN where no direction was given or no line was found.
    """

    background: float
    slope_x: float
    slope_y: float
    sag: float
    noise: float
    noise_correlation: float
    contrast_rms: float
    contrast_skewness: float
    cover_faint: float
    cover_strong: float
    lines_per_mm2: float
    dark_share: float
    line_depth: float
    line_width_um: float
    second_lobe: float
    line_roughness: float
    colour_rms: float
    spectrum: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    across_odd: NDArray[np.float64]
    across_even: NDArray[np.float64]
    along_even: NDArray[np.float64]

    def numbers(self) -> dict[str, float]:
        """The single numbers by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, float)}


def measure(
    image: NDArray[np.generic],
    pixel_size_um: float,
    relief_azimuth_deg: float | None = None,
    line_width_um: float = 1.5,
) -> ImageStatistics:
    """Measure a picture.

    Parameters
    ----------
    image : ndarray (Y, X) or (Y, X, 3)
        Grey levels, or red, green and blue, whose mean is measured.
    pixel_size_um : float
    relief_azimuth_deg : float, optional
        Direction of the relief in DIC from +x towards +y; it makes the profiles of lines across
        and along it.
    line_width_um : float
        Width of line that `find_lines` looks for.

    Returns
    -------
    ImageStatistics

    Raises
    ------
    ValueError
        If the image has another shape, is smaller than 8 blocks of 32 px, is not finite, or has no
        empty field above 0.
    """
    colours = np.asarray(image, dtype=np.float64)
    if colours.ndim == 3 and colours.shape[-1] != 3:
        raise ValueError(f"a picture of shape {colours.shape} must be (Y, X) or (Y, X, 3).")
    grey = colours.mean(axis=-1) if colours.ndim == 3 else colours
    checked(grey)
    trend = background_trend(grey)
    contrast = grey / trend.surface - 1.0
    noise = noise_of(grey)
    quantiles = contrast_quantiles(contrast)
    lines = find_lines(contrast, pixel_size_um, line_width_um)
    shapes = line_shapes(lines)
    area_mm2 = contrast.size * (pixel_size_um * 1e-3) ** 2
    nothing = np.full(len(PROFILE_UM), np.nan)
    relief = {"across_odd": nothing, "across_even": nothing, "along_even": nothing}
    if relief_azimuth_deg is not None:
        relief = relief_profiles(lines, relief_azimuth_deg)
    return ImageStatistics(
        background=trend.level,
        slope_x=trend.slope_x,
        slope_y=trend.slope_y,
        sag=trend.sag,
        noise=noise.sigma,
        noise_correlation=0.5 * (noise.correlation_x + noise.correlation_y),
        contrast_rms=float(np.sqrt(np.mean(contrast**2))),
        contrast_skewness=skewness(quantiles),
        cover_faint=cover(contrast, pixel_size_um, FAINT),
        cover_strong=cover(contrast, pixel_size_um, STRONG),
        lines_per_mm2=len(lines) / area_mm2,
        dark_share=_median_or_mean(shapes.dark.astype(np.float64), mean=True),
        line_depth=_median_or_mean(shapes.depth),
        line_width_um=_median_or_mean(shapes.width_um),
        second_lobe=_median_or_mean(shapes.second_lobe),
        line_roughness=_median_or_mean(lines.roughness),
        colour_rms=_colour(colours, pixel_size_um) if colours.ndim == 3 else 0.0,
        spectrum=radial_power_spectrum(contrast, pixel_size_um),
        quantiles=quantiles,
        **relief,
    )


def distances(
    first: ImageStatistics,
    second: ImageStatistics,
    band_per_um: tuple[float, float] = (0.0, np.inf),
) -> dict[str, float]:
    """How far the statistics of a picture lie from those of a reference.

    Parameters
    ----------
    first : ImageStatistics
        Of the picture.
    second : ImageStatistics
        Of the reference.
    band_per_um : (float, float)
        Frequencies that the distance of the spectra covers, cycles/µm.

    Returns
    -------
    dict
        ``spectrum``: root mean square of the natural logarithm of the ratio. ``histogram``:
        Wasserstein distance relative to the reference's root-mean-square contrast. ``across_odd``,
        ``across_even``, ``along_even``: root mean square difference of the profiles relative to the
        reference's, both parts of it together for lines across the relief. ``noise``,
        ``noise_correlation``, ``dark_share``, ``contrast_skewness``: difference. All others:
        natural logarithm of the ratio, without sign. NaN where one of them lacks it.
    """
    found = {
        "spectrum": spectral_distance(first.spectrum, second.spectrum, band_per_um),
        "histogram": histogram_distance(first.quantiles, second.quantiles)
        / max(second.contrast_rms, 1e-12),
    }
    # Both parts of a profile have the scale of the whole, or one that is nearly 0 counts for much.
    across = np.hypot(second.across_odd, second.across_even)
    for name in ("across_odd", "across_even"):
        found[name] = profile_distance(getattr(first, name), getattr(second, name), across)
    found["along_even"] = profile_distance(first.along_even, second.along_even)
    for name in ("noise", "noise_correlation", "dark_share", "contrast_skewness"):
        found[name] = abs(getattr(first, name) - getattr(second, name))
    for name in _RATIOS:
        one, other = getattr(first, name), getattr(second, name)
        usable = one > 0 and other > 0
        found[name] = abs(float(np.log(one / other))) if usable else float("nan")
    return found


_RATIOS = (
    "background",
    "contrast_rms",
    "cover_faint",
    "cover_strong",
    "lines_per_mm2",
    "line_depth",
    "line_width_um",
    "second_lobe",
    "line_roughness",
    "colour_rms",
)


def _median_or_mean(values: NDArray[np.float64], mean: bool = False) -> float:
    if not len(values):
        return float("nan")
    return float(values.mean() if mean else np.median(values))


def _colour(colours: NDArray[np.float64], pixel_size_um: float) -> float:
    from scipy.ndimage import gaussian_filter

    blur = 0.3 / pixel_size_um
    red, green, blue = (
        gaussian_filter(channel / background_trend(channel).surface - 1.0, blur)
        for channel in np.moveaxis(colours, -1, 0)
    )
    return float(np.sqrt(0.5 * np.mean((red - green) ** 2 + (blue - green) ** 2)))

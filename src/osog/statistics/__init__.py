"""Statistics of micrographs, to tell how alike two pictures are that show different particles."""

from osog.statistics.background import Trend, background_trend, cover, relative_contrast
from osog.statistics.contrast import contrast_quantiles, histogram_distance, skewness
from osog.statistics.lines import (
    PROFILE_UM,
    Lines,
    LineShapes,
    find_lines,
    line_shapes,
    profile_distance,
    relief_profiles,
)
from osog.statistics.measure import ImageStatistics, distances, measure
from osog.statistics.noise import Noise, noise_of
from osog.statistics.regions import region_shapes
from osog.statistics.spectrum import BAND_EDGES_PER_UM, radial_power_spectrum, spectral_distance
from osog.statistics.tiles import average, measure_tiles, spread

__all__ = [
    "BAND_EDGES_PER_UM",
    "PROFILE_UM",
    "ImageStatistics",
    "LineShapes",
    "Lines",
    "Noise",
    "Trend",
    "average",
    "background_trend",
    "contrast_quantiles",
    "cover",
    "distances",
    "find_lines",
    "histogram_distance",
    "line_shapes",
    "measure",
    "measure_tiles",
    "noise_of",
    "profile_distance",
    "radial_power_spectrum",
    "region_shapes",
    "relative_contrast",
    "relief_profiles",
    "skewness",
    "spectral_distance",
    "spread",
]

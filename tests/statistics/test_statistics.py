"""Statistics of pictures whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from osog.statistics import (
    BAND_EDGES_PER_UM,
    PROFILE_UM,
    average,
    background_trend,
    contrast_quantiles,
    cover,
    distances,
    find_lines,
    histogram_distance,
    line_shapes,
    measure,
    measure_tiles,
    noise_of,
    profile_distance,
    radial_power_spectrum,
    relief_profiles,
    skewness,
    spectral_distance,
    spread,
)

PIXEL = 0.12
SHAPE = (384, 400)


def _axes(shape=SHAPE):
    y, x = np.indices(shape) * PIXEL
    return x, y


def _line(azimuth_deg, even=-0.2, odd=0.0, sigma_um=0.6, centre=None, length_um=16.0):
    """Gaussian line, and its derivative, of a given direction; the odd part rises along +normal."""
    x, y = _axes()
    x0, y0 = centre or (SHAPE[1] * PIXEL / 2, SHAPE[0] * PIXEL / 2)
    turn = np.deg2rad(azimuth_deg)
    along = (x - x0) * np.cos(turn) + (y - y0) * np.sin(turn)
    across = -(x - x0) * np.sin(turn) + (y - y0) * np.cos(turn)
    bell = np.exp(-0.5 * (across / sigma_um) ** 2)
    ends = 1 / (1 + np.exp(np.clip((np.abs(along) - length_um / 2) / 0.3, -40, 40)))
    # The derivative has its extrema ±1 at ±σ.
    return (even * bell + odd * across / sigma_um * np.exp(0.5) * bell) * ends


def _noise(shape=SHAPE, sigma=1.0, seed=0):
    return np.random.default_rng(seed).normal(0.0, sigma, shape)


def test_the_trend_of_an_empty_field_is_found_under_dark_bodies():
    rows, columns = (np.linspace(-1, 1, n) for n in SHAPE)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    field = 100 * (1 + 0.06 * x - 0.03 * y - 0.02 * (x**2 + y**2))
    picture = field + _noise(sigma=1.0)
    picture[40:180, 60:200] -= 40
    trend = background_trend(picture)
    assert trend.level == pytest.approx(100, abs=0.3)
    assert (trend.slope_x, trend.slope_y) == pytest.approx((0.12, -0.06), abs=0.004)
    assert trend.sag == pytest.approx(-0.04, abs=0.004)
    assert np.abs(trend.surface - field).max() < 0.6


def test_an_even_picture_has_no_trend():
    trend = background_trend(np.full((32, 40), 7.0))
    assert (trend.level, trend.slope_x, trend.sag) == pytest.approx((7.0, 0.0, 0.0), abs=1e-9)


@pytest.mark.parametrize("picture", [np.zeros((32, 32)), np.full((32, 32), -5.0)])
def test_a_field_that_is_not_above_zero_is_refused(picture):
    with pytest.raises(ValueError, match="not above 0"):
        background_trend(picture)


def test_cover_is_the_share_of_the_area():
    picture = np.zeros(SHAPE)
    picture[:, :100] = -0.2
    assert cover(picture, PIXEL, 0.1) == pytest.approx(0.25, abs=0.005)
    assert cover(picture, PIXEL, 0.3) == 0.0


def test_the_spectrum_of_white_noise_is_flat_and_integrates_to_the_variance():
    spectrum = radial_power_spectrum(_noise(sigma=0.02), PIXEL)
    held = np.isfinite(spectrum)
    assert held.sum() > 15
    expected = 0.02**2 * PIXEL**2
    # The lowest bands average over a few frequencies only.
    assert spectrum[held][-8:] == pytest.approx(expected, rel=0.08)
    assert BAND_EDGES_PER_UM[1:][held].max() <= 0.5 / PIXEL


def test_a_blur_lowers_the_spectrum_by_its_transfer_function():
    picture, sigma = _noise(sigma=0.1), 0.2
    blurred = gaussian_filter(picture, sigma / PIXEL, mode="wrap")
    sharp, soft = (radial_power_spectrum(one, PIXEL) for one in (picture, blurred))
    middle = np.sqrt(BAND_EDGES_PER_UM[1:] * BAND_EDGES_PER_UM[:-1])
    band = np.isfinite(sharp) & (middle > 0.3) & (middle < 1.2)
    expected = np.exp(-((2 * np.pi * middle * sigma) ** 2))
    assert np.log(soft / sharp)[band] == pytest.approx(np.log(expected)[band], abs=0.12)


def test_twice_the_contrast_is_a_spectral_distance_of_ln_four():
    spectrum = radial_power_spectrum(_noise(), PIXEL)
    louder = radial_power_spectrum(2 * _noise(), PIXEL)
    assert spectral_distance(louder, spectrum) == pytest.approx(np.log(4))
    assert spectral_distance(louder, spectrum, (0.5, 2.0)) == pytest.approx(np.log(4))
    assert np.isnan(spectral_distance(louder, spectrum, (100.0, 200.0)))


def test_histograms_that_are_shifted_lie_the_shift_apart():
    first = contrast_quantiles(_noise())
    assert histogram_distance(contrast_quantiles(_noise() + 0.3), first) == pytest.approx(0.3)
    assert histogram_distance(first, first) == 0.0


def test_skewness_of_an_exponential_law_is_two():
    drawn = np.random.default_rng(1).exponential(1.0, 400_000)
    # 401 quantiles cut the last four hundredth of the tail.
    assert skewness(contrast_quantiles(drawn)) == pytest.approx(2.0, abs=0.25)
    assert skewness(contrast_quantiles(-drawn)) == pytest.approx(-2.0, abs=0.25)


def test_noise_and_its_correlation_are_those_of_the_flat_places():
    white = _noise((512, 512), sigma=2.0)
    mixed = white + 0.5 * np.roll(white, 1, axis=1)
    mixed[:, 256:] += 50 * np.sin(np.arange(256) / 3.0)
    found = noise_of(mixed)
    assert found.sigma == pytest.approx(2.0 * np.sqrt(1.25), rel=0.09)
    assert found.correlation_x == pytest.approx(0.4, abs=0.03)
    assert found.correlation_y == pytest.approx(0.0, abs=0.03)


def test_an_even_field_has_no_noise():
    assert noise_of(np.ones((96, 128))).sigma < 1e-12


@pytest.mark.parametrize("azimuth", [0.0, 33.0, 90.0, 140.0])
@pytest.mark.parametrize("depth", [-0.2, 0.15])
def test_a_line_is_found_with_its_direction_depth_and_width(azimuth, depth):
    picture = _line(azimuth, even=depth) + _noise(sigma=0.005)
    lines = find_lines(picture, PIXEL)
    assert 4 <= len(lines) <= 12
    turned = (lines.azimuth_deg - azimuth + 90) % 180 - 90
    assert np.abs(np.median(turned)) < 4
    middle = SHAPE[1] * PIXEL / 2, SHAPE[0] * PIXEL / 2
    turn = np.deg2rad(azimuth)
    off = -(lines.x_um - middle[0]) * np.sin(turn) + (lines.y_um - middle[1]) * np.cos(turn)
    assert np.abs(off).max() < 0.4
    shapes = line_shapes(lines)
    assert (shapes.dark == (depth < 0)).all()
    assert np.median(shapes.depth) == pytest.approx(abs(depth), rel=0.06)
    assert np.median(shapes.width_um) == pytest.approx(0.6 * 2.3548, rel=0.08)
    assert np.median(shapes.second_lobe) < 0.1


def test_noise_alone_and_broad_bodies_hold_no_lines():
    x, y = _axes()
    disc = np.where(np.hypot(x - 24, y - 23) < 9.0, -0.2, 0.0)
    assert len(find_lines(_noise(sigma=0.01), PIXEL)) == 0
    assert len(find_lines(gaussian_filter(disc, 4) + _noise(sigma=0.005), PIXEL)) <= 1


def test_a_one_sided_line_has_two_lobes_alike():
    lines = find_lines(_line(90.0, even=0.0, odd=0.1) + _noise(sigma=0.003), PIXEL)
    shapes = line_shapes(lines)
    assert len(lines) >= 4
    assert np.median(shapes.second_lobe) > 0.9
    assert np.median(shapes.depth) == pytest.approx(0.1, rel=0.1)


def test_relief_parts_into_odd_lines_across_and_even_lines_along():
    across = _line(100.0, even=0.0, odd=-0.1, centre=(12, 23))
    along = _line(10.0, even=-0.2, centre=(33, 23))
    lines = find_lines(across + along + _noise(sigma=0.003), PIXEL)
    parts = relief_profiles(lines, 10.0)
    # The normal of the line at 100° is 190°: along 10° the odd part falls, and so it is +0.1 there.
    side = np.abs(PROFILE_UM - 0.6).argmin()
    assert parts["across_odd"][side] == pytest.approx(0.1, rel=0.12)
    assert parts["across_odd"] == pytest.approx(-parts["across_odd"][::-1])
    assert np.abs(parts["across_even"]).max() < 0.02
    assert parts["along_even"][40] == pytest.approx(-0.2, rel=0.15)
    opposite = relief_profiles(lines, 190.0)
    assert opposite["across_odd"] == pytest.approx(-parts["across_odd"], abs=1e-12)


def test_without_lines_there_are_no_profiles():
    lines = find_lines(_noise(sigma=0.01), PIXEL)
    assert np.isnan(relief_profiles(lines, 0.0)["along_even"]).all()


def test_profiles_lie_apart_by_their_difference():
    one = np.sin(PROFILE_UM)
    assert profile_distance(1.3 * one, one) == pytest.approx(0.3)
    assert profile_distance(1.3 * one, one, 2 * one) == pytest.approx(0.15)


def _picture(seed=0, depth=-0.2):
    lines = _line(20.0, depth, centre=(14, 20)) + _line(115.0, depth, centre=(34, 26))
    return 105 * (1 + lines) + _noise(sigma=1.5, seed=seed)


def test_a_picture_lies_at_no_distance_from_itself_and_near_its_like():
    first, second = (measure(_picture(seed), PIXEL, 20.0) for seed in (1, 2))
    assert all(value == 0 or np.isnan(value) for value in distances(first, first).values())
    alike = distances(first, second, (0.05, 1.3))
    assert alike["spectrum"] < 0.2 and alike["histogram"] < 0.05 and alike["dark_share"] == 0
    bright = distances(measure(_picture(1, 0.2), PIXEL, 20.0), second)
    assert bright["dark_share"] == 1.0
    assert bright["along_even"] == pytest.approx(2.0, abs=0.1)


def test_numbers_do_not_depend_on_the_exposure():
    once, twice = (measure(k * _picture(), PIXEL) for k in (1.0, 2.0))
    assert twice.background == pytest.approx(2 * once.background)
    assert twice.noise == pytest.approx(2 * once.noise)
    for name in ("contrast_rms", "cover_faint", "line_depth", "line_width_um", "dark_share"):
        assert getattr(twice, name) == pytest.approx(getattr(once, name))
    assert once.numbers()["line_depth"] == once.line_depth


def test_colour_is_what_the_channels_do_not_share():
    grey = _picture()
    assert measure(np.stack([grey] * 3, axis=-1), PIXEL).colour_rms == pytest.approx(0, abs=1e-9)
    moved = np.stack([np.roll(grey, 3, axis=1), grey, grey], axis=-1)
    assert measure(moved, PIXEL).colour_rms > 0.003
    assert measure(grey, PIXEL).colour_rms == 0.0


def test_tiles_of_one_picture_are_averaged_and_spread_around_their_average():
    twice = np.concatenate([_picture(), _picture(depth=-0.1), np.full((SHAPE[0], 50), 1.0)], axis=1)
    parts = measure_tiles(twice, PIXEL, SHAPE, 20.0)
    assert len(parts) == 2
    middle = average(parts)
    assert middle.line_depth == pytest.approx(0.5 * (parts[0].line_depth + parts[1].line_depth))
    assert middle.along_even == pytest.approx(0.5 * (parts[0].along_even + parts[1].along_even))
    held = np.isfinite(middle.spectrum)
    mean = np.sqrt(parts[0].spectrum * parts[1].spectrum)
    assert middle.spectrum[held] == pytest.approx(mean[held])
    # Both lie half a difference, 0.05 of 0.15, away.
    assert spread(parts)["along_even"] == pytest.approx(1 / 3, abs=0.06)
    alone = measure_tiles(_picture(), PIXEL, (5000, 5000))
    assert len(alone) == 1 and np.isnan(average(alone).along_even).all()
    assert spread(alone)["histogram"] == 0.0


@pytest.mark.parametrize("shape", [(64, 64, 4), (4, 64), (64,)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="must be"):
        measure(np.ones(shape), PIXEL)


@pytest.mark.micrographs
def test_the_needles_of_a_real_micrograph_are_mostly_dark(micrographs):
    import imageio.v3 as iio

    picture = iio.imread(micrographs / "crystals" / "t120-r2_crop_x0-1300.png")[512:1024, :512]
    found = measure(picture, PIXEL, 18.0)
    assert found.background == pytest.approx(103, abs=5)
    assert found.noise == pytest.approx(1.5, abs=0.3)
    assert found.noise_correlation == pytest.approx(0.40, abs=0.07)
    assert found.dark_share > 0.6
    # Towards the lower right a rod is first dark and then bright.
    assert found.across_odd[PROFILE_UM > 0.5][:10].mean() > 0.01

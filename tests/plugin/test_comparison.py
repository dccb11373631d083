"""Gain and offset, overlays and profiles against numbers known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_osog.comparison import compose, match_greys, profile


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    render = rng.normal(size=(24, 30))
    return render, 2.5 * render - 7.0


def test_match_finds_gain_and_offset_and_leaves_out_what_is_not_finite(pair):
    render, micrograph = pair
    micrograph[3, 4] = np.nan
    found = match_greys(render, micrograph)
    assert found.gain == pytest.approx(2.5) and found.offset == pytest.approx(-7.0)
    assert found.rms == pytest.approx(0, abs=1e-9) and found.correlation == pytest.approx(1)


def test_a_flat_render_is_matched_by_its_level_alone(pair):
    found = match_greys(np.full((24, 30), 3.0), pair[1])
    assert found.gain == 1.0 and found.correlation == 0.0
    assert found.offset == pytest.approx(pair[1].mean() - 3.0)


def test_difference_is_zero_for_the_same_image_in_other_units(pair):
    array, _ = compose("difference", *pair)
    assert array.dtype == np.float32 and np.abs(array).max() < 1e-5


def test_wipe_shows_the_micrograph_on_the_left(pair):
    render, micrograph = pair
    array, _ = compose("wipe", np.zeros_like(render), micrograph, wipe=0.4)
    assert np.allclose(array[:, :11], micrograph[:, :11], atol=1e-5)
    assert np.allclose(array[:, 12:], micrograph.mean(), atol=1e-5)
    assert np.allclose(array[:, 11], micrograph.max(), atol=1e-5), "the line to grip"


def test_checkerboard_alternates(pair):
    render, micrograph = pair
    array, _ = compose("checkerboard", np.zeros_like(render), micrograph, tiles=4)
    assert np.allclose(array[:6, :6], micrograph[:6, :6], atol=1e-5)
    assert np.allclose(array[:6, 6:12], micrograph.mean(), atol=1e-5)
    assert np.allclose(array[6:12, 6:12], micrograph[6:12, 6:12], atol=1e-5)


def test_profile_interpolates_and_ends_at_the_border():
    image = np.arange(20.0) * np.ones((10, 1))
    assert np.allclose(profile(image, (4, 2), (4, 8)), np.arange(2, 9))
    assert np.isnan(profile(image, (4, 15), (4, 25))[-1])

"""Laws of the camera: photon transfer, shot noise, saturation, pixel integration (EMVA 1288)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from osog.sample import Values
from osog.scene import Camera, Scene
from osog.sensor import expected_counts, expose

PATCH = (400, 400)


def camera(**numbers: float) -> Camera:
    plain = {
        "background_electrons": 1000.0,
        "read_noise_electrons": 2.5,
        "full_well_electrons": 1e6,
        "gain_electrons_per_count": 2.0,
        "offset_counts": 20.0,
        "bit_depth": 16,
    }
    return Camera.model_validate({**plain, **numbers})


def flat(electrons: float, seed: int = 5, **numbers: float) -> np.ndarray:
    model = camera(**numbers)
    level = electrons / model.electrons_at_one
    return expose(torch.full(PATCH, level), model, seed=seed).numpy().astype(float)


def test_mean_and_variance_of_one_level() -> None:
    """K = ½ count/e⁻, σ_r = 2.5, e = 1000: mean 500, variance ¼(1000 + 6.25) + 1/12."""
    counts = flat(1000.0)
    assert counts.mean() - 20 == pytest.approx(500.0, abs=4 * (251.6 / counts.size) ** 0.5)
    assert counts.var() == pytest.approx(251.5625 + 1 / 12, rel=0.015)


def test_slope_of_the_photon_transfer_curve_is_the_gain() -> None:
    levels = np.array([50.0, 200.0, 1000.0, 3000.0, 5000.0])
    pictures = [flat(e) for e in levels]
    mean = np.array([p.mean() - 20 for p in pictures])
    variance = np.array([p.var() for p in pictures])
    slope, intercept = np.polyfit(mean, variance, 1, w=1 / variance)
    assert slope == pytest.approx(0.5, rel=0.01)
    assert intercept == pytest.approx(0.25 * 6.25 + 1 / 12, abs=0.6)


def test_shot_noise_is_poisson_at_low_light() -> None:
    counts = flat(0.7, read_noise_electrons=0.0, gain_electrons_per_count=1.0)
    share = [(counts == 20 + k).mean() for k in range(3)]
    assert share == pytest.approx([0.4966, 0.3476, 0.1217], abs=0.005)


def test_read_noise_alone() -> None:
    counts = flat(0.0, read_noise_electrons=10.0, gain_electrons_per_count=1.0, offset_counts=100)
    assert counts.std() == pytest.approx((100 + 1 / 12) ** 0.5, rel=0.01)
    assert counts.mean() == pytest.approx(100, abs=0.15)


def test_full_well_and_white_level_saturate() -> None:
    well = flat(5000.0, full_well_electrons=3000.0, read_noise_electrons=0.0)
    assert set(np.unique(well)) == {1520.0}
    white = flat(5000.0, bit_depth=8, read_noise_electrons=0.0)
    assert set(np.unique(white)) == {255.0}


def test_photons_times_quantum_efficiency_replace_the_electrons() -> None:
    counts = flat(0.0, noise=True)
    bright = camera(background_photons=1000.0, quantum_efficiency=0.6)
    picture = expose(torch.ones(PATCH), bright, seed=1).numpy()
    assert picture.mean() - counts.mean() == pytest.approx(300.0, abs=0.3)


def test_photon_transfer_of_two_frames_cancels_the_fixed_pattern() -> None:
    """EMVA 1288: the halved variance of a difference knows neither PRNU, DSNU nor hot pixels."""
    uneven = {
        "dark_electrons": 150.0,
        "response_nonuniformity": 0.05,
        "dark_nonuniformity_electrons": 20.0,
        "hot_pixels_per_million": 300.0,
    }
    dark = flat(0.0, 1, **uneven).mean()
    mean, variance, single = [], [], []
    for electrons in (200.0, 1000.0, 3000.0, 5000.0):
        one, two = (flat(electrons, seed, **uneven) for seed in (1, 2))
        mean.append((one.mean() + two.mean()) / 2 - dark)
        variance.append((one - two).var() / 2)
        single.append(one.var())
    slope, intercept = np.polyfit(mean, variance, 1, w=1 / np.array(variance))
    assert slope == pytest.approx(0.5, rel=0.01)
    # Dark electrons and hot pixels have shot noise of their own.
    floor = 0.25 * (6.25 + 150 + 300e-6 * 1000) + 1 / 12
    assert intercept == pytest.approx(floor, abs=2.5)
    assert single[-1] > 10 * variance[-1], "one frame alone shows mostly the pattern"


@pytest.mark.parametrize(("gain", "factor"), [(1.0, 1.0), (2.0, 1.5), (300.0, 2.0)])
def test_excess_noise_of_an_em_register(gain: float, factor: float) -> None:
    """F² = 2 − 1/g: from 1 without multiplication to 2 in a long chain (Robbins & Hadwen 2003)."""
    numbers = {"em_gain": gain, "read_noise_electrons": 0.0, "gain_electrons_per_count": gain,
               "offset_counts": 0.0}  # fmt: skip
    counts = flat(40.0, **numbers)
    assert counts.mean() == pytest.approx(40, rel=0.005)
    assert counts.var() - 1 / 12 == pytest.approx(40 * factor, rel=0.015)


def test_one_electron_leaves_an_em_register_as_an_exponential_number() -> None:
    numbers = {"em_gain": 500.0, "read_noise_electrons": 0.0, "gain_electrons_per_count": 1.0,
               "offset_counts": 0.0}  # fmt: skip
    counts = flat(0.02, **numbers)
    lit = counts[counts > 0]
    assert lit.size / counts.size == pytest.approx(1 - np.exp(-0.02), rel=0.08)
    assert (lit > 500).mean() == pytest.approx(np.exp(-1), abs=0.03)
    assert (lit > 1500).mean() == pytest.approx(np.exp(-3), abs=0.015)


def test_full_well_lies_before_and_white_level_behind_an_em_register() -> None:
    well = flat(5000.0, full_well_electrons=100.0, em_gain=10.0, noise=False)
    assert set(np.unique(well)) == {520.0}
    white = flat(5000.0, full_well_electrons=100.0, em_gain=10.0, bit_depth=8, noise=False)
    assert set(np.unique(white)) == {255.0}


def test_the_pixels_of_a_camera_differ_as_stated_and_stay() -> None:
    quiet = {"gain_electrons_per_count": 0.5, "read_noise_electrons": 0.5}
    for numbers, electrons, spread in (
        ({"response_nonuniformity": 0.03}, 10_000.0, 300.0),
        ({"dark_nonuniformity_electrons": 25.0}, 0.0, 25.0),
    ):
        one, two = (flat(electrons, seed, **quiet, **numbers, offset_counts=200.0) / 2
                    for seed in (1, 2))  # fmt: skip
        common = ((one - one.mean()) * (two - two.mean())).mean()
        assert common == pytest.approx(spread**2, rel=0.02)
        other = flat(electrons, 1, **quiet, **numbers, offset_counts=200.0, pixel_seed=1) / 2
        assert abs(((one - one.mean()) * (other - other.mean())).mean()) < 0.02 * spread**2


def test_hot_pixels_stand_out() -> None:
    hot = flat(0.0, hot_pixels_per_million=500.0, hot_pixel_electrons=20_000.0)
    assert (hot > 60).sum() == pytest.approx(500e-6 * hot.size, abs=27)
    again = flat(0.0, 6, hot_pixels_per_million=500.0, hot_pixel_electrons=20_000.0)
    assert np.array_equal(hot > 60, again > 60)


def test_row_noise_is_shared_along_rows_and_new_in_every_frame() -> None:
    numbers = {"row_noise_electrons": 12.0, "offset_counts": 200.0}
    frame = flat(0.0, 1, **numbers) * 2
    rows = frame.mean(1)
    assert rows.std() == pytest.approx(12, rel=0.12)
    assert frame.mean(0).std() == pytest.approx(2.5 / 20, rel=0.3)
    assert abs(np.corrcoef(rows, flat(0.0, 2, **numbers).mean(1))[0, 1]) < 0.2
    assert (frame - rows[:, None]).std() == pytest.approx((2.5**2 + 4 / 12) ** 0.5, rel=0.02)


def test_read_noise_of_the_pixels_is_log_normal() -> None:
    # The offset is high enough that no negative reading is cut.
    model = camera(read_noise_electrons=8.0, read_noise_spread=0.5, gain_electrons_per_count=0.2,
                   offset_counts=1000.0)  # fmt: skip
    frames = torch.stack([expose(torch.zeros(60, 60), model, seed) for seed in range(300)])
    logarithm = (frames.std(0) * 0.2).log()
    assert float(logarithm.mean()) == pytest.approx(np.log(8.0), abs=0.03)
    assert float(logarithm.std()) == pytest.approx((0.5**2 + 0.5 / 300) ** 0.5, rel=0.05)


EXTRAS = {
    "monochrome": {"dark_electrons": 50.0, "em_gain": 4.0, "row_noise_electrons": 3.0},
    "bayer": {"dark_electrons": 50.0, "sharpening": 0.6, "sharpening_radius_px": 1.2},
}


@pytest.mark.parametrize("colour", EXTRAS)
def test_the_mean_of_many_exposures_is_the_expectation(colour: str) -> None:
    model = camera(**EXTRAS[colour], colour=colour, offset_counts=300.0)
    scene = Scene.parse({"camera": model.model_dump()})
    shape = (24, 26) if colour == "monochrome" else (3, 24, 26)
    light = 0.2 + torch.rand(shape, generator=torch.Generator().manual_seed(0)).double()
    frames = torch.stack([expose(light, model, seed) for seed in range(400)]).double()
    expected = expected_counts(light, Values(scene, dtype=torch.float64))
    pull = (frames.mean(0) - expected) / (frames.std(0) / 20)
    assert abs(float(pull.mean())) < 0.15
    assert float(pull.std()) == pytest.approx(1, abs=0.12)


def test_demosaicing_and_sharpening_correlate_the_noise_of_neighbours() -> None:
    """Real colour cameras show lag-1 correlations of some 0.4; raw pixels show none."""
    plain = flat(1000.0)
    colour = flat(1000.0, colour="bayer")[..., 0]
    lag = [float(np.corrcoef(p[:, 1:].ravel(), p[:, :-1].ravel())[0, 1]) for p in (plain, colour)]
    assert abs(lag[0]) < 0.01
    assert 0.2 < lag[1] < 0.6

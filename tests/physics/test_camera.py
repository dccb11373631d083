"""Laws of the camera: photon transfer, shot noise, saturation, pixel integration (EMVA 1288)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from osog.scene import Camera
from osog.sensor import expose

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


def flat(electrons: float, **numbers: float) -> np.ndarray:
    model = camera(**numbers)
    level = electrons / model.electrons_at_one
    return expose(torch.full(PATCH, level), model, seed=5).numpy().astype(float)


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

"""The stated noise of a camera against the spread of simulated exposures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from osog.fitting.problem.weights import unsaturated
from osog.scene import Camera
from osog.sensor import camera_sigma, expose

PLAIN = {
    "background_electrons": 900.0,
    "read_noise_electrons": 5.0,
    "full_well_electrons": 1e6,
    "gain_electrons_per_count": 2.0,
    "offset_counts": 50.0,
    "bit_depth": 16,
}
EXTRAS = [
    {},
    {"em_gain": 30.0, "background_electrons": 60.0},
    {"dark_electrons": 400.0},
    {"row_noise_electrons": 30.0},
    {"read_noise_electrons": 20.0, "read_noise_spread": 0.6},
    {"response_nonuniformity": 0.08, "dark_nonuniformity_electrons": 30.0},
    {"sharpening": 1.5, "sharpening_radius_px": 0.8},
]


@pytest.mark.parametrize("extra", EXTRAS, ids=lambda extra: "+".join(extra) or "plain")
def test_sigma_is_the_spread_of_exposures(extra: dict[str, float]) -> None:
    camera = Camera.model_validate({**PLAIN, **extra})
    picture = expose(torch.ones(500, 500), camera, 7).double().numpy()
    stated = np.sqrt((camera_sigma(np.full((20, 20), picture.mean()), camera) ** 2).mean())
    assert picture.std() == pytest.approx(
        stated, rel=0.05 if "row_noise_electrons" in extra else 0.02
    )


def test_a_full_well_is_saturated_behind_an_em_register() -> None:
    numbers = {**PLAIN, "full_well_electrons": 1000.0, "em_gain": 10.0, "noise": False}
    camera = Camera.model_validate(numbers)
    picture = expose(torch.tensor([[0.5, 1.0, 1.2]]), camera, 0).double().numpy()
    assert unsaturated(picture, camera).tolist() == [[True, True, False]]

"""What templates and moments of an image say about where a fit should begin."""

from __future__ import annotations

import pytest

from osog import render
from osog.fitting.starts.initial_guess import principal_azimuth
from osog.fitting.starts.template_matching import contrast


@pytest.mark.parametrize("azimuth", [10.0, 62.0, 90.0, 145.0])
def test_direction_is_found_without_a_model(rod_scene, azimuth):
    scene = rod_scene(orientation_deg=[azimuth, 5.0, 0.0])
    image = render(scene, device="cpu", seed=1).image.numpy().astype(float)
    found = principal_azimuth(contrast(image, "bright"), 0.5 * 0.1 / 0.4)
    assert abs((found - azimuth + 90) % 180 - 90) < 3.0

"""A camera effect is one function and one line of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
import torch

from osog.sample import Values
from osog.scene import Scene
from osog.sensor import expected_counts, expose, noisy, with_background
from osog.sensor.effects import EFFECTS, Effect

if TYPE_CHECKING:
    from osog.sensor.exposure import Exposure

SCENE = Scene.parse(
    {"camera": {"background_electrons": 800.0, "gain_electrons_per_count": 4.0, "bit_depth": 12}}
)
QUIET = SCENE.updated({"camera.noise": False})
LIGHT = torch.full((4, 6), 0.5, dtype=torch.float64)


def leak(picture: torch.Tensor, exposure: Exposure) -> torch.Tensor:
    """Light leaks into the left column."""
    stripe = torch.zeros_like(picture)
    stripe[..., 0] = 40.0
    return picture + stripe


@pytest.mark.parametrize(
    ("place", "step"), [("light", 40.0), ("electrons", 10.0), ("counts", 40.0)]
)
def test_one_line_adds_an_effect(place: str, step: float) -> None:
    values = Values(QUIET, dtype=torch.float64)
    take = with_background if place == "light" else expected_counts
    plain = take(LIGHT, values)
    with patch("osog.sensor.effects.EFFECTS", (*EFFECTS, Effect(place, leak))):
        changed = take(LIGHT, values)
        if place != "light":
            picture = expose(LIGHT, QUIET.camera, 0)
            assert torch.equal(picture, changed.round().float()), "all pictures have the effect"
            assert torch.equal(noisy(LIGHT, values, 0), changed.round())
    rise = (changed - plain)[:, 0]
    torch.testing.assert_close(rise, torch.full((4,), step, dtype=torch.float64))
    assert torch.equal(changed[:, 1:], plain[:, 1:])


def test_an_effect_on_the_reading_is_part_of_the_noise() -> None:
    values = Values(SCENE, dtype=torch.float64)
    pictures = [expose(LIGHT, SCENE.camera, 0), noisy(LIGHT, values, 0)]
    expected = expected_counts(LIGHT, values)
    table = (*EFFECTS, Effect("reading", leak, noise=True))
    with patch("osog.sensor.effects.EFFECTS", table):
        changed = [expose(LIGHT, SCENE.camera, 0), noisy(LIGHT, values, 0)]
        assert torch.equal(expected_counts(LIGHT, values), expected)
    for before, after in zip(pictures, changed, strict=True):
        assert float((after - before)[:, 0].mean()) == pytest.approx(10.0)
        assert torch.equal(after[:, 1:], before[:, 1:])


def test_an_effect_without_a_derivative_acts_on_sampled_pictures_only() -> None:
    values = Values(QUIET, dtype=torch.float64)
    expected = expected_counts(LIGHT, values)
    with patch("osog.sensor.effects.EFFECTS", (*EFFECTS, Effect("counts", leak, smooth=False))):
        assert torch.equal(expected_counts(LIGHT, values), expected)
        assert float((expose(LIGHT, QUIET.camera, 0) - expected.float())[0, 0]) == 40.0


def test_an_effect_on_counts_stays_within_the_converter() -> None:
    def flood(picture: torch.Tensor, exposure: Exposure) -> torch.Tensor:
        return picture + 1e6

    with patch("osog.sensor.effects.EFFECTS", (*EFFECTS, Effect("counts", flood))):
        counts = expected_counts(LIGHT, Values(SCENE, dtype=torch.float64))
    assert torch.equal(counts, torch.full_like(counts, SCENE.camera.white_counts))

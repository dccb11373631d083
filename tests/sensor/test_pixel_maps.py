from __future__ import annotations

import pytest
import torch

from osog.sensor.electrons import read_noise_pattern
from osog.sensor.hot_pixels import hot_pixels
from osog.sensor.offset_spread import offset_pattern
from osog.sensor.response_spread import response_pattern

LIKE = torch.zeros((), dtype=torch.float64)
SHAPE = (300, 400)


@pytest.mark.parametrize("pattern", [response_pattern, offset_pattern, read_noise_pattern])
def test_patterns_are_standard_normal_and_belong_to_the_camera(pattern) -> None:
    first = pattern(0, SHAPE, LIKE)
    assert float(first.mean()) == pytest.approx(0, abs=0.01)
    assert float(first.std()) == pytest.approx(1, abs=0.01)
    assert torch.equal(first, pattern(0, SHAPE, LIKE))
    other = pattern(1, SHAPE, LIKE)
    assert abs(float((first * other).mean())) < 0.01
    assert torch.equal(first[:20, :30], pattern(0, (20, 30), LIKE)), "a crop keeps its pixels"
    assert pattern(0, (3, 20, 30), LIKE).shape == (3, 20, 30)


def test_patterns_of_one_camera_are_independent() -> None:
    maps = [p(0, SHAPE, LIKE) for p in (response_pattern, offset_pattern, read_noise_pattern)]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert abs(float((maps[a] * maps[b]).mean())) < 0.01


def test_hot_pixels_count_and_stay() -> None:
    few, more = (hot_pixels(0, SHAPE, rate, 500.0, LIKE) for rate in (1000.0, 3000.0))
    assert int((few > 0).sum()) == pytest.approx(120, abs=35)
    assert int((more > 0).sum()) == pytest.approx(360, abs=60)
    hot = few > 0
    assert torch.equal(few[hot], more[hot]), "those that were hot stay as they are"
    assert float(more[more > 0].mean()) == pytest.approx(500, rel=0.2)
    assert float(more[more > 0].median()) == pytest.approx(500 * 0.6931, rel=0.25)

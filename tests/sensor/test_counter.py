from __future__ import annotations

import numpy as np
import pytest

from osog.sensor.counter import normal, uniform


def places(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(rows)[:, None], np.arange(columns)


def test_numbers_are_even_and_uncorrelated() -> None:
    values = uniform(3, "a", *places(300, 300))
    counts, _ = np.histogram(values, 50, (0, 1))
    assert ((counts - 1800) ** 2 / 1800).sum() == pytest.approx(49, abs=40)
    flat = values - 0.5
    streams = [uniform(seed, name, *places(300, 300)) - 0.5 for seed, name in ((4, "a"), (3, "b"))]
    for other in (np.roll(flat, 1, 0), np.roll(flat, 1, 1), *streams):
        assert abs((flat * other).mean() * 12) < 4 / 300


def test_a_number_depends_on_its_own_place_alone() -> None:
    small, large = (normal(5, "a", *places(*shape)) for shape in ((7, 11), (20, 30)))
    assert np.array_equal(small, large[:7, :11])


def test_normal_numbers() -> None:
    values = normal(1, "a", *places(400, 400))
    assert values.mean() == pytest.approx(0, abs=0.01)
    assert values.std() == pytest.approx(1, abs=0.01)
    assert (np.abs(values) > 3).mean() == pytest.approx(0.0027, abs=0.0005)


def test_the_numbers_stay_what_they_are() -> None:
    """A camera must keep its pixels from version to version."""
    flat = uniform(0, "response", np.arange(3)).round(5).tolist()
    assert flat == [0.09475, 0.23443, 0.82986]
    square = uniform(123456789012, "response", *places(2, 2)).round(5).tolist()
    assert square == [[0.28717, 0.79016], [0.33214, 0.3474]]

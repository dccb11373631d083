"""Points that stand for the condenser."""

from __future__ import annotations

import pytest
import torch

from osog.exit_wave.illumination import ring_numbers, source_points

DOUBLE = torch.float64


@pytest.mark.parametrize("count", [1, 3, 8, 16, 32, 64])
def test_points_fill_the_condenser_evenly(count) -> None:
    aperture, wavelength = torch.tensor(0.4, dtype=DOUBLE), torch.tensor(0.55, dtype=DOUBLE)
    points, weights = source_points(aperture, wavelength, count)
    assert len(points) == sum(ring_numbers(count))
    assert torch.isclose(weights.sum(), torch.tensor(1.0, dtype=DOUBLE))
    radius = points.norm(dim=1) * wavelength / aperture
    assert radius.max() <= 1
    assert torch.allclose((weights[:, None] * points).sum(0), torch.zeros(2, dtype=DOUBLE))
    if count > 1:
        # Mean squared radius of a filled disc.
        mean = (weights * radius**2).sum()
        assert torch.isclose(mean, torch.tensor(0.5, dtype=DOUBLE))


def test_points_move_with_the_condenser() -> None:
    aperture = torch.tensor(0.4, dtype=DOUBLE, requires_grad=True)
    points, _ = source_points(aperture, torch.tensor(0.55, dtype=DOUBLE), 16)
    (gradient,) = torch.autograd.grad(points.norm(dim=1).sum(), aperture)
    assert torch.isclose(gradient, points.norm(dim=1).sum().detach() / 0.4)

from __future__ import annotations

from math import erf, pi, sqrt

import pytest
import torch

from osog.sensor.sharpening import gaussian, sharpened

DOUBLE = torch.float64


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=DOUBLE)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 6.0])
def test_weights_of_the_blur(sigma: float) -> None:
    weights = gaussian(number(sigma))
    at = torch.arange(weights.numel(), dtype=DOUBLE) - weights.numel() // 2
    assert float(weights.sum()) == pytest.approx(1)
    if sigma >= 1:
        assert float((weights * at**2).sum()) == pytest.approx(sigma**2, rel=1e-4)
        assert float(weights.max()) == pytest.approx(1 / (sqrt(2 * pi) * sigma), rel=1e-4)


@pytest.mark.parametrize(("strength", "sigma"), [(0.5, 1.5), (2.0, 4.0)])
def test_overshoot_at_an_edge(strength: float, sigma: float) -> None:
    """At u px beside a unit step the mask adds s (1 − Φ(u/σ)): the bright rim of sharp cameras."""
    picture = torch.zeros(5, 81, dtype=DOUBLE)
    picture[:, 40:] = 1.0
    result = sharpened(picture, number(strength), number(sigma))
    for u in (0.5, 1.5, 3.5):
        rim = strength * 0.5 * (1 - erf(u / (sqrt(2) * sigma)))
        row = result[2]
        assert float(row[40 + int(u)] - 1) == pytest.approx(rim, rel=0.01, abs=0.005 * strength)
        assert float(row[39 - int(u)]) == pytest.approx(-rim, rel=0.01, abs=0.005 * strength)
    assert float(result[:, 0].abs().max()) < 1e-6, "the border makes no edge"


def test_a_flat_field_and_every_channel_for_itself() -> None:
    flat = torch.full((3, 8, 9), 5.0, dtype=DOUBLE)
    torch.testing.assert_close(sharpened(flat, number(2.0), number(3.0)), flat)
    colours = torch.rand(3, 8, 9, dtype=DOUBLE)
    each = torch.stack([sharpened(c, number(1.0), number(1.0)) for c in colours])
    torch.testing.assert_close(sharpened(colours, number(1.0), number(1.0)), each)


def test_gradients_of_sharpening() -> None:
    picture = torch.rand(6, 7, dtype=DOUBLE, requires_grad=True)
    inputs = (picture, number(0.8).requires_grad_(), number(1.3).requires_grad_())
    assert torch.autograd.gradcheck(sharpened, inputs)

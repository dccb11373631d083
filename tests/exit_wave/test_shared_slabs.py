"""Slabs that several wavelengths share."""

from __future__ import annotations

import torch

from osog.exit_wave import plan_sampling, shared_slabs
from osog.exit_wave.deposit import deposit
from osog.exit_wave.raster import Raster
from osog.sample import Values, sample


def test_multiples_and_sums_are_not_drawn_again(every_shape, monkeypatch) -> None:
    batch = sample(every_shape, 0, Values(every_shape, dtype=torch.float64))
    raster = Raster(batch, plan_sampling(every_shape, batch))
    slabs = range(raster.plan.slabs)
    drawn = []
    monkeypatch.setattr(
        shared_slabs, "deposit", lambda r, b, c, s: drawn.append(len(c)) or deposit(r, b, c, s)
    )
    first, second, third = torch.rand(3, len(batch), generator=torch.Generator().manual_seed(0))
    first, second, third = first.double(), second.double(), third.double()
    zero = torch.zeros_like(first)
    asked = [
        ([first, second], [2]),
        ([1.3 * first, -0.2 * second], []),
        ([third, 0.5 * second], [1]),
        ([first - 2 * third, zero], []),
        ([second, second], [1]),  # a third set of numbers is drawn, but not kept
        ([second + third, second], [1]),
    ]
    kept = shared_slabs.SharedSlabs(raster)
    for coefficients, expected in asked:
        drawn.clear()
        found = kept.of(batch, coefficients, slabs)
        assert drawn == expected
        for volume, right in zip(found, deposit(raster, batch, coefficients, slabs), strict=True):
            torch.testing.assert_close(volume, right, rtol=1e-12, atol=1e-13)

"""What splat weights smear, the deconvolution takes out."""

from __future__ import annotations

from math import pi

import pytest
import torch

from osog.exit_wave.kernel_deconvolution import (
    cubic_spline_transfer,
    deconvolved,
    triangular_kernel_transfer,
)
from osog.exit_wave.splat_weights import ChordShares, cubic_spline
from osog.waves import SamplingPlan

DOUBLE = torch.float64
SLAB = 0.5


def plan() -> SamplingPlan:
    return SamplingPlan(
        frame_shape=(1, 1),
        pixel_size_um=1.0,
        pad_px=(0, 0),
        domain_px=(1, 1),
        grid_shape=(1, 1),
        oversampling=1,
        slab_um=SLAB,
        first_slab=-8,
        slabs=17,
        band=1.0,
        aperture=0.5,
        source_points=1,
        accuracy="fine",
        padding_wanted_um=0.0,
        padding_um=0.0,
    )


@pytest.mark.parametrize(("low", "high"), [(-1.3, 2.1), (0.02, 0.11), (-0.5, 0.5), (0.7, 0.7)])
def test_shares_of_a_chord_hold_its_length_and_its_centre(low: float, high: float) -> None:
    ends = [torch.full((1, 1, 1), end, dtype=DOUBLE) for end in (low, high)]
    shares = ChordShares(plan(), *ends, torch.tensor([0]))
    lengths = torch.stack([shares.next() for _ in range(17)]).flatten() * SLAB
    planes = torch.tensor(plan().slab_planes_um, dtype=DOUBLE)
    assert float(lengths.min()) >= 0
    assert float(lengths.sum()) == pytest.approx(high - low, abs=1e-13)
    centre = (high**2 - low**2) / 2
    assert float((lengths * planes).sum()) == pytest.approx(centre, abs=1e-13)


def test_kernels_are_the_derivatives_of_the_shares() -> None:
    low, high = (torch.full((1, 1, 1), end, dtype=DOUBLE) for end in (-0.62, 0.83))
    step = 1e-6
    shares = ChordShares(plan(), low, high, torch.tensor([0]))
    longer = ChordShares(plan(), low, high + step, torch.tensor([0]))
    for _ in range(17):
        kernel = float(shares.kernels()[1])
        change = float(longer.next() - shares.next()) * SLAB / step
        assert kernel == pytest.approx(change, abs=2e-6)


def test_splines_sum_to_one_and_keep_the_place() -> None:
    above = torch.linspace(0, 1, 11, dtype=DOUBLE)
    weights = torch.stack(cubic_spline(above))
    torch.testing.assert_close(weights.sum(0), torch.ones_like(above))
    planes = torch.tensor([-1.0, 0.0, 1.0, 2.0], dtype=DOUBLE)[:, None]
    torch.testing.assert_close((weights * planes).sum(0), above)


@pytest.mark.parametrize("spline", [False, True])
def test_a_point_between_planes_has_the_phase_of_its_place_after_deconvolution(spline) -> None:
    """On average over its places, a splat times exp(iκz_j) is exp(iκz) times the transfer."""
    kappa = torch.tensor([0.0, 0.4, 1.7, 3.0], dtype=DOUBLE)
    above = (torch.arange(400, dtype=DOUBLE) + 0.5) / 400
    if spline:
        weights, first = torch.stack(cubic_spline(above)), -1
        transfer = cubic_spline_transfer(kappa, SLAB)
    else:
        weights, first = torch.stack((1 - above, above)), 0
        transfer = triangular_kernel_transfer(kappa, SLAB)
    planes = SLAB * (torch.arange(len(weights), dtype=DOUBLE) + first)
    phase = kappa[:, None, None] * (planes[:, None] - SLAB * above)
    seen = (weights * torch.cos(phase)).sum(1).mean(1)
    amplitude = deconvolved(seen, transfer, torch.ones(1, dtype=DOUBLE))
    torch.testing.assert_close(amplitude, torch.ones_like(amplitude), rtol=0, atol=1e-5)


def test_what_a_kernel_has_nearly_erased_is_not_blown_up() -> None:
    zero = torch.tensor([2 * pi / SLAB], dtype=DOUBLE)
    transfer = triangular_kernel_transfer(zero, SLAB)
    assert float(transfer) < 1e-30
    one = torch.ones(1, dtype=DOUBLE)
    assert float(deconvolved(one, transfer, one)) == pytest.approx(1 / 0.3)

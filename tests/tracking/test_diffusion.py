"""Diffusion coefficients and hydrodynamic sizes of trajectories."""

from __future__ import annotations

import numpy as np
import pytest

from osog import FitError
from osog.tracking import diffusion


def _walks(d, sigma, *, number=60, frames=120, interval=0.1, flow=0.0, seed=0):
    rng = np.random.default_rng(seed)
    steps = rng.normal(flow * interval, np.sqrt(2 * d * interval), (number, frames, 2))
    places = np.cumsum(steps, axis=1) + rng.normal(0, sigma, steps.shape)
    return [
        {"particle": k, "frame": t, "x_um": places[k, t, 0], "y_um": places[k, t, 1]}
        for k in range(number) for t in range(frames)
    ]  # fmt: skip


@pytest.mark.parametrize(("sigma", "flow"), [(0.0, 0.0), (0.2, 0.0), (0.05, 3.0)])
def test_neither_errors_of_position_nor_flow_pass_for_diffusion(sigma, flow):
    *each, together = diffusion(_walks(0.4, sigma, flow=flow), 0.1)
    assert together.particle is None
    assert len(each) == 60
    assert together.coefficient_um2_per_s == pytest.approx(0.4, abs=4 * together.coefficient_sigma)
    assert together.coefficient_sigma < 0.03
    pulls = [(one.coefficient_um2_per_s - 0.4) / one.coefficient_sigma for one in each]
    assert 0.7 < np.std(pulls) < 1.4
    if sigma > 0.1:
        assert together.localisation_um == pytest.approx(sigma, rel=0.1)


def test_radius_by_stokes_and_einstein():
    """A sphere of 0.5 µm in water at 20 °C diffuses with 0.4292 µm²/s."""
    *_, together = diffusion(_walks(0.4292, 0.0), 0.1, temperature_k=293.15, viscosity_mpa_s=1.0)
    assert together.radius_um == pytest.approx(0.5, abs=4 * together.radius_sigma)
    again = diffusion(_walks(0.4292, 0.0), 0.1, temperature_k=293.15, viscosity_mpa_s=2.0)[-1]
    assert again.radius_um == pytest.approx(0.5 * together.radius_um)


def test_gaps_and_short_paths_are_left_out():
    rows = [row for row in _walks(0.4, 0.0, number=2) if row["frame"] % 10 != 3]
    rows = [row for row in rows if row["particle"] == 0 or row["frame"] < 3]
    (one, together) = diffusion(rows, 0.1)
    assert one.particle == 0
    assert one.displacements == 2 * (119 - 24)
    assert one.coefficient_um2_per_s == together.coefficient_um2_per_s


def test_numbers_must_be_above_zero():
    with pytest.raises(FitError, match="interval_s = 0 must be a number above 0"):
        diffusion([], 0)
    assert diffusion([], 1.0) == []

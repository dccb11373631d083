"""Laws of orientation, against their densities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from osog.sample import rotation_matrix, sample
from osog.scene import ORIENTATIONS, Scene

ROD = {"kind": "rod", "length_um": 4.0, "radius_um": 0.4}
COUNT = 5000
ALMOST = 0.002
"""Chance at which a fit of a law is refused, although it is right."""


def axes(count: int = COUNT, seed: int = 0, **orientation: Any) -> np.ndarray:
    population = {"shape": ROD, "count": count, "orientation": orientation}
    batch = sample(Scene.parse({"populations": [population]}), seed)
    return rotation_matrix(batch.quaternion)[:, :, 0].numpy().astype(np.float64)


def agree(drawn: np.ndarray, density: Any, low: float, high: float) -> float:
    """Probability of draws that differ as much from a density, by Kolmogorov and Smirnov."""
    grid = np.linspace(low, high, 2001)
    values = np.array([density(x) for x in grid])
    rising = np.concatenate([[0], np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(grid))])
    return float(stats.kstest(drawn, lambda x: np.interp(x, grid, rising / rising[-1])).pvalue)


def test_von_mises_is_axial_around_its_azimuth() -> None:
    x, y, z = axes(law="von_mises", azimuth_deg=30, concentration=3.0).T
    assert np.abs(z).max() < 1e-6
    twice = np.angle(np.exp(2j * (np.arctan2(y, x) - np.deg2rad(30))))
    assert agree(twice, lambda t: np.exp(3 * np.cos(t)), -np.pi, np.pi) > ALMOST
    assert abs(x.mean()) < 4 / COUNT**0.5, "an axis has no head"
    assert np.std(axes(law="von_mises", tilt_deg=5)[:, 2]) == pytest.approx(np.deg2rad(5), rel=0.05)


@pytest.mark.parametrize("kappa", [0.0, 2.0, 50.0])
def test_fisher_is_around_its_direction(kappa: float) -> None:
    mean = np.array([np.cos(np.deg2rad(20)) * np.cos(1.0), np.cos(np.deg2rad(20)) * np.sin(1.0),
                     np.sin(np.deg2rad(20))])  # fmt: skip
    axis = axes(law="fisher", azimuth_deg=np.rad2deg(1.0), elevation_deg=20, concentration=kappa)
    cosine = axis @ mean
    assert agree(cosine, lambda t: np.exp(kappa * (t - 1)), -1, 1) > ALMOST
    side = np.array([-np.sin(1.0), np.cos(1.0), 0.0])
    turn = np.arctan2(axis @ np.cross(mean, side), axis @ side)
    assert stats.kstest(turn, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > ALMOST


@pytest.mark.parametrize("kappa", [-20.0, 5.0, 100.0])
def test_watson_is_along_or_across_its_axis(kappa: float) -> None:
    x, _, _ = axes(law="watson", concentration=kappa).T
    assert agree(x, lambda t: np.exp(kappa * t**2 - max(kappa, 0)), -1, 1) > ALMOST


def test_weak_flow_turns_bodies_as_the_first_order_says() -> None:
    # Diffusion against Jeffery's rotation to first order in Pe: ⟨p_flow p_gradient⟩ = β Pe / 30.
    ratio, peclet, count = 5.0, 1.0, 16_000
    x, _, z = axes(count, law="flow", aspect_ratio=ratio, peclet=peclet).T
    wanted = (ratio**2 - 1) / (ratio**2 + 1) * peclet / 30
    assert (x * z).mean() == pytest.approx(wanted, abs=4 * 0.258 / count**0.5)
    x, y, z = axes(count, law="flow", aspect_ratio=ratio, peclet=peclet, gradient="in_plane").T
    assert (x * y).mean() == pytest.approx(wanted, abs=4 * 0.258 / count**0.5)
    assert abs((x * z).mean()) < 4 * 0.258 / count**0.5


def test_strong_flow_leaves_bodies_where_jeffery_turns_slowly() -> None:
    # Without diffusion the phase of an orbit is even in time: tan φ = r tan(phase) from the
    # gradient, whatever the orbit.
    ratio = 3.0
    x, y, _ = axes(1500, law="flow", aspect_ratio=ratio, peclet=600.0, gradient="in_plane").T
    phase = np.arctan2(x / ratio, y)
    assert stats.kstest(phase, stats.uniform(-np.pi, 2 * np.pi).cdf).statistic < 0.045
    plain = np.arctan2(x, y)
    assert stats.kstest(plain, stats.uniform(-np.pi, 2 * np.pi).cdf).statistic > 0.07


def test_flow_of_spheres_is_isotropic() -> None:
    _, _, z = axes(2000, law="flow", aspect_ratio=1.0, peclet=100.0).T
    assert stats.kstest(z, stats.uniform(-1, 2).cdf).pvalue > ALMOST


def test_one_more_body_leaves_the_others_unless_they_share_a_stream() -> None:
    for law in ("isotropic", "planar", "aligned", "fisher", "watson"):
        assert np.array_equal(axes(5, law=law), axes(6, law=law)[:5])


def test_a_law_can_be_changed_in_place() -> None:
    scene = Scene.parse({"populations": [{"name": "p", "orientation": {"law": "aligned"}}]})
    for law, model in ORIENTATIONS.items():
        changed = scene.updated({"populations.p.orientation.law": law})
        assert type(changed.populations[0].orientation) is model

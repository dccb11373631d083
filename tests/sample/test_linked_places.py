"""Angles and depths of particles by laws of their own, which may hang on other numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from osog.rotations import rotation_matrix
from osog.sample import explicit, sample
from osog.scene import Scene, SceneError

COUNT = 4000
LENGTH = {"law": "uniform", "low": 4.0, "high": 12.0}


def drawn(population: dict[str, Any], seed: int = 1) -> tuple[Scene, Any]:
    scene = Scene.parse(
        {
            "grid": {"shape": [64, 64], "pixel_size_um": 1.0},
            "populations": [
                {
                    "name": "rods",
                    "count": COUNT,
                    "shape": {"kind": "rod", "length_um": LENGTH, "radius_um": 0.5},
                    **population,
                }
            ],
        }
    )
    return scene, sample(scene, seed, dtype=torch.float64)


def angles_of(batch: Any) -> tuple[np.ndarray, np.ndarray]:
    axis = rotation_matrix(batch.quaternion)[:, :, 0].numpy()
    return np.degrees(np.arctan2(axis[:, 1], axis[:, 0])), np.degrees(np.arcsin(axis[:, 2]))


def test_each_angle_follows_its_own_law_from_particle_to_particle() -> None:
    laws = {
        "law": "angles",
        "azimuth_deg": {"law": "normal", "mean": 30, "std": 10},
        "elevation_deg": {"law": "mixture", "parts": [
            {"law": "uniform", "low": -5, "high": 5}, {"law": "uniform", "low": 40, "high": 50},
        ]},
        "roll_deg": 20,
    }  # fmt: skip
    scene, batch = drawn({"orientation": laws})
    azimuth, elevation = angles_of(batch)
    for name, numbers in (("azimuth_deg", azimuth), ("elevation_deg", elevation)):
        law = scene.law(f"populations.rods.orientation.{name}")
        assert law is not None
        assert kstest(numbers, law.cdf).pvalue > 0.01
    assert abs(np.corrcoef(azimuth, elevation)[0, 1]) < 0.05


def test_angles_may_go_with_sizes_and_be_made_of_them() -> None:
    laws = {
        "law": "angles",
        "azimuth_deg": {
            "law": "normal", "mean": 0, "std": 20, "follows": "length_um", "correlation": -1.0,
        },
        "elevation_deg": {"law": "multiple", "of": "shape.length_um", "factor": 5},
    }  # fmt: skip
    scene, batch = drawn({"orientation": laws})
    length = 2 * batch.size[:, 0].numpy()
    azimuth, elevation = angles_of(batch)
    assert (np.argsort(azimuth) == np.argsort(-length)).all()
    np.testing.assert_allclose(elevation, 5 * length, rtol=1e-9)
    listed = explicit(scene, 1).populations[0].particles
    assert listed is not None
    assert listed[7].orientation_deg[1] == pytest.approx(elevation[7])


@pytest.mark.parametrize("placement", ["poisson", "clustered", "lattice"])
def test_depth_may_hang_on_the_size_of_the_particle(placement: str) -> None:
    place = {"law": placement, "z_um": {"law": "multiple", "of": "length_um", "factor": -0.5,
             "plus": {"law": "normal", "mean": 1, "std": 0.1}}}  # fmt: skip
    _, batch = drawn({"placement": place})
    rest = batch.position[:, 2].numpy() + batch.size[:, 0].numpy()
    assert kstest(rest, "norm", args=(1, 0.1)).pvalue > 0.01


def test_bodies_that_keep_clear_keep_their_depths_too() -> None:
    place = {"law": "non_overlapping", "z_um": {"law": "multiple", "of": "length_um"}}
    _, batch = drawn({"placement": place, "count": 40})
    np.testing.assert_allclose(batch.position[:, 2], 2 * batch.size[:, 0], rtol=1e-12)


def test_sizes_may_hang_on_the_depth() -> None:
    shape = {"kind": "sphere", "radius_um": {"law": "multiple", "of": "z_um", "factor": 0.1}}
    _, batch = drawn({"shape": shape, "placement": {"z_um": [5, 20]}})
    np.testing.assert_allclose(batch.size[:, 0], 0.1 * batch.position[:, 2], rtol=1e-12)


def test_members_of_aggregates_share_the_depth_and_the_angles_of_their_group() -> None:
    population = {
        "count": 3,
        "aggregate": {"kind": "stack"},
        "placement": {"z_um": {"law": "normal", "mean": 0, "std": 5, "follows": "length_um"}},
    }
    _, batch = drawn(population)
    for group in torch.unique(batch.group):
        lengths = batch.size[batch.group == group, 0]
        assert float(lengths.std()) < 1e-9


def test_numbers_that_are_made_of_each_other_are_refused_in_words() -> None:
    shape = {"kind": "rod", "length_um": {"law": "multiple", "of": "z_um"}, "radius_um": 0.5}
    place = {"z_um": {"law": "multiple", "of": "length_um"}}
    with pytest.raises(SceneError, match="made of each other"):
        drawn({"shape": shape, "placement": place})

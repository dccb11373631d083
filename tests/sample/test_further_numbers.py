"""Numbers of surfaces, inclusions, cells and members that hang on those of their particles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

import osog
from osog.particles import INNER
from osog.sample import sample
from osog.scene import Scene, SceneError

LENGTH = {"law": "uniform", "low": 4.0, "high": 12.0}


def scene_of(count: int = 300, **population: Any) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [64, 64], "pixel_size_um": 1.0},
            "populations": [{"name": "p", "count": count, "material": {"index": 1.4}} | population],
        }
    )


def drawn(scene: Scene, seed: int = 1) -> Any:
    return sample(scene, seed, dtype=torch.float64)


def test_granules_scale_with_their_cell_and_number_with_its_size() -> None:
    granule = {
        "radius_um": {"law": "multiple", "of": "shape.radius_um", "factor": 0.1},
        "number": {"law": "multiple", "of": "radius_um", "factor": 0.0, "plus": 2.0},
        "index": {"law": "multiple", "of": "material.index", "plus": 0.02},
        "aspect": {"law": "multiple", "of": "grid.pixel_size_um", "factor": 2.0},
    }
    # A field alone is that of the same block first: the number is made of the granule's radius.
    with pytest.raises(SceneError, match="radius_um"):
        drawn(scene_of(shape={"kind": "sphere", "radius_um": LENGTH}, inclusions=[granule]))
    granule["number"]["of"] = "populations.p.shape.radius_um"
    granule["number"] |= {"factor": 0.5, "plus": 0.0}
    batch = drawn(scene_of(shape={"kind": "sphere", "radius_um": LENGTH}, inclusions=[granule]))
    radius = batch.size[:, 0].numpy()
    inner = batch.parts.role.numpy() == INNER
    host = batch.parts.host.numpy()[inner]
    np.testing.assert_array_equal(np.bincount(host, minlength=300), np.rint(0.5 * radius))
    size = batch.parts.size.numpy()[inner]
    np.testing.assert_allclose(size.prod(1) ** (1 / 3), 0.1 * radius[host], rtol=1e-12)
    np.testing.assert_allclose(size[:, 0] / size[:, 1], 2.0, rtol=1e-12)


def test_wear_goes_with_the_size_of_the_crystal() -> None:
    size = [{"law": "lognormal", "median": 8.0, "sigma": 0.3}, 2.0, 2.0]
    bevel = {"law": "multiple", "of": "shape.size_um[0]", "factor": 0.01}
    taper = {
        "law": "uniform", "low": 0.0, "high": 0.8,
        "follows": "shape.size_um[0]", "correlation": 0.9,
    }  # fmt: skip
    depth = {"law": "multiple", "of": "bevel_um", "factor": 2.0}
    surface = {"bevel_um": bevel, "taper": taper, "striations": 2, "striation_depth_um": depth}
    scene = scene_of(
        shape={"kind": "box", "size_um": size}, surface=surface, orientation={"law": "planar"}
    )
    group = _plans(scene)
    long = group.columns["size_um", 0]
    laws = group.plan.surface_laws
    np.testing.assert_allclose(laws["bevel_um"], 0.01 * long, rtol=1e-12)
    np.testing.assert_allclose(laws["striation_depth_um"], 0.02 * long, rtol=1e-12)
    rank = spearmanr(laws["taper"], long).statistic
    # Spearman's rank of a Gaussian copula: 6/π asin(ρ/2).
    assert rank == pytest.approx(6 / np.pi * np.arcsin(0.45), abs=0.04)
    assert 0 <= laws["taper"].min() <= laws["taper"].max() <= 0.8


def _plans(scene: Scene, seed: int = 1) -> Any:
    from osog.sample import draw

    return draw.draw_groups(scene.drawn(seed), seed)[0]


def test_members_of_an_aggregate_go_with_their_size() -> None:
    """Small spheres flock in greater numbers: as many as fill the same length."""
    scene = scene_of(
        60,
        shape={"kind": "sphere", "radius_um": {"law": "choice", "options": [1.0, 2.0, 4.0]}},
        aggregate={
            "kind": "chain",
            "members": {"law": "multiple", "of": "radius_um", "factor": -2.0, "plus": 10.0},
        },
    )
    batch = drawn(scene)
    radius, group = batch.size[:, 0].numpy(), batch.group.numpy()
    for number in range(60):
        mine = radius[group == number]
        assert len(mine) == 10 - 2 * mine[0]


def test_cells_in_a_chain_go_with_their_radius() -> None:
    shape = {
        "kind": "bacilli", "length_um": 3.0, "radius_um": {"law": "uniform", "low": 0.3, "high": 1},
        "cells": {"law": "multiple", "of": "radius_um", "factor": 4.0},
    }  # fmt: skip
    group = _plans(scene_of(shape=shape))
    batch = drawn(scene_of(shape=shape))
    wide = group.columns["radius_um", None]
    bodies = np.bincount(batch.parts.host.numpy())
    assert np.corrcoef(bodies, np.clip(np.rint(4 * wide), 1, None))[0, 1] > 0.99


@pytest.mark.parametrize("follows", [False, True])
def test_the_scene_of_one_image_keeps_its_bodies(follows: bool) -> None:
    taper: dict[str, Any] = {"law": "uniform", "low": 0.0, "high": 0.8}
    if follows:
        taper |= {"follows": "size_um[0]"}
    size = [{"law": "uniform", "low": 3, "high": 9}, 2.0, 2.0]
    crack = {"radius_um": {"law": "multiple", "of": "size_um[0]", "factor": 0.05}, "number": 2}
    scene = scene_of(
        8, shape={"kind": "box", "size_um": size}, surface={"taper": taper}, inclusions=[crack]
    )
    one = Scene.parse(scene.sample(3).model_dump())
    assert len(one.populations[0].particles) == 8
    for seed in (3, 4):  # all is listed, or drawn from the seed of the bodies
        assert torch.equal(osog.render(scene, seed=3).image, osog.render(one, seed=seed).image)


@pytest.mark.parametrize(
    ("surface", "words"),
    [
        ({"taper": {"law": "multiple", "of": "steps"}, "steps": {"law": "multiple", "of": "taper"}},
         "made of each other"),
        ({"taper": {"law": "uniform", "low": 0, "high": 0.5, "follows": "size_um[1]"}},
         "not drawn for each particle"),
        ({"taper": {"law": "multiple", "of": "size_um[0]", "factor": 0.3}}, "between 0 and 0.9"),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_made_are_refused_in_words(
    surface: dict[str, Any], words: str
) -> None:
    size = [{"law": "uniform", "low": 2, "high": 4}, 2.0, 2.0]
    with pytest.raises(SceneError, match=words):
        drawn(scene_of(4, shape={"kind": "box", "size_um": size}, surface=surface))

"""Where particles lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from osog.sample import rotation_matrix, sample
from osog.scene import Scene, SceneError

DOUBLE = torch.float64
SPHERE = {"kind": "sphere", "radius_um": 0.5}
ROD = {"kind": "rod", "length_um": 4.0, "radius_um": 0.4}


def positions(seed: int = 0, shape: Any = SPHERE, size: int = 400, **fields: Any) -> np.ndarray:
    return np.asarray(batch(seed, shape, size, **fields).position)


def batch(seed: int = 0, shape: Any = SPHERE, size: int = 400, **fields: Any):  # type: ignore[no-untyped-def]
    scene = {
        "grid": {"shape": [size, 2 * size]},
        "populations": [{"name": "p", "shape": shape, **fields}],
    }
    return sample(Scene.parse(scene), seed, dtype=DOUBLE)


@pytest.mark.parametrize("law", ["poisson", "non_overlapping", "clustered", "lattice"])
def test_centres_lie_in_the_frame(law: str) -> None:
    xyz = positions(count=100, placement={"law": law, "z_um": [-5, 5]})
    assert xyz.shape == (100, 3)
    # The frame reaches from the outer edge of its first pixel to that of its last one.
    assert xyz[:, 0].min() >= -0.05 and xyz[:, 0].max() <= 79.95
    assert xyz[:, 1].min() >= -0.05 and xyz[:, 1].max() <= 39.95
    assert np.abs(xyz[:, 2]).max() <= 5


def test_poisson_fills_the_frame_evenly() -> None:
    xyz = positions(count=8000)
    counts, _, _ = np.histogram2d(
        xyz[:, 0], xyz[:, 1], bins=(8, 4), range=[[-0.05, 79.95], [-0.05, 39.95]]
    )
    chi2 = ((counts - 250) ** 2 / 250).sum()
    assert chi2 < 31 + 4 * np.sqrt(62)
    assert chi2 > 31 - 4 * np.sqrt(62), "independent places are not a lattice"


def gap(p: np.ndarray, u: np.ndarray, q: np.ndarray, v: np.ndarray) -> float:
    """Distance of two segments by brute force."""
    t = np.linspace(-1, 1, 81)
    a, b = p + t[:, None] * u, q + t[:, None] * v
    return float(np.linalg.norm(a[:, None] - b[None], axis=2).min())


@pytest.mark.parametrize("seed", [0, 1])
def test_non_overlapping_spheres_do_not_overlap(seed: int) -> None:
    law = {"law": "uniform", "low": 0.3, "high": 1.2}
    drawn = batch(
        seed, {"kind": "sphere", "radius_um": law}, 200, count=150,
        placement={"law": "non_overlapping", "z_um": [-3, 3]},
    )  # fmt: skip
    distance = torch.cdist(drawn.position, drawn.position)
    radius = drawn.size[:, 0]
    clear = distance - radius[:, None] - radius[None]
    clear.fill_diagonal_(1.0)
    assert float(clear.min()) >= 0
    drawn = batch(
        seed, {"kind": "sphere", "radius_um": law}, 200, count=150, placement={"z_um": [-3, 3]}
    )
    clear = torch.cdist(drawn.position, drawn.position) - drawn.size[:, 0] - drawn.size[:, :1]
    clear.fill_diagonal_(1.0)
    assert float(clear.min()) < 0, "independent places overlap in this crowd"


@pytest.mark.parametrize("shape", ["rod", "cylinder", "box"])
def test_non_overlapping_long_bodies_do_not_overlap(shape: str) -> None:
    described = {
        "rod": ROD,
        "cylinder": {"kind": "cylinder", "length_um": 4.0, "radius_um": 0.4},
        "box": {"kind": "box", "size_um": [4.0, 0.8, 0.8]},
    }[shape]
    drawn = batch(
        3, described, 200, count=60, placement={"law": "non_overlapping", "z_um": [-2, 2]}
    )
    axis = np.asarray(rotation_matrix(drawn.quaternion))[:, :, 0]
    centre = np.asarray(drawn.position)
    straight = 1.6 if shape == "rod" else 2.0 - 0.4
    near = 0
    for i in range(len(centre)):
        for j in range(i):
            if np.linalg.norm(centre[i] - centre[j]) < 4.2:
                near += 1
                between = gap(centre[i], straight * axis[i], centre[j], straight * axis[j])
                assert between > 0.8 - 0.01  # brute force is a little long
    assert near > 20, "the crowd is dense enough to test something"


def test_non_overlapping_keeps_clear_of_listed_bodies() -> None:
    scene = Scene.parse(
        {
            "grid": {"shape": [100, 100]},
            "populations": [
                {"name": "big", "shape": {"kind": "sphere", "radius_um": 3.0},
                 "particles": [{"x_um": 5, "y_um": 5}]},
                {"name": "small", "shape": SPHERE, "count": 25,
                 "placement": {"law": "non_overlapping"}},
            ],
        }
    )  # fmt: skip
    drawn = sample(scene, 1, dtype=DOUBLE)
    distance = (drawn.position[1:] - drawn.position[0]).norm(dim=1)
    assert float(distance.min()) >= 3.5


def test_bodies_that_do_not_fit_are_refused_in_words() -> None:
    with pytest.raises(SceneError, match="count = 5000 particles do not fit without overlap"):
        positions(count=5000, size=100, placement={"law": "non_overlapping"})


def test_clusters_cluster() -> None:
    spread = {"law": "clustered", "cluster_size": 20, "cluster_radius_um": 1.0}

    def nearest(**placement: Any) -> float:
        xy = positions(count=200, placement=placement)[:, :2]
        distance = np.linalg.norm(xy[:, None] - xy[None], axis=2) + 1e9 * np.eye(200)
        return float(np.median(distance.min(1)))

    assert nearest(**spread) < 0.35 * nearest(law="poisson")


def test_lattice_is_regular() -> None:
    xy = positions(count=200, placement={"law": "lattice"})[:, :2]
    assert np.allclose(np.diff(np.unique(xy[:, 0].round(9))), 4.0)
    assert np.allclose(np.diff(np.unique(xy[:, 1].round(9))), 4.0)


def test_density_draws_a_poisson_number() -> None:
    # 80 µm × 40 µm = 0.0032 mm², so the mean is 32.
    numbers = [len(positions(seed, density_per_mm2=1e4)) for seed in range(200)]
    assert np.mean(numbers) == pytest.approx(32, abs=4 * np.sqrt(32 / 200))
    assert np.var(numbers) == pytest.approx(32, rel=0.4)


def test_margin_keeps_the_density() -> None:
    xyz = positions(count=4000, placement={"margin_um": 10.0})
    assert len(xyz) == round(4000 * 100 * 60 / (80 * 40))
    assert xyz[:, 0].min() < -9 and xyz[:, 0].max() > 89
    inside = (np.abs(xyz[:, 0] - 39.95) < 40) & (np.abs(xyz[:, 1] - 19.95) < 20)
    assert inside.sum() == pytest.approx(4000, abs=4 * np.sqrt(4000))


def test_a_law_of_depth() -> None:
    z = positions(count=3000, placement={"z_um": {"law": "normal", "mean": 2, "std": 0.5}})[:, 2]
    assert z.mean() == pytest.approx(2, abs=0.04)
    assert z.std() == pytest.approx(0.5, rel=0.06)

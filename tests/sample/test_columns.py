"""Numbers of single particles: shares of each other, correlated ranks, counts and covers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import osog
from osog.sample import explicit, sample
from osog.scene import Scene, SceneError

LENGTH = {"law": "lognormal", "median": 8.0, "sigma": 0.3}


def scene_of(population: dict[str, Any], **blocks: Any) -> Scene:
    data = {"grid": {"shape": [256, 256], "pixel_size_um": 0.2}, "populations": [population]}
    return Scene.parse({**data, **blocks})


def rods(radius: Any, count: int = 10_000, **more: Any) -> tuple[Any, Any]:
    shape = {"kind": "cylinder", "length_um": LENGTH, "radius_um": radius}
    size = sample(scene_of({"shape": shape, "count": count, **more}), 3, dtype=torch.float64).size
    return 2 * size[:, 0].numpy(), size[:, 1].numpy()


def test_a_width_is_a_share_of_the_length() -> None:
    length, radius = rods({"law": "multiple", "of": "length_um", "factor": 0.1})
    np.testing.assert_allclose(radius, 0.1 * length, rtol=1e-12)
    scattered = {"law": "multiple", "of": "length_um", "factor": [0.1, 0.2], "plus": 0.05}
    length, radius = rods(scattered)
    share = (radius - 0.05) / length
    assert stats.kstest(share, stats.uniform(0.1, 0.1).cdf).pvalue > 0.01
    assert abs(np.corrcoef(share, length)[0, 1]) < 0.04


def test_a_length_is_given_in_pixels() -> None:
    shape = {
        "kind": "sphere",
        "radius_um": {"law": "multiple", "of": "grid.pixel_size_um", "factor": 7.5},
    }
    batch = sample(scene_of({"shape": shape, "count": 3}), dtype=torch.float64)
    np.testing.assert_allclose(batch.size.numpy(), 7.5 * 0.2, rtol=1e-12)


@pytest.mark.parametrize("correlation", [0.7, -0.5, 1.0, -1.0])
def test_sizes_of_one_particle_are_correlated(correlation: float) -> None:
    plain = {"law": "weibull", "scale": 1.0, "shape": 2.0}
    length, radius = rods({**plain, "follows": "length_um", "correlation": correlation})
    rank = stats.spearmanr(length, radius).statistic
    # Rank correlation of a Gaussian copula: 6/π asin(ρ/2) (Kruskal 1958).
    assert rank == pytest.approx(6 / np.pi * np.arcsin(correlation / 2), abs=0.02)
    assert stats.kstest(radius, stats.weibull_min(2.0).cdf).pvalue > 0.01
    alone, _ = rods(plain)
    np.testing.assert_array_equal(length, alone), "the leader is drawn as before"


def test_laws_are_drawn_per_particle_or_once_for_the_picture() -> None:
    law = {"law": "uniform", "low": 1.4, "high": 1.5}
    population = {"material": {"index": law}, "count": 50}
    each = sample(scene_of(population), 1).delta_index
    assert len(set(each.tolist())) == 50
    population = {"material": {"index": {**law, "per": "image"}}, "count": 50}
    scene = scene_of(population)
    one, other = (sample(scene, seed).delta_index for seed in (1, 2))
    assert len(set(one.tolist())) == 1
    assert one[0] != other[0]


def test_a_choice_of_numbers_is_made_for_each_particle() -> None:
    choice = {"law": "choice", "options": [0.2, 0.5], "weights": [3, 1]}
    batch = sample(scene_of({"shape": {"kind": "sphere", "radius_um": choice}, "count": 4000}), 1)
    small = float((batch.size[:, 0] < 0.3).float().mean())
    assert small == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize(
    ("radius", "words"),
    [
        ({"law": "multiple", "of": "radius_um"}, "made of each other"),
        (
            {"law": "uniform", "low": 1, "high": 2, "follows": "index"},
            "not drawn for each particle",
        ),
    ],
)
def test_links_that_lead_nowhere_are_refused_in_words(radius: Any, words: str) -> None:
    with pytest.raises(SceneError, match=words):
        rods(radius, 3)


def test_counts_follow_their_law() -> None:
    scene = scene_of({"count": {"law": "poisson", "mean": 20}})
    counts = [scene.drawn(seed).populations[0].count or 0 for seed in range(300)]
    assert all(isinstance(count, int) for count in counts)
    assert np.mean(counts) == pytest.approx(20, abs=4 * (20 / 300) ** 0.5)
    assert np.var(counts) == pytest.approx(20, rel=0.3)
    assert len(sample(scene, 7)) == scene.drawn(7).populations[0].count
    scene = scene_of({"count": [5, 9]})
    assert {scene.drawn(seed).populations[0].count for seed in range(60)} == {5, 6, 7, 8, 9}


@pytest.mark.parametrize("kind", ["sphere", "rod", "ellipsoid", "box", "polyhedron", "cylinder"])
@pytest.mark.parametrize("margin", [0.0, 5.0])
def test_silhouettes_cover_what_they_should(kind: str, margin: float) -> None:
    sizes: dict[str, Any] = {
        "sphere": {"radius_um": {"law": "lognormal", "median": 0.5, "sigma": 0.3}},
        "rod": {"length_um": LENGTH, "radius_um": 0.6},
        "cylinder": {"length_um": LENGTH, "radius_um": 0.6},
        "ellipsoid": {"semi_axes_um": [[1.0, 2.0], 0.8, 0.5]},
        "box": {"size_um": [LENGTH, 1.0, 0.5]},
        "polyhedron": {"size_um": [LENGTH, 2.0, 1.0]},
    }
    population = {
        "shape": {"kind": kind, **sizes[kind]},
        "cover": 0.25,
        "placement": {"margin_um": margin},
    }
    batch = sample(scene_of(population), 4, dtype=torch.float64)
    from osog.geometry import silhouette_areas

    areas = silhouette_areas(batch)
    ground = (256 * 0.2 + 2 * margin) ** 2
    assert abs(float(areas.sum()) - 0.25 * ground) <= 0.51 * float(areas.max())
    assert len(batch) > 5


def test_the_cover_is_that_of_the_rendered_masks() -> None:
    shape = {"kind": "sphere", "radius_um": [0.6, 1.2]}
    population = {"shape": shape, "cover": 0.1, "placement": {"law": "lattice"}}
    scene = scene_of(population)
    frame = osog.render(scene, seed=2, outputs=("image", "instances"))
    assert frame.instances is not None
    covered = float((frame.instances > 0).double().mean())
    assert covered == pytest.approx(0.1, rel=0.03)


def test_more_cover_keeps_the_particles_that_there_are() -> None:
    population = {"shape": {"kind": "sphere", "radius_um": [0.5, 1.0]}, "cover": 0.05}
    few = sample(scene_of(population), 1)
    many = sample(scene_of({**population, "cover": 0.2}), 1)
    assert torch.equal(many.size[: len(few)], few.size)
    assert torch.equal(many.position[: len(few)], few.position)
    assert len(sample(scene_of({**population, "cover": 0.0}), 1)) == 0


@pytest.mark.parametrize("cover", [0.03, 0.1])
def test_a_cover_is_the_same_however_many_are_drawn_to_find_it(
    cover: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = {
        "law": "multiple",
        "of": "size_um[0]",
        "factor": {"law": "normal", "mean": 0.6, "std": 0.1},
    }
    size = [{"law": "lognormal", "median": 2.5, "sigma": 0.4}, share, 1.0]
    population = {
        "shape": {"kind": "box", "size_um": size}, "cover": cover,
        "material": {"index": {"law": "normal", "mean": 1.5, "std": 0.01}},
        "aggregate": {"kind": "random", "members": 3},
        "orientation": {"law": "planar", "spread_deg": 10},
    }  # fmt: skip
    found = []
    for first in (3, 30):
        monkeypatch.setattr("osog.sample.draw._FIRST_COUNT", first)
        found.append(sample(scene_of(population), 3))
    assert len(found[0]) == len(found[1]) > 10
    for name in ("position", "size", "quaternion", "delta_index"):
        assert torch.equal(*(getattr(batch, name) for batch in found))


def test_areas_of_silhouettes_are_those_of_theory() -> None:
    from osog.geometry import silhouette_areas

    bodies = [
        ({"kind": "sphere", "radius_um": 2.0}, [0, 0, 0], 4 * np.pi),
        ({"kind": "ellipsoid", "semi_axes_um": [3, 2, 1]}, [30, 0, 0], 6 * np.pi),
        ({"kind": "rod", "length_um": 8, "radius_um": 1}, [20, 0, 0], 12 + np.pi),
        ({"kind": "box", "size_um": [4, 3, 2]}, [20, 0, 0], 12.0),
        ({"kind": "box", "size_um": [4, 3, 2]}, [20, 90, 0], 6.0),
        ({"kind": "cylinder", "length_um": 8, "radius_um": 1}, [20, 0, 0], 16.0),
    ]
    for shape, angles, area in bodies:
        scene = scene_of({"shape": shape, "particles": [{"orientation_deg": angles}]})
        found = float(silhouette_areas(sample(scene, dtype=torch.float64)))
        assert found == pytest.approx(area, rel=2e-4)


def test_listed_particles_keep_what_they_drew() -> None:
    population = {
        "shape": {"kind": "sphere", "radius_um": [0.5, 1.0]},
        "particles": [{"x_um": 5, "y_um": 5}, {"x_um": 9, "y_um": 9, "radius_um": 0.7}],
    }
    scene = scene_of(population)
    listed = explicit(scene, 3)
    particles = listed.populations[0].particles or ()
    assert particles[1].radius_um == 0.7
    assert particles[0].radius_um not in (None, 0.7)
    assert torch.equal(sample(listed, 9).size, sample(scene, 3).size)

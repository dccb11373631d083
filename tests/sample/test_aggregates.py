"""Aggregates: contact, groups, shape and fractal dimension."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from osog import forward, render
from osog.geometry import bodies_of, gap
from osog.sample import explicit, rotation_matrix, sample
from osog.scene import AGGREGATES, Scene, SceneError

NEEDLE = {"kind": "box", "size_um": [3.0, 0.5, 0.4]}
BALL = {"kind": "sphere", "radius_um": 0.3}
FEW: dict[str, dict[str, Any]] = {
    kind: {"kind": kind} if kind in ("cross_twin", "dendrite") else {"kind": kind, "members": 4}
    for kind in AGGREGATES
}
FEW["dendrite"].update(arms=2, generations=1)


def scene_of(*populations: dict[str, Any], **rest: Any) -> Scene:
    named = [{"name": f"p{k}", **each} for k, each in enumerate(populations)]
    return Scene.parse({"grid": {"shape": [64, 64]}, "populations": named, **rest})


def drawn(*populations: dict[str, Any], seed: int = 0, **rest: Any) -> Any:
    return sample(scene_of(*populations, **rest), seed, dtype=torch.float64)


def group(model: dict[str, Any], shape: Any = NEEDLE, seed: int = 0) -> Any:
    return drawn(
        {"shape": shape, "count": 1, "aggregate": model, "orientation": {"law": "aligned"}},
        seed=seed,
    )


def gaps(batch: Any) -> np.ndarray:
    """Distances between the surfaces of all pairs."""
    solid, place = bodies_of(batch), batch.position.numpy()
    out = np.full((len(batch), len(batch)), np.inf)
    for i in range(len(batch)):
        for j in range(i):
            out[i, j] = out[j, i] = gap(solid[i], place[i], solid[j], place[j])
    return out


@pytest.mark.parametrize("kind", AGGREGATES)
def test_members_share_a_group_and_a_draw(kind: str) -> None:
    law = {"law": "uniform", "low": 0.8, "high": 1.2}
    shape = {"kind": "box", "size_um": [3.0, law, 0.4]}
    material = {"index": {"law": "uniform", "low": 1.4, "high": 1.5}}
    batch = drawn(
        {"count": 2},
        {"shape": shape, "material": material, "count": 3, "aggregate": FEW[kind]},
        {"shape": shape, "count": 2, "aggregate": FEW[kind]},
    )
    assert batch.group[:2].tolist() == [-1, -1]
    assert batch.group.unique().tolist() == [-1, 0, 1, 2, 3, 4]
    for number in range(3):
        mine = batch.taken(torch.nonzero(batch.group == number).flatten())
        assert len(mine) >= 2
        assert bool((mine.delta_index == mine.delta_index[0]).all())
        aspect = mine.size[:, 1] / mine.size[:, 0]
        torch.testing.assert_close(aspect, aspect[:1].expand(len(mine)))
    assert len(batch.delta_index.unique()) >= 4


@pytest.mark.parametrize("kind", AGGREGATES)
def test_listed_members_are_the_same_particles(kind: str) -> None:
    scene = scene_of({"shape": NEEDLE, "count": 2, "aggregate": {**FEW[kind], "size_scatter": 0.2}})
    first = sample(scene, 3, dtype=torch.float64)
    listed = explicit(scene, 3)
    assert listed.populations[0].aggregate is None
    second = sample(listed, 8, dtype=torch.float64)
    torch.testing.assert_close(first.position, second.position)
    torch.testing.assert_close(first.size, second.size)
    turned = (rotation_matrix(batch.quaternion) for batch in (first, second))
    torch.testing.assert_close(*turned, atol=1e-6, rtol=0)
    assert torch.equal(first.group, second.group)


@pytest.mark.parametrize("kind", AGGREGATES)
@pytest.mark.parametrize(
    "modality", [{"kind": "dic"}, {"kind": "fluorescence"}, {"kind": "polarized"}]
)
def test_every_aggregate_renders(kind: str, modality: dict[str, Any]) -> None:
    scene = scene_of(
        {"shape": NEEDLE, "count": 1, "aggregate": FEW[kind],
         "material": {"index": 1.4, "birefringence": 0.01, "emission_per_um": 1.0}},
        microscope={"modality": modality, "numerical_aperture": 0.5},
        grid={"shape": [40, 40], "pixel_size_um": 0.15},
    )  # fmt: skip
    frame = render(scene, outputs=("instances", "boxes"))
    assert bool(torch.isfinite(frame.image).all())
    assert float(frame.image.std()) > 0
    assert frame.boxes is not None and len(frame.boxes) == len(frame.particles)


def test_sizes_scatter_as_stated_and_share_their_proportions() -> None:
    batch = group({"kind": "sheaf", "members": 3000, "size_scatter": 0.3})
    logs = (batch.size[:, 0] / 1.5).log()
    assert float(logs.std()) == pytest.approx(0.3, rel=0.05)
    torch.testing.assert_close(batch.size[:, 1] / batch.size[:, 0], (0 * logs) + 0.5 / 3)


def test_members_follow_their_law() -> None:
    law = {"law": "uniform", "low": 2.0, "high": 6.0}
    model = {"kind": "chain", "members": law}
    batch = drawn({"shape": BALL, "count": 200, "aggregate": model})
    members = torch.bincount(batch.group)
    assert int(members.min()) >= 2 and int(members.max()) <= 6
    assert float(members.double().mean()) == pytest.approx(4.0, abs=0.3)


def test_one_more_aggregate_leaves_the_others() -> None:
    model = {"kind": "random", "members": 3}
    few = drawn({"shape": NEEDLE, "count": 3, "aggregate": model})
    more = drawn({"shape": NEEDLE, "count": 4, "aggregate": model})
    assert torch.equal(few.quaternion, more.quaternion[: len(few)])


def test_chains_stacks_and_heaps_touch_without_overlap() -> None:
    chain = gaps(group({"kind": "chain", "members": 6}, BALL))
    assert np.allclose(np.diag(chain, 1), 0, atol=1e-4)
    plate = {"kind": "box", "size_um": [2.0, 2.0, 0.3]}
    stack = group({"kind": "stack", "members": 5, "twist_deg": 20}, plate)
    assert np.allclose(np.diff(stack.position[:, 2].sort().values), 0.3, atol=1e-3)
    for shape in (BALL, NEEDLE):
        heap = gaps(group({"kind": "random", "members": 7}, shape, seed=4))
        assert heap.min() > -1e-6
        assert (heap.min(1) < 1e-3).all()


def test_satellites_sit_on_the_first_body_and_intergrown_ones_in_it() -> None:
    block = {"kind": "box", "size_um": [3.0, 2.0, 1.0]}
    on = gaps(group({"kind": "satellites", "members": 9}, block))
    assert np.allclose(on[0, 1:], 0, atol=1e-3)
    batch = group({"kind": "intergrown", "members": 5}, block)
    assert (gaps(batch)[0, 1:] <= 0).all()
    axis = rotation_matrix(batch.quaternion)[:, :, 0]
    assert float((axis @ axis[0]).min()) > np.cos(np.deg2rad(25))
    torch.testing.assert_close(batch.size[1:, 0], (0.5 * batch.size[:1, 0]).expand(4))


def test_twins_cross_at_their_angle_and_sheaves_spread_by_theirs() -> None:
    axis = rotation_matrix(group({"kind": "cross_twin", "angle_deg": 70}).quaternion)[:, :, 0]
    assert float(axis[0] @ axis[1]) == pytest.approx(np.cos(np.deg2rad(70)))
    axis = rotation_matrix(group({"kind": "sheaf", "members": 2000}).quaternion)[:, :, 0]
    tilt = torch.rad2deg(torch.asin(axis[:, 2]))
    assert float(tilt.std()) == pytest.approx(12, rel=0.06)


def test_rosettes_grow_out_of_one_point_over_their_cap() -> None:
    batch = group({"kind": "rosette", "members": 40, "core_um": 0.5, "jitter_deg": 0})
    axis = rotation_matrix(batch.quaternion)[:, :, 0]
    middle = batch.position - axis * (0.5 + batch.size[:, :1])
    assert float((middle - middle[0]).norm(dim=1).max()) < 1e-6
    second = axis.T @ axis / len(axis)
    assert float((second - torch.eye(3, dtype=torch.float64) / 3).abs().max()) < 0.02
    cap = group({"kind": "rosette", "members": 40, "cap_deg": 30, "jitter_deg": 0})
    assert float(rotation_matrix(cap.quaternion)[:, 0, 0].min()) > np.cos(np.deg2rad(30.01))


def test_arms_of_dendrites_start_on_their_trunk_and_shrink_to_its_tip() -> None:
    rod = {"kind": "rod", "length_um": 12.0, "radius_um": 0.3}
    batch = group({"kind": "dendrite", "arms": 6, "generations": 1}, rod)
    assert len(batch) == 13
    axis = rotation_matrix(batch.quaternion)[:, :, 0]
    roots = batch.position[1:] - axis[1:] * batch.size[1:, :1] - batch.position[0]
    assert float((roots - roots[:, :1] * axis[0]).norm(dim=1).max()) < 1e-6
    order = roots[:6, 0].argsort()
    assert bool((batch.size[1:7, 0][order].diff() < 0).all())


@pytest.mark.parametrize("dimension", [1.6, 1.78, 2.1])
def test_clusters_have_their_fractal_dimension(dimension: float) -> None:
    numbers = np.array([8, 16, 32, 64, 128, 256])
    radii = []
    for n in numbers:
        model = {"kind": "dlca", "members": float(n), "fractal_dimension": dimension}
        batch = drawn({"shape": BALL, "count": 3, "aggregate": model})
        squares = []
        for k in range(3):
            place = batch.position[batch.group == k]
            squares.append(float(((place - place.mean(0)) ** 2).sum(1).mean()))
            apart = torch.cdist(place, place) + 9 * torch.eye(len(place))
            assert float(apart.min()) > 0.6 * (1 - 1e-5), "balls touch and do not overlap"
            assert float(apart.min(1).values.max()) < 0.6 * (1 + 1e-4)
        radii.append(np.sqrt(np.mean(squares) / 0.3**2 + 0.6))
    slope, start = np.polyfit(np.log(radii), np.log(numbers), 1)
    assert slope == pytest.approx(dimension, abs=0.06)
    assert np.exp(start) == pytest.approx(1.3, rel=0.2)


def test_whole_aggregates_keep_clear_of_one_another() -> None:
    model = {"kind": "random", "members": 4}
    place = {"law": "non_overlapping", "z_um": [-2, 2]}
    batch = drawn(
        {"shape": NEEDLE, "count": 8, "aggregate": model, "placement": place},
        grid={"shape": [160, 160]},
    )
    between = gaps(batch)
    other = batch.group[:, None] != batch.group[None]
    assert between[other.numpy()].min() > 0
    near = torch.cdist(batch.position, batch.position)[other]
    assert int((near < 3).sum()) > 10, "the crowd is dense enough to test something"


def test_aggregates_rest_on_their_lowest_member() -> None:
    place = {"z_um": 1.0, "depth": {"law": "sedimented"}}
    model = {"kind": "random", "members": 4}
    batch = drawn({"shape": NEEDLE, "count": 5, "aggregate": model, "placement": place})
    down = np.array([0.0, 0.0, -1.0])
    low = [
        float(z) - b.extent(down)
        for z, b in zip(batch.position[:, 2], bodies_of(batch), strict=True)
    ]
    for k in range(5):
        assert min(np.array(low)[batch.group.numpy() == k]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("populations.p0.shape.size_um[1]", 0.5),
        ("populations.p0.material.index", 1.40),
        ("particles[2].x_um", 3.1),
        ("particles[1].orientation_deg[0]", 20.0),
    ],
)
def test_numbers_of_members_have_true_derivatives(name: str, value: float) -> None:
    scene = scene_of(
        {"shape": NEEDLE, "count": 1, "material": {"index": 1.40},
         "aggregate": {"kind": "sheaf", "members": 4, "size_scatter": 0.2}},
        microscope={"modality": {"kind": "dic"}, "numerical_aperture": 0.5},
        grid={"shape": [40, 40], "pixel_size_um": 0.15},
    )  # fmt: skip
    weight = torch.linspace(-1, 1, 1600, dtype=torch.float64).reshape(40, 40).sin()

    def loss(number: torch.Tensor) -> torch.Tensor:
        return (forward(scene, {name: number}, dtype=torch.float64) * weight).sum()

    here = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(here), here)
    step = 1e-4
    with torch.no_grad():
        wanted = (loss(here + step) - loss(here - step)) / (2 * step)
    assert float(slope) == pytest.approx(float(wanted), rel=1e-3)
    assert abs(float(slope)) > 1e-6


def test_lone_member_numbers_are_refused_where_chance_decides() -> None:
    scene = scene_of({"shape": NEEDLE, "count": 1, "aggregate": {"kind": "stack", "members": 3}})
    with pytest.raises(SceneError, match="scene draws only 3 particles"):
        sample(scene, 0, {"particles[3].x_um": 1.0})
    with pytest.raises(SceneError, match="members"):
        scene_of({"aggregate": {"kind": "stack", "members": 0}})
    with pytest.raises(SceneError, match="'heap' is not one of random, stack"):
        scene_of({"aggregate": {"kind": "heap"}})

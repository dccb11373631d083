"""From description and seed to particles: determinism, independence, laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import osog
from osog.geometry import BOX, POLYHEDRON, ROD, SHAPES, SPHERE
from osog.sample import (
    ParticleBatch,
    Values,
    explicit,
    quaternion_from_angles,
    rotation_matrix,
    sample,
)
from osog.scene import Scene, SceneError

DOUBLE = torch.float64


def scene_of(*populations: dict[str, Any], **blocks: Any) -> Scene:
    listed = [{"name": f"p{k}", **p} for k, p in enumerate(populations)]
    return Scene.parse({"grid": {"shape": [300, 400]}, "populations": listed, **blocks})


def same(a: ParticleBatch, b: ParticleBatch, rows: slice = slice(None)) -> bool:
    return all(torch.equal(getattr(a, n)[rows], getattr(b, n)[rows]) for n in a.columns())


RICH = {
    "shape": {
        "kind": "ellipsoid",
        "semi_axes_um": [
            {"law": "lognormal", "median": 1, "sigma": 0.2},
            {"law": "uniform", "low": 0.4, "high": 0.9},
            0.5,
        ],
    },
    "material": {
        "index": {"law": "normal", "mean": 1.38, "std": 0.004},
        "absorption_per_um": {"law": "uniform", "low": 0, "high": 0.1},
    },
    "placement": {"z_um": {"law": "uniform", "low": -4, "high": 9}},
}


@pytest.mark.parametrize("preset", osog.presets.names())
def test_same_seed_same_particles(preset: str) -> None:
    scene = osog.presets.load(preset)
    one, two, other = sample(scene, 3), sample(scene, 3), sample(scene, 4)
    assert same(one, two)
    assert torch.equal(one.planes, two.planes)
    if any(p.particles is None for p in scene.populations):
        assert not torch.equal(one.position[: len(other)], other.position[: len(one)])


def test_precision_changes_no_draw() -> None:
    scene = scene_of({**RICH, "count": 20})
    single, double = sample(scene, 1), sample(scene, 1, dtype=DOUBLE)
    torch.testing.assert_close(single.position.double(), double.position, rtol=1e-6, atol=1e-5)
    assert double.position.dtype == DOUBLE


@pytest.mark.parametrize("law", ["isotropic", "planar", "aligned"])
def test_one_more_particle_reshuffles_nothing(law: str) -> None:
    drawn = {**RICH, "orientation": {"law": law, "spread_deg": 7}}
    few, more = (sample(scene_of({**drawn, "count": n}), 5) for n in (30, 31))
    assert same(few, more, slice(0, 30))


def test_one_more_population_reshuffles_nothing() -> None:
    alone = sample(scene_of({**RICH, "count": 30}), 5)
    both = sample(scene_of({**RICH, "count": 30}, {"count": 10}), 5)
    assert same(alone, both, slice(0, 30))


def test_one_more_law_reshuffles_nothing() -> None:
    plain = {
        "shape": {"kind": "sphere", "radius_um": 0.5},
        "count": 40,
        "placement": RICH["placement"],
    }
    varied = {**plain, "shape": {"kind": "sphere", "radius_um": RICH["shape"]["semi_axes_um"][0]}}  # type: ignore[index]
    one, two = sample(scene_of(plain), 2), sample(scene_of(varied), 2)
    assert torch.equal(one.position, two.position)
    assert torch.equal(one.quaternion, two.quaternion)
    assert not torch.equal(one.size, two.size)


def test_invisible_populations_draw_nothing_and_disturb_nobody() -> None:
    shown = sample(scene_of({"count": 5}, {**RICH, "count": 7}), 1)
    hidden = sample(scene_of({"count": 5, "visible": False}, {**RICH, "count": 7}), 1)
    assert len(hidden) == 7
    assert torch.equal(hidden.position, shown.position[5:])
    assert hidden.population.tolist() == [1] * 7


def test_laws_have_their_moments() -> None:
    n = 4000
    batch = sample(scene_of({**RICH, "count": n}), 0, dtype=DOUBLE)
    a, b, c = batch.size.unbind(1)
    logs = a.log()
    assert abs(float(logs.mean())) < 4 * 0.2 / n**0.5
    assert abs(float(logs.std()) / 0.2 - 1) < 0.06
    assert 0.4 <= float(b.min()) < 0.41 and 0.89 < float(b.max()) <= 0.9
    assert bool((c == 0.5).all())
    index = batch.delta_index + scene_of().medium.index
    assert abs(float(index.mean()) - 1.38) < 4 * 0.004 / n**0.5
    assert abs(float(index.std()) / 0.004 - 1) < 0.06
    assert float((index - 1.38).abs().max()) <= 4 * 0.004 + 1e-12, "tails are cut at four sigma"
    z = batch.position[:, 2]
    assert -4 <= float(z.min()) < -3.9 and 8.9 < float(z.max()) <= 9
    columns = torch.stack([a, b, index, batch.absorption_per_um, *batch.position.T])
    correlation = torch.corrcoef(columns) - torch.eye(7, dtype=DOUBLE)
    assert float(correlation.abs().max()) < 5 / n**0.5, "columns are independent"


@pytest.mark.parametrize("law", ["isotropic", "planar", "aligned"])
def test_orientations(law: str) -> None:
    n = 4000
    orientation = {"law": law, "azimuth_deg": 30, "elevation_deg": 10, "spread_deg": 5}
    rod = {"kind": "rod", "length_um": 6, "radius_um": 0.5}
    batch = sample(
        scene_of({"shape": rod, "count": n, "orientation": orientation}), 0, dtype=DOUBLE
    )
    from osog.sample import rotation_matrix

    axis = rotation_matrix(batch.quaternion)[:, :, 0]
    second = axis.T @ axis / n
    if law == "isotropic":
        assert float((second - torch.eye(3, dtype=DOUBLE) / 3).abs().max()) < 0.03
        assert float(axis.mean(0).norm()) < 0.05
    elif law == "planar":
        assert float(second[2, 2]) == pytest.approx(np.deg2rad(5) ** 2, rel=0.1)
        assert float((second[:2, :2] - torch.eye(2, dtype=DOUBLE) / 2).abs().max()) < 0.03
    else:
        azimuth, elevation = np.deg2rad(30), np.deg2rad(10)
        wanted = [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
        mean = axis.mean(0) / axis.mean(0).norm()
        assert float((mean - torch.tensor(wanted, dtype=DOUBLE)).norm()) < 0.005


def test_azimuth_turns_from_x_towards_y_and_elevation_towards_the_objective() -> None:
    def axis(*angles: float) -> list[float]:
        turned = rotation_matrix(quaternion_from_angles(torch.tensor(angles, dtype=DOUBLE)))
        return [round(v, 12) for v in turned[:, 0].tolist()]

    assert axis(90, 0, 0) == [0, 1, 0]
    assert axis(0, 90, 0) == [0, 0, 1]
    assert axis(0, 0, 70) == [1, 0, 0]
    roll = rotation_matrix(quaternion_from_angles(torch.tensor([0.0, 0.0, 90.0], dtype=DOUBLE)))
    assert [round(v, 12) for v in roll[:, 1].tolist()] == [0, 0, 1]


def test_rods_are_never_shorter_than_wide() -> None:
    rod = {
        "kind": "rod",
        "length_um": {"law": "uniform", "low": 1, "high": 3},
        "radius_um": {"law": "uniform", "low": 0.4, "high": 1.2},
    }
    batch = sample(scene_of({"shape": rod, "count": 500}), 0, dtype=DOUBLE)
    assert bool((batch.size[:, 0] >= batch.size[:, 1] - 1e-12).all())
    assert bool((batch.size[:, 0] == batch.size[:, 1]).any())


def test_shapes_and_sizes_in_the_batch() -> None:
    batch = sample(
        scene_of(
            {"shape": {"kind": "sphere", "radius_um": 0.7}, "particles": [{}]},
            {"shape": {"kind": "rod", "length_um": 6, "radius_um": 0.5}, "particles": [{}]},
            {"shape": {"kind": "box", "size_um": [4, 3, 2]}, "particles": [{}]},
            {
                "shape": {"kind": "polyhedron", "habit": "octahedron", "size_um": [4, 3, 2]},
                "particles": [{}, {"size_um": [6, 6, 6]}],
            },
        ),
        dtype=DOUBLE,
    )
    assert batch.size.tolist() == [
        [0.7, 0.7, 0.7], [3, 0.5, 0.5], [2, 1.5, 1], [4, 3, 2], [6, 6, 6],
    ]  # fmt: skip
    assert [SHAPES[k] for k in batch.shape_kind.tolist()] == [
        SPHERE, ROD, BOX, POLYHEDRON, POLYHEDRON,
    ]  # fmt: skip
    assert batch.plane_start.tolist() == [0, 0, 0, 0, 8, 16]
    torch.testing.assert_close(batch.planes[:, :3].norm(dim=1), torch.ones(16, dtype=DOUBLE))


@pytest.mark.parametrize("preset", osog.presets.names())
def test_explicit_scenes_draw_the_same_batch_with_any_seed(preset: str) -> None:
    scene = osog.presets.load(preset)
    drawn, listed = sample(scene, 6, dtype=DOUBLE), explicit(scene, 6)
    for seed in (6, 0):
        again = sample(listed, seed, dtype=DOUBLE)
        assert same(drawn, again)
    assert Scene.parse(listed.to_dict()) == listed


def test_explicit_keeps_axes_without_a_law() -> None:
    listed = explicit(scene_of({**RICH, "count": 3}), 1)
    particles = listed.populations[0].particles
    assert particles is not None
    assert all(p.semi_axes_um is not None and p.semi_axes_um[2] == 0.5 for p in particles)
    assert all(p.index is not None and p.emission_per_um is None for p in particles)


VALUES = {
    "particles[0].x_um": 3.0,
    "particles[1].index": 1.5,
    "particles[2].orientation_deg[0]": 20.0,
    "particles[3].semi_axes_um[1]": 0.7,
    "medium.index": 1.34,
}


def test_values_stand_in_for_numbers_and_carry_gradients() -> None:
    scene = scene_of({**RICH, "count": 6})
    given = {k: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for k, v in VALUES.items()}
    plain, drawn = sample(scene, 2, dtype=DOUBLE), sample(scene, 2, given, dtype=DOUBLE)
    batch = drawn.detach()
    assert float(batch.position[0, 0]) == 3.0
    assert float(batch.delta_index[1]) == pytest.approx(0.16)
    assert float(batch.size[3, 1]) == 0.7
    assert torch.equal(batch.position[1:], plain.position[1:])
    total = sum(
        (getattr(drawn, name) * torch.linspace(1, 2, getattr(drawn, name).numel(), dtype=DOUBLE)
         .reshape(getattr(drawn, name).shape)).sum()
        for name in ("position", "quaternion", "size", "delta_index")
    )  # fmt: skip
    total.backward()  # type: ignore[union-attr]
    assert all(tensor.grad is not None and float(tensor.grad) != 0 for tensor in given.values())


def test_values_of_a_population_reach_all_its_particles() -> None:
    scene = scene_of(
        {"shape": {"kind": "sphere", "radius_um": 0.5}, "particles": [{}, {"radius_um": 0.9}, {}]}
    )
    radius = torch.tensor(0.6, dtype=DOUBLE, requires_grad=True)
    for name in ("populations.p0.shape.radius_um", "populations[0].shape.radius_um"):
        batch = sample(scene, 0, {name: radius}, dtype=DOUBLE)
        assert batch.detach().size[:, 0].tolist() == [0.6, 0.9, 0.6]
        (gradient,) = torch.autograd.grad(batch.size[:, 0].sum(), radius)
        assert float(gradient) == 2.0, "the particle with a radius of its own does not follow"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"particles[6].x_um": 1.0}, "only 6 particles"),
        ({"microscope.fokus_um": 1.0}, "does not exist"),
        ({"microscope.focus_um": torch.zeros(2)}, "takes one number, not a tensor of 2"),
        ({"microscope.focus_um": float("nan")}, "must be finite"),
        ({"particles[0].length_um": 1.0}, "a ellipsoid has no such number"),
    ],
)
def test_bad_values_are_refused_in_words(values: dict[str, Any], words: str) -> None:
    with pytest.raises(SceneError, match=words):
        sample(scene_of({**RICH, "count": 6}), 0, values)


def test_no_population_gives_an_empty_batch() -> None:
    batch = sample(Scene())
    assert len(batch) == 0
    assert batch.position.shape == (0, 3)
    assert batch.plane_start.tolist() == [0]


@pytest.mark.parametrize(
    "name",
    [
        "grid.pixel_size_um",
        "populations.beads.placement.z_um",
        "populations.beads.orientation.azimuth_deg",
        "populations.beads.count",
    ],
)
def test_numbers_without_a_derivative_are_refused_and_not_ignored(name: str) -> None:
    beads = {"name": "beads", "count": 3, "orientation": {"law": "aligned"}}
    scene = Scene.parse({"populations": [beads]})
    with pytest.raises(SceneError, match="change the scene instead"):
        Values(scene, {name: 1})


def test_one_number_replaces_a_law() -> None:
    law = {"law": "uniform", "low": 0.4, "high": 0.6}
    scene = Scene.parse(
        {"populations": [{"name": "b", "count": 3, "shape": {"kind": "sphere", "radius_um": law}}]}
    )
    radius = torch.tensor(0.9, requires_grad=True)
    batch = sample(scene, 0, {"populations.b.shape.radius_um": radius})
    assert batch.size[:, 0].tolist() == pytest.approx([0.9] * 3)
    (gradient,) = torch.autograd.grad(batch.size[:, 0].sum(), radius)
    assert float(gradient) == 3

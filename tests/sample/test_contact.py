"""Depth at rest, contact by true shape, and bodies that sit on others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from osog.geometry import SHAPES, Bodies, Shape, bodies_of, gap
from osog.sample import sample
from osog.scene import Scene, SceneError

BODIES: dict[str, dict[str, Any]] = {
    "sphere": {"kind": "sphere", "radius_um": 0.7},
    "rod": {"kind": "rod", "length_um": 3.0, "radius_um": 0.4},
    "ellipsoid": {"kind": "ellipsoid", "semi_axes_um": [1.6, 0.8, 0.5]},
    "cylinder": {"kind": "cylinder", "length_um": 2.4, "radius_um": 0.6},
    "box": {"kind": "box", "size_um": [2.6, 1.2, 0.7]},
    "polyhedron": {"kind": "polyhedron", "habit": "octahedron", "size_um": [2.6, 1.8, 1.4]},
}
"""One body of each shape."""


def drawn(populations: list[dict[str, Any]], seed: int = 0, side: int = 160) -> Any:
    named = [{"name": f"p{k}", **each} for k, each in enumerate(populations)]
    scene = Scene.parse({"grid": {"shape": [side, side]}, "populations": named})
    return sample(scene, seed, dtype=torch.float64)


def inside(batch: Any, k: int, points: np.ndarray) -> np.ndarray:
    """Which points lie within a body, by its equation."""
    from osog.sample import rotation_matrix

    turned = rotation_matrix(batch.quaternion)[k].numpy()
    own = (points - batch.position[k].numpy()) @ turned
    a, b, c = batch.size[k].numpy()
    x, y, z = own.T
    name = repr(SHAPES[int(batch.shape_kind[k])]).removesuffix("geometry")
    if name in ("sphere", "ellipsoid"):
        return (x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2 <= 1
    if name == "rod":
        along = np.clip(x, -(a - b), a - b)
        return (x - along) ** 2 + y**2 + z**2 <= b**2
    if name == "cylinder":
        return (np.abs(x) <= a) & (y**2 + z**2 <= b**2)
    if name == "box":
        return (np.abs(x) <= a) & (np.abs(y) <= b) & (np.abs(z) <= c)
    planes = batch.planes[batch.plane_start[k] : batch.plane_start[k + 1]].numpy()
    return ((own / batch.size[k].numpy()) @ planes[:, :3].T <= planes[:, 3]).all(1)


def common_cells(batch: Any, i: int, j: int) -> int:
    """Cells of a 24³ grid that two bodies share."""
    reach = [float(batch.size[k].norm()) for k in (i, j)]
    place = [batch.position[k].numpy() for k in (i, j)]
    low = np.maximum(place[0] - reach[0], place[1] - reach[1])
    high = np.minimum(place[0] + reach[0], place[1] + reach[1])
    if (low >= high).any():
        return 0
    steps = [np.linspace(low[k], high[k], 24) for k in range(3)]
    points = np.stack(np.meshgrid(*steps, indexing="ij"), -1).reshape(-1, 3)
    return int((inside(batch, i, points) & inside(batch, j, points)).sum())


@pytest.mark.parametrize("one", BODIES)
@pytest.mark.parametrize("other", BODIES)
def test_contact_is_found_as_by_counting_cells(one: str, other: str) -> None:
    if list(BODIES).index(one) > list(BODIES).index(other):
        return
    rng = np.random.default_rng(5)
    pairs = 24
    listed: list[list[dict[str, Any]]] = [[], []]
    for k in range(pairs):
        away = rng.standard_normal(3)
        away *= rng.uniform(0.4, 2.6) / np.linalg.norm(away)
        for which, place in enumerate((np.zeros(3), away)):
            x, y, z = place
            angles = rng.uniform(-180, 180, 3).tolist()
            listed[which].append(
                {"x_um": 20.0 * k + x, "y_um": y, "z_um": z, "orientation_deg": angles}
            )
    shapes = (BODIES[one], BODIES[other])
    batch = drawn([{"shape": s, "particles": p} for s, p in zip(shapes, listed, strict=True)])
    solid = bodies_of(batch)
    met = 0
    for i in range(pairs):
        j = pairs + i
        found = gap(solid[i], batch.position[i].numpy(), solid[j], batch.position[j].numpy())
        cells = common_cells(batch, i, j)
        assert not (cells and found > 0), "bodies that overlap must be found"
        # What is held by a hull of 1 % more may be found a little early.
        assert cells or found > -0.02 or one == other == "sphere" or _grazes(batch, i, j, found)
        met += bool(cells)
    assert 0 < met < pairs


def _grazes(batch: Any, i: int, j: int, found: float) -> bool:
    """Whether an overlap that no cell shows goes away when one body moves off a little."""
    solid = bodies_of(batch)
    at, bt = batch.position[i].numpy(), batch.position[j].numpy()
    off = (at - bt) / np.linalg.norm(at - bt)
    return gap(solid[i], at + 0.25 * off, solid[j], bt) > 0


def test_crowds_of_all_shapes_do_not_overlap_and_are_dense() -> None:
    place = {"law": "non_overlapping", "z_um": [-1, 1]}
    populations = [{"shape": body, "count": 14, "placement": place} for body in BODIES.values()]
    batch = drawn(populations, side=200)
    close = 0
    for i in range(len(batch)):
        for j in range(i):
            if float((batch.position[i] - batch.position[j]).norm()) < 3.2:
                close += 1
                assert common_cells(batch, i, j) == 0, (i, j)
    assert close > 80


def test_flat_plates_are_packed_closer_than_their_spherocylinders() -> None:
    plate = {"kind": "box", "size_um": [3.0, 3.0, 0.2]}
    batch = drawn(
        [{"shape": plate, "count": 40, "orientation": {"law": "aligned"},
          "placement": {"law": "non_overlapping", "z_um": [-3, 3]}}], side=100,
    )  # fmt: skip
    # Stacked plates of 9 µm² each, 40 of them over 100 µm²: balls around them would not fit.
    assert len(batch) == 40


def test_outlines_alone_give_hulls_that_hold_and_are_tight() -> None:
    listed = [{"orientation_deg": [20, 35, 50]}]
    for body in BODIES.values():
        batch = drawn([{"shape": body, "particles": listed}])
        shape = SHAPES[int(batch.shape_kind[0])]
        bodies = Bodies.of(batch, torch.tensor([0]), shape)
        points, _ = Shape.hull(shape, bodies)
        reach = (points @ bodies.rotation.transpose(-1, -2)).amax(1)
        exact = shape.half_extents(bodies)
        assert bool((reach >= exact * 0.9999).all()), body
        assert bool((reach <= exact * 1.08).all()), body


@pytest.mark.parametrize("kind", BODIES)
def test_bodies_rest_where_they_touch(kind: str) -> None:
    def ends(**depth: Any) -> tuple[np.ndarray, np.ndarray]:
        placement = {"z_um": 3.0, "depth": depth}
        batch = drawn([{"shape": BODIES[kind], "count": 12, "placement": placement}])
        z, up = batch.position[:, 2].numpy(), np.array([0.0, 0.0, 1.0])
        solid = bodies_of(batch)
        low = np.array([z[k] - body.extent(-up) for k, body in enumerate(solid)])
        return low, np.array([z[k] + body.extent(up) for k, body in enumerate(solid)])

    assert np.allclose(ends(law="sedimented")[0], 3.0)
    assert np.allclose(ends(law="at_coverslip")[0], 3.0)
    assert np.allclose(ends(law="at_coverslip", side="below")[1], 3.0)
    low, high = ends(law="two_layers", gap_um=9.0)
    on_slide = np.isclose(low, 3.0)
    assert 0 < on_slide.sum() < 12
    assert np.allclose(high[~on_slide], 12.0)


def test_sediment_has_the_barometric_density() -> None:
    from scipy import stats

    placement = {"z_um": -2.0, "depth": {"law": "sedimented", "scale_height_um": 4.0}}
    batch = drawn([{"shape": BODIES["sphere"], "count": 4000, "placement": placement}])
    gaps = batch.position[:, 2].numpy() + 2.0 - 0.7
    assert stats.kstest(gaps, stats.expon(scale=4.0).cdf).pvalue > 0.002


@pytest.mark.parametrize("guest", ["sphere", "box"])
@pytest.mark.parametrize("host", BODIES)
def test_attached_bodies_touch_their_host(host: str, guest: str) -> None:
    small = {"sphere": {"kind": "sphere", "radius_um": 0.1},
             "box": {"kind": "box", "size_um": [0.3, 0.2, 0.1]}}[guest]  # fmt: skip
    batch = drawn(
        [{"shape": BODIES[host], "count": 2},
         {"shape": small, "count": 20, "placement": {"law": "attached", "to": "p0"}}],
    )  # fmt: skip
    solid, place = bodies_of(batch), batch.position.numpy()
    for k in range(2, 22):
        least = min(gap(solid[k], place[k], solid[j], place[j]) for j in range(2))
        assert abs(least) < 2e-4
        for j in range(2, k):
            assert gap(solid[k], place[k], solid[j], place[j]) > -1e-6


def test_nothing_to_sit_on_is_refused_in_words() -> None:
    attached = {"shape": BODIES["sphere"], "count": 1, "placement": {"law": "attached"}}
    with pytest.raises(SceneError, match="must be the name of a visible population"):
        drawn([attached])
    with pytest.raises(SceneError, match="there are no particles to sit on"):
        drawn([{"shape": BODIES["box"], "count": 0}, attached])


def test_hexagonal_lattices_have_six_neighbours() -> None:
    batch = drawn(
        [{"count": 108, "placement": {"law": "lattice", "lattice": "hexagonal"}}], side=200
    )
    xy = batch.position[:, :2].numpy()
    middle = xy[np.linalg.norm(xy - 10, axis=1).argmin()]
    away = np.sort(np.linalg.norm(xy - middle, axis=1))[1:8]
    assert away[5] / away[0] < 1.15 and away[6] / away[5] > 1.3
    moved = drawn([{"count": 400, "placement": {"law": "lattice", "jitter_um": 0.2}}], side=400)
    still = drawn([{"count": 400, "placement": {"law": "lattice"}}], side=400)
    assert float((moved.position - still.position)[:, :2].std()) == pytest.approx(0.2, rel=0.1)

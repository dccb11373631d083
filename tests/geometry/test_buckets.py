"""Patches cover their particles and few sizes do."""

from __future__ import annotations

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osog.geometry import (
    BOX,
    CYLINDER,
    ELLIPSOID,
    POLYHEDRON,
    ROD,
    SHAPES,
    SPHERE,
    buckets,
    half_extents,
    patch_grid,
)


def test_half_extents_of_known_bodies(make_batch):
    rows = [
        {"kind": SPHERE, "size": (0.5, 0.5, 0.5), "angles": (30, 40, 50)},
        {"kind": ELLIPSOID, "size": (3, 2, 1), "angles": (90, 0, 0)},
        {"kind": ROD, "size": (3, 0.5, 0.5), "angles": (0, 90, 0)},
        {"kind": CYLINDER, "size": (3, 0.5, 0.5), "angles": (0, 90, 0)},
        {"kind": CYLINDER, "size": (3, 0.5, 0.5), "angles": (0, 30, 0)},
        {"kind": BOX, "size": (3, 2, 1), "angles": (90, 0, 0)},
        {"kind": POLYHEDRON, "size": (3, 2, 1), "habit": "octahedron"},
    ]
    batch = make_batch(rows)
    found = half_extents(batch, torch.arange(len(rows)))
    tilted = [3 * 3**0.5 / 2 + 0.25, 0.5, 1.5 + 0.5 * 3**0.5 / 2]
    expected = torch.tensor(
        [[0.5] * 3, [2, 3, 1], [0.5, 0.5, 3], [0.5, 0.5, 3], tilted, [2, 3, 1], [1.5, 1, 0.5]],
        dtype=torch.float64,
    )
    assert torch.allclose(found, expected, atol=1e-6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 60),
    spread=st.floats(0.05, 4),
    pitch=st.tuples(st.floats(0.05, 0.3), st.floats(0.05, 0.3)),
    seed=st.integers(0, 1000),
)
def test_every_particle_fits_its_patch(make_batch, count, spread, pitch, seed):
    generator = torch.Generator().manual_seed(seed)
    draw = torch.rand(count, 9, generator=generator, dtype=torch.float64).tolist()
    batch = make_batch(
        [
            {
                "kind": SHAPES[int(d[0] * 6)],
                "position": (d[1] * 50, d[2] * 50, d[3]),
                "angles": (d[4] * 360, d[5] * 180 - 90, d[6] * 360),
                "size": (spread * (0.5 + d[7]), spread * d[8] / 2 + 0.01, spread * d[8] / 2 + 0.01),
                "habit": "rhombic_dodecahedron",
            }
            for d in draw
        ]
    )
    groups = buckets(batch, pitch)
    seen = torch.cat([group.members for group in groups])
    assert sorted(seen.tolist()) == list(range(count))
    for kind, height, width, index in groups:
        assert all(SHAPES[k] is kind for k in batch.shape_kind[index].tolist())
        half = half_extents(batch, index)
        row, column, x, y = patch_grid(batch.position[index], height, width, pitch)
        place = batch.position[index]
        # A pixel of margin on every side: the edge of pixels must lie beyond the silhouette.
        assert bool((x[:, 0, 0] < place[:, 0] - half[:, 0] - pitch[1] / 2).all())
        assert bool((x[:, 0, -1] > place[:, 0] + half[:, 0] + pitch[1] / 2).all())
        assert bool((y[:, 0, 0] < place[:, 1] - half[:, 1] - pitch[0] / 2).all())
        assert bool((y[:, -1, 0] > place[:, 1] + half[:, 1] + pitch[0] / 2).all())
        assert torch.allclose(x[:, 0, 0], column.double() * pitch[1])
        assert torch.allclose(y[:, 0, 0], row.double() * pitch[0])


def test_few_groups_and_little_padding(make_batch):
    generator = torch.Generator().manual_seed(1)
    angles = torch.rand(4000, 2, generator=generator) * 180 - 90
    rows = [
        {"kind": ROD, "size": (2.5, 0.4, 0.4), "angles": (a, e / 2, 0.0)}
        for a, e in angles.tolist()
    ]
    batch = make_batch(rows)
    groups = buckets(batch, (0.1, 0.1))
    need = (2 * (half_extents(batch, torch.arange(4000))[:, :2] / 0.1 + 2)).prod(-1).sum()
    drawn = sum(g.height * g.width * len(g.members) for g in groups)
    assert len(groups) <= 80
    assert drawn < 1.4 * float(need)


def test_one_lone_size_joins_a_larger_group(make_batch):
    rows = [{"kind": SPHERE, "size": (1.0,) * 3} for _ in range(500)]
    rows.append({"kind": SPHERE, "size": (0.7,) * 3})
    assert len(buckets(make_batch(rows), (0.1, 0.1))) == 1


def test_nothing_to_group(make_batch):
    batch = make_batch([{"kind": SPHERE}])
    assert buckets(batch, (0.1, 0.1), torch.zeros(0, dtype=torch.int64)) == []

"""Maps and numbers on the camera's pixels."""

from __future__ import annotations

import math

import pytest
import torch

from osog.geometry import BOX, SHAPES, SPHERE, gbuffer

PIXEL = 0.1


def test_one_sphere(make_batch):
    batch = make_batch([{"kind": SPHERE, "position": (3.0, 2.0, 5.0)}])
    buffer = gbuffer(batch, (50, 80), PIXEL)
    assert buffer.opd.shape == buffer.instances.shape == (50, 80)
    assert buffer.instances.dtype == torch.int32
    assert int(buffer.instances[20, 30]) == 1
    assert float(buffer.path[20, 30]) == pytest.approx(2, abs=0.01)
    assert float(buffer.opd[20, 30]) == pytest.approx(0.06, abs=3e-4)
    assert float(buffer.depth[20, 30]) == pytest.approx(6, abs=0.01)
    assert math.isnan(float(buffer.depth[0, 0]))
    area = math.pi / PIXEL**2
    assert float(buffer.full_area) == pytest.approx(area, rel=0.04)
    assert torch.equal(buffer.full_area, buffer.visible_area)
    assert float(buffer.path.sum()) * PIXEL**2 == pytest.approx(4 / 3 * math.pi, rel=1e-3)


def test_the_particle_nearest_the_objective_wins(make_batch):
    low = {"kind": SPHERE, "position": (3.0, 2.0, 0.0), "size": (1.0,) * 3}
    high = {"kind": BOX, "position": (3.5, 2.0, -0.3), "size": (0.5, 0.5, 3.0)}
    for rows, winner in (([low, high], 2), ([high, low], 1)):
        buffer = gbuffer(make_batch(rows), (40, 60), PIXEL)
        assert int(buffer.instances[20, 36]) == winner
        assert float(buffer.depth[20, 36]) == pytest.approx(2.7)
        box, ball = (1, 0) if winner == 2 else (0, 1)
        assert int(buffer.visible_area[box]) == int(buffer.full_area[box])
        assert int(buffer.visible_area[ball]) < int(buffer.full_area[ball])
        assert float(buffer.path[20, 36]) == pytest.approx(6 + 2 * 0.8, abs=0.03)


def test_order_does_not_matter(make_batch):
    rows = [
        {
            "kind": SHAPES[i % 6],
            "position": (1 + i % 5, 1 + i % 3, 0.1 * i),
            "angles": (10 * i, 5 * i, 0),
            "size": (0.9, 0.5, 0.5),
        }
        for i in range(18)
    ]
    straight = gbuffer(make_batch(rows), (40, 60), PIXEL)
    turned = gbuffer(make_batch(rows[::-1]), (40, 60), PIXEL)
    assert torch.allclose(straight.opd, turned.opd, atol=1e-12)
    assert torch.equal(torch.nan_to_num(straight.depth), torch.nan_to_num(turned.depth))
    renumbered = torch.where(turned.instances > 0, 19 - turned.instances, 0)
    assert torch.equal(straight.instances, renumbered.to(torch.int32))


def test_borders_cut(make_batch):
    rows = [
        {"kind": SPHERE, "position": (-0.05, 2.0, -3.0)},
        {"kind": SPHERE, "position": (50.0, 50.0, 0.0)},
    ]
    buffer = gbuffer(make_batch(rows), (40, 30), PIXEL)
    full, inside = buffer.full_area.tolist(), buffer.inside_area.tolist()
    assert inside[0] == pytest.approx(full[0] / 2, rel=0.02)
    assert buffer.visible_area.tolist() == [inside[0], 0]
    assert inside[1] == 0
    assert set(buffer.instances.unique().tolist()) == {0, 1}


def test_specks_are_numbered_too(make_batch):
    rows = [{"kind": SPHERE, "position": (2.0, 2.0, 0.0), "size": (0.02,) * 3}]
    buffer = gbuffer(make_batch(rows), (40, 40), PIXEL)
    assert int(buffer.instances[20, 20]) == 1
    assert int(buffer.visible_area) == 1


def test_no_particles(make_batch):
    batch = make_batch([])
    buffer = gbuffer(batch, (8, 9), PIXEL)
    assert int(buffer.instances.abs().sum()) == 0
    assert buffer.visible_area.shape == (0,)

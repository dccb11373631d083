"""Oriented boxes of known bodies, and of silhouettes in general."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osog.geometry import BOX, CYLINDER, ELLIPSOID, POLYHEDRON, ROD, SHAPES, SPHERE
from osog.labels import boxes, outlines

PIXEL = 0.1
KNOWN = [
    # kind, size, angles, width, height (µm), angle (degrees)
    (SPHERE, (0.7, 0.7, 0.7), (30, 40, 50), 1.4, 1.4, 0),
    (ROD, (2, 0.5, 0.5), (30, 0, 0), 4, 1, 30),
    (ROD, (2, 0.5, 0.5), (-60, 60, 10), 2 * (1.5 * 0.5 + 0.5), 1, -60),
    (ROD, (2, 0.5, 0.5), (120, 0, 0), 4, 1, -60),
    (ROD, (2, 0.5, 0.5), (0, 90, 0), 1, 1, 0),
    (CYLINDER, (2, 0.5, 0.5), (20, 30, 0), 2 * 3**0.5 + 0.5, 1, 20),
    (CYLINDER, (0.2, 1, 1), (20, 0, 0), 2, 0.4, -70),
    (ELLIPSOID, (3, 2, 1), (40, 0, 0), 6, 4, 40),
    (ELLIPSOID, (3, 2, 1), (40, 90, 0), 4, 2, -50),
    (BOX, (3, 2, 1), (40, 0, 0), 6, 4, 40),
    (BOX, (3, 2, 1), (0, 0, 90), 6, 2, 0),
    (BOX, (1, 1, 1), (20, 0, 0), 2, 2, 20),
    (POLYHEDRON, (4, 4, 4), (0, 0, 0), 4 / 2**0.5, 4 / 2**0.5, -45),
]


@pytest.mark.parametrize(("kind", "size", "angles", "width", "height", "degrees"), KNOWN)
def test_known_bodies(kind, size, angles, width, height, degrees, make_batch):
    row = {"kind": kind, "size": size, "angles": angles, "position": (7.3, 5.1, 2.0)}
    found = boxes(make_batch([row]), PIXEL)[0].tolist()
    assert found[:2] == pytest.approx([73, 51], abs=1e-6)
    assert found[2:4] == pytest.approx([width / PIXEL, height / PIXEL], rel=1e-6)
    turn = math.radians(degrees) - found[4]
    period = math.pi / 2 if width == pytest.approx(height) else math.pi
    if kind != SPHERE and (kind, angles) != (ROD, (0, 90, 0)):
        assert abs(math.remainder(turn, period)) < 1e-6


ANGLE = st.floats(-180, 180) | st.sampled_from([0.0, 90.0, -90.0, 180.0, 45.0])
LENGTH = st.floats(0.05, 3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([s for s in SHAPES if s.size_columns == 3]),
    size=st.tuples(LENGTH, LENGTH, LENGTH),
    angles=st.tuples(ANGLE, ANGLE, ANGLE),
    single=st.booleans(),
)
def test_boxes_touch_the_outline_on_every_side(make_batch, kind, size, angles, single):
    a, b, _c = size
    if kind in (ROD, CYLINDER):
        size = (max(a, b), b, b)
    elif kind == SPHERE:
        size = (a, a, a)
    row = {
        "kind": kind,
        "size": size,
        "angles": angles,
        "position": (3.0, 4.0, 0.0),
        "habit": "parallelepiped",
    }
    batch = make_batch([row], torch.float32 if single else torch.float64)
    x, y, width, height, angle = boxes(batch, PIXEL)[0].tolist()
    assert width >= height > 0
    assert -math.pi / 2 <= angle < math.pi / 2
    points = outlines(batch, 512)[0].double().numpy()[:, ::-1] / PIXEL - (x, y)
    turned = points @ np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    tolerance = 0.003 * width + 1e-3
    assert turned.max(0) == pytest.approx([width / 2, height / 2], abs=tolerance)
    assert turned.min(0) == pytest.approx([-width / 2, -height / 2], abs=tolerance)


def test_boxes_and_polyhedra_have_the_least_area(make_batch):
    for kind in (BOX, POLYHEDRON):
        rows = [
            {
                "kind": kind,
                "size": (2.0, 1.0, 0.6),
                "angles": (17 * i, 11 * i, 29 * i),
                "habit": "hexagonal_prism",
            }
            for i in range(8)
        ]
        batch = make_batch(rows)
        areas = boxes(batch, 1.0)[:, 2:4].prod(-1)
        points = outlines(batch, 256)
        for degrees in range(0, 90, 3):
            t = math.radians(degrees)
            turn = torch.tensor([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]]).double()
            turned = points @ turn
            area = (turned.amax(1) - turned.amin(1)).prod(-1)
            assert bool((areas <= area * 1.002).all())


def test_boxes_outside_the_frame_are_empty(make_batch):
    rows = [
        {"kind": ROD, "size": (1, 0.2, 0.2), "position": p}
        for p in ((1.0, 1.0, 0), (-0.9, 1.0, 0), (-1.2, 1.0, 0), (1.0, 9.0, 0))
    ]
    found = boxes(make_batch(rows), PIXEL, (20, 20))
    assert (found[:, 2] > 0).tolist() == [True, True, False, False]
    assert found[2, :2].tolist() == pytest.approx([-12, 10])


def test_no_particles(make_batch):
    assert boxes(make_batch([]), PIXEL, (20, 20)).shape == (0, 5)

"""Polygons against the area that the pixels cover."""

from __future__ import annotations

import pytest
import torch

from osog.geometry import (
    BENT_CYLINDER,
    BENT_ROD,
    BOX,
    CYLINDER,
    ELLIPSOID,
    ENVELOPE,
    POLYHEDRON,
    RED_CELL,
    ROD,
    SHAPES,
    SPHERE,
    TUBE,
    VESICLE,
    VOLUME,
    chords,
    padded_planes,
    patch_grid,
)
from osog.labels import outlines

SIZE = {
    SPHERE: (0.8, 0.8, 0.8),
    ELLIPSOID: (1.2, 0.7, 0.4),
    ROD: (1.2, 0.3, 0.3),
    CYLINDER: (1.0, 0.4, 0.4),
    BOX: (1.0, 0.6, 0.4),
    VOLUME: (1.0, 0.6, 0.4),
    POLYHEDRON: (2.2, 1.4, 1.0),
    RED_CELL: (1.2, 1.2, 0.4, 0.12, 0.84),
    BENT_ROD: (1.2, 0.3, 0.3, 0.0, 0.3),
    BENT_CYLINDER: (1.0, 0.4, 0.4, 0.0, 0.4),
    VESICLE: (1.2, 0.7, 0.4, 0.1),
    TUBE: (1.0, 0.4, 0.4, 0.1),
}


def shoelace(points: torch.Tensor) -> torch.Tensor:
    y, x = points.unbind(-1)
    return (x * y.roll(-1, -1) - y * x.roll(-1, -1)).sum(-1) / 2


@pytest.mark.parametrize("kind", [k for k in SHAPES if k is not ENVELOPE], ids=repr)
def test_area_is_the_covered_area(kind, make_batch):
    rows = [
        {
            "kind": kind,
            "size": SIZE[kind],
            "angles": (31 * i, 17 * i, 23 * i),
            "position": (4.03, 5.02, i),
            "habit": "hexagonal_bipyramid",
        }
        for i in range(6)
    ]
    batch = make_batch(rows)
    planes = mask = None
    if kind.has_planes:
        planes, mask = padded_planes(batch, torch.arange(6))
    _, _, x, y = patch_grid(batch.position, 72, 72, (0.04, 0.04))
    chord = chords(
        kind, x, y, batch.position, batch.quaternion, batch.size, planes, mask, (0.04, 0.04)
    )
    covered = chord.coverage.sum((1, 2)) * 0.04**2
    area = shoelace(outlines(batch, 128))
    assert area.tolist() == pytest.approx(covered.tolist(), rel=0.02)
    # (y, x) order, and around the particle.
    middle = (outlines(batch).amax(1) + outlines(batch).amin(1)) / 2
    assert middle.flatten().tolist() == pytest.approx([5.02, 4.03] * 6, abs=0.01)


def test_rows_and_columns_are_not_exchanged(make_batch):
    points = outlines(make_batch([{"kind": ROD, "size": (2, 0.5, 0.5)}]))
    assert points.shape == (1, 64, 2)
    assert float(points[..., 1].max()) == pytest.approx(2, rel=0.01)
    assert float(points[..., 0].max()) == pytest.approx(0.5, rel=0.01)


def test_too_few_points(make_batch):
    with pytest.raises(ValueError, match="8 or more"):
        outlines(make_batch([{"kind": SPHERE}]), 3)

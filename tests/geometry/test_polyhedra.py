"""Corners of half-spaces, and their silhouettes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull

from osog.geometry import POLYHEDRON, SPHERE, padded_planes, vertices
from osog.geometry.silhouettes import silhouette, world_planes
from osog.rotations import rotation_matrix
from osog.scene import HABITS

CORNERS = {
    "octahedron": 6,
    "hexagonal_prism": 12,
    "hexagonal_bipyramid": 8,
    "rhombic_dodecahedron": 14,
    "truncated_octahedron": 24,
    "tetragonal_prism_tips": 10,
    "parallelepiped": 8,
    "needle": 20,
    "lath": 12,
    "plate": 16,
    "hexagonal_plate": 12,
    "cube": 8,
    "cube_cut": 24,
    "lysozyme": 18,
    "quartz": 8,  # as long as wide its sides have grown out
    "calcite": 8,
    "urea": 16,
    "sucrose": 20,
    "glycine": 12,
}


def test_corners_of_the_habits(make_batch):
    for habit in HABITS:
        batch = make_batch([{"kind": POLYHEDRON, "habit": habit}])
        _corners, mask = vertices(*padded_planes(batch, torch.arange(1)))
        assert int(mask.sum()) == CORNERS[habit]


def test_padding_of_mixed_plane_sets(make_batch):
    rows = [
        {"kind": POLYHEDRON, "habit": "octahedron"},
        {"kind": SPHERE},
        {"kind": POLYHEDRON, "habit": "parallelepiped"},
    ]
    batch = make_batch(rows)
    planes, mask = padded_planes(batch, torch.tensor([2, 0]))
    assert mask.sum(-1).tolist() == [6, 8]
    assert torch.equal(planes[1, :8], batch.planes[:8])
    corners, known = vertices(planes, mask)
    assert known.sum(-1).tolist() == [8, 6]
    assert bool(torch.isfinite(corners).all())
    nothing, _ = padded_planes(batch, torch.tensor([1]))
    assert nothing.shape == (1, 0, 4)


@pytest.mark.parametrize("habit", sorted(HABITS))
def test_silhouette_is_the_hull_of_the_projection(habit, make_batch):
    angles = [
        (0, 0, 0),
        (0, 90, 0),
        (45, 0, 0),
        (20, 35, 50),
        (70, -80, 5),
        (0, 0, 30),
        (10, 1e-4, 0),
    ]
    rows = [
        {"kind": POLYHEDRON, "habit": habit, "size": (3.0, 2.0, 1.5), "angles": a} for a in angles
    ]
    batch = make_batch(rows)
    index = torch.arange(len(rows))
    rotation = rotation_matrix(batch.quaternion)
    planes, mask = padded_planes(batch, index)
    lines, bounds, lengths = silhouette(*world_planes(rotation, batch.size, planes, mask), mask)
    body, known = vertices(planes, mask)
    corner = ((body * batch.size[:, None]) @ rotation.transpose(1, 2))[..., :2]
    for i in range(len(rows)):
        points = corner[i][known[i]].numpy()
        hull = ConvexHull(points)
        real = lengths[i] > 0
        assert float(lengths[i].sum()) == pytest.approx(hull.area, rel=1e-6)
        reach = lines[i][real].numpy() @ points.T
        # Every line supports the projection.
        np.testing.assert_allclose(reach.max(1), bounds[i][real].numpy(), atol=1e-6)


@pytest.mark.parametrize(
    "planes",
    [
        [[1.0, 0, 0, 1], [-1, 0, 0, 1], [0, 1, 0, 1]],
        [[1.0, 0, 0, 1], [-1, 0, 0, 1], [0, 1, 0, 1], [0, -1, 0, 1], [0, 0, 1, 1]],
        [[1.0, 0, 0, -1], [-1, 0, 0, -1], [0, 1, 0, 1], [0, -1, 0, 1], [0, 0, 1, 1], [0, 0, -1, 1]],
    ],
    ids=["three", "open", "empty"],
)
def test_open_or_empty_sets_are_refused(planes, make_batch):
    batch = make_batch([{"kind": POLYHEDRON, "planes": planes}])
    with pytest.raises(ValueError, match="half_spaces"):
        vertices(*padded_planes(batch, torch.arange(1)))

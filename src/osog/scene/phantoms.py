"""Built-in volumes, so that a population of voxels shows something before it has a file."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Built = tuple[NDArray[Any], tuple[float, float, float]]


def cell() -> Built:
    """Labels of a flat cell: 1 cytoplasm, 2 nucleus, 3 nucleolus, 4 granules; 0.2 µm voxels."""
    z, y, x = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in (20, 72, 72)), indexing="ij")

    def inside(centre: tuple[float, float, float], axes: tuple[float, float, float]) -> Any:
        parts = zip((z, y, x), centre, axes, strict=True)
        return sum(((grid - c) / a) ** 2 for grid, c, a in parts) <= 1

    labels = np.zeros(z.shape, np.uint8)
    labels[inside((0, 0, 0), (9, 28, 34))] = 1
    labels[inside((1, -4, -6), (6, 12, 13))] = 2
    labels[inside((1, -6, -3), (3, 4, 4))] = 3
    for k in range(12):
        turn, away = 2.4 * k, 17 + 6 * ((k * 7) % 5) / 5
        at = (-2.0 + (k * 3) % 5, 0.75 * away * np.sin(turn), away * np.cos(turn))
        labels[inside(at, (2.0, 2.0, 2.0)) & (labels == 1)] = 4
    return labels, (0.2, 0.2, 0.2)


def octahedron() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices and faces of a regular octahedron with vertices 2 from its centre."""
    vertices = np.concatenate([2.0 * np.eye(3), -2.0 * np.eye(3)])
    faces = [(0, 1, 2), (1, 3, 2), (3, 4, 2), (4, 0, 2), (1, 0, 5), (3, 1, 5), (4, 3, 5), (0, 4, 5)]
    return vertices, np.array(faces, np.int64)


PHANTOMS: dict[str, Callable[[], Built]] = {"cell": cell}
"""Arrays by name, each with its voxels (z, y, x) in µm."""
MESHES: dict[str, Callable[[], tuple[NDArray[np.float64], NDArray[np.int64]]]] = {
    "octahedron": octahedron
}
"""Meshes by name: vertices and faces."""

"""Outlines of bodies as seen along the light, from their support functions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.sample import ParticleBatch



def silhouettes(particles: ParticleBatch, directions: int = 48) -> list[NDArray[np.float64]]:
    """Project every body on the image plane.

    All bodies are convex, so the point that lies furthest along an in-plane direction u is a point
    of the outline; walking u around the circle walks around the outline.

    Parameters
    ----------
    particles : ParticleBatch
    directions : int
        Number of points of smooth outlines.

    Returns
    -------
    list of ndarray, shape (K, 2)
        (x, y) in µm, one closed polygon (first point not repeated) per particle.
    """
    from osog.sample import ShapeKind, rotation_matrix

    rotation = rotation_matrix(particles.quaternion).cpu().double().numpy()
    size = particles.size.cpu().double().numpy()
    position = particles.position.cpu().double().numpy()[:, :2]
    kind = particles.shape_kind.cpu().numpy()
    starts = particles.plane_start.cpu().numpy()
    planes = particles.planes.cpu().double().numpy()
    angle = np.linspace(0.0, 2 * np.pi, directions, endpoint=False)
    u = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    out: list[NDArray[np.float64]] = []
    for i in range(len(kind)):
        body = u @ rotation[i]  # the directions in the body's own axes
        a, b, c = size[i]
        if kind[i] in (ShapeKind.SPHERE, ShapeKind.ELLIPSOID):
            point = body * size[i] ** 2 / np.linalg.norm(body * size[i], axis=1, keepdims=True)
        elif kind[i] == ShapeKind.ROD:
            point = b * body
            point[:, 0] += np.sign(body[:, 0]) * (a - b)
        elif kind[i] == ShapeKind.CYLINDER:
            flat = body * (0.0, 1.0, 1.0)
            point = b * flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
            point[:, 0] += np.where(body[:, 0] >= 0, a, -a)
        elif kind[i] == ShapeKind.BOX:
            corners = np.array(np.meshgrid([-a, a], [-b, b], [-c, c])).reshape(3, -1).T
            out.append(_hull(corners @ rotation[i].T) + position[i])
            continue
        else:
            own = planes[starts[i] : starts[i + 1]]
            corners = _vertices(own.tobytes(), len(own)) * size[i]
            out.append(_hull(corners @ rotation[i].T) + position[i])
            continue
        outline = (point @ rotation[i].T)[:, :2]
        out.append(outline + position[i])
    return out


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.spatial import ConvexHull, QhullError

    flat = points[:, :2]
    try:
        return flat[ConvexHull(flat).vertices]
    except QhullError:  # a body seen exactly edge-on
        order = np.argsort(flat @ np.ptp(flat, axis=0))
        return flat[order[[0, -1, -1]]]


@lru_cache(maxsize=256)
def _vertices(rows: bytes, number: int) -> Any:
    """Corners of the body n · x ≤ d."""
    from scipy.spatial import HalfspaceIntersection

    planes = np.frombuffer(rows).reshape(number, 4).copy()
    planes[:, 3] *= -1
    corners = HalfspaceIntersection(planes, np.zeros(3)).intersections
    return np.unique(np.round(corners, 9), axis=0)


__all__ = ["silhouettes"]

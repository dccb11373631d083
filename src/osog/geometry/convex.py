"""Convex bodies as points swept by a ball, and how far two of them are apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from osog.derivatives import array
from osog.geometry.shape import Bodies

if TYPE_CHECKING:
    from osog.geometry.shape import Shape
    from osog.particles import ParticleBatch

Array = NDArray[np.float64]
Point = tuple[float, float, float]

_STEPS = 64
_TOLERANCE = 1e-9
"""Relative error of the squared distance at which the search ends."""


@dataclass(frozen=True, eq=False)
class ConvexBody:
    """The convex hull of some points, swept by a ball.

    Attributes
    ----------
    points : ndarray, shape (V, 3)
        µm from the body's position, in the world's axes.
    radius : float
        Of the ball.
    """

    points: Array
    radius: float

    @cached_property
    def reach(self) -> float:
        """Distance of the farthest point from the position."""
        return float(np.linalg.norm(self.points, axis=1).max()) + self.radius

    @property
    def capsule(self) -> bool:
        """Whether it is a ball or a rod, whose distances are known in closed form."""
        return len(self.points) <= 2

    def extent(self, direction: Array) -> float:
        """Farthest coordinate along a unit vector (3,)."""
        return float((self.points @ direction).max()) + self.radius

    def turned(self, rotation: Array) -> ConvexBody:
        """Turn it by a rotation matrix (3, 3)."""
        return ConvexBody(self.points @ rotation.T, self.radius)

    def scaled(self, factor: float) -> ConvexBody:
        """Grow it about its position."""
        return ConvexBody(self.points * factor, self.radius * factor)

    def reach_from(self, half: Array) -> float:
        """Radius of the spherocylinder about the axis ± half (3,) that holds it."""
        square = float(half @ half)
        along = self.points @ half / square if square > 0 else np.zeros(len(self.points))
        beside = self.points - np.clip(along, -1, 1)[:, None] * half
        return float(np.linalg.norm(beside, axis=1).max()) + self.radius


def convex_bodies(shape: Shape, bodies: Bodies) -> list[ConvexBody]:
    """Convex bodies of n bodies of one shape, turned as they are.

    Exact for balls, rods, boxes and polyhedra; cylinders, bent fibres and ellipsoids are held by
    hulls that reach up to 1 % farther, and shapes that say no more than their outline by up to
    10 % in thin places. Bodies that are not convex stand for their hulls.
    """
    points, radius = shape.hull(bodies)
    turned = array(points @ bodies.rotation.transpose(-1, -2)).astype(np.float64)
    radii = array(radius).astype(np.float64)
    return [ConvexBody(p, float(r)) for p, r in zip(turned, radii, strict=True)]


def bodies_of(batch: ParticleBatch) -> list[ConvexBody]:
    """Convex bodies of all particles of a batch; see `convex_bodies`."""
    import torch

    from osog.geometry.shapes import by_shape

    found: list[ConvexBody | None] = [None] * len(batch)
    with torch.no_grad():
        for shape, rows in by_shape(batch):
            made = convex_bodies(shape, Bodies.of(batch, rows, shape))
            for row, body in zip(rows.tolist(), made, strict=True):
                found[row] = body
    return [body for body in found if body is not None]


def gap(a: ConvexBody, at: Array, b: ConvexBody, bt: Array) -> float:
    """Distance between the surfaces of two bodies; not above 0 where they overlap.

    Parameters
    ----------
    a, b : ConvexBody
    at, bt : ndarray, shape (3,)
        Their positions.

    Notes
    -----
    Gilbert, Johnson and Keerthi (1988): the point of the difference of both hulls that lies
    nearest to the origin, by simplices of its corners.
    """
    shift = at - bt
    distance = _distance(a.points + shift, b.points)
    return distance - a.radius - b.radius


def travel(
    a: ConvexBody, start: Array, direction: Array, others: list[tuple[ConvexBody, Array]]
) -> float | None:
    """How far a body moves along a unit vector until it touches one of the others.

    Returns
    -------
    float or None
        To a ten-thousandth of its reach; None where it passes them all.
    """
    fine, gone = 1e-4 * a.reach, 0.0
    near = []
    for body, centre in others:
        away = centre - start
        along = float(away @ direction)
        aside = np.sqrt(max(float(away @ away) - along**2, 0.0))
        if along > -body.reach - a.reach and aside < body.reach + a.reach:
            near.append((body, centre, along))
    if not near:
        return None
    farthest = max(along + body.reach for body, _, along in near) + a.reach
    for _ in range(1000):
        here = start + gone * direction
        free = np.inf
        for body, centre, _ in near:
            away = here - centre
            loose = float(np.sqrt(away @ away)) - body.reach - a.reach
            if loose < free:
                free = min(free, max(loose, gap(a, here, body, centre)))
        if free <= fine:
            return gone
        gone += free
        if gone > farthest:
            return None
    return gone


def _distance(a: Array, b: Array) -> float:
    """Distance between the hulls of two sets of points; 0 where they overlap."""
    if len(a) == 1 and len(b) == 1:
        return float(np.linalg.norm(a[0] - b[0]))
    first = a[0] - b[0]
    simplex: list[Point] = [(float(first[0]), float(first[1]), float(first[2]))]
    v = simplex[0]
    for _ in range(_STEPS):
        square = _dot(v, v)
        if square < 1e-18:
            return 0.0
        look = np.array(v)
        corner = a[int((a @ look).argmin())] - b[int((b @ look).argmax())]
        w = (float(corner[0]), float(corner[1]), float(corner[2]))
        if square - _dot(v, w) <= _TOLERANCE * square or w in simplex:
            break
        simplex.append(w)
        v, simplex = _nearest(simplex)
        if len(simplex) == 4:
            return 0.0
    return float(np.sqrt(_dot(v, v)))


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


# Heaps ask for a hundred thousand of these: vectors are written out, calls would take most of the
# time.


def _nearest(simplex: list[Point]) -> tuple[Point, list[Point]]:
    """Point of a simplex that lies nearest to the origin, and the corners that carry it."""
    if len(simplex) == 2:
        return _on_edge(simplex[0], simplex[1])
    if len(simplex) == 3:
        return _on_triangle(*simplex)
    a, b, c, d = simplex
    best: tuple[Point, list[Point]] | None = None
    least, inside = np.inf, True
    for p, q, r, far in ((a, b, c, d), (a, b, d, c), (a, c, d, b), (b, c, d, a)):
        px, py, pz = p
        qx, qy, qz = q[0] - px, q[1] - py, q[2] - pz
        rx, ry, rz = r[0] - px, r[1] - py, r[2] - pz
        nx, ny, nz = qy * rz - qz * ry, qz * rx - qx * rz, qx * ry - qy * rx
        own = -(nx * px + ny * py + nz * pz)
        other = nx * (far[0] - px) + ny * (far[1] - py) + nz * (far[2] - pz)
        if own * other > 0 and abs(other) > 1e-30:
            continue  # the origin lies on the inner side of this face
        inside = False
        v, kept = _on_triangle(p, q, r)
        square = _dot(v, v)
        if square < least:
            best, least = (v, kept), square
    if inside or best is None:
        return (0.0, 0.0, 0.0), simplex
    return best


def _on_edge(a: Point, b: Point) -> tuple[Point, list[Point]]:
    ax, ay, az = a
    x, y, z = b[0] - ax, b[1] - ay, b[2] - az
    square = x * x + y * y + z * z
    t = -(ax * x + ay * y + az * z) / square if square > 0 else 0.0
    if t <= 0:
        return a, [a]
    if t >= 1:
        return b, [b]
    return (ax + t * x, ay + t * y, az + t * z), [a, b]


def _on_triangle(a: Point, b: Point, c: Point) -> tuple[Point, list[Point]]:
    ax, ay, az = a
    bx, by, bz = b
    cx, cy, cz = c
    px, py, pz, qx, qy, qz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
    x, y, z = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
    square = x * x + y * y + z * z
    if square > 1e-30:
        # Shares of the corners in the foot of the perpendicular from the origin.
        u = (by * cz - bz * cy) * x + (bz * cx - bx * cz) * y + (bx * cy - by * cx) * z
        v = (cy * az - cz * ay) * x + (cz * ax - cx * az) * y + (cx * ay - cy * ax) * z
        u, v = u / square, v / square
        if u >= 0 and v >= 0 and 1 - u - v >= 0:
            height = (ax * x + ay * y + az * z) / square
            return (x * height, y * height, z * height), [a, b, c]
    found = [_on_edge(a, b), _on_edge(a, c), _on_edge(b, c)]
    return min(found, key=lambda pair: _dot(pair[0], pair[0]))

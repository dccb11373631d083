"""Where particles lie: independent, non-overlapping, clustered or on a lattice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from osog.scene import Population, SceneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.scene.law import Distribution

Array = NDArray[np.float64]
_TRIES = 300


def draw(distribution: Distribution, count: int, rng: np.random.Generator) -> Array:
    """Draw numbers from a distribution.

    Parameters
    ----------
    distribution : Distribution
    count : int
    rng : numpy Generator

    Returns
    -------
    ndarray, shape (count,)
        Values inside its support; Gaussian tails beyond four sigma are moved to four sigma.

    Raises
    ------
    SceneError
        If it hangs on another number.
    """
    if distribution.linked or distribution.follows is not None:
        raise SceneError(
            "the depth of a particle cannot hang on another of its numbers; give z_um a law of its "
            "own, or draw it 'per: image'."
        )
    return distribution.draw(rng, count)


class Obstacles:
    """Spherocylinders that are already placed, for the test of overlap.

    Every body stands for the spherocylinder of its two largest half sizes: exact for spheres and
    rods, an outer bound for boxes whose two smaller edges are equal, and for ellipsoids.
    """

    def __init__(self) -> None:
        self.centre = np.empty((0, 3))
        self.half = np.empty((0, 3))
        self.radius = np.empty(0)

    def free(self, centre: Array, half: Array, radius: float) -> bool:
        """Whether a new body would touch none of those here.

        Parameters
        ----------
        centre : ndarray, shape (3,)
        half : ndarray, shape (3,)
            Half of the straight axis, as a vector.
        radius : float
        """
        if not len(self.radius):
            return True
        reach = self.radius + np.linalg.norm(self.half, axis=1) + radius + np.linalg.norm(half)
        near = np.flatnonzero(((self.centre - centre) ** 2).sum(1) < reach**2)
        if not len(near):
            return True
        gap = _segment_distance(centre, half, self.centre[near], self.half[near])
        return bool((gap >= self.radius[near] + radius).all())

    def add(self, centre: Array, half: Array, radius: Array) -> None:
        """Add bodies; shapes (n, 3), (n, 3), (n,)."""
        self.centre = np.concatenate([self.centre, np.atleast_2d(centre)])
        self.half = np.concatenate([self.half, np.atleast_2d(half)])
        self.radius = np.concatenate([self.radius, np.atleast_1d(radius)])


def positions(
    population: Population,
    count: int,
    extent_um: tuple[float, float],
    pixel_size_um: float,
    rng_xy: np.random.Generator,
    rng_z: np.random.Generator,
    axes: Callable[[], tuple[Array, Array]],
    obstacles: Obstacles,
) -> Array:
    """Positions of the particles that a population draws.

    Parameters
    ----------
    population : Population
    count : int
        How many, margin included.
    extent_um : (float, float)
        Height and width of the frame; its first pixel is centred at the origin.
    pixel_size_um : float
    rng_xy, rng_z : numpy Generator
    axes : callable
        Returns the half axis vectors (n, 3) and radii (n,) of the bodies; only called when
        overlap matters.
    obstacles : Obstacles
        Bodies to keep clear of; extended by the new ones when the law is non_overlapping.

    Returns
    -------
    ndarray, shape (count, 3)
        x, y, z in µm.

    Raises
    ------
    SceneError
        If the bodies do not fit without overlap.
    """
    place = population.placement
    low = np.array([-0.5 * pixel_size_um - place.margin_um] * 2)
    high = np.array([extent_um[1], extent_um[0]]) - 0.5 * pixel_size_um + place.margin_um
    depth = place.z_um

    def z_of(n: int) -> Array:
        return np.full(n, depth) if isinstance(depth, float) else draw(depth, n, rng_z)

    if place.law == "non_overlapping":
        return _non_overlapping(population, count, low, high, rng_xy, z_of, axes, obstacles)
    if place.law == "clustered":
        clusters = max(1, round(count / place.cluster_size))
        centres = rng_xy.uniform(low, high, (clusters, 2))
        member = rng_xy.integers(0, clusters, count)
        scatter = place.cluster_radius_um * rng_xy.standard_normal((count, 2))
        # Members that leave the frame come back on the other side, so that none is lost.
        xy = low + np.mod(centres[member] + scatter - low, high - low)
    elif place.law == "lattice":
        xy = _lattice(count, low, high)
    else:
        xy = rng_xy.uniform(low, high, (count, 2))
    return np.concatenate([xy, z_of(count)[:, None]], axis=1)


def _lattice(count: int, low: Array, high: Array) -> Array:
    width, height = high - low
    columns = max(1, int(np.ceil(np.sqrt(count * width / height))))
    rows = max(1, int(np.ceil(count / columns)))
    k = np.arange(count)
    cell = np.stack([(k % columns + 0.5) / columns, (k // columns + 0.5) / rows], axis=1)
    result: Array = low + cell * (high - low)
    return result


def _non_overlapping(
    population: Population,
    count: int,
    low: Array,
    high: Array,
    rng: np.random.Generator,
    z_of: Callable[[int], Array],
    axes: Callable[[], tuple[Array, Array]],
    obstacles: Obstacles,
) -> Array:
    half, radius = axes()
    out = np.empty((count, 3))
    # Long bodies first: they are the hard ones to place (random sequential adsorption, Feder 1980).
    for i in np.argsort(-(radius + np.linalg.norm(half, axis=1)), kind="stable"):
        xy = rng.uniform(low, high, (_TRIES, 2))
        z = z_of(_TRIES)
        for attempt in range(_TRIES):
            centre = np.array([*xy[attempt], z[attempt]])
            if obstacles.free(centre, half[i], float(radius[i])):
                obstacles.add(centre, half[i], radius[i : i + 1])
                out[i] = centre
                break
        else:
            raise SceneError(
                f"population '{population.name}': count = {count} particles do not fit without "
                "overlap; lower the count, the size, or widen the depth range."
            )
    return out


def _segment_distance(p: Array, u: Array, q: Array, v: Array) -> Array:
    """Distance between the segment p ± u and the segments q ± v (Lumelsky 1985).

    Shapes (3,), (3,), (n, 3), (n, 3) → (n,).
    """
    d = q - p
    uu, vv, uv = u @ u, (v * v).sum(1), v @ u
    ud, vd = d @ u, (d * v).sum(1)
    den = uu * vv - uv**2
    with np.errstate(divide="ignore", invalid="ignore"):
        s = np.where(den > 1e-12, (ud * vv - vd * uv) / np.where(den > 1e-12, den, 1.0), 0.0)
    s = np.clip(s, -1.0, 1.0)
    t = np.clip(np.where(vv > 0, (s * uv - vd) / np.where(vv > 0, vv, 1.0), 0.0), -1.0, 1.0)
    if uu > 0:
        s = np.clip((t * uv + ud) / uu, -1.0, 1.0)
    gap = d + t[:, None] * v - s[:, None] * u
    result: Array = np.linalg.norm(gap, axis=1)
    return result

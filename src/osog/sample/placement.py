"""Where particles and aggregates lie: a function for each law across the picture and in depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from osog.geometry import ConvexBody, gap, travel
from osog.scene import Population, SceneError
from osog.scene import placement as laws

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from osog.scene.placement import Depth

Array = NDArray[np.float64]
_TRIES = 300


@dataclass(frozen=True, eq=False)
class Clump:
    """Bodies that are placed as one: a particle, or the members of an aggregate.

    Attributes
    ----------
    offset : ndarray, shape (m, 3)
        Positions of the bodies from that of the clump in µm.
    bodies : list of ConvexBody
        As they are turned in the world.
    half, radius : ndarray, shapes (m, 3) and (m,)
        Half axes and radii of spherocylinders that hold the bodies.
    lowest, highest : float
        Ends of the whole along z, from its position.
    """

    offset: Array
    bodies: list[ConvexBody]
    half: Array
    radius: Array
    lowest: float
    highest: float

    @property
    def reach(self) -> float:
        """Length of the longest of its bodies: what is hard to place."""
        return float((self.radius + np.linalg.norm(self.half, axis=1)).max())


class Obstacles:
    """Bodies that are already placed, for the test of overlap.

    Spherocylinders that hold the bodies tell quickly what is far apart; they are the bodies
    themselves where these are balls or rods. The rest is asked by true shape (`osog.geometry.gap`).
    """

    def __init__(self) -> None:
        self.centre = np.empty((0, 3))
        self.half = np.empty((0, 3))
        self.radius = np.empty(0)
        self.bodies: list[ConvexBody] = []

    def free(self, centre: Array, clump: Clump) -> bool:
        """Whether a clump would touch none of the bodies here.

        Parameters
        ----------
        centre : ndarray, shape (3,)
        clump : Clump
        """
        if not len(self.radius):
            return True
        lengths = np.linalg.norm(self.half, axis=1)
        return all(
            self._body_free(centre + offset, half, float(radius), body, lengths)
            for offset, half, radius, body in zip(
                clump.offset, clump.half, clump.radius, clump.bodies, strict=True
            )
        )

    def _body_free(
        self, centre: Array, half: Array, radius: float, body: ConvexBody, lengths: Array
    ) -> bool:
        reach = self.radius + lengths + radius + np.linalg.norm(half)
        near = np.flatnonzero(((self.centre - centre) ** 2).sum(1) < reach**2)
        if not len(near):
            return True
        loose = _segment_distance(centre, half, self.centre[near], self.half[near])
        for i in near[loose < self.radius[near] + radius]:
            other = self.bodies[i]
            if (body.capsule and other.capsule) or gap(body, centre, other, self.centre[i]) <= 0:
                return False
        return True

    def add(self, centre: Array, clump: Clump) -> None:
        """Add the bodies of a clump at its place (3,)."""
        self.centre = np.concatenate([self.centre, centre + clump.offset])
        self.half = np.concatenate([self.half, clump.half])
        self.radius = np.concatenate([self.radius, clump.radius])
        self.bodies += clump.bodies


Placed = list[tuple[ConvexBody, Array]]
"""Bodies of a population and their centres."""


class Site:
    """What the laws of placement need.

    Parameters
    ----------
    population : Population
    count : int
        Particles or aggregates, margin included.
    extent_um : (float, float)
        Height and width of the frame; its first pixel is centred at the origin.
    pixel_size_um : float
    streams : mapping of numpy Generator
        ``xy``, ``z``, ``depth`` and ``jitter``.
    clumps : callable
        Returns what is to be placed; only called when its shape matters.
    obstacles : Obstacles
        Bodies to keep clear of; extended by the new ones when these keep clear.
    hosts : callable
        Returns the bodies of another population by its name (the one before for None), or None
        where there is none yet.
    z : ndarray, shape (count,), optional
        Depths that hang on other numbers of the particles.
    """

    def __init__(
        self,
        population: Population,
        count: int,
        extent_um: tuple[float, float],
        pixel_size_um: float,
        streams: Mapping[str, np.random.Generator],
        clumps: Callable[[], list[Clump]],
        obstacles: Obstacles,
        hosts: Callable[[str | None], Placed | None],
        z: Array | None = None,
    ) -> None:
        self.population, self.count, self.streams = population, count, streams
        self.law: Any = population.placement
        margin = self.law.margin_um
        self.low = np.array([-0.5 * pixel_size_um - margin] * 2)
        self.high = np.array([extent_um[1], extent_um[0]]) - 0.5 * pixel_size_um + margin
        self.obstacles, self.hosts, self._clumps, self._z = obstacles, hosts, clumps, z
        self._made: list[Clump] | None = None

    @property
    def clumps(self) -> list[Clump]:
        """What is to be placed."""
        if self._made is None:
            self._made = self._clumps()
        return self._made

    def heights(self, count: int, clump: int | None = None) -> Array:
        """Draw ``z_um`` (count,), of all or for tries of one clump."""
        if self._z is not None:
            return self._z if clump is None else np.full(count, self._z[clump])
        z = self.law.z_um
        return np.full(count, z) if isinstance(z, float) else z.draw(self.streams["z"], count)

    def lifts(self) -> Array:
        """How far each clump (count,) lies above its ``z_um``."""
        depth: Depth = self.law.depth
        uniform = self.streams["depth"].uniform(size=self.count)
        if isinstance(depth, laws.Centred):
            return np.zeros(self.count)
        low = np.array([clump.lowest for clump in self.clumps])
        high = np.array([clump.highest for clump in self.clumps])
        return LIFTS[type(depth)](depth, uniform, low, high)


def positions(site: Site) -> Array:
    """Positions of the particles or aggregates that a population draws.

    Returns
    -------
    ndarray, shape (count, 3)
        x, y, z in µm.

    Raises
    ------
    SceneError
        If bodies do not fit without overlap, or there is nothing to attach them to.
    """
    return PLACES[type(site.law)](site)


def _sedimented(depth: laws.Sedimented, uniform: Array, low: Array, high: Array) -> Array:
    result: Array = -low - depth.scale_height_um * np.log1p(-uniform)
    return result


def _at_coverslip(depth: laws.AtCoverslip, uniform: Array, low: Array, high: Array) -> Array:
    return -low if depth.side == "above" else -high


def _two_layers(depth: laws.TwoLayers, uniform: Array, low: Array, high: Array) -> Array:
    return np.where(uniform < depth.upper_share, depth.gap_um - high, -low)


LIFTS: dict[type[Depth], Callable[[Any, Array, Array, Array], Array]] = {
    laws.Sedimented: _sedimented,
    laws.AtCoverslip: _at_coverslip,
    laws.TwoLayers: _two_layers,
}
"""How far bodies with the given lowest and highest points lie above ``z_um``, by law."""


def _with_heights(site: Site, xy: Array) -> Array:
    z = site.heights(site.count) + site.lifts()
    return np.concatenate([xy, z[:, None]], axis=1)


def _independent(site: Site) -> Array:
    return _with_heights(site, site.streams["xy"].uniform(site.low, site.high, (site.count, 2)))


def _clustered(site: Site) -> Array:
    place, rng, count = site.law, site.streams["xy"], site.count
    low, high = site.low, site.high
    clusters = max(1, round(count / place.cluster_size))
    centres = rng.uniform(low, high, (clusters, 2))
    member = rng.integers(0, clusters, count)
    scatter = place.cluster_radius_um * rng.standard_normal((count, 2))
    # Members that leave the frame come back on the other side, so that none is lost.
    return _with_heights(site, low + np.mod(centres[member] + scatter - low, high - low))


def _lattice(site: Site) -> Array:
    count, low, high = site.count, site.low, site.high
    width, height = high - low
    hexagonal = site.law.lattice == "hexagonal"
    # Rows of a hexagonal lattice are √3/2 steps apart.
    stretch = 2 / np.sqrt(3) if hexagonal else 1.0
    columns = max(1, int(np.ceil(np.sqrt(count * width / (height * stretch)))))
    rows = max(1, int(np.ceil(count / columns)))
    k = np.arange(count)
    row = k // columns
    aside = 0.5 + (0.25 * (2 * (row % 2) - 1) if hexagonal else 0.0)
    cell = np.stack([(k % columns + aside) / columns, (row + 0.5) / rows], axis=1)
    jitter = site.law.jitter_um * site.streams["jitter"].standard_normal((count, 2))
    return _with_heights(site, low + cell * (high - low) + jitter)


def _non_overlapping(site: Site) -> Array:
    clumps, rng, obstacles = site.clumps, site.streams["xy"], site.obstacles
    out, lifts = np.empty((site.count, 3)), site.lifts()
    # Long bodies first: they are the hard ones to place (random sequential adsorption, Feder 1980).
    for i in np.argsort([-clump.reach for clump in clumps], kind="stable"):
        xy = rng.uniform(site.low, site.high, (_TRIES, 2))
        z = site.heights(_TRIES, i) + lifts[i]
        for attempt in range(_TRIES):
            centre = np.array([*xy[attempt], z[attempt]])
            if obstacles.free(centre, clumps[i]):
                obstacles.add(centre, clumps[i])
                out[i] = centre
                break
        else:
            kind = "particles" if site.population.aggregate is None else "aggregates"
            raise SceneError(
                f"population '{site.population.name}': count = {site.count} {kind} do not fit "
                "without overlap; lower the count, the size, or widen the depth range."
            )
    return out


def _attached(site: Site) -> Array:
    name, law, rng = site.population.name, site.law, site.streams["xy"]
    hosts = site.hosts(law.to)
    if hosts is None:
        stated = "" if law.to is None else f" = '{law.to}'"
        raise SceneError(
            f"population '{name}': placement.to{stated} must be the name of a visible population "
            "that stands before it."
        )
    if site.count and not hosts:
        raise SceneError(f"population '{name}': there are no particles to sit on.")
    out, taken = np.empty((site.count, 3)), Obstacles()
    for i, clump in enumerate(site.clumps):
        for _ in range(_TRIES):
            body, centre = hosts[int(rng.integers(len(hosts)))]
            back = rng.standard_normal(3)
            back /= np.linalg.norm(back)
            # Long hosts are hit all along them, not in the middle alone.
            aim = centre + rng.dirichlet(np.full(len(body.points), 0.5)) @ body.points
            reach = max(
                float(np.linalg.norm(o)) + b.reach
                for o, b in zip(clump.offset, clump.bodies, strict=True)
            )
            start = aim + (body.reach * 2 + reach) * back
            ways = [
                travel(b, start + o, -back, [(body, centre)])
                for o, b in zip(clump.offset, clump.bodies, strict=True)
            ]
            met = [way for way in ways if way is not None]
            if not met:
                continue
            stop = start - (min(met) + law.embedded_um) * back
            if not law.apart or taken.free(stop, clump):
                taken.add(stop, clump)
                out[i] = stop
                break
        else:
            raise SceneError(
                f"population '{name}': count = {site.count} particles do not fit apart on "
                "their hosts; lower the count or the size, or set apart: false."
            )
    return out


PLACES: dict[type[laws.Placement], Callable[[Site], Array]] = {
    laws.Independent: _independent,
    laws.NonOverlapping: _non_overlapping,
    laws.Clustered: _clustered,
    laws.Lattice: _lattice,
    laws.Attached: _attached,
}
"""The function that finds the places of each law."""


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

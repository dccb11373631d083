"""Small bodies in or on particles: where they lie is drawn, how large they are may be varied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from osog.derivatives import followed
from osog.geometry import BOX, CYLINDER, ELLIPSOID, POLYHEDRON, ROD, SPHERE, Pieces
from osog.particles import CUT, INNER, OUTER
from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from osog.geometry import Shape
    from osog.sample.further import Beside
    from osog.scene import Inclusions

Array = NDArray[np.float64]
Long = NDArray[np.int64]
_TRIES = 400


@dataclass(frozen=True)
class Host:
    """Convex bodies that inclusions may lie in, as the scene states them.

    Attributes
    ----------
    particle : ndarray of int, shape (b,)
        Whose body each is; a particle may have several.
    shape : Shape
    position, size : ndarray, shape (b, 3)
        Half lengths; for polyhedra half sides of a box around them.
    planes : ndarray, shape (b, F, 4)
        In µm about the position; padded with d = ∞.
    """

    particle: Long
    shape: Shape
    position: Array
    size: Array
    planes: Array


def depth_inside(shape: Shape, points: Array, size: Array, planes: Array) -> Array:
    """How far points (m, 3) lie below the surface of bodies, negative outside.

    Exact within balls, rods, cylinders, blocks and polyhedra; a lower bound within ellipsoids.
    """
    a, b, _c = size.T
    x, across = np.abs(points[:, 0]), np.hypot(points[:, 1], points[:, 2])
    if shape in (SPHERE, ELLIPSOID):
        found = (1 - np.linalg.norm(points / size, axis=1)) * size.min(1)
    elif shape is ROD:
        found = b - np.hypot(np.maximum(x - (a - b), 0), across)
    elif shape is CYLINDER:
        found = np.minimum(a - x, b - across)
    elif shape is BOX:
        found = (size - np.abs(points)).min(1)
    elif shape is POLYHEDRON:
        found = np.full(len(points), np.inf)
    else:
        raise ValueError(f"inclusions cannot be placed in a {shape}.")
    room = planes[..., 3] - (planes[..., :3] @ points[..., None])[..., 0]
    deep: Array = np.minimum(found, room.min(1, initial=np.inf))
    return deep


@dataclass(frozen=True)
class InclusionPlan:
    """What was drawn of one group of inclusions.

    Attributes
    ----------
    particle : ndarray of int, shape (m,)
    place : ndarray, shape (m, 3)
        Position in the particle's frame over the particle's size.
    away : ndarray, shape (m, 3)
        Direction in which one that is stuck on stands off; zero for those inside.
    quaternion : ndarray, shape (m, 4)
    laws : dict of field to ndarray (m,)
    """

    particle: Long
    place: Array
    away: Array
    quaternion: Array
    laws: dict[str, Array]


def plan_inclusions(
    model: Inclusions,
    hosts: Sequence[Host],
    scale: Array,
    beside: Beside,
    rng: np.random.Generator,
    block: str,
) -> InclusionPlan:
    """Draw the numbers and places of one group of inclusions.

    Parameters
    ----------
    model : Inclusions
    hosts : sequence of Host
        Pieces of the outside of the particles.
    scale : ndarray, shape (n, 3)
        Sizes with which places scale.
    beside : Beside
        Numbers of the particles that those of inclusions may hang on.
    rng : numpy Generator
    block : str
        Name of the group below its population.

    Raises
    ------
    SceneError
        If an inclusion does not fit into its particle.
    """
    count = len(scale)
    drawn = beside.draw(block, model, ("number",), count, rng)["number"]
    particle = np.repeat(np.arange(count), np.rint(drawn).astype(np.int64))
    total = len(particle)
    every = ("radius_um", "aspect", "absorption_per_um", "emission_per_um", "index")
    fields = [field for field in every if getattr(model, field) is not None]
    number = {"number": drawn[particle]}
    columns = beside.draw(block, model, fields, total, rng, rows=particle, known=number)
    laws = {f: c for f, c in columns.items() if not isinstance(getattr(model, f), int | float)}
    radius, aspect = columns["radius_um"], columns["aspect"]
    longest = radius * np.maximum(aspect ** (2 / 3), aspect ** (-1 / 3))
    quaternion = rng.standard_normal((total, 4))
    quaternion /= np.maximum(np.linalg.norm(quaternion, axis=1, keepdims=True), 1e-12)
    place, away = np.zeros((total, 3)), np.zeros((total, 3))
    body = _bodies_of(hosts, particle, rng)
    if model.place == "inside":
        place = _inside(hosts, body, longest, rng, beside.population.name)
    elif model.place == "outside":
        place, away = _on_surface(hosts, body, rng)
        quaternion = _turned_to(away)
    return InclusionPlan(particle, place / scale[particle], away, quaternion, laws)


def inclusion_pieces(
    model: Inclusions,
    plan: InclusionPlan,
    scale: Tensor,
    base: str,
    number: Callable[[str], Tensor | None],
) -> Pieces:
    """Make the pieces of one group of inclusions.

    Parameters
    ----------
    model : Inclusions
    plan : InclusionPlan
    scale : Tensor, shape (n, 3)
    base : str
        Begins the dotted names of its numbers.
    number : callable
        Tensor that holds a number of the inclusions for all, or None for what the plan drew.
    """
    host = torch.as_tensor(plan.particle, device=scale.device)

    def column(field: str) -> Tensor:
        given = number(f"{base}{field}")
        if given is not None:
            return given.expand(len(host))
        return torch.as_tensor(plan.laws[field], dtype=scale.dtype, device=scale.device)

    radius, aspect = column("radius_um"), column("aspect")
    long, short = radius * aspect ** (2 / 3), radius * aspect ** (-1 / 3)
    place, away = (
        torch.as_tensor(a, dtype=scale.dtype, device=scale.device) for a in (plan.place, plan.away)
    )
    hollow = model.index is None and model.place != "outside"
    roles = {"inside": INNER, "centre": INNER, "outside": OUTER}
    ball = not followed(aspect) and bool((aspect == 1.0).all())
    return Pieces(
        host,
        CUT if hollow else roles[model.place],
        SPHERE if ball else ELLIPSOID,
        place * scale[host] + away * long[:, None],
        torch.stack([long, short, short], 1),
        quaternion=torch.as_tensor(plan.quaternion, dtype=scale.dtype, device=scale.device),
        index=None if model.index is None else column("index"),
        absorption_per_um=column("absorption_per_um"),
        emission_per_um=column("emission_per_um"),
        hollow=hollow,
    )


def _bodies_of(hosts: Sequence[Host], particle: Long, rng: np.random.Generator) -> Long:
    """Number (m, 2) of a group of bodies and of a body in it for each inclusion."""
    owners = np.concatenate([host.particle for host in hosts] or [np.empty(0, np.int64)])
    group = np.repeat(np.arange(len(hosts)), [len(host.particle) for host in hosts])
    within = np.concatenate([np.arange(len(h.particle)) for h in hosts] or [np.empty(0, np.int64)])
    order = np.argsort(owners, kind="stable")
    first = np.searchsorted(owners[order], particle, "left")
    last = np.searchsorted(owners[order], particle, "right")
    chosen = order[first + np.floor(rng.uniform(size=len(particle)) * (last - first)).astype(int)]
    return np.stack([group[chosen], within[chosen]], 1)


def _inside(
    hosts: Sequence[Host], body: Long, radius: Array, rng: np.random.Generator, name: str
) -> Array:
    place = np.zeros((len(body), 3))
    for g, host in enumerate(hosts):
        rows = np.flatnonzero(body[:, 0] == g)
        reach = host.size
        for _ in range(_TRIES):
            if not len(rows):
                break
            mine = body[rows, 1]
            points = rng.uniform(-1, 1, (len(rows), 3)) * reach[mine]
            deep = depth_inside(host.shape, points, host.size[mine], host.planes[mine])
            good = deep >= radius[rows]
            place[rows[good]] = host.position[mine[good]] + points[good]
            rows = rows[~good]
        if len(rows):
            raise SceneError(
                f"population '{name}': inclusions of {radius[rows[0]]:.3g} µm do not fit into "
                "their particles; make them smaller."
            )
    return place


def _on_surface(hosts: Sequence[Host], body: Long, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points on the surfaces and the directions out of them."""
    place, away = np.zeros((len(body), 3)), np.zeros((len(body), 3))
    for g, host in enumerate(hosts):
        rows = np.flatnonzero(body[:, 0] == g)
        if not len(rows):
            continue
        mine = body[rows, 1]
        way = rng.standard_normal((len(rows), 3))
        way /= np.linalg.norm(way, axis=1, keepdims=True)

        def deep(points: Array, host: Host = host, mine: Long = mine) -> Array:
            return depth_inside(host.shape, points, host.size[mine], host.planes[mine])

        low, high = np.zeros(len(rows)), 2 * np.linalg.norm(host.size[mine], axis=1)
        for _ in range(50):
            middle = (low + high) / 2
            inner = deep(way * middle[:, None]) > 0
            low, high = np.where(inner, middle, low), np.where(inner, high, middle)
        at = way * low[:, None]
        step = 1e-5 * np.linalg.norm(host.size[mine], axis=1)
        slope = np.stack(
            [
                deep(at + np.eye(3)[k] * step[:, None]) - deep(at - np.eye(3)[k] * step[:, None])
                for k in range(3)
            ],
            1,
        )
        away[rows] = -slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-300)
        place[rows] = host.position[mine] + at
    return place, away


def _turned_to(direction: Array) -> Array:
    """Quaternions (m, 4) that turn x into directions."""
    w = 1 + direction[:, 0]
    axis = np.stack([np.zeros(len(w)), -direction[:, 2], direction[:, 1]], 1)
    found = np.column_stack([w, axis])
    found[w < 1e-9] = (0.0, 0.0, 0.0, 1.0)
    turned: Array = found / np.linalg.norm(found, axis=1, keepdims=True)
    return turned

"""Bodies that are made of several: how the numbers of a scene become their pieces.

Balls that run into one another are cut along their radical planes, on which both spheres meet: the
power diagram of the balls (Aurenhammer, SIAM J. Comput. 16, 78, 1987) divides their union into
pieces that do not overlap, whatever their number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osog.geometry.ellipsoid import ELLIPSOID
from osog.geometry.rod import ROD, RodGeometry
from osog.geometry.sphere import SPHERE
from osog.particles import INNER, OUTER
from osog.scene.assembled_shapes import Bacilli, Cell, Cocci, Droplet, JoinedDroplets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.geometry.shape import Array, Column, Shape
    from osog.scene.shapes import ShapeModel

_NEAR = 1.02
"""Balls this much farther apart than they touch have their plane all the same, so that a number
that changes a little changes no plan."""
_TRIES = 200

Whole = Mapping[str, NDArray[np.int64]]
"""Whole numbers of every particle by their field."""


@dataclass(frozen=True)
class Pieces:
    """Some bodies of one role and shape, in the frames of their particles.

    Attributes
    ----------
    host : Tensor, shape (m,), int64
        Particle of the population.
    role : int
        See `Parts`.
    shape : Shape
    position, size : Tensor, shape (m, 3)
    planes : Tensor, shape (k, 4), optional
        Half-spaces of all pieces one after another.
    counts : Tensor, shape (m,), int64, optional
        How many each owns.
    quaternion : Tensor, shape (m, 4), optional
        Turned as the particle when left out.
    index, absorption_per_um, emission_per_um : Tensor, shape (m,), optional
        Those of the particle when left out.
    hollow : bool
        Whether they are of the medium.
    """

    host: Tensor
    role: int
    shape: Shape
    position: Tensor
    size: Tensor
    planes: Tensor | None = None
    counts: Tensor | None = None
    quaternion: Tensor | None = None
    index: Tensor | None = None
    absorption_per_um: Tensor | None = None
    emission_per_um: Tensor | None = None
    hollow: bool = False


class Assembly(ABC):
    """How one kind of the scene is made of pieces; without state.

    Attributes
    ----------
    model : type
        The class of the scene.
    counts : mapping of field to (int, int)
        Its whole numbers, with their least and most.
    """

    model: ClassVar[type[ShapeModel]]
    counts: ClassVar[Mapping[str, tuple[int, int]]] = {}

    @abstractmethod
    def envelope(self, model: Any, numbers: Mapping[str, Column]) -> tuple[Column, Column]:
        """Half of the length and radius of a round-ended rod around the whole."""

    def plan(
        self, model: Any, stated: Mapping[str, Array], whole: Whole, rng: np.random.Generator
    ) -> Any:
        """Draw what the numbers do not say; from the numbers that the scene states.

        Parameters
        ----------
        model : ShapeModel
        stated : mapping of field to ndarray (n,)
        whole : mapping of field to ndarray of int (n,)
            Those of `counts`.
        rng : numpy Generator
        """
        return None

    @abstractmethod
    def pieces(self, model: Any, numbers: Mapping[str, Tensor], plan: Any) -> list[Pieces]:
        """Make the pieces of n particles.

        Parameters
        ----------
        model : ShapeModel
        numbers : mapping of field to Tensor (n,)
        plan : object
            What `plan` drew.
        """


class EnvelopeGeometry(RodGeometry):
    """Round-ended rods around bodies that are made of several; they are not drawn."""

    models = (Cocci, Bacilli, Cell, Droplet, JoinedDroplets)
    arithmetic = False

    def half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Half of the length of the whole, and its radius twice."""
        names = [name for name, _ in model.columns()]
        assembly = assembly_of(model)
        assert assembly is not None
        half, radius = assembly.envelope(model, dict(zip(names, numbers, strict=True)))
        return half, radius, radius


@dataclass(frozen=True)
class _Balls:
    """Which balls there are, and which of them meet.

    Attributes
    ----------
    host, place : Tensor, shape (m,), int64
        Particle and number within it of each ball.
    pairs : Tensor, shape (k, 2), int64
        Ball, and one that cuts it; sorted by the first.
    drawn : Tensor
        What else was drawn.
    """

    host: Tensor
    place: Tensor
    pairs: Tensor
    drawn: Tensor

    @classmethod
    def of(cls, counts: NDArray[np.int64], centres: Array, radii: Array, drawn: Array) -> _Balls:
        """Find the pairs of balls that meet, of ``counts`` (n,) padded centres (n, C, 3)."""
        seen = np.arange(centres.shape[1]) < counts[:, None]
        host, place = np.nonzero(seen)
        number = np.full(seen.shape, -1)
        number[host, place] = np.arange(len(host))
        gap = np.linalg.norm(centres[:, :, None] - centres[:, None], axis=-1)
        meet = gap < _NEAR * (radii[:, :, None] + radii[:, None])
        meet &= seen[:, :, None] & seen[:, None] & ~np.eye(seen.shape[1], dtype=bool)
        which, first, second = np.nonzero(meet)
        pairs = np.stack([number[which, first], number[which, second]], 1)
        return cls(
            *(torch.from_numpy(np.ascontiguousarray(a)) for a in (host, place, pairs, drawn))
        )

    def pieces(self, centres: Tensor, radii: Tensor) -> Pieces:
        """Cut the balls at centres and radii (n, C, …) where they meet."""
        device = centres.device
        host, place = self.host.to(device), self.place.to(device)
        centre, radius = centres[host, place], radii[host, place]
        first, second = self.pairs.to(device).unbind(1)
        toward = centre[second] - centre[first]
        gap = toward.norm(dim=-1)
        offset = (gap * gap + radius[first] ** 2 - radius[second] ** 2) / (2 * gap)
        planes = torch.cat([toward / gap[:, None], offset[:, None]], 1)
        counts = torch.bincount(first, minlength=len(host))
        size = radius[:, None].expand(-1, 3)
        return Pieces(host, OUTER, SPHERE, centre, size, planes, counts)


class CocciAssembly(Assembly):
    """Balls in a bent chain, a cluster or a square."""

    model = Cocci
    counts: ClassVar[Mapping[str, tuple[int, int]]] = {"cells": (1, 64)}

    def envelope(self, model: Any, numbers: Mapping[str, Column]) -> tuple[Column, Column]:
        """A chain as if it were straight, a ball around a cluster."""
        radius, link = numbers["radius_um"], 2 * numbers["radius_um"] * numbers["spacing"]
        cells = _middle(model.cells)
        if model.arrangement == "chain":
            return radius + link * (max(cells - 1, 0) / 2), radius
        across = 0.5**0.5 if model.arrangement == "tetrad" else 0.75 * max(cells - 1, 0) ** (1 / 3)
        return radius + link * across, radius + link * across

    def plan(
        self, model: Any, stated: Mapping[str, Array], whole: Whole, rng: np.random.Generator
    ) -> Any:
        """Numbers of cells, turns of chains and places in clusters."""
        cells, count = whole["cells"], len(stated["radius_um"])
        if model.arrangement == "tetrad":
            cells = np.full(count, 4)
        most = int(cells.max(initial=1))
        if model.arrangement == "chain":
            drawn = np.clip(rng.standard_normal((count, most, 2)), -3, 3)
        elif model.arrangement == "tetrad":
            square = np.array([[s, t, 0.0] for s in (-0.5, 0.5) for t in (-0.5, 0.5)])
            drawn = np.tile(square, (count, 1, 1))
        else:
            drawn = np.zeros((count, most, 3))
            for i in range(count):
                drawn[i, : cells[i]] = _cluster(int(cells[i]), rng)
        numbers = {name: torch.from_numpy(np.array(column)) for name, column in stated.items()}
        centres = self._centres(model, numbers, torch.from_numpy(drawn), torch.from_numpy(cells))
        radii = np.broadcast_to(stated["radius_um"][:, None], (count, most))
        return cells, _Balls.of(cells, centres.numpy(), radii, drawn)

    def pieces(self, model: Any, numbers: Mapping[str, Tensor], plan: Any) -> list[Pieces]:
        """One ball for each cell."""
        cells, balls = plan
        radius = numbers["radius_um"]
        drawn = balls.drawn.to(radius)
        counts = torch.from_numpy(cells).to(radius.device)
        centres = self._centres(model, numbers, drawn, counts)
        return [balls.pieces(centres, radius[:, None].expand(centres.shape[:2]))]

    def _centres(
        self, model: Any, numbers: Mapping[str, Tensor], drawn: Tensor, cells: Tensor
    ) -> Tensor:
        link = 2 * numbers["radius_um"] * numbers["spacing"]
        if model.arrangement == "chain":
            turn = torch.deg2rad(numbers["bend_deg"])[:, None, None] * drawn
            azimuth, elevation = turn[:, 1:].cumsum(1).unbind(-1)
            step = torch.stack(
                [
                    elevation.cos() * azimuth.cos(),
                    elevation.cos() * azimuth.sin(),
                    elevation.sin(),
                ],
                -1,
            )
            start = torch.zeros_like(drawn[:, :1, :1]).expand(-1, 1, 3)
            drawn = torch.cat([start, step.cumsum(1)], 1)
        there = torch.arange(drawn.shape[1], device=drawn.device) < cells[:, None]
        middle = (drawn * there[..., None]).sum(1) / cells[:, None]
        found: Tensor = (drawn - middle[:, None]) * link[:, None, None]
        return found


class BacilliAssembly(Assembly):
    """Rods in a row, cut where the walls between them are."""

    model = Bacilli
    counts: ClassVar[Mapping[str, tuple[int, int]]] = {"cells": (1, 32)}

    def envelope(self, model: Any, numbers: Mapping[str, Column]) -> tuple[Column, Column]:
        """All cells, as if the walls had closed."""
        return numbers["length_um"] * (_middle(model.cells) / 2), numbers["radius_um"]

    def plan(
        self, model: Any, stated: Mapping[str, Array], whole: Whole, rng: np.random.Generator
    ) -> Any:
        """Numbers of cells."""
        return whole["cells"]

    def pieces(self, model: Any, numbers: Mapping[str, Tensor], plan: Any) -> list[Pieces]:
        """One rod for each cell; the caps of neighbours meet in a circle of the open width."""
        length, radius = numbers["length_um"], numbers["radius_um"]
        cells = torch.from_numpy(plan).to(length.device)
        seen = torch.arange(int(cells.max()), device=length.device) < cells[:, None]
        host, place = torch.nonzero(seen, as_tuple=True)
        # Caps this far apart meet in a circle of radius r (1 − c).
        closed = numbers["constriction"].clamp_min(1e-6)
        apart = 2 * radius * torch.sqrt(closed * (2 - closed))
        pitch = length - 2 * radius + apart
        along = (place - (cells[host] - 1) / 2) * pitch[host]
        nothing = torch.zeros_like(along)
        planes, owner = [], []
        for side in (-1.0, 1.0):
            inner = torch.nonzero((place > 0) if side < 0 else (place < cells[host] - 1)).flatten()
            wall = pitch[host[inner]] / 2
            zero = torch.zeros_like(wall)
            planes.append(torch.stack([torch.full_like(wall, side), zero, zero, wall], 1))
            owner.append(inner)
        rows = torch.cat(owner)
        order = torch.argsort(rows, stable=True)
        return [
            Pieces(
                host,
                OUTER,
                ROD,
                torch.stack([along, nothing, nothing], 1),
                torch.stack([length / 2, radius, radius], 1)[host],
                torch.cat(planes)[order],
                torch.bincount(rows, minlength=len(host)),
            )
        ]


class CellAssembly(Assembly):
    """Half an ellipsoid with a nucleus and granules."""

    model = Cell
    counts: ClassVar[Mapping[str, tuple[int, int]]] = {"granules": (0, 500)}
    rise, thick = 0.45, 0.4
    """Height of the nucleus above the glass and half of its thickness, over the cell's height: with
    the widest nucleus it stays within the cell."""

    def envelope(self, model: Any, numbers: Mapping[str, Column]) -> tuple[Column, Column]:
        """A ball around the foot."""
        return numbers["radius_um"], numbers["radius_um"]

    def plan(
        self, model: Any, stated: Mapping[str, Array], whole: Whole, rng: np.random.Generator
    ) -> Any:
        """Places of granules beside the nucleus, as shares of the semi-axes."""
        numbers, count = whole["granules"], len(stated["radius_um"])
        host = np.repeat(np.arange(count), numbers)
        axes = np.stack(
            [
                stated["radius_um"],
                stated["radius_um"] * stated["width"],
                np.asarray(stated["height_um"]),
            ],
            1,
        )[host]
        granule = stated["granule_radius_um"][host]
        nucleus = stated["nucleus"][host]
        kept = np.zeros((len(host), 3))
        open_ = np.ones(len(host), dtype=bool)
        for attempt in range(_TRIES):
            at = rng.uniform(-1, 1, (len(host), 3))
            at[:, 2] = np.abs(at[:, 2])
            good = np.linalg.norm(at, axis=1) <= 1 - granule / axes.min(1)
            good &= at[:, 2] * axes[:, 2] >= granule
            core = at - [0, 0, self.rise]
            core = core / np.stack([nucleus, nucleus, np.full(len(host), self.thick)], 1)
            small = np.minimum(nucleus * axes[:, :2].min(1), self.thick * axes[:, 2])
            # Where no room is left beside the nucleus they may lie before it.
            if attempt < _TRIES // 2:
                good &= np.linalg.norm(core, axis=1) >= 1 + granule / small
            new = open_ & good
            kept[new] = at[new]
            open_ &= ~good
        host, kept = host[~open_], kept[~open_]
        return torch.from_numpy(host), torch.from_numpy(kept)

    def pieces(self, model: Any, numbers: Mapping[str, Tensor], plan: Any) -> list[Pieces]:
        """The cell, its nucleus and its granules."""
        radius, height = numbers["radius_um"], numbers["height_um"]
        axes = torch.stack([radius, radius * numbers["width"], height], 1)
        every = torch.arange(len(radius), device=radius.device)
        glass = axes.new_tensor((0.0, 0.0, -1.0, 0.0)).expand(len(every), 4)
        nothing = torch.zeros_like(radius)
        share = torch.stack([numbers["nucleus"]] * 2 + [torch.full_like(radius, self.thick)], 1)
        host, place = plan[0].to(radius.device), plan[1].to(radius)
        granule = numbers["granule_radius_um"][host]
        return [
            Pieces(
                every, OUTER, ELLIPSOID, torch.zeros_like(axes), axes, glass, torch.ones_like(every)
            ),
            Pieces(
                every,
                INNER,
                ELLIPSOID,
                torch.stack([nothing, nothing, self.rise * height], 1),
                axes * share,
                index=numbers["nucleus_index"],
            ),
            Pieces(
                host,
                INNER,
                SPHERE,
                place * axes[host],
                granule[:, None].expand(-1, 3),
                index=numbers["granule_index"][host],
            ),
        ]


class DropletAssembly(Assembly):
    """A ball that the glass cuts off."""

    model = Droplet

    def envelope(self, model: Any, numbers: Mapping[str, Column]) -> tuple[Column, Column]:
        """The ball."""
        return numbers["radius_um"], numbers["radius_um"]

    def pieces(self, model: Any, numbers: Mapping[str, Tensor], plan: Any) -> list[Pieces]:
        """What lies above the glass."""
        radius = numbers["radius_um"]
        every = torch.arange(len(radius), device=radius.device)
        zero = torch.zeros_like(radius)
        drop = -radius * torch.cos(torch.deg2rad(numbers["contact_angle_deg"]))
        planes = torch.stack([zero, zero, zero - 1, drop], 1)
        size = radius[:, None].expand(-1, 3)
        place = torch.zeros_like(size)
        return [Pieces(every, OUTER, SPHERE, place, size, planes, torch.ones_like(every))]


class JoinedDropletsAssembly(Assembly):
    """Two balls that run into one another."""

    model = JoinedDroplets

    def envelope(self, model: Any, numbers: Mapping[str, Column]) -> tuple[Column, Column]:
        """A rod around both, about the first."""
        first, second = numbers["radius_um"], numbers["second_radius_um"]
        far = numbers["spacing"] * (first + second) + second
        return first + far, first + second

    def plan(
        self, model: Any, stated: Mapping[str, Array], whole: Whole, rng: np.random.Generator
    ) -> Any:
        """Nothing but that they meet."""
        numbers = {name: torch.from_numpy(np.array(column)) for name, column in stated.items()}
        centres, radii = self._balls(numbers)
        count = len(radii)
        return _Balls.of(np.full(count, 2), centres.numpy(), radii.numpy(), np.zeros(0))

    def pieces(self, model: Any, numbers: Mapping[str, Tensor], plan: Any) -> list[Pieces]:
        """Both."""
        return [plan.pieces(*self._balls(numbers))]

    def _balls(self, numbers: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        radii = torch.stack([numbers["radius_um"], numbers["second_radius_um"]], 1)
        gap = numbers["spacing"] * radii.sum(1)
        zero = torch.zeros_like(gap)
        second = torch.stack([gap, zero, zero], 1)
        return torch.stack([torch.zeros_like(second), second], 1), radii


ASSEMBLIES: tuple[Assembly, ...] = (
    CocciAssembly(),
    BacilliAssembly(),
    CellAssembly(),
    DropletAssembly(),
    JoinedDropletsAssembly(),
)
"""Every kind that is made of several bodies."""

ENVELOPE = EnvelopeGeometry()


def assembly_of(model: ShapeModel) -> Assembly | None:
    """Return how a shape of the scene is made of pieces; None for a body of one piece."""
    return next((a for a in ASSEMBLIES if isinstance(model, a.model)), None)


def _middle(quantity: Any) -> float:
    return float(quantity) if isinstance(quantity, int | float) else float(quantity.centre)


def _cluster(cells: int, rng: np.random.Generator) -> Array:
    """Places of balls of diameter 1 that were stuck to one another one by one, compactly."""
    places = np.zeros((cells, 3))
    for k in range(1, cells):
        best: Array | None = None
        for _ in range(_TRIES):
            way = rng.standard_normal(3)
            at = places[rng.integers(k)] + way / np.linalg.norm(way)
            if np.linalg.norm(places[:k] - at, axis=1).min() < 1 - 1e-9:
                continue
            # The nearest of a few to the middle, so that the cluster is round.
            middle = places[:k].mean(0)
            if best is None or np.linalg.norm(at - middle) < np.linalg.norm(best - middle):
                best = at
                if rng.uniform() < 0.3:
                    break
        assert best is not None
        places[k] = best
    return places

"""Levenberg–Marquardt over all particles of a frame, and the optics that they share.

The value is that of the whole frame; the derivatives of a particle are taken in its patch only.
Each particle has a damping of its own: where a step makes its surroundings worse it is taken back
for that particle alone, so that one bad start holds up no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from osog.cancellation import raise_if_cancelled
from osog.fitting.problem.active_set import released
from osog.fitting.problem.residuals import STEP
from osog.tracking.normal_equations import Block, NormalEquations
from osog.tracking.tiles import Tile, value_of, with_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from osog.fitting.problem.parameters import FreeParameters
    from osog.fitting.problem.region import Region
    from osog.fitting.problem.residuals import ImageProblem, Point
    from osog.scene import Particle
    from osog.tracking.tiles import Tiles

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Reduction of χ² that a step promises a particle, below which it has arrived.
_ARRIVED = 0.02
# Rise of χ² in a particle's surroundings from which it is damped more.
_RISE = 3.0
# Damping at the start, and its limits.
_TAU, _LEAST, _MOST = 1e-3, 1e-7, 1e6
# Squared distance in σ that a particle moves before its derivatives are made anew.
_STALE = 4.0
# Attempts to find a step that lowers χ², per iteration.
_ATTEMPTS = 10


@dataclass
class State:
    """Where all numbers are, and what is known there.

    Attributes
    ----------
    point : Point
    damping : ndarray, shape (N,)
    blocks : list of Block or None
        Derivatives of each particle, without gain and weights applied, None where not yet known.
    made_at : ndarray, shape (N, F)
        Scaled numbers for which they were made.
    """

    point: Point
    damping: Array
    blocks: list[Block | None]
    made_at: Array
    shared: NDArray[np.float32] | None = None
    normal: NormalEquations | None = None
    images: list[Array | None] = field(default_factory=list)
    arrived: Flags = field(default_factory=lambda: np.zeros(0, bool))


class Joint:
    """All particles of a frame in one least-squares problem.

    Parameters
    ----------
    problem : ImageProblem
        Of the whole frame; its parameters are those of particle 0, 1, … and then the shared ones.
    particles : sequence of Particle
        Where they start, N of them.
    fields : tuple of str
        Free fields of a particle, F of them.
    regions : sequence of Region
        Patches of the particles.
    beside : callable
        Number of a particle and all of them → those that stand in its tile.
    tiles : Tiles
    tell : callable
        Called after every image with a word.
    """

    def __init__(
        self,
        problem: ImageProblem,
        particles: Sequence[Particle],
        fields: tuple[str, ...],
        regions: Sequence[Region],
        beside: Callable[[int, Sequence[Particle]], tuple[Particle, ...]],
        tiles: Tiles,
        tell: Callable[[str], None],
    ) -> None:
        self.problem, self.fields, self.regions = problem, fields, list(regions)
        self._start, self._beside, self._tiles, self._tell = list(particles), beside, tiles, tell
        self.count = len(self._start)
        self.own = self.count * len(fields)
        self.names = problem.parameters.names[self.own :]
        self._scale = problem.parameters.scale[: self.own].reshape(self.count, len(fields))
        self._kernels = [self._kernel(k) for k in range(self.count)]
        self.state = self._state(problem.parameters.scaled({}))

    # Numbers --------------------------------------------------------------------------------

    @property
    def parameters(self) -> FreeParameters:
        """All of them."""
        return self.problem.parameters

    def own_of(self, u: Array) -> Array:
        """Scaled numbers of the particles, shape (N, F)."""
        return u[: self.own].reshape(self.count, len(self.fields))

    def particles(self, u: Array | None = None) -> list[Particle]:
        """All particles where they are."""
        u = self.state.point.u if u is None else u
        parameters = self.parameters
        numbers = np.clip(parameters.start + u * parameters.scale, parameters.low, parameters.high)
        return [
            with_values(one, self.fields, row)
            for one, row in zip(self._start, self.own_of(numbers), strict=True)
        ]

    def scaled(self, k: int, particle: Particle) -> Array:
        """Scaled numbers of the k-th particle, within its bounds, shape (F,)."""
        here = slice(k * len(self.fields), (k + 1) * len(self.fields))
        parameters = self.parameters
        numbers = np.array([value_of(particle, name) for name in self.fields])
        inside = np.clip(numbers, parameters.low[here], parameters.high[here])
        out: Array = (inside - parameters.start[here]) / parameters.scale[here]
        return out

    def inherit(self, k: int, other: Joint, j: int) -> None:
        """Take over what another fit knows of its j-th particle, which is the k-th here."""
        block = other.state.blocks[j]
        if block is None:
            return
        ratio = self._scale[k] / other._scale[j]
        rows = (block.rows * ratio[:, None, None]).astype(np.float32)
        self.state.blocks[k] = Block(block.region, rows)
        self.state.images[k] = other.state.images[j]
        self.state.damping[k] = other.state.damping[j]
        moved = other.own_of(other.state.point.u)[j] - other.state.made_at[j]
        self.state.made_at[k] = self.own_of(self.state.point.u)[k] - moved / ratio

    def shared_values(self) -> dict[str, float]:
        """Shared numbers by name."""
        return {name: self.state.point.values[name] for name in self.names}

    def local_chi2(self, point: Point) -> Array:
        """χ² of every particle's surroundings, weighted by a Gaussian about it, shape (N,)."""
        square = self.problem.residual_image(point) ** 2
        return np.array([
            float((square[region.slices] * kernel).sum())
            for region, kernel in zip(self.regions, self._kernels, strict=True)
        ])  # fmt: skip

    def local_pixels(self) -> Array:
        """Weighted number of pixels that `local_chi2` sums over, shape (N,)."""
        used = self.problem.used
        return np.array([
            max(1.0, float((used[region.slices] * kernel).sum()))
            for region, kernel in zip(self.regions, self._kernels, strict=True)
        ])  # fmt: skip

    def _kernel(self, k: int) -> Array:
        """Gaussian about a particle in its patch, a quarter of the patch wide."""
        region, one = self.regions[k], self._start[k]
        width = max(region.shape) / 4
        y = np.arange(region.y0, region.y1) - one.y_um / region.pixel_size_um
        x = np.arange(region.x0, region.x1) - one.x_um / region.pixel_size_um
        kernel: Array = np.exp(-0.5 * (y[:, None] ** 2 + x**2) / width**2)
        return kernel

    # Descent --------------------------------------------------------------------------------

    def _state(self, u: Array) -> State:
        point = self.problem.evaluate(u)
        self._tell("joint")
        return State(
            point, np.full(self.count, _TAU), [None] * self.count, self.own_of(u).copy(),
            images=[None] * self.count, arrived=np.zeros(self.count, bool),
        )  # fmt: skip

    def placed(self, u: Array) -> None:
        """Go to other numbers; derivatives are kept where a particle has hardly moved."""
        self.state.point = self.problem.evaluate(u)
        self._tell("joint")

    def use(self, tiles: Tiles) -> None:
        """Take the derivatives from other tiles from now on."""
        self._tiles, self.state.blocks = tiles, [None] * self.count

    def descend(self, most: int, *, optics: bool) -> bool:
        """Go downhill.

        Parameters
        ----------
        most : int
            Largest number of iterations.
        optics : bool
            Whether the shared numbers move.

        Returns
        -------
        bool
            Whether every number has arrived.
        """
        state = self.state
        if optics:
            # Optics and depths move together along a narrow valley, which any damping closes.
            state.damping = np.minimum(state.damping, 10 * _LEAST)
        for _ in range(most):
            raise_if_cancelled()
            normal, free, shared_free = self.linearised(optics)
            promised, optical = self.promised(normal, free, shared_free)
            state.arrived = promised < _ARRIVED
            if state.arrived.all() and optical < _ARRIVED:
                return True
            if not self._stepped(normal, free, shared_free):
                return bool(state.arrived.all())
        return False

    def promised(
        self, normal: NormalEquations, free: Flags, shared_free: Flags
    ) -> tuple[Array, float]:
        """Reduction of χ² that a full step promises each particle, and the shared numbers."""
        step, shared = normal.step(
            np.full(self.count, 1e-10), np.zeros(len(shared_free)), free, shared_free
        )
        own = -np.einsum("pf,pf->p", normal.gradient * free, step)
        return own, -float((normal.shared_gradient * shared_free) @ shared)

    def linearised(self, optics: bool) -> tuple[NormalEquations, Flags, Flags]:
        """Normal equations where the numbers are, and which numbers no bound holds."""
        state, problem = self.state, self.problem
        self._refresh()
        if optics or state.shared is None:
            state.shared = self._shared_columns(optics)
        point = state.point
        gain = point.coefficients[0] if problem.linear.gain else 1.0
        blocks = [
            Block(block.region, (-gain * problem.weights[block.region.slices]).astype(np.float32)
                  * block.rows)
            for block in state.blocks if block is not None
        ]  # fmt: skip
        weights = problem.weights
        linear = [-weights * column for column in self._linear(point)]
        shared = np.concatenate(
            [(-gain * weights).astype(np.float32) * state.shared,
             np.array(linear, np.float32).reshape(-1, *weights.shape)]
        )  # fmt: skip
        normal = NormalEquations(
            blocks, shared, problem.residual_image(point), self._prior(point, len(linear))
        )
        state.normal = normal
        low, high = problem.low, problem.high
        slope = np.concatenate([normal.gradient.ravel(), normal.shared_gradient[: len(self.names)]])
        may = released(point.u, slope, low, high)
        shared_free = np.concatenate([may[self.own :] & optics, np.ones(len(linear), bool)])
        free: Flags = may[: self.own].reshape(self.count, len(self.fields))
        return normal, free, shared_free

    def _linear(self, point: Point) -> list[Array]:
        linear = self.problem.linear
        shape = (self.problem.data.shape[0], self.problem.data.shape[1])
        gain = [point.image - linear.pedestal] if linear.gain else []
        return gain + list(linear.background(shape))

    def _prior(self, point: Point, linear: int) -> tuple[Array, Array, Array, Array]:
        """What priors add to the normal matrix and to the gradient."""
        parameters = self.parameters
        diagonal, slope = np.zeros(len(parameters)), np.zeros(len(parameters))
        for name, (mean, sd) in self.problem.priors.items():
            k = parameters.names.index(name)
            factor = parameters.scale[k] / sd
            diagonal[k] += factor**2
            slope[k] += factor * (point.values[name] - mean) / sd
        rest = np.zeros(linear)
        return (
            self.own_of(diagonal), self.own_of(slope),
            np.concatenate([diagonal[self.own :], rest]), np.concatenate([slope[self.own :], rest]),
        )  # fmt: skip

    def _refresh(self) -> None:
        """Make the derivatives of those anew that have moved."""
        state, u = self.state, self.own_of(self.state.point.u)
        stale = []
        for k in range(self.count):
            block = state.blocks[k]
            if block is None:
                stale.append(k)
                continue
            moved = u[k] - state.made_at[k]
            if not moved.any() or state.normal is None:
                continue
            if float(moved @ state.normal.own[k] @ moved) > _STALE:
                stale.append(k)
        if not stale:
            return
        particles = self.particles()
        tiles = [
            Tile(particles[k], self._beside(k, particles), self.regions[k]) for k in stale
        ]  # fmt: skip
        high = self.own_of(self.problem.high)
        low = self.own_of(self.problem.low)
        sign = np.where(high - u >= u - low, 1.0, -1.0)[stale]
        made = self._tiles.columns(tiles, self._scale[stale], sign)
        for k, (image, rows) in zip(stale, made, strict=True):
            state.blocks[k], state.images[k] = Block(self.regions[k], rows), image
            state.made_at[k] = u[k]
        self._tell("joint")

    def _shared_columns(self, optics: bool) -> NDArray[np.float32]:
        """Derivatives of the whole image along the shared numbers."""
        point, problem = self.state.point, self.problem
        out = np.zeros((len(self.names), *problem.data.shape), np.float32)
        if not optics:
            return out
        # Once more where the point was not the last one, so that its light is there.
        base = problem.model(point.values)
        for k in range(len(self.names)):
            j = self.own + k
            step = STEP if problem.high[j] - point.u[j] >= point.u[j] - problem.low[j] else -STEP
            moved = point.u.copy()
            moved[j] += step
            out[k] = (problem.model(self.parameters.values(moved)) - base) / step
            self._tell("optics")
        return out

    def _stepped(self, normal: NormalEquations, free: Flags, shared_free: Flags) -> bool:
        """Take a step that lowers χ²; False where there is none."""
        state, problem = self.state, self.problem
        before = self.local_chi2(state.point)
        held = np.zeros(self.count, bool)
        for _ in range(_ATTEMPTS):
            damping = float(np.median(state.damping)) if self.count else _TAU
            extra = np.where(np.arange(len(shared_free)) < len(self.names), damping, 0.0)
            step, shared = normal.step(state.damping, extra, free & ~held[:, None], shared_free)
            moved = np.concatenate([step.ravel(), shared[: len(self.names)]])
            target = np.clip(state.point.u + moved, problem.low, problem.high)
            if float(np.abs(target - state.point.u).max(initial=0.0)) < 1e-9:
                return False
            trial = problem.evaluate(target)
            self._tell("joint")
            rise = self.local_chi2(trial) - before
            bad = (rise > np.maximum(_RISE, 0.05 * before)) & np.any(step != 0, axis=1)
            if trial.cost < state.point.cost:
                state.damping = np.where(
                    bad,
                    np.minimum(_MOST, 4 * state.damping),
                    np.maximum(_LEAST, state.damping / 10),
                )
                state.point = trial
                return True
            if not bad.any():
                bad = np.ones(self.count, bool)
            more = np.clip(10 * state.damping, _TAU, _MOST)
            state.damping = np.where(bad, more, state.damping)
            # What does not yield stays where it is for this step.
            held |= bad & (state.damping > 1e2)
        return False


__all__ = ["Joint", "State"]

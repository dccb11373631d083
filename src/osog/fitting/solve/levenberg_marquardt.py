"""Levenberg–Marquardt with Nielsen's damping and an active set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from osog.fitting.problem.active_set import released
from osog.fitting.solve.stop import StopRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from osog.fitting.solve.stop import Reason

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Share of the predicted reduction of χ² that a step must reach to be taken.
_LEAST_GAIN = 1e-4
# Promised reduction of χ² below which the curvature that JᵀJ misses is taken from the last step.
_NEAR = 3.0
# Share of the squared change of the residuals that derivatives may have missed along a step to be
# carried along, and for how many steps.
_STRAIGHT = 0.02
_OLDEST = 3


class Evaluation(Protocol):
    """The model at one point."""

    @property
    def u(self) -> Array:
        """Scaled parameters, shape (P,)."""

    @property
    def cost(self) -> float:
        """χ²: sum of the squared weighted residuals, prior rows included."""

    @property
    def residual(self) -> Array:
        """Weighted residuals, shape (n,)."""


E = TypeVar("E", bound=Evaluation)


class Problem(Protocol[E]):
    """A least-squares problem in scaled parameters."""

    @property
    def low(self) -> Array:
        """Lower bounds, shape (P,)."""

    @property
    def high(self) -> Array:
        """Upper bounds, shape (P,)."""

    @property
    def degrees(self) -> int:
        """Degrees of freedom."""

    def evaluate(self, u: Array) -> E:
        """Evaluate the model at u, shape (P,)."""

    def jacobian(self, evaluation: E, /) -> Array:
        """Derivatives of the residuals, shape (n, P)."""


@dataclass(frozen=True)
class DescentResult(Generic[E]):
    """Where a descent ended.

    Attributes
    ----------
    evaluation : Evaluation
        The best point.
    jacobian : ndarray, shape (n, P)
        Derivatives of the residuals there.
    iterations : int
        Steps that were tried.
    reason : str
        ``converged``, ``stalled``, ``exhausted`` (too many iterations, or too slow for the stop
        rule) or ``stopped`` (asked to).
    fresh : bool
        Whether the derivatives were taken there, or carried along from a step before.
    """

    evaluation: E
    jacobian: Array
    iterations: int
    reason: Reason
    fresh: bool = True


@dataclass(frozen=True)
class LevenbergMarquardt:
    """Descent to the nearest minimum of χ².

    Attributes
    ----------
    stop : StopRule
        When it has arrived, and when it gives up.
    tau : float
        Damping at the start, relative to the diagonal of JᵀJ (Marquardt 1963).
    """

    stop: StopRule = field(default_factory=StopRule)
    tau: float = 1e-3

    def minimise(
        self,
        problem: Problem[E],
        start: E,
        *,
        on_step: Callable[[E, int], bool] | None = None,
        jacobian: Array | None = None,
        fresh: bool = True,
    ) -> DescentResult[E]:
        """Find the nearest minimum of χ².

        Parameters
        ----------
        problem : Problem
        start : Evaluation
            The start, inside the bounds.
        on_step : callable, optional
            Called with each accepted point and the iteration; a true answer stops the descent.
        jacobian : ndarray, shape (n, P), optional
            Derivatives at the start, when they are known already.
        fresh : bool
            Whether these were taken there, or carried along from a step before.

        Returns
        -------
        DescentResult
        """
        best, damping = start, _Damping(self.tau)
        if jacobian is None:
            jacobian, fresh = problem.jacobian(best), True
        age = 0 if fresh else 1
        last: tuple[Array, Array] | None = None
        costs = [best.cost]
        iteration = 0
        while iteration < self.stop.max_iterations:
            gradient = jacobian.T @ best.residual
            hessian = jacobian.T @ jacobian
            free = released(best.u, gradient, problem.low, problem.high)
            near = predicted_reduction(gradient, hessian, free) < _NEAR
            if last is not None and age == 0 and near:
                hessian = _with_secant(hessian, best.u - last[0], gradient - last[1])
            last = (best.u, gradient)
            if self._arrived(problem, best, gradient, hessian, free):
                return DescentResult(best, jacobian, iteration, "converged", age == 0)
            lower = self._lower(problem, best, gradient, hessian, free, damping, once=age > 0)
            if lower is None and age > 0:
                jacobian, age, last = problem.jacobian(best), 0, None
                continue
            iteration += 1
            if lower is None:
                return DescentResult(best, jacobian, iteration, "stalled")
            before, best = best, lower
            if on_step is not None and on_step(best, iteration):
                return DescentResult(best, problem.jacobian(best), iteration, "stopped")
            followed = _followed(jacobian, before, best) if age < _OLDEST else None
            age = 0 if followed is None else age + 1
            jacobian = problem.jacobian(best) if followed is None else followed
            costs.append(best.cost)
            if self.stop.is_slow(costs):
                return DescentResult(best, jacobian, iteration, "exhausted", age == 0)
        gradient, hessian = jacobian.T @ best.residual, jacobian.T @ jacobian
        free = released(best.u, gradient, problem.low, problem.high)
        arrived = self._arrived(problem, best, gradient, hessian, free)
        reason: Reason = "converged" if arrived else "exhausted"
        return DescentResult(best, jacobian, iteration, reason, age == 0)

    def _arrived(
        self, problem: Problem[E], best: E, gradient: Array, hessian: Array, free: Flags
    ) -> bool:
        if not free.any():
            return True
        promised = predicted_reduction(gradient, hessian, free)
        return self.stop.has_converged(promised, best.cost, problem.degrees)

    def _lower(
        self,
        problem: Problem[E],
        best: E,
        gradient: Array,
        hessian: Array,
        free: Flags,
        damping: _Damping,
        *,
        once: bool = False,
    ) -> E | None:
        """Point with a lower χ², the damping raised until there is one; None if there is none.

        With `once`, a step that does not lower χ² is the only one that is tried.
        """
        scale = damping_scale(hessian)
        while True:
            step = _step(gradient, hessian, scale * damping.value, free)
            if step is None:
                damping.grow()
                if self.stop.is_overdamped(damping.value):
                    return None
                continue
            target = np.clip(best.u + step, problem.low, problem.high)
            step = target - best.u
            predicted = -float(2 * gradient @ step + step @ hessian @ step)
            if self.stop.is_too_short(step) or self.stop.is_overdamped(damping.value):
                return None
            trial = problem.evaluate(target)
            ratio = float((best.cost - trial.cost) / predicted) if predicted > 0 else -1.0
            if trial.cost < best.cost and ratio > _LEAST_GAIN:
                damping.shrink(ratio)
                return trial
            if once:
                return None
            damping.grow()


class _Damping:
    """Damping by Nielsen (1999): it shrinks smoothly with success and grows faster and faster."""

    def __init__(self, value: float) -> None:
        self.value, self._growth = value, 2.0

    def grow(self) -> None:
        """Damp more, after a step that led uphill."""
        self.value, self._growth = self.value * self._growth, self._growth * 2

    def shrink(self, ratio: float) -> None:
        """Damp less, after a step that lowered χ² by a ratio of what was predicted."""
        # The ratio is cut so that a lucky step cannot undo all damping.
        factor = max(1 / 3, 1 - (2 * min(ratio, 2.0) - 1) ** 3)
        self.value, self._growth = max(1e-9, self.value * factor), 2.0


def newton_step(problem: Problem[E], evaluation: E, jacobian: Array) -> Array:
    """Full Gauss–Newton step inside the bounds, with derivatives from anywhere near.

    Parameters
    ----------
    problem : Problem
    evaluation : Evaluation
        Where to step from.
    jacobian : ndarray, shape (n, P)

    Returns
    -------
    ndarray, shape (P,)
    """
    gradient, hessian = jacobian.T @ evaluation.residual, jacobian.T @ jacobian
    free = released(evaluation.u, gradient, problem.low, problem.high)
    step = _step(gradient, hessian, 1e-12 * damping_scale(hessian), free)
    if step is None:
        return np.zeros_like(gradient)
    inside: Array = np.clip(evaluation.u + step, problem.low, problem.high) - evaluation.u
    return inside


def damping_scale(hessian: Array) -> Array:
    """Diagonal of JᵀJ, kept above zero so that parameters without effect stay put, shape (P,)."""
    diagonal = np.diag(hessian).copy()
    floor = max(float(diagonal.max(initial=0.0)) * 1e-14, 1e-300)
    return np.maximum(diagonal, floor)


def predicted_reduction(gradient: Array, hessian: Array, free: Flags) -> float:
    """Reduction of χ² that a full Newton step promises, gᵀ H⁻¹ g, over the free parameters."""
    scale = damping_scale(hessian)
    step = _step(gradient, hessian, 1e-12 * scale, free)
    return float("inf") if step is None else float(-gradient @ step)


def _followed(jacobian: Array, before: E, after: E) -> Array | None:
    """Derivatives carried along a step; None where the residuals were not linear along it.

    They cost as many images as there are parameters. Near the optimum they hardly change: a
    rank-one update that explains the change of the residuals (Broyden 1965) stands in, on the
    scale of the parameters' effect.
    """
    step, change = after.u - before.u, after.residual - before.residual
    missed = change - jacobian @ step
    if float(missed @ missed) > _STRAIGHT * float(change @ change) or not np.any(step):
        return None
    return carried_along(jacobian, before, after)


def carried_along(jacobian: Array, before: Evaluation, after: Evaluation) -> Array:
    """Derivatives with the rank-one change that explains a step (Broyden 1965).

    Parameters
    ----------
    jacobian : ndarray, shape (n, P)
        Before the step.
    before, after : Evaluation
        Both ends of the step.

    Returns
    -------
    ndarray, shape (n, P)
    """
    step = after.u - before.u
    along = _scale_of(jacobian) * step
    length = float(step @ along)
    if length <= 0:
        return jacobian
    missed = after.residual - before.residual - jacobian @ step
    followed: Array = jacobian + np.outer(missed, along / length)
    return followed


def _scale_of(jacobian: Array) -> Array:
    """Diagonal of JᵀJ, kept above zero, shape (P,)."""
    return damping_scale(np.diag(np.einsum("nk,nk->k", jacobian, jacobian)))


def _with_secant(hessian: Array, step: Array, change: Array) -> Array:
    """Add the curvature of the residuals that JᵀJ misses, along the last step.

    Where a residual curves within its own noise (the edge of the pupil as the NA moves),
    Gauss–Newton steps overshoot and return; a symmetric rank-one term that explains the change
    of the gradient ends that (Dennis, Gay & Welsch 1981). JᵀJ alone is kept when the sum would
    not be safely positive.
    """
    missing = change - hessian @ step
    along = float(missing @ step)
    if abs(along) <= 1e-8 * float(np.linalg.norm(missing) * np.linalg.norm(step)):
        return hessian
    corrected: Array = hessian + np.outer(missing, missing) / along
    scale = np.sqrt(damping_scale(hessian))
    lowest = np.linalg.eigvalsh(corrected / np.outer(scale, scale))[0]
    before = np.linalg.eigvalsh(hessian / np.outer(scale, scale))[0]
    return corrected if lowest > 0.2 * before else hessian


def _step(gradient: Array, hessian: Array, damping: Array, free: Flags) -> Array | None:
    """Solve (H + damping) s = −g over the free parameters; None where H is not positive."""
    scale = np.sqrt(damping_scale(hessian))[free]
    matrix = hessian[np.ix_(free, free)] + np.diag(damping[free])
    try:
        # Scaling the diagonal to one keeps the Cholesky factor accurate at any choice of units.
        factor = cho_factor(matrix / np.outer(scale, scale), check_finite=False)
    except np.linalg.LinAlgError:
        return None
    step = np.zeros_like(gradient)
    step[free] = -cho_solve(factor, gradient[free] / scale, check_finite=False) / scale
    return step if np.isfinite(step).all() else None

"""Levenberg–Marquardt with Nielsen's damping, an active set and a statistical stop.

The stop rule ends the search when the next step could lower χ² by less than 0.01, that is when
every parameter lies within a tenth of its own standard deviation of the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np
from scipy.linalg import cho_factor, cho_solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_SMALLEST_STEP = 1e-7
_LARGEST_DAMPING = 1e12
# Promised fall of χ² below which the curvature that JᵀJ misses is taken from the last step.
_NEAR = 3.0


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
class Outcome(Generic[E]):
    """Where a search ended.

    Attributes
    ----------
    evaluation : Evaluation
        The best point.
    jacobian : ndarray, shape (n, P)
        Derivatives of the residuals there.
    iterations : int
        Steps that were tried, counted by derivatives.
    reason : str
        ``converged``, ``stalled``, ``exhausted`` (too many iterations) or ``stopped`` (asked to).
    """

    evaluation: E
    jacobian: Array
    iterations: int
    reason: str


def minimise(
    problem: Problem[E],
    start: E,
    *,
    max_iterations: int = 40,
    tau: float = 1e-3,
    stop: float = 0.01,
    on_step: Callable[[E, int], bool] | None = None,
    jacobian: Array | None = None,
) -> Outcome[E]:
    """Find the nearest minimum of χ².

    Parameters
    ----------
    problem : Problem
    start : Evaluation
        The start, inside the bounds.
    max_iterations : int
        Most derivatives that are taken.
    tau : float
        Damping at the start, relative to the diagonal of JᵀJ (Marquardt 1963).
    stop : float
        Predicted fall of χ² below which the search has converged; times χ²/n where that is above
        1, since a poor fit's parameters are that much less certain.
    on_step : callable, optional
        Called with each accepted point and the iteration; a true answer stops the search.
    jacobian : ndarray, shape (n, P), optional
        Derivatives at the start, when they are known already.

    Returns
    -------
    Outcome
    """
    best = start
    damping, growth = tau, 2.0
    jacobian = problem.jacobian(best) if jacobian is None else jacobian
    last: tuple[Array, Array] | None = None
    for iteration in range(1, max_iterations + 1):
        gradient = jacobian.T @ best.residual
        hessian = jacobian.T @ jacobian
        free = released(best.u, gradient, problem.low, problem.high)
        if last is not None and predicted_fall(gradient, hessian, free) < _NEAR:
            hessian = _with_secant(hessian, best.u - last[0], gradient - last[1])
        last = (best.u, gradient)
        enough = stop * max(1.0, best.cost / problem.degrees)
        if not free.any() or predicted_fall(gradient, hessian, free) < enough:
            return Outcome(best, jacobian, iteration - 1, "converged")
        scale = damping_scale(hessian)
        accepted = False
        while not accepted:
            step = _step(gradient, hessian, scale * damping, free)
            if step is None:
                damping, growth = damping * growth, growth * 2
                if damping > _LARGEST_DAMPING:
                    return Outcome(best, jacobian, iteration, "stalled")
                continue
            target = np.clip(best.u + step, problem.low, problem.high)
            step = target - best.u
            predicted = -float(2 * gradient @ step + step @ hessian @ step)
            if np.abs(step).max() < _SMALLEST_STEP or damping > _LARGEST_DAMPING:
                return Outcome(best, jacobian, iteration, "stalled")
            trial = problem.evaluate(target)
            ratio = float((best.cost - trial.cost) / predicted) if predicted > 0 else -1.0
            if trial.cost < best.cost and ratio > 1e-4:
                accepted, best = True, trial
                # Nielsen 1999; the ratio is cut so that a lucky step cannot undo all damping.
                factor = max(1 / 3, 1 - (2 * min(float(ratio), 2.0) - 1) ** 3)
                damping, growth = max(1e-9, damping * factor), 2.0
            else:
                damping, growth = damping * growth, growth * 2
        if on_step is not None and on_step(best, iteration):
            return Outcome(best, problem.jacobian(best), iteration, "stopped")
        jacobian = problem.jacobian(best)
    gradient, hessian = jacobian.T @ best.residual, jacobian.T @ jacobian
    free = released(best.u, gradient, problem.low, problem.high)
    enough = stop * max(1.0, best.cost / problem.degrees)
    done = not free.any() or predicted_fall(gradient, hessian, free) < enough
    return Outcome(best, jacobian, max_iterations, "converged" if done else "exhausted")


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


def released(u: Array, gradient: Array, low: Array, high: Array) -> NDArray[np.bool_]:
    """Tell which parameters may move: not at a bound that downhill leads through, shape (P,)."""
    edge = 1e-12 * (1 + np.abs(u))
    held = ((u <= low + edge) & (gradient > 0)) | ((u >= high - edge) & (gradient < 0))
    return ~held


def damping_scale(hessian: Array) -> Array:
    """Diagonal of JᵀJ, kept above zero so that parameters without effect stay put, shape (P,)."""
    diagonal = np.diag(hessian).copy()
    floor = max(float(diagonal.max(initial=0.0)) * 1e-14, 1e-300)
    return np.maximum(diagonal, floor)


def predicted_fall(gradient: Array, hessian: Array, free: NDArray[np.bool_]) -> float:
    """Fall of χ² that a full Newton step promises, gᵀ H⁻¹ g, over the free parameters."""
    scale = damping_scale(hessian)
    step = _step(gradient, hessian, 1e-12 * scale, free)
    return float("inf") if step is None else float(-gradient @ step)


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


def _step(gradient: Array, hessian: Array, damping: Array, free: NDArray[np.bool_]) -> Array | None:
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

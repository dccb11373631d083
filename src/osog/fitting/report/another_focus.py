"""What a picture with another focus would determine, from its Fisher information."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.cancellation import Cancelled
from osog.fitting.problem.depth_of_field import depth_of_field_um
from osog.scene import SceneError
from osog.scene.parameters import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from osog.fitting.problem.residuals import ImageProblem
    from osog.fitting.problem.simulator import Simulator
    from osog.scene import Scene

    Array = NDArray[np.float64]

_FOCUS = "microscope.focus_um"
_STEPS = (-2.0, 2.0)
"""Changes of the focus that are looked at, in depths of field."""
_WORTHWHILE = 1.5
"""Factor on a standard deviation from which another picture is suggested."""


def another_focus(
    problem: ImageProblem,
    u: Array,
    sigma: Mapping[str, float],
    fitted: Scene,
    simulated: Callable[[Scene], Simulator],
) -> str:
    """Say which other focus would determine what this picture does not.

    With the derivatives J of a picture taken there, weighed by this picture's noise, the linear
    part projected out and the priors among its rows, the covariance would be (JᵀJ)⁻¹ (Fisher
    1925). The bounds count as the little that is known before.

    Parameters
    ----------
    problem : ImageProblem
        Of the fit; its grid does not matter.
    u : ndarray, shape (P,)
        Where the fit ended.
    sigma : mapping
        Names that the picture does not determine → standard deviation, in their units.
    fitted : Scene
        The scene there.
    simulated : callable
        Makes the simulator of a scene.

    Returns
    -------
    str
        One sentence; empty where no other focus makes it 1.5 times as sure.
    """
    planes = fitted.microscope.focus_planes_um
    parameters = problem.parameters
    names = [n for n in sigma if n in parameters.names]
    if not names or len(planes) != 1:
        return ""
    rows = [parameters.names.index(n) for n in names]
    now = _known([sigma[n] for n in names], _spread(problem)[rows] * parameters.scale[rows])
    best = (1.0, 0.0, now)
    for steps in _STEPS:
        shift = round(steps * depth_of_field_um(fitted), 1)
        try:
            there = _sigma_at(problem, u, planes[0] + shift, shift, fitted, simulated)[rows]
        except (SceneError, Cancelled):
            continue
        then = there * parameters.scale[rows]
        gain = float(np.exp(np.mean(np.log(now / then))))
        best = max(best, (gain, shift, then), key=lambda found: found[0])
    gain, shift, then = best
    if gain < _WORTHWHILE:
        return ""
    units = [parameters.units[k] for k in rows]
    told = ", ".join(
        f"{n} to ± {s:.2g} {unit}".rstrip() for n, s, unit in zip(names, then, units, strict=True)
    )
    return (
        f"A picture with the focus {abs(shift):.2g} µm {'higher' if shift > 0 else 'lower'} would "
        f"determine {told}, {gain:.2g} times better than this one."
    )


def _known(sigma: Sequence[float], most: Array) -> Array:
    """Standard deviations of what is known now: at most those of the bounds."""
    known: Array = np.minimum(np.asarray(sigma), most)
    return known


def _spread(problem: ImageProblem) -> Array:
    """Standard deviation of a number that may lie anywhere in its bounds, scaled, shape (P,)."""
    spread: Array = (problem.high - problem.low) / np.sqrt(12.0)
    return spread


def _sigma_at(
    problem: ImageProblem,
    u: Array,
    focus: float,
    shift: float,
    fitted: Scene,
    simulated: Callable[[Scene], Simulator],
) -> Array:
    """Standard deviations that a picture with this focus would have, scaled, shape (P,)."""
    model = simulated(replaced(fitted, {_FOCUS: focus}))

    def changed(values: Mapping[str, float]) -> Mapping[str, float]:
        moved = values[_FOCUS] + shift if _FOCUS in values else focus
        return {**values, _FOCUS: moved}

    there = problem.with_model(model, model).with_changed(changed)
    jacobian = there.jacobian(there.evaluate(u))
    information = jacobian.T @ jacobian + np.diag(1 / _spread(problem) ** 2)
    sigma: Array = np.sqrt(np.diag(np.linalg.inv(information)))
    return sigma


__all__ = ["another_focus"]

"""When a descent has arrived, and when it gives up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Reason = Literal["converged", "stalled", "exhausted", "stopped"]
"""Why a descent ended."""


@dataclass(frozen=True)
class StopRule:
    """Statistical stop of a descent.

    It has arrived when the next step could lower χ² by less than 0.01, that is when every
    parameter lies within a tenth of its own standard deviation of the optimum.

    Attributes
    ----------
    chi2_reduction : float
        Predicted reduction of χ² below which it has arrived.
    max_iterations : int
        Most derivatives that are taken.
    shortest_step : float
        Largest component, in scales of the parameters, below which a step leads nowhere.
    largest_damping : float
        Beyond it no step can lower χ².
    falling : float
        Factor by which two steps together must lower χ², or the descent is left as it is; 0 asks
        for nothing.
    """

    chi2_reduction: float = 0.01
    max_iterations: int = 40
    shortest_step: float = 1e-7
    largest_damping: float = 1e12
    falling: float = 0.0

    def has_converged(self, promised: float, chi2: float, degrees: int) -> bool:
        """Whether a promised reduction of χ² is not worth another step.

        The threshold grows with χ²/n where that is above 1, since a poor fit's parameters are that
        much less certain.
        """
        return promised < self.chi2_reduction * max(1.0, chi2 / degrees)

    def is_slow(self, costs: Sequence[float]) -> bool:
        """Whether the last two steps, of those that led to these χ², have gained too little."""
        return len(costs) > 2 and self.falling * costs[-1] > costs[-3]

    def is_too_short(self, step: Array) -> bool:
        """Whether a step, shape (P,), leads nowhere."""
        return bool(np.abs(step).max() < self.shortest_step)

    def is_overdamped(self, damping: float) -> bool:
        """Whether no step can lower χ² at this damping."""
        return damping > self.largest_damping

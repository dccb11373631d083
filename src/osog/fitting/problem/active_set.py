"""Which parameters may move, and which a bound holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def released(u: Array, gradient: Array, low: Array, high: Array) -> NDArray[np.bool_]:
    """Tell which parameters may move: not at a bound that downhill leads through.

    Parameters
    ----------
    u, gradient, low, high : ndarray, shape (P,)
        Scaled parameters, derivatives of χ² along them, and their bounds.

    Returns
    -------
    ndarray of bool, shape (P,)
    """
    edge = 1e-12 * (1 + np.abs(u))
    held = ((u <= low + edge) & (gradient > 0)) | ((u >= high - edge) & (gradient < 0))
    return ~held

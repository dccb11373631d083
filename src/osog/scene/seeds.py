"""Seeds of the random streams."""

from __future__ import annotations

import numpy as np

from osog.scene.errors import SceneError

_MOST = 2**62
"""Beyond it the streams that are derived from a seed would leave the range of torch."""


def checked_seed(seed: int | np.integer, name: str = "seed") -> int:
    """Return a seed as a plain whole number.

    Parameters
    ----------
    seed : int or numpy integer
        0 to 2⁶² − 1.
    name : str
        What to call it in an error.

    Raises
    ------
    SceneError
        If it is no such number.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise SceneError(f"{name} = {seed!r} must be 0 or a positive whole number.")
    if seed < 0:
        raise SceneError(f"{name} = {seed} must be 0 or a positive whole number.")
    if seed >= _MOST:
        raise SceneError(f"{name} = {seed} must be below 2^62 = {_MOST}.")
    return int(seed)

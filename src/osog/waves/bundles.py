"""How many fields to work on at a time.

One at a time, a small frame spends its time on starting operations; all at once, a large one on
fetching memory. So fields go in bundles that a cache holds, or that fill a GPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_BUNDLE_BYTES = {"cpu": 1e6, "cuda": 2.5e8}
"""Complex fields that are held at once, by the kind of device."""


def together(samples: int, like: Tensor) -> int:
    """How many complex fields to take at a time.

    Parameters
    ----------
    samples : int
        Of one field.
    like : Tensor
        Gives the floating type and the device.

    Returns
    -------
    int
        At least 1.
    """
    held = _BUNDLE_BYTES.get(like.device.type, _BUNDLE_BYTES["cpu"])
    return max(1, int(held // (2 * like.element_size() * samples)))


def bundles(first: int, end: int, samples: int, like: Tensor) -> list[slice]:
    """Split a range of fields into bundles; arguments as for `together`."""
    many = together(samples, like)
    return [slice(k, min(k + many, end)) for k in range(first, end, many)]


__all__ = ["bundles", "together"]

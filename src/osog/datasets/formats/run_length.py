"""Run-length encoding of masks as COCO's readers expect it (Lin et al. 2014)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def counts_of(mask: NDArray[np.bool_]) -> list[int]:
    """Lengths of the runs of a mask (Y, X), column by column, beginning with those outside."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    counts: list[int] = np.diff(edges).tolist()
    return [0, *counts] if flat.size and flat[0] else counts


def encoded(counts: list[int]) -> str:
    """Pack run lengths into text.

    From the fourth on a run is given by its difference to the last but one; each number goes in
    groups of five bits, lowest first, with a sixth bit that says whether more follow, as characters
    from ``0`` on.
    """
    out: list[str] = []
    for k, count in enumerate(counts):
        number = count - counts[k - 2] if k > 2 else count
        while True:
            group, number = number & 31, number >> 5
            # Done when what is left is only the sign that bit 4 already tells.
            more = number != (-1 if group & 16 else 0)
            out.append(chr(48 + (group | 32 if more else group)))
            if not more:
                break
    return "".join(out)


def mask_of(text: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Unpack what `encoded` has packed into a mask (Y, X)."""
    counts: list[int] = []
    number = place = 0
    for character in text:
        group = ord(character) - 48
        number |= (group & 31) << place
        place += 5
        if group & 32:
            continue
        if group & 16:
            number -= 1 << place
        counts.append(number + (counts[-2] if len(counts) > 2 else 0))
        number = place = 0
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape(shape, order="F")

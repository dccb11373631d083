"""Masks as run lengths, the way COCO packs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.datasets.objects import Mask


def packed(mask: Mask, shape: tuple[int, int]) -> dict[str, Any]:
    """Run lengths of a mask over the whole frame, column by column.

    Parameters
    ----------
    mask : Mask
    shape : tuple of int
        (Y, X) of the frame.

    Returns
    -------
    dict
        ``size`` [Y, X] and ``counts``, a string; COCO's compressed RLE.
    """
    return {"size": list(shape), "counts": letters(runs(mask, shape))}


def runs(mask: Mask, shape: tuple[int, int]) -> list[int]:
    """Lengths of the runs outside and inside the mask in turn, beginning outside; from its box."""
    columns, rows = np.nonzero(mask.pixels.T)
    # Places in the frame, down each column in turn; they ascend.
    place = (columns + mask.column) * shape[0] + rows + mask.row
    total = shape[0] * shape[1]
    if not len(place):
        return [total]
    first = np.flatnonzero(np.diff(place, prepend=-2) > 1)
    last = np.append(first[1:], len(place)) - 1
    turns = np.stack([place[first], place[last] + 1], 1).ravel()
    out = np.diff(turns, prepend=0).tolist()
    rest = total - int(turns[-1])
    return [*out, rest] if rest else list(out)


def letters(counts: Sequence[int]) -> str:
    """Pack run lengths into COCO's string.

    From the fourth number on, differences to the last but one are packed; each in groups of five
    bits, lowest first, with a sixth bit that says whether more follow (signed LEB128 with five
    bits), as letters from ``0`` on. The code of pycocotools' ``maskApi`` is the reference.
    """
    out = []
    for k, count in enumerate(counts):
        value = int(count) - (int(counts[k - 2]) if k > 2 else 0)
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != -1 if bits & 0x10 else value != 0
            out.append(chr((bits | 0x20 if more else bits) + 48))
    return "".join(out)

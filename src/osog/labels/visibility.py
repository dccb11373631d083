"""How much of each particle the frame shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from osog.geometry import GBuffer


def visibility(buffer: GBuffer) -> Tensor:
    """Fraction of each silhouette that is neither covered by others nor outside the frame.

    Parameters
    ----------
    buffer : GBuffer

    Returns
    -------
    Tensor, shape (N,), float32
        0 hidden or outside, 1 wholly visible.
    """
    return buffer.visible_area.float() / buffer.full_area.clamp_min(1).float()

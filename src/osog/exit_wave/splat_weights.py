"""Weights with which a body is splatted onto slab planes.

A chord [t1, t2] gives slab j the length ∫ Λ((z − z_j)/dz) dz = dz [W(u2) − W(u1)] with the
triangular kernel Λ(u) = 1 − |u|, u = (t − z_j)/dz and W(u) = ½ + u − ½ u|u| for |u| ≤ 1. The slabs
of a particle then hold exactly its length and its centroid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from osog.waves.sampling_plan import SamplingPlan


class ChordShares:
    """Shares of a chord [low, high] in one slab after another, in slab spacings.

    With u counted from the plane of the slab, the share is F(u_high) − F(u_low) for the integrated
    triangular kernel F(u) = u − ½ u|u|, u held to ±1.

    Parameters
    ----------
    plan : SamplingPlan
    low, high : Tensor, shape (n, P, Q)
        Ends of the chords in µm.
    first : Tensor, shape (n,)
        First slab of each particle, counted from the plan's lowest.
    """

    def __init__(self, plan: SamplingPlan, low: Tensor, high: Tensor, first: Tensor) -> None:
        plane = ((first + plan.first_slab).to(low.dtype))[:, None, None]
        self._ends = torch.stack((low, high)).div_(plan.slab_um).sub_(plane)
        self._held, self._size = torch.empty_like(self._ends), torch.empty_like(self._ends)

    def next(self) -> Tensor:
        """Share in the current slab, in a new tensor; then step to the slab above."""
        torch.clamp(self._ends, -1.0, 1.0, out=self._held)
        torch.abs(self._held, out=self._size)
        torch.addcmul(self._held, self._held, self._size, value=-0.5, out=self._size)
        self._ends -= 1.0
        low, high = self._size.unbind(0)
        share: Tensor = high - low
        return share

    def kernels(self) -> tuple[Tensor, Tensor]:
        """Triangular kernel at both ends: the derivatives of the share × slab spacing."""
        low, high = self._ends.abs().neg_().add_(1.0).clamp_(min=0.0)
        return low, high


def cubic_spline(above: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Cubic B-spline weights of the four planes around a place between the middle two.

    Parameters
    ----------
    above : Tensor
        Distance above the second plane in slab spacings, 0 … 1.
    """
    t = above
    rest = 1 - t
    return (
        rest**3 / 6,
        (4 - 3 * t * t * (2 - t)) / 6,
        (4 - 3 * rest * rest * (2 - rest)) / 6,
        t**3 / 6,
    )


__all__ = ["ChordShares", "cubic_spline"]

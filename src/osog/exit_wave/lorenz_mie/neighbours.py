"""What the sum of exact spheres leaves out between neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.geometry import half_extents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.sample import ParticleBatch

_NEAR = 1.1
"""Distance of two spheres, in sums of their radii, below which they count as touching."""
_SHADED = 0.7
"""The same for the distance across the light, below which one shades the other."""


def neighbour_cautions(batch: ParticleBatch, exact: list[int]) -> Iterator[Caution]:
    """Say how many exact spheres touch a neighbour, lie in its shadow, or overlap with it.

    Parameters
    ----------
    batch : ParticleBatch
    exact : list of int
        Populations of exact spheres.
    """
    with torch.no_grad():
        numbers = torch.tensor(exact, dtype=torch.int64, device=batch.device)
        mine = torch.nonzero(torch.isin(batch.population, numbers)).flatten()
        radius = half_extents(batch, torch.arange(len(batch), device=batch.device)).max(1).values
        place = batch.position
        close = shaded = overlapping = 0
        # In parts, so that thousands of particles need no square table.
        for part in mine.split(512):
            reach = radius[part][:, None] + radius
            distance, across = (
                torch.cdist(place[part], place),
                torch.cdist(place[part, :2], place[:, :2]),
            )
            itself = torch.arange(len(part), device=batch.device), part
            distance[itself], across[itself] = float("inf"), float("inf")
            close += int((distance < _NEAR * reach).any(1).sum())
            shaded += int((across < _SHADED * reach).any(1).sum())
            overlapping += int((distance < 0.999 * reach).any(1).sum())
    if close:
        noun = "exact sphere touches" if close == 1 else "exact spheres touch"
        words = f"{close} {noun} a neighbour or nearly: their fields are added, some 3 % off"
        if overlapping:
            words += f", and {overlapping} overlap, which no sum of spheres describes"
        yield Caution(words + ".")
    if shaded:
        noun = "exact sphere lies" if shaded == 1 else "exact spheres lie"
        yield Caution(
            f"{shaded} {noun} before or behind another body: what passes from one to the other "
            "is left out, some 20 % of their light."
        )


__all__ = ["neighbour_cautions"]

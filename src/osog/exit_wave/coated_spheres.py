"""The cores of coated spheres, as bodies of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import ParticleBatch


def is_coated(batch: ParticleBatch) -> Tensor:
    """Which particles (N,) are spheres with a core."""
    return batch.core_radius.detach() > 0


def with_cores(batch: ParticleBatch) -> ParticleBatch:
    """Return the batch with the core of each coated sphere as a further sphere at its end.

    Its index and absorption are relative to the shell, so that phases and losses add up along a
    ray; it emits nothing of its own, since the outer sphere's emission holds for all of it.
    """
    coated = is_coated(batch)
    if not bool(coated.any()):
        return batch
    index = torch.nonzero(coated).flatten()
    cores = batch.taken(index)
    zero = torch.zeros_like(cores.delta_index)
    cores = replace(
        cores,
        size=cores.core_radius[:, None].expand(-1, batch.size.shape[1]),
        delta_index=cores.core_index_step,
        absorption_per_um=cores.core_absorption_step,
        emission_per_um=zero,
        birefringence=zero,
        core_radius=zero,
        core_index_step=zero,
        core_absorption_step=zero,
    )
    joined: dict[str, Any] = {
        name: torch.cat((getattr(batch, name), getattr(cores, name))) for name in batch.columns()
    }
    if batch.voxels is not None:
        joined["voxels"] = batch.voxels.followed_by(len(index))
    last = batch.plane_start[-1:].expand(len(index))
    return replace(batch, **joined, plane_start=torch.cat((batch.plane_start, last)))


__all__ = ["is_coated", "with_cores"]

"""The splat of particles into slabs as plain operations, for derivatives of any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from osog.cancellation import raise_if_cancelled
from osog.exit_wave.kernel_deconvolution import sharpened_copy
from osog.exit_wave.raster import particle_tensors
from osog.exit_wave.volume_deposit import plain_volumes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.exit_wave.raster import Raster
    from osog.sample import ParticleBatch


def plain_deposit(
    raster: Raster, batch: ParticleBatch, coefficients: Sequence[Tensor]
) -> list[Tensor]:
    """Sum coefficient × length of every particle into all slabs of the plan.

    Every kind of differentiation can follow it. It keeps all its parts, about 30 numbers for each
    sample of a patch and slab, where `deposit` and its adjoint keep none.

    Parameters
    ----------
    raster : Raster
    batch : ParticleBatch
    coefficients : sequence of Tensor, shape (N,)
        One output for each.

    Returns
    -------
    list of Tensor, each (K, Gy, Gx)

    Notes
    -----
    Second derivatives are those of the splat itself: its weights are quadratic in the ends of a
    chord, so the curvature along z is right as a mean over a slab spacing, not within one.
    """
    plan = raster.plan
    gy, gx = plan.grid_shape
    plane = gy * gx
    places: list[Tensor] = []
    values: list[list[Tensor]] = [[] for _ in coefficients]
    for patches in raster.patch_batches:
        raise_if_cancelled()
        entry, leaving = raster.chord(patches, particle_tensors(batch, patches))
        lowest = (patches.first + plan.first_slab).to(entry.dtype)[:, None, None]
        low, high = entry / plan.slab_um - lowest, leaving / plan.slab_um - lowest
        densities = [
            (raster.density(patches, c) * plan.slab_um)[:, None, None] for c in coefficients
        ]
        base = raster.addresses(patches)
        for m in range(patches.depth):
            number = (patches.first + m)[:, None, None]
            share = _integrated(high - m) - _integrated(low - m)
            # What shallow neighbours in the batch do not reach is zero wherever it is put.
            places.append((base + number.clamp_max(plan.slabs - 1) * plane).reshape(-1))
            for value, density in zip(values, densities, strict=True):
                value.append((share * density).reshape(-1))
    size = plan.slabs * plane
    found = []
    volumes = plain_volumes(raster.volumes, plan, batch, coefficients)
    for k, parts in enumerate(values):
        volume = torch.zeros(size, dtype=batch.dtype, device=batch.device)
        if parts:
            # With a fixed order of the sum on every device.
            volume = volume.index_put((torch.cat(places),), torch.cat(parts), accumulate=True)
        volume = volume.view(plan.slabs, gy, gx)
        found.append(sharpened_copy(volume if volumes is None else volume + volumes[k]))
    return found


def _integrated(u: Tensor) -> Tensor:
    """Integrated triangular kernel, as in `ChordShares`."""
    held = u.clamp(-1.0, 1.0)
    return held - 0.5 * held * held.abs()


__all__ = ["plain_deposit"]

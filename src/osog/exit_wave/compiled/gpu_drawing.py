"""The deposit and its adjoint by kernels on a GPU, for the shapes that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from osog.cancellation import raise_if_cancelled
from osog.exit_wave.compiled.drawing import densities, plan_numbers, pulled_back, windows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from torch import Tensor

    from osog.exit_wave.compiled.drawing import Drawing
    from osog.exit_wave.raster import Raster
    from osog.sample import ParticleBatch

FIXED_POINT = 2.0**36
"""Scale of the integer sums on a GPU: integer addition gives the same bits in any order."""


def add_integers(
    pairs: Sequence[tuple[ModuleType, Drawing]],
    raster: Raster,
    coefficients: Sequence[Tensor],
    first_slab: int,
    out: Tensor,
) -> None:
    """Add coefficient × length of bodies to slabs (C, K, Gy, Gx) of integers of 1 / FIXED_POINT.

    Parameters
    ----------
    pairs : sequence of (module, Drawing)
    raster : Raster
    coefficients : sequence of Tensor, shape (N,)
        One for each output.
    first_slab : int
        The number of the first slab of ``out``.
    out : Tensor of int64, contiguous
    """
    for module, drawing in pairs:
        raise_if_cancelled()
        kinds = _further(raster, drawing, coefficients)
        module.deposit(out, first_slab, _arrays(drawing), *kinds, drawing.spans, FIXED_POINT)


def pull_back_integers(
    pairs: Sequence[tuple[ModuleType, Drawing]],
    raster: Raster,
    batch: ParticleBatch,
    coefficients: Sequence[Tensor],
    gradients: Tensor,
    slabs: range,
    into: Any,
) -> None:
    """Pull gradients of slabs (C, K, Gy, Gx) back; the adjoint of `add_integers` but for rounding.

    Parameters
    ----------
    pairs, raster, batch, coefficients
        As for `add_integers`.
    gradients : Tensor, shape (C, K, Gy, Gx), contiguous
    slabs : range
        Numbers of the slabs.
    into : Gradients
        Sums, updated in place.
    """
    for module, drawing in pairs:
        raise_if_cancelled()
        kinds = _further(raster, drawing, coefficients)
        found = module.adjoint(gradients, slabs.start, _arrays(drawing), *kinds, drawing.spans)
        position, quaternion, sizes, numbers, density = found
        to = (position.sum(0), quaternion.sum(0), sizes[0], sizes[1], numbers, density)
        pulled_back(raster, batch, drawing, to, into)


def _arrays(d: Drawing) -> tuple[Tensor, ...]:
    sizes = torch.stack((d.fine, d.coarse))
    return d.patch, d.position, d.quaternion, sizes, d.bound, d.numbers


def _further(
    raster: Raster, drawing: Drawing, coefficients: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    density = densities(raster, drawing, coefficients)
    kept = raster.kept.setdefault("kernel tables", {})
    if density.dtype not in kept:
        table = torch.from_numpy(windows(density.dtype))
        kept[density.dtype] = (plan_numbers(raster).to(density.device), table.to(density.device))
    return density, *kept[density.dtype]


__all__ = ["FIXED_POINT", "add_integers", "pull_back_integers"]

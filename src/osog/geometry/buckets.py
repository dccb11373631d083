"""Patches of similar size, so that particles can be drawn many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from osog.geometry.shapes import SHAPES, half_extents

if TYPE_CHECKING:
    from osog.geometry.shape import Shape
    from osog.particles import ParticleBatch

_MARGIN = 2
"""Pixels beyond the silhouette on every side; without one, gradients would be cut."""
_LAUNCH_PX = 30_000
"""Pixels that cost as much as starting one more group."""


class Bucket(NamedTuple):
    """Particles of one shape that share a patch size.

    Attributes
    ----------
    shape : Shape
    height, width : int
        Patch size in pixels, even.
    members : Tensor, shape (n,), int64
        Particles, ascending.
    """

    shape: Shape
    height: int
    width: int
    members: Tensor


def buckets(
    batch: ParticleBatch,
    pitch_um: tuple[float, float],
    index: Tensor | None = None,
    margin_px: float = _MARGIN,
) -> list[Bucket]:
    """Group particles by shape and patch size.

    A patch holds 2 (half extent / pitch + margin) pixels a side, rounded up to a multiple of 2
    (of 4, 8, … where it is large, so that few sizes exist). Sizes that few particles need are
    merged into a larger one when that costs less than starting another group.

    Parameters
    ----------
    batch : ParticleBatch
    pitch_um : tuple of float
        (y, x) pixel size in µm.
    index : Tensor, optional, shape (m,), int64
        Group these particles only.
    margin_px : float
        Pixels beyond the silhouette on either side; 1.25 suffices for patches that start at the
        first pixel which the silhouette's anti-aliased edge can reach.

    Returns
    -------
    list of Bucket
        Every particle is in exactly one.
    """
    if index is None:
        index = torch.arange(len(batch), device=batch.device)
    if not len(index):
        return []
    half = half_extents(batch, index)[:, :2].double()
    kinds = batch.shape_kind[index]
    pitch = half.new_tensor((pitch_um[1], pitch_um[0]))
    need = (2 * (half / pitch + margin_px)).ceil().long().clamp_min(8)
    step = (2.0 ** ((need / 8.0).log2().ceil() - 1).clamp_min(1)).long()
    side = (need + step - 1) // step * step
    # One integer a size: sorting rows of a matrix takes a hundred times longer.
    key = (kinds << 40) | (side[:, 1] << 20) | side[:, 0]
    keys, inverse, counts = torch.unique(key, return_inverse=True, return_counts=True)
    low = (1 << 20) - 1
    sizes = torch.stack([keys >> 40, (keys >> 20) & low, keys & low], dim=-1)
    numbers: list[list[int]] = torch.cat([sizes, counts[:, None]], dim=1).tolist()
    target = _merge([n[:3] for n in numbers], [n[3] for n in numbers])
    order = torch.argsort(torch.tensor(target, device=index.device)[inverse], stable=True)
    index = index[order]
    found = []
    begin = 0
    for number in sorted(set(target)):
        kind, height, width = numbers[number][:3]
        count = sum(n[3] for n, into in zip(numbers, target, strict=True) if into == number)
        found.append(Bucket(SHAPES[kind], height, width, index[begin : begin + count]))
        begin += count
    return found


def _merge(sizes: list[list[int]], counts: list[int]) -> list[int]:
    """Number of the group into which every distinct (kind, height, width) goes."""
    target = list(range(len(sizes)))
    largest_first = sorted(target, key=lambda g: -sizes[g][1] * sizes[g][2])
    kept: list[int] = []
    for g in largest_first:
        kind, height, width = sizes[g]
        best, best_cost = None, _LAUNCH_PX
        for other in kept:
            other_kind, other_height, other_width = sizes[other]
            if other_kind != kind or other_height < height or other_width < width:
                continue
            cost = counts[g] * (other_height * other_width - height * width)
            if cost < best_cost:
                best, best_cost = other, cost
        if best is None:
            kept.append(g)
        else:
            target[g] = best
    return target


def patch_grid(
    position: Tensor, height: int, width: int, pitch_um: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Place patches on the pixels around their particles.

    Parameters
    ----------
    position : Tensor, shape (n, 3)
        µm; the origin is the centre of pixel (0, 0).
    height, width : int
        Patch size in pixels.
    pitch_um : tuple of float
        (y, x) pixel size in µm.

    Returns
    -------
    row, column : Tensor, shape (n,), int64
        Of each patch's first pixel; may lie outside the image.
    x, y : Tensor, shape (n, 1, width) and (n, height, 1)
        World coordinates in µm of the pixel centres, detached.
    """
    py, px = pitch_um
    place = position.detach()
    column = (place[:, 0] / px - (width - 1) / 2).round().long()
    row = (place[:, 1] / py - (height - 1) / 2).round().long()
    columns = column[:, None] + torch.arange(width, device=place.device)
    rows = row[:, None] + torch.arange(height, device=place.device)
    x = (columns.to(place.dtype) * px)[:, None, :]
    y = (rows.to(place.dtype) * py)[:, :, None]
    return row, column, x, y

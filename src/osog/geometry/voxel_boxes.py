"""Volumes of voxels on a grid of samples: piles of homogeneous boxes, wherever they lie.

A volume whose axes lie along those of the world is deposited exactly: box by box, with the mean
over the drawing kernel along x and y and the triangular weights of the slabs along z. All three
are integrals over a box, and their product over the axes makes the sum three matrix products.

A turned volume is first resampled on an upright lattice about its centre, as fine as its finest
side, by trilinear interpolation. What interpolation and lattice blur is sharpened again to second
order, so that both ways agree to the fourth order of the voxel. The lattice moves with the volume,
so the picture is a smooth function of the place; of the turn it is continuous.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, grid_sample, pad

from osog.cancellation import raise_if_cancelled
from osog.derivatives import followed
from osog.geometry.edges import REACH, SPREAD, smooth_sign
from osog.rotations import rotation_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.voxels import VoxelGrid

_ALIGNED = 1e-6
"""Deviation of a rotation from a turn by right angles that counts as rounding."""
_MOST_VOXELS = {"cpu": 8_000_000, "cuda": 64_000_000}
"""Voxels or lattice points handled at once."""
_LAYERS = 16
"""Layers of the lattice handled at once: a turned box is narrow between them."""
_BODY_OF_ARRAY = (2, 1, 0)
"""Axis of the array for each axis (x, y, z) of the body, and the other way round."""


@dataclass(frozen=True)
class Samples:
    """Where a volume is wanted: planes of samples.

    Attributes
    ----------
    pitch_um, corner_um : (float, float)
        (y, x) pitch, and place of the first sample.
    rows, columns : range
        Samples of the grid.
    slab_um : float
        Spacing of the planes; 0 for a single one that takes everything.
    planes : range
        Numbers of the planes, which lie at whole multiples of the spacing.
    """

    pitch_um: tuple[float, float]
    corner_um: tuple[float, float]
    rows: range
    columns: range
    slab_um: float
    planes: range


@dataclass(frozen=True)
class Placed:
    """Where a volume is.

    Attributes
    ----------
    position : Tensor, shape (3,)
    quaternion : Tensor, shape (4,)
    size : Tensor, shape (3,)
        Half of its sides along the body's x, y and z.
    """

    position: Tensor
    quaternion: Tensor
    size: Tensor

    @property
    def rotation(self) -> Tensor:
        """Rotation matrix from the body into the world."""
        return rotation_matrix(self.quaternion)


def right_angles(rotation: Tensor) -> tuple[tuple[int, ...], tuple[float, ...]] | None:
    """Axis of the body and sign along each axis of the world; None for other turns."""
    matrix = rotation.detach().cpu().double()
    nearest = matrix.abs().argmax(1)
    signs = matrix.gather(1, nearest[:, None])[:, 0].sign()
    whole = torch.zeros_like(matrix).scatter_(1, nearest[:, None], signs[:, None])
    if float((matrix - whole).abs().max()) > _ALIGNED:
        return None
    return tuple(nearest.tolist()), tuple(signs.tolist())


def voxel_sums(
    grid: VoxelGrid,
    weights: Tensor | None,
    coefficients: Sequence[Tensor],
    placed: Placed,
    samples: Samples,
    plain: bool = False,
) -> Tensor:
    """Coefficient × length of a volume on planes of samples.

    Parameters
    ----------
    grid : VoxelGrid
    weights : Tensor or None, shape (Z, Y, X)
    coefficients : sequence of Tensor, each (L,)
        One output for each; a number for every part of the volume.
    placed : Placed
    samples : Samples
    plain : bool
        Use operations that can be differentiated more than once.

    Returns
    -------
    Tensor, shape (C, planes, rows, columns)
        Differentiable in everything; first derivatives in the turn.
    """
    rotation = placed.rotation
    aligned = right_angles(rotation)
    size = placed.size * 2 / placed.size.new_tensor([grid.shape[a] for a in _BODY_OF_ARRAY])
    if aligned is None:
        return _turned(grid, weights, coefficients, placed.position, rotation, size, samples, plain)
    sums = _upright(grid, weights, coefficients, placed.position, size, samples, *aligned, plain)
    if not (torch.is_grad_enabled() and followed(rotation)):
        return sums
    # The slope in a turn is that of the way by which turned volumes go.
    fixed = [None if t is None else t.detach() for t in (weights, *coefficients)]
    turned = _turned(
        grid,
        fixed[0],
        [c for c in fixed[1:] if c is not None],
        placed.position.detach(),
        rotation,
        size.detach(),
        samples,
        plain,
    )
    return sums + (turned - turned.detach())


def _upright(
    grid: VoxelGrid,
    weights: Tensor | None,
    coefficients: Sequence[Tensor],
    position: Tensor,
    size: Tensor,
    samples: Samples,
    axes: tuple[int, ...],
    signs: tuple[float, ...],
    plain: bool,
) -> Tensor:
    """Sums of boxes along the axes of the world."""
    sides = [grid.shape[_BODY_OF_ARRAY[a]] for a in axes]
    own = [
        (torch.arange(n, dtype=size.dtype, device=size.device) - (n - 1) / 2) * size[a]
        for a, n in zip(axes, sides, strict=True)
    ]
    centres = [position[w] + signs[w] * own[w] for w in range(3)]
    x, y = (_within(centres[w], size[axes[w]], samples, w) for w in (0, 1))
    z = _along(centres[2], size[axes[2]], samples)
    order = [_BODY_OF_ARRAY[axes[w]] for w in (2, 1, 0)]
    total = size.new_zeros(
        len(coefficients), len(samples.planes), len(samples.rows), len(samples.columns)
    )
    layers = _layers(grid, order, centres[2], size[axes[2]], samples)
    step = max(1, _most_voxels(size) // (sides[0] * sides[1]))
    for start in range(layers.start, layers.stop, step):
        raise_if_cancelled()
        part = slice(start, min(start + step, layers.stop))
        values = _values(grid, weights, coefficients, order, part)
        total = _added(total, z[:, part], y, x, values, plain)
    return total


def _most_voxels(like: Tensor) -> int:
    return _MOST_VOXELS.get(like.device.type, 8_000_000)


def _layers(
    grid: VoxelGrid, order: list[int], centres: Tensor, side: Tensor, samples: Samples
) -> range:
    """Layers of voxels that hold anything and reach the planes."""
    z = centres.detach()
    near = torch.ones(len(z), dtype=torch.bool)
    if samples.slab_um:
        low = (samples.planes.start - 1) * samples.slab_um - float(side.detach())
        high = samples.planes.stop * samples.slab_um + float(side.detach())
        near = ((z >= low) & (z <= high)).cpu()
    if order[0] == 0:
        near &= grid.occupied
    kept = torch.nonzero(near).flatten()
    return range(int(kept[0]), int(kept[-1]) + 1) if len(kept) else range(0)


def _values(
    grid: VoxelGrid,
    weights: Tensor | None,
    coefficients: Sequence[Tensor],
    order: list[int],
    part: slice,
) -> Tensor:
    """Coefficients of some layers of voxels (C, layers, …), axes in the order of the world."""
    found = []
    ranks = None if grid.ranks is None else grid.ranks.permute(order)[part]
    weight = None if weights is None else weights.permute(order)[part]
    if ranks is not None:
        ranks = ranks.to(torch.int32)
        shape, flat = ranks.shape, ranks.reshape(-1)
    for coefficient in coefficients:
        if ranks is not None:
            table = torch.cat([coefficient.new_zeros(1), coefficient])
            value = table.index_select(0, flat).view(shape)
            found.append(value if weight is None else value * weight)
        else:
            assert weight is not None
            found.append(weight * coefficient)
    return torch.stack(found) if len(found) > 1 else found[0][None]


def _added(total: Tensor, z: Tensor, y: Tensor, x: Tensor, values: Tensor, plain: bool) -> Tensor:
    """Return the total (C, K, P, Q) with Σ z y x values in the planes that they reach."""
    reached = torch.nonzero((z.detach() != 0).any(1)).flatten()
    if not len(reached):
        return total
    first, last = int(reached[0]), int(reached[-1]) + 1
    channels, layers, rows, columns = values.shape
    flat = z[first:last] @ values.reshape(channels, layers, rows * columns)
    found = y @ (flat.view(channels, last - first, rows, columns) @ x.T)
    if plain:
        return total + pad(found, [0, 0, 0, 0, first, total.shape[1] - last])
    total[:, first:last] += found
    return total


def _within(centres: Tensor, side: Tensor, samples: Samples, axis: int) -> Tensor:
    """Shares (samples, boxes) of boxes in means over the drawing kernel along x (0) or y (1)."""
    pitch, corner = samples.pitch_um[1 - axis], samples.corner_um[1 - axis]
    numbers = samples.columns if axis == 0 else samples.rows
    like: dict[str, Any] = {"dtype": centres.dtype, "device": centres.device}
    places = torch.arange(numbers.start, numbers.stop, **like) * pitch + corner
    reach = centres.new_tensor(REACH * SPREAD / 2 * pitch)
    distance = centres - places[:, None]
    high, low = distance + side / 2, distance - side / 2
    return (smooth_sign(high, reach) - smooth_sign(low, reach)) / 2


def _along(centres: Tensor, side: Tensor, samples: Samples) -> Tensor:
    """Lengths (planes, boxes) of boxes with the triangular weights of the slabs."""
    spacing = samples.slab_um
    if not spacing:
        return torch.ones_like(centres)[None] * side
    like: dict[str, Any] = {"dtype": centres.dtype, "device": centres.device}
    planes = torch.arange(samples.planes.start, samples.planes.stop, **like)
    distance = centres / spacing - planes[:, None]
    half = side / (2 * spacing)
    high, low = (distance + half).clamp(-1, 1), (distance - half).clamp(-1, 1)
    value = (high - 0.5 * high * high.abs()) - (low - 0.5 * low * low.abs())
    return value * spacing


def _turned(
    grid: VoxelGrid,
    weights: Tensor | None,
    coefficients: Sequence[Tensor],
    position: Tensor,
    rotation: Tensor,
    size: Tensor,
    samples: Samples,
    plain: bool,
) -> Tensor:
    """Sums of a volume that is turned, by way of an upright lattice."""
    values = _values(grid, weights, coefficients, [0, 1, 2], slice(None))
    target = 0.5 * min(samples.pitch_um)
    # Voxels much finer than the samples are first pooled.
    factors = [max(1, floor(target / float(size[a].detach()))) for a in _BODY_OF_ARRAY]
    values = _sharpened(_pooled(values, factors), factors, plain)
    pooled = size * size.new_tensor([factors[a] for a in _BODY_OF_ARRAY])
    # In steps of 2 %, so that the lattice stays where it is while the volume grows a little.
    step = 1.02 ** (floor(log(float(pooled.detach().min()), 1.02)) + 0.37)
    sides = size.new_tensor([grid.shape[a] for a in _BODY_OF_ARRAY])
    reach = size.detach() * sides / 2 + pooled.detach()
    half = (rotation.detach().abs() @ reach).tolist()
    like: dict[str, Any] = {"dtype": size.dtype, "device": size.device}
    axes, across = [], []
    for w in range(3):
        number = ceil(half[w] / step)
        place = torch.arange(-number - 1, number + 2, **like) * step
        side = size.new_tensor(step)
        moved = position[w] + place
        if w == 2:
            found = _along(moved, side, samples)
        else:
            found = _within(moved, side, samples, w)
        across.append(found[:, 1:-1] * (13 / 12) - (found[:, 2:] + found[:, :-2]) / 24)
        axes.append(place[1:-1])
    x, y, z = axes
    used = torch.nonzero((across[2].detach() != 0).any(0)).flatten()
    total = size.new_zeros(
        len(coefficients), len(samples.planes), len(samples.rows), len(samples.columns)
    )
    if not len(used):
        return total
    # Body coordinates are linear in those of the lattice.
    scale = 1 / pooled
    first = size.new_tensor(
        [(grid.shape[_BODY_OF_ARRAY[a]] / factors[_BODY_OF_ARRAY[a]] - 1) / 2 + 1 for a in range(3)]
    )
    by_x, by_y, by_z = rotation * scale  # rows: what one µm along x, y, z adds to the indices
    corners = _edges(rotation.detach() * reach)
    stop = int(used[-1]) + 1
    for start in range(int(used[0]), stop, _LAYERS):
        raise_if_cancelled()
        part = slice(start, min(start + _LAYERS, stop))
        ends = _cut(corners, float(z[part.start]) - step, float(z[part.stop - 1]) + step)
        columns, rows = (
            slice(
                max(0, int(torch.searchsorted(axis, low - step))),
                int(torch.searchsorted(axis, high + step)),
            )
            for axis, (low, high) in zip((x, y), ends, strict=True)
        )
        plane = x[columns, None] * by_x + (y[rows, None] * by_y)[:, None] + first
        places = plane + (z[part, None] * by_z)[:, None, None]
        found = _interpolated(values, places, plain)
        total = _added(
            total, across[2][:, part], across[1][:, rows], across[0][:, columns], found, plain
        )
    return total


def _edges(axes: Tensor) -> Tensor:
    """Ends (12, 2, 3) of the edges of a box with half axes in columns."""
    signs = torch.cartesian_prod(*[axes.new_tensor((-1.0, 1.0))] * 2)
    found = []
    for k in range(3):
        others = [i for i in range(3) if i != k]
        middle = signs @ axes[:, others].T
        found.append(torch.stack((middle - axes[:, k], middle + axes[:, k]), 1))
    return torch.cat(found).double().cpu()


def _cut(edges: Tensor, low: float, high: float) -> list[tuple[float, float]]:
    """Ranges of x and y of a box between two heights."""
    bottom, rise = edges[:, 0, 2], edges[:, 1, 2] - edges[:, 0, 2]
    rise = torch.where(rise.abs() < 1e-12, 1e-12, rise)
    a, b = ((low - bottom) / rise).clamp(0, 1), ((high - bottom) / rise).clamp(0, 1)
    points = torch.cat([edges[:, 0] + t[:, None] * (edges[:, 1] - edges[:, 0]) for t in (a, b)])
    points = points[(points[:, 2] >= low - 1e-9) & (points[:, 2] <= high + 1e-9)]
    if not len(points):
        return [(0.0, 0.0), (0.0, 0.0)]
    return [(float(points[:, k].min()), float(points[:, k].max())) for k in range(2)]


def _pooled(values: Tensor, factors: list[int]) -> Tensor:
    """Means (C, Z, Y, X) of blocks of voxels."""
    if factors == [1, 1, 1]:
        return values
    missing = [-n % f for n, f in zip(values.shape[1:], factors, strict=True)]
    ends = [0, missing[2], 0, missing[1], 0, missing[0]]
    return avg_pool3d(pad(values, ends)[None], factors, factors)[0]


def _sharpened(values: Tensor, factors: list[int], plain: bool) -> Tensor:
    """Take back what pooling and interpolation blur beyond the voxels themselves."""
    found = pad(values, [1] * 6)
    for axis, factor in enumerate(factors, start=1):
        share = (3 - 2 / factor**2) / 24
        before, count = found, found.shape[axis] - 1
        found = before * (1 + 2 * share)
        if plain:
            ahead = torch.roll(before, 1, axis) + torch.roll(before, -1, axis)
            found = found - ahead * share
            continue
        found.narrow(axis, 0, count).sub_(before.narrow(axis, 1, count), alpha=share)
        found.narrow(axis, 1, count).sub_(before.narrow(axis, 0, count), alpha=share)
    return found


def _interpolated(values: Tensor, places: Tensor, plain: bool) -> Tensor:
    """Trilinear interpolation of values (C, Z, Y, X) at indices (…, 3) along x, y and z."""
    shape = values.shape[1:]
    sides = places.new_tensor([shape[2], shape[1], shape[0]])
    if not plain:
        grid = (2 * places + 1) / sides - 1
        found = grid_sample(values[None], grid[None], align_corners=False, padding_mode="zeros")
        return found[0]
    low = torch.floor(places.detach())
    share = places - low
    total: Tensor | float = 0.0
    for corner in range(8):
        offset = low.new_tensor([corner & 1, corner >> 1 & 1, corner >> 2])
        at = low + offset
        weight = torch.where(offset > 0, share, 1 - share).prod(-1)
        inside = ((at >= 0) & (at < sides)).all(-1)
        i, j, k = torch.minimum(at.clamp_min(0), sides - 1).long().unbind(-1)
        total = total + values[:, k, j, i] * (weight * inside)
    assert isinstance(total, Tensor)
    return total


__all__ = ["Placed", "Samples", "right_angles", "voxel_sums"]

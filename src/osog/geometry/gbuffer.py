"""What the camera's pixels see of the particles, before any optics: for labels and maps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from osog.geometry.buckets import buckets
from osog.geometry.chords import Chord
from osog.geometry.tiles import drawn_patches
from osog.geometry.voxel_maps import volume_map
from osog.particles import assembled

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from osog.particles import Membership, ParticleBatch

_THROUGH = 0.01
"""Share of a path below which what is left of it is that of rounding."""
_SLOT, _FINER = 0.5, 4
"""Share of a path below which a slot may go right through the body within a pixel, and the points
to a pixel, each way, that then tell how much of it shows: walls of slots lean, so that a pixel may
have half of its path left and yet no gap, or a gap of nearly half."""


@dataclass(frozen=True)
class GBuffer:
    """Geometry of a sample on the camera's pixels.

    Attributes
    ----------
    opd : Tensor, shape (Y, X)
        Optical path difference Σ Δn · path in µm.
    path : Tensor, shape (Y, X)
        Σ path through particles in µm.
    depth : Tensor, shape (Y, X), float32
        z in µm of the upper surface of the particle nearest the objective; NaN where no
        particle is.
    instances : Tensor, shape (Y, X), int32
        0 for background, i + 1 where particle i is the nearest to the objective. A particle
        owns a pixel when it covers more than half of it, or, if it is too small ever to do
        so, more than half as much as it covers of any pixel. What the pieces of one particle
        cover adds up, to at most the pixel.
    visible_area : Tensor, shape (N,), int64
        Pixels that bear the particle's number.
    inside_area : Tensor, shape (N,), int64
        Pixels of the frame that it would own if it were alone.
    full_area : Tensor, shape (N,), int64
        The same in a frame without borders.
    silhouettes : list of Silhouette or None
        Pixels that each particle would own if it were alone, where they were asked for.
    """

    opd: Tensor
    path: Tensor
    depth: Tensor
    instances: Tensor
    visible_area: Tensor
    inside_area: Tensor
    full_area: Tensor
    silhouettes: list[Silhouette] | None = None


@dataclass
class Canvas:
    """A G-buffer while its bodies are drawn.

    Attributes
    ----------
    shape : tuple of int
        (Y, X).
    pixel_size_um : float
    path, opd : Tensor, shape (Y X + 1,)
        As in `GBuffer`. One cell behind the image takes what hangs over its border.
    nearest : Tensor, shape (Y X + 1,), int64
        Depth and number in one integer, so that the nearest particle is a plain maximum.
    full, inside : Tensor, shape (N,), int64
        Areas.
    silhouettes : dict of int to Silhouette, or None
        By particle; None where nobody asks.
    """

    shape: tuple[int, int]
    pixel_size_um: float
    path: Tensor
    opd: Tensor
    nearest: Tensor
    full: Tensor
    inside: Tensor
    silhouettes: dict[int, Silhouette] | None

    def hide(self, depth: Tensor, number: Tensor) -> None:
        """Put particles (Y, X), by number from 1, in front of what lies deeper."""
        key = _keys(depth, number).masked_fill(number == 0, _key_floor()).flatten()
        self.nearest[:-1] = torch.maximum(self.nearest[:-1], key)


class Silhouette(NamedTuple):
    """Pixels that a particle would own if it were alone.

    Attributes
    ----------
    row, column : int
        Of the patch's first pixel; may lie outside the frame.
    pixels : ndarray of bool, shape (h, w)
        May reach beyond the frame.
    """

    row: int
    column: int
    pixels: NDArray[np.bool_]


_NOTHING = Silhouette(0, 0, np.zeros((0, 0), dtype=bool))


@torch.no_grad()
def gbuffer(
    batch: ParticleBatch,
    shape: tuple[int, int],
    pixel_size_um: float,
    *,
    silhouettes: bool = False,
    first: Callable[[ParticleBatch, Canvas], Tensor] | None = None,
) -> GBuffer:
    """Draw the geometry of all particles.

    Parameters
    ----------
    batch : ParticleBatch
    shape : tuple of int
        (Y, X) pixels.
    pixel_size_um : float
        Camera pixel in the sample plane.
    silhouettes : bool
        Whether to keep those of all particles, too.
    first : callable, optional
        Draws bodies in another way, on a CPU and where each is a particle; returns the numbers of
        those that are left.

    Returns
    -------
    GBuffer
        Without gradients, on the batch's device; independent of the order of the particles
        except for the numbers themselves.
    """
    batch = assembled(batch.detach())
    rows, columns = shape
    device, members = batch.device, batch.membership
    count = len(batch)
    alone = torch.ones(count, dtype=torch.bool, device=device)
    sign = torch.ones_like(batch.delta_index)
    pieces = Pieces(rows, columns)
    if members is not None:
        count = int((members.host == torch.arange(count, device=device)).sum())
        several = torch.bincount(members.host[members.outer], minlength=count) > 1
        carved = torch.zeros_like(several).index_fill_(0, members.host[members.thickness < 0], True)
        several |= carved | ~members.drawn[:count]
        alone = members.outer & ~several[members.host]
        sign = members.thickness
    contrast_per_um = batch.steps(batch.delta_index)
    pixels = rows * columns
    path = torch.zeros(pixels + 1, dtype=batch.dtype, device=device)
    opd = torch.zeros_like(path)
    nearest = torch.full((pixels + 1,), _key_floor(), dtype=torch.int64, device=device)
    full = torch.zeros(count, dtype=torch.int64, device=device)
    inside = torch.zeros(count, dtype=torch.int64, device=device)
    kept: dict[int, Silhouette] = {}
    pitch = (pixel_size_um, pixel_size_um)
    whole = batch.drawn_apart
    if first is not None and whole is None and members is None and device.type == "cpu":
        areas = (full, inside, kept if silhouettes else None)
        whole = first(batch, Canvas(shape, pixel_size_um, path, opd, nearest, *areas))
    found = buckets(batch, pitch, whole)
    for index, row, column, height, width, chord in drawn_patches(batch, found, pitch):
        r = row[:, None] + torch.arange(height, device=device)
        c = column[:, None] + torch.arange(width, device=device)
        r = torch.where((r >= 0) & (r < rows), r * columns, pixels)
        c = torch.where((c >= 0) & (c < columns), c, pixels)
        cell = (r[:, :, None] + c[:, None, :]).clamp_max(pixels)
        thickness = chord.path
        flat = cell.flatten()
        path.index_add_(0, flat, (thickness * sign[index, None, None]).flatten())
        contrast = thickness * contrast_per_um[index, None, None]
        opd.index_add_(0, flat, contrast.flatten())
        if members is not None and not bool(alone[index].all()):
            more = torch.nonzero((sign[index] != 0) & ~alone[index]).flatten()
            hosts, weights = members.host[index[more]], sign[index[more]]
            pieces.add(hosts, weights, row[more], column[more], chord, more)
            single = torch.nonzero(alone[index]).flatten()
            if not len(single):
                continue
            index, cell, row, column = (t[single] for t in (index, cell, row, column))
            chord = Chord(chord.entry[single], chord.exit[single], chord.coverage[single])
            flat = cell.flatten()
        if members is not None:
            index = members.host[index]

        peak = chord.coverage.amax((-2, -1), keepdim=True)
        owned = chord.coverage > peak.clamp_max(1.0) / 2
        full[index] = owned.sum((-2, -1))
        if silhouettes:
            places = zip(row.tolist(), column.tolist(), owned.cpu().numpy(), strict=True)
            kept |= {k: Silhouette(*p) for k, p in zip(index.tolist(), places, strict=True)}
        inside[index] = (owned & (cell < pixels)).sum((-2, -1))
        chosen = torch.nonzero(owned.flatten()).squeeze(-1)
        number = torch.div(chosen, height * width, rounding_mode="floor")
        key = _keys(chord.top.flatten()[chosen], index[number] + 1)
        nearest.scatter_reduce_(0, flat[chosen], key, "amax")
    if members is not None:
        kept |= pieces.settle(
            nearest, full, inside, lambda hosts: _finer(batch, members, hosts, pixel_size_um)
        )
    for parts in () if batch.voxels is None else batch.voxels.bodies():
        seen = volume_map(batch, parts, pixel_size_um)
        height, width = seen.top.shape
        r = seen.row + torch.arange(height, device=device)
        c = seen.column + torch.arange(width, device=device)
        r = torch.where((r >= 0) & (r < rows), r * columns, pixels)
        c = torch.where((c >= 0) & (c < columns), c, pixels)
        flat = (r[:, None] + c).clamp_max(pixels).flatten()
        path.index_add_(0, flat, seen.path.flatten())
        opd.index_add_(0, flat, seen.opd.flatten())
        particle, place = seen.areas.unbind(1)
        ones = torch.ones_like(particle)
        full.index_add_(0, particle, ones)
        inside.index_add_(0, particle, (flat[place] < pixels).long())
        for k in torch.unique(particle).tolist() if silhouettes else ():
            owned = torch.zeros(height * width, dtype=torch.bool, device=device)
            owned[place[particle == k]] = True
            patch = owned.view(height, width).cpu().numpy()
            kept[k] = Silhouette(int(seen.row), int(seen.column), patch)
        chosen = torch.nonzero(seen.top.flatten() >= 0).squeeze(-1)
        key = _keys(seen.depth.flatten()[chosen], seen.top.flatten()[chosen] + 1)
        nearest.scatter_reduce_(0, flat[chosen], key, "amax")
    nearest = nearest[:pixels].view(rows, columns)
    instances = nearest & 0xFFFFFFFF
    depth = _depth(nearest).masked_fill(instances == 0, torch.nan)
    visible = torch.bincount(instances.flatten(), minlength=count + 1)[1:]
    return GBuffer(
        opd=opd[:pixels].view(rows, columns),
        path=path[:pixels].view(rows, columns),
        depth=depth,
        instances=instances.to(torch.int32),
        visible_area=visible,
        inside_area=inside,
        full_area=full,
        silhouettes=[kept.get(k, _NOTHING) for k in range(count)] if silhouettes else None,
    )


class Pieces:
    """What the pieces of particles cover, until all of them are known.

    Parameters
    ----------
    rows, columns : int
        Size of the frame.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._frame = rows, columns
        self._found: list[tuple[Tensor, ...]] = []

    def add(
        self,
        host: Tensor,
        sign: Tensor,
        row: Tensor,
        column: Tensor,
        chord: Chord,
        which: Tensor,
    ) -> None:
        """Add patches (m, P, Q) that begin at a row and column, of some bodies of a chord.

        What has the sign -1 is taken out.
        """
        cover, height = chord.coverage[which], chord.top[which]
        path = chord.path[which]
        _, p, q = cover.shape
        r = row[:, None, None] + torch.arange(p, device=row.device)[:, None]
        c = column[:, None, None] + torch.arange(q, device=row.device)
        whole = torch.broadcast_tensors(
            host[:, None, None], r, c, cover, height, path, sign[:, None, None]
        )
        seen = cover > 0
        self._found.append(tuple(t[seen] for t in whole))

    def _whole(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Particle, row and column (3, n), coverage, height and share of the path left (n,)."""
        host, r, c, cover, height, path, sign = (
            torch.cat(t) for t in zip(*self._found, strict=True)
        )
        places, group = torch.unique(torch.stack((host, r, c)), dim=1, return_inverse=True)
        solid = sign > 0
        none = cover.new_zeros(places.shape[1])
        total = none.index_add(0, group, cover * solid).clamp_max(1.0)
        height = torch.where(solid, height, -torch.inf)
        top = torch.full_like(none, -torch.inf).scatter_reduce_(0, group, height, "amax")
        # A slot right through the body is no part of its silhouette, a groove is.
        full_path = none.index_add(0, group, path * solid)
        left = none.index_add(0, group, path * sign) / full_path.clamp_min(1e-30)
        return places, total, top, left

    def settle(
        self, nearest: Tensor, full: Tensor, inside: Tensor, finer: Callable[[Tensor], Pieces]
    ) -> dict[int, Silhouette]:
        """Write the keys of the pixels that whole particles own, and their areas, in place.

        What slots leave of a particle is asked of `finer`, which draws the pieces of some
        particles with more points to a pixel.

        Returns
        -------
        dict of int to Silhouette
        """
        if not self._found:
            return {}
        rows, columns = self._frame
        places, total, top, left = self._whole()
        host, r, c = places
        slotted = torch.zeros(len(full), dtype=torch.bool, device=host.device)
        slotted[host[(left < _SLOT) & (total > 0)]] = True
        if slotted.any():
            fine, shown, _, left = finer(torch.nonzero(slotted).flatten())._whole()
            pixel = torch.stack((fine[0], fine[1] // _FINER, fine[2] // _FINER))
            pixel, group = torch.unique(pixel, dim=1, return_inverse=True)
            share = shown.new_zeros(pixel.shape[1]).index_add_(0, group, shown * (left > _THROUGH))
            every, place = torch.unique(torch.cat([places, pixel], 1), dim=1, return_inverse=True)
            spread = total.new_zeros(every.shape[1])
            spread[place[len(host) :]] = share / _FINER**2
            total = torch.where(slotted[host], spread[place[: len(host)]], total)
        peak = total.new_zeros(len(full)).scatter_reduce_(0, host, total, "amax")
        owned = total > peak[host] / 2
        host, r, c, top = host[owned], r[owned], c[owned], top[owned]
        full.index_add_(0, host, torch.ones_like(host))
        found = {}
        for one in torch.unique(places[0]).tolist():
            mine = host == one
            y, x = r[mine].cpu(), c[mine].cpu()
            low = (int(y.min()), int(x.min())) if len(y) else (0, 0)
            size = (int(y.max()) - low[0] + 1, int(x.max()) - low[1] + 1) if len(y) else (1, 1)
            pixels = torch.zeros(size, dtype=torch.bool)
            pixels[y - low[0], x - low[1]] = True
            found[one] = Silhouette(*low, pixels.numpy())
        seen = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
        host, cell, top = host[seen], (r * columns + c)[seen], top[seen]
        inside.index_add_(0, host, torch.ones_like(host))
        nearest.scatter_reduce_(0, cell, _keys(top, host + 1), "amax")
        return found


def _finer(
    batch: ParticleBatch, members: Membership, hosts: Tensor, pixel_size_um: float
) -> Pieces:
    """Pieces of some particles on a grid of `_FINER` points to a pixel, each way."""
    chosen = torch.isin(members.host, hosts) & (members.thickness != 0) & members.drawn
    pitch = pixel_size_um / _FINER
    moved = batch.position.clone()
    moved[:, :2] += (pixel_size_um - pitch) / 2  # pixels are counted from the middle of the first
    batch = replace(batch, position=moved)
    found = buckets(batch, (pitch, pitch), torch.nonzero(chosen).flatten())
    pieces = Pieces(0, 0)
    for index, row, column, _, _, chord in drawn_patches(batch, found, (pitch, pitch)):
        every = torch.arange(len(index), device=index.device)
        pieces.add(members.host[index], members.thickness[index], row, column, chord, every)
    return pieces


def _key_floor() -> int:
    """Key below every particle's, with the number 0."""
    return -(2**63)


def _keys(depth: Tensor, number: Tensor) -> Tensor:
    """Integers that sort by depth (as float32), then by number."""
    bits = depth.to(torch.float32).view(torch.int32)
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (ordered.long() << 32) | number


def _depth(key: Tensor) -> Tensor:
    """Depth (float32) of a key."""
    ordered = (key >> 32).to(torch.int32)
    return (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).view(torch.float32)

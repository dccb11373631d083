"""Patches of many bodies drawn together, tile by tile where a body fills little of its patch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from osog.geometry.buckets import patch_grid
from osog.geometry.chords import Chord, chords
from osog.geometry.shape import Bodies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from osog.geometry.buckets import Bucket
    from osog.geometry.shape import Shape
    from osog.particles import ParticleBatch

_CHUNK_PX = 150_000
"""Pixels drawn at a time: small enough for the cache."""
_SIDE = 8
"""Pixels of a side of a tile."""
_DIRECTIONS = 16
"""Of the polygon around a silhouette, outside of which no tile is drawn."""
_MARGIN_PX = 2.0
"""How far beyond the silhouette its soft edge may reach, as at the border of a patch."""
_LEAST_SIDE = 32
"""Patches are drawn whole whose longer side is below this many pixels."""


class Patches(NamedTuple):
    """Bodies of one shape on patches of one size.

    Attributes
    ----------
    members : Tensor, shape (n,), int64
        Of the bodies in their batch.
    row, column : Tensor, shape (n,), int64
        First pixel of each patch; may lie outside the frame.
    height, width : int
        Pixels of a patch.
    chord : Chord
        One sample a pixel at flat faces, enough for masks.
    """

    members: Tensor
    row: Tensor
    column: Tensor
    height: int
    width: int
    chord: Chord


class _Tiles(NamedTuple):
    """Body, row and column of every tile of some patches that is to be drawn."""

    number: Tensor
    down: Tensor
    along: Tensor


class _Waiting(NamedTuple):
    """Patches that are still to be drawn."""

    members: Tensor
    bodies: Bodies
    position: Tensor
    row: Tensor
    column: Tensor
    size: tuple[int, int]
    tiles: _Tiles


def drawn_patches(
    batch: ParticleBatch, found: Iterable[Bucket], pitch_um: tuple[float, float]
) -> Iterator[Patches]:
    """Draw bodies on their patches, in the order of the buckets.

    A needle across the axes fills a fifth of its patch. On a CPU only the tiles that its silhouette
    meets are drawn, those of all sizes of patches together; a GPU would wait for the host to
    choose them.

    Parameters
    ----------
    batch : ParticleBatch
    found : iterable of Bucket
    pitch_um : tuple of float
        (y, x) pixel size.

    Yields
    ------
    Patches
        Without any length or coverage on tiles that were left out.
    """
    waiting: list[_Waiting] = []
    shape: Shape | None = None
    pixels = 0
    for form, height, width, group in found:
        for index in torch.split(group, max(1, _CHUNK_PX // (height * width))):
            bodies, position = Bodies.of(batch, index, form), batch.position[index]
            row, column, x, y = patch_grid(position, height, width, pitch_um)
            if not _is_slender(form, bodies, position, (height, width), pitch_um):
                yield from _together(shape, waiting, pitch_um)
                waiting, pixels = [], 0
                chord = _chords(form, x, y, position, bodies, pitch_um)
                yield Patches(index, row, column, height, width, chord)
                continue
            size = (height, width)
            tiles = _tiles(form, bodies, position, row, column, size, pitch_um)
            mine = len(tiles.number) * _SIDE**2
            if waiting and (form is not shape or pixels + mine > _CHUNK_PX):
                yield from _together(shape, waiting, pitch_um)
                waiting, pixels = [], 0
            shape, pixels = form, pixels + mine
            waiting.append(_Waiting(index, bodies, position, row, column, size, tiles))
    yield from _together(shape, waiting, pitch_um)


def _together(
    shape: Shape | None, waiting: list[_Waiting], pitch_um: tuple[float, float]
) -> Iterator[Patches]:
    """Draw the tiles of patches of several sizes in one go."""
    if shape is None or not waiting:
        return
    steps = torch.arange(_SIDE)
    left = torch.cat([w.column[w.tiles.number] + w.tiles.along * _SIDE for w in waiting])
    top = torch.cat([w.row[w.tiles.number] + w.tiles.down * _SIDE for w in waiting])
    position = torch.cat([w.position[w.tiles.number] for w in waiting])
    taken = [w.bodies.taken(w.tiles.number) for w in waiting]
    bodies = Bodies(torch.cat([b.quaternion for b in taken]), torch.cat([b.size for b in taken]))
    x = ((left[:, None] + steps).to(position.dtype) * pitch_um[1])[:, None, :]
    y = ((top[:, None] + steps).to(position.dtype) * pitch_um[0])[:, :, None]
    chord = _chords(shape, x, y, position, bodies, pitch_um)
    counts = [len(w.tiles.number) for w in waiting]
    parts = (torch.split(part, counts) for part in (chord.entry, chord.exit, chord.coverage))
    for patches, entry, leave, coverage in zip(waiting, *parts, strict=True):
        whole = Chord(*(_whole(part, patches) for part in (entry, leave, coverage)))
        height, width = patches.size
        yield Patches(patches.members, patches.row, patches.column, height, width, whole)


def _whole(part: Tensor, patches: _Waiting) -> Tensor:
    """Tiles (m, K P, P) put into patches (n, K height, width)."""
    count, (height, width) = len(patches.members), patches.size
    pieces = part.shape[1] // _SIDE
    rows, columns = (math.ceil(side / _SIDE) for side in patches.size)
    out = part.new_zeros(count, rows, columns, pieces, _SIDE, _SIDE)
    out[patches.tiles] = part.unflatten(1, (pieces, _SIDE))
    out = out.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
    return out[:, :, :height, :width].reshape(count, pieces * height, width)


def _chords(
    shape: Shape,
    x: Tensor,
    y: Tensor,
    position: Tensor,
    bodies: Bodies,
    pitch_um: tuple[float, float],
) -> Chord:
    planes, mask = bodies.planes, bodies.plane_mask
    quaternion, size = bodies.quaternion, bodies.size
    return chords(shape, x, y, position, quaternion, size, planes, mask, pitch_um, wall_samples=1)


def _is_slender(
    shape: Shape,
    bodies: Bodies,
    position: Tensor,
    size: tuple[int, int],
    pitch_um: tuple[float, float],
) -> bool:
    """Whether tiles may pay: bodies with faces of their own cost more by body than by pixel."""
    if position.device.type != "cpu" or max(size) < _LEAST_SIDE or bodies.planes is not None:
        return False
    widest = 2 * float(shape.half_width(bodies).max()) / min(pitch_um)
    return widest + 2 * _MARGIN_PX < max(size) / 2


def _tiles(
    shape: Shape,
    bodies: Bodies,
    position: Tensor,
    row: Tensor,
    column: Tensor,
    size: tuple[int, int],
    pitch_um: tuple[float, float],
) -> _Tiles:
    """Choose the tiles that silhouettes meet."""
    angle = torch.arange(_DIRECTIONS, dtype=position.dtype) * (2 * math.pi / _DIRECTIONS)
    normal = torch.stack([angle.cos(), angle.sin()], -1)
    reach = (shape.outline(bodies, normal) @ normal.T).amax(1)
    rows, columns = (torch.arange(math.ceil(side / _SIDE)) * _SIDE for side in size)
    py, px = pitch_um
    middle = (_SIDE - 1) / 2
    y = (row[:, None] + rows + middle) * py - position[:, 1:2]
    x = (column[:, None] + columns + middle) * px - position[:, 0:1]
    # As far as the corners of the outermost pixels.
    slack = math.hypot(py, px) * _SIDE / 2 + _MARGIN_PX * max(py, px)
    along = y[:, :, None, None] * normal[:, 1] + x[:, None, :, None] * normal[:, 0]
    kept = (along <= (reach + slack)[:, None, None, :]).all(-1)
    return _Tiles(*torch.nonzero(kept, as_tuple=True))


__all__ = ["Patches", "drawn_patches"]

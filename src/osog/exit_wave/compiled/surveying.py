"""Silhouettes, paths and depths by compiled loops, for the shapes that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from osog.exit_wave.compiled.choice import compile_in_background, loops_of
from osog.exit_wave.compiled.drawing import windows
from osog.geometry import Bodies, Silhouette, by_shape, drawn_levels, half_extents

if TYPE_CHECKING:
    from osog.geometry import Canvas
    from osog.sample import ParticleBatch

_MARGIN_PX = 2
"""Pixels beyond the silhouette on every side, for its anti-aliased edge."""
_FEW = 1000
"""Bodies up to which loops of the host are sooner done than a GPU."""


def where_surveyed(batch: ParticleBatch) -> ParticleBatch:
    """Return a batch where its silhouettes are soonest drawn.

    On a GPU some thousand operations must be started for each shape, however few its bodies are.

    Parameters
    ----------
    batch : ParticleBatch

    Returns
    -------
    ParticleBatch
        In the memory of the host where compiled loops draw all of a few bodies there; else as it
        is.
    """
    if batch.device.type == "cpu" or not 0 < len(batch) <= _FEW:
        return batch
    if batch.parts is not None or batch.voxels is not None:
        return batch
    here = batch.for_planning()
    shapes = [shape for shape, _ in by_shape(here)]
    if not all(shape.arithmetic for shape in shapes):
        return batch
    missing = [shape for shape in shapes if loops_of(shape, here.dtype) is None]
    compile_in_background(missing, here.dtype)
    return batch if missing else here


def survey(batch: ParticleBatch, canvas: Canvas) -> Tensor:
    """Draw bodies on a canvas of `osog.geometry.gbuffer`.

    Parameters
    ----------
    batch : ParticleBatch
        On a CPU, each particle one body.
    canvas : Canvas
        Drawn on in place.

    Returns
    -------
    Tensor, shape (m,), int64
        Bodies that are left to torch, ascending: of shapes without compiled loops, cut off by
        planes, or so small that simpler ones stand for them.
    """
    left: list[Tensor] = []
    for shape, index in by_shape(batch):
        module = loops_of(shape, batch.dtype) if shape.arithmetic else None
        if module is None or shape.planes_of(batch, index)[0] is not None:
            left.append(index)
            continue
        bodies = Bodies.of(batch, index, shape)
        levels = drawn_levels(shape, bodies, canvas.pixel_size_um, 1)
        if levels.speck is not None:
            left.append(index[levels.speck])
            index = index[~levels.speck]
            bodies = Bodies.of(batch, index, shape)
            levels = drawn_levels(shape, bodies, canvas.pixel_size_um, 1)
        if not len(index):
            continue
        patch, room = _patches(batch, index, canvas.pixel_size_um, levels.samples)
        along, width = shape.strip(bodies.resized(levels.fine))
        bodies_as_numbers = (
            batch.position[index],
            bodies.quaternion,
            levels.fine,
            bodies.size,
            torch.cat([along, width[:, None]], 1),
            torch.stack([levels.share, levels.factor], 1),
            batch.steps(batch.delta_index)[index],
        )
        top = np.full(canvas.shape, -np.inf, dtype=np.float32)
        uppermost = np.zeros(canvas.shape, dtype=np.int64)
        areas, owned = np.zeros((len(index), 2), dtype=np.int64), np.zeros(room, dtype=bool)
        module.survey(
            patch,
            *(t.contiguous().numpy() for t in bodies_as_numbers),
            np.full(2, canvas.pixel_size_um),
            windows(batch.dtype),
            *(t[:-1].view(canvas.shape).numpy() for t in (canvas.path, canvas.opd)),
            top,
            uppermost,
            areas,
            owned,
        )
        canvas.hide(torch.from_numpy(top), torch.from_numpy(uppermost))
        full, inside = torch.from_numpy(areas).unbind(1)
        canvas.full[index], canvas.inside[index] = full, inside
        if canvas.silhouettes is None:
            continue
        for row, column, height, breadth, number, begin, _ in patch.tolist():
            pixels = owned[begin : begin + height * breadth].reshape(height, breadth)
            canvas.silhouettes[number - 1] = Silhouette(row, column, pixels)
    return torch.cat([*left, torch.zeros(0, dtype=torch.int64)]).sort().values


def _patches(
    batch: ParticleBatch, index: Tensor, pixel_size_um: float, samples: Tensor
) -> tuple[np.ndarray, int]:
    """Row, column, height, width, number from 1, place of the pixels, and sub-samples (n, 7)."""
    half = half_extents(batch, index)[:, :2].double() / pixel_size_um
    centre = batch.position[index, :2].double() / pixel_size_um
    low = (centre - half).floor().long() - _MARGIN_PX
    size = (centre + half).ceil().long() + _MARGIN_PX + 1 - low
    begin = size.prod(1).cumsum(0)
    columns = (low[:, 1], low[:, 0], size[:, 1], size[:, 0], index + 1, begin - size.prod(1))
    return torch.stack([*columns, samples], 1).numpy(), int(begin[-1])


__all__ = ["survey", "where_surveyed"]

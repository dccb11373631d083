"""The deposit and its adjoint by compiled code, for the shapes that have it.

On a CPU loops draw, on a GPU kernels (`gpu_drawing`); both take the same numbers of each body.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from osog.cancellation import raise_if_cancelled
from osog.exit_wave.compiled.choice import TARGETS, loops_of, on_gpu
from osog.geometry import Bodies, drawn_levels, sampling_window
from osog.geometry.edges import SPREAD
from osog.transfers import moved_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from osog.exit_wave.raster import PatchBatch, Raster
    from osog.geometry import DrawnLevels, Shape
    from osog.sample import ParticleBatch

_BAND = 128
"""Least rows of the grid that a thread takes, and after which a cancelled render stops."""
_PART = 256
"""Least bodies that a thread takes backward."""
_LEVELS = (1, 2, 4, 7, 8)


@dataclass(frozen=True)
class Drawing:
    """The bodies of one drawn shape, as compiled code takes them.

    Attributes
    ----------
    shape : Shape
        Whose formulas draw them.
    own : Shape
        That they have, which is another one for specks.
    index : Tensor, shape (n,)
        Particle numbers.
    patch : Tensor, shape (n, 7)
        Row, column, height, width, first slab, last slab, sub-samples a side.
    numbers : Tensor, shape (n, 3)
        Share of the coarser level, factor of thickened bodies, squeeze.
    bound : Tensor, shape (n, 3)
        Direction in the image (x, y) and half width in µm of the strip that holds each.
    fine, coarse, quaternion, position : Tensor
        Sizes at both levels and the pose.
    spans : list of (int, int, int, int)
        Begin, end, height and width of runs of patches of one size.
    """

    shape: Shape
    own: Shape
    index: Tensor
    patch: Tensor
    numbers: Tensor
    bound: Tensor
    fine: Tensor
    coarse: Tensor
    quaternion: Tensor
    position: Tensor
    spans: list[tuple[int, int, int, int]]

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What both loops take after the window of slabs."""
        given = (
            self.patch, self.position, self.quaternion, self.fine, self.coarse, self.bound,
            self.numbers,
        )  # fmt: skip
        return tuple(t.numpy() for t in given)

    def on(self, device: torch.device) -> Drawing:
        """Return the same on a device."""
        names = [f.name for f in fields(self) if isinstance(getattr(self, f.name), Tensor)]
        moved = moved_together([getattr(self, name) for name in names], device)
        found: dict[str, Any] = dict(zip(names, moved, strict=True))
        return replace(self, **found)


@dataclass(frozen=True)
class Drawings:
    """What compiled code draws of a raster, and what is left to torch."""

    compiled: list[tuple[ModuleType, Drawing]]
    rest: list[PatchBatch]


def drawings(raster: Raster, batch: ParticleBatch) -> Drawings:
    """Share the bodies of a raster among compiled code and torch; once for each raster.

    Parameters
    ----------
    raster : Raster
    batch : ParticleBatch
        That of the raster, with its numbers.
    """
    if batch.device.type not in TARGETS:
        return Drawings([], raster.patch_batches)
    read = (batch.position, batch.quaternion, batch.size, batch.planes)
    numbers = tuple(t.data_ptr() for t in read)
    if "drawings" not in raster.kept or raster.kept["drawings"][0] != numbers:
        raster.kept["drawings"] = (numbers, _shared(raster, batch))
    found: Drawings = raster.kept["drawings"][1]
    return found


def _shared(raster: Raster, batch: ParticleBatch) -> Drawings:
    found: list[tuple[ModuleType, Drawing]] = []
    rest: list[PatchBatch] = []
    groups: dict[Shape, list[tuple[PatchBatch, PatchBatch]]] = {}
    target = batch.device.type
    here = batch.for_planning()
    for planned, patches in zip(raster.planned, raster.patch_batches, strict=True):
        groups.setdefault(patches.shape, []).append((planned, patches))
    for shape, pairs in groups.items():
        planned_members, members = ([pair[k] for pair in pairs] for k in (0, 1))
        module = loops_of(shape, batch.dtype, target)
        first = planned_members[0].index
        cut = not shape.has_planes and shape.planes_of(here, first)[0] is not None
        if module is None or cut:
            rest += members
            continue
        mine = 0
        for drawing in _drawings(raster, here, shape, planned_members):
            own = module if drawing.shape is shape else loops_of(drawing.shape, batch.dtype, target)
            if own is None:
                rest += members
                found = found[: len(found) - mine]
                break
            found.append((own, drawing.on(batch.device)))
            mine += 1
    return Drawings(found, rest)


def _drawings(
    raster: Raster, batch: ParticleBatch, shape: Shape, members: list[PatchBatch]
) -> Iterable[Drawing]:
    plan = raster.plan
    index = torch.cat([m.index for m in members])
    patch = torch.cat(
        [
            torch.stack(
                [m.row, m.column, torch.full_like(m.row, m.height),
                 torch.full_like(m.row, m.width), m.first, m.last], 1,
            )
            for m in members
        ]
    )  # fmt: skip
    if not on_gpu(raster.device):
        # Neighbours in memory one after another: by band of rows, slab and column.
        row, column, first = patch[:, 0].numpy(), patch[:, 1].numpy(), patch[:, 4].numpy()
        order = torch.from_numpy(np.lexsort((column, first, row // _BAND)))
        index, patch = index[order], patch[order]
    spans = _spans(members)
    bodies = Bodies.of(batch.detach(), index, shape)
    levels = drawn_levels(shape, bodies, min(plan.pitch_um), base_samples(shape, raster))
    everyone = torch.arange(len(index), device=index.device)
    if levels.speck is None:
        yield _drawing(raster, batch, (shape, shape), index, patch, spans, bodies, levels)
        return
    specks, others = everyone[levels.speck], everyone[~levels.speck]
    whole = shape.volume(bodies)
    drawn, simpler = shape.speck(bodies, min(plan.pitch_um))
    factor = whole / drawn.volume(simpler)
    for which, by, of in ((others, shape, bodies), (specks, drawn, simpler)):
        if len(which) == 0:
            continue
        mine = type(levels)(
            levels.samples[which],
            levels.share[which],
            of.size[which] if by is not shape else levels.fine[which],
            factor[which] if by is not shape else levels.factor[which],
        )
        largest = [(0, len(which), max(s[2] for s in spans), max(s[3] for s in spans))]
        yield _drawing(
            raster, batch, (shape, by), index[which], patch[which], largest, of.taken(which), mine
        )


def _spans(members: list[PatchBatch]) -> list[tuple[int, int, int, int]]:
    spans: list[tuple[int, int, int, int]] = []
    begin = 0
    for m in members:
        end = begin + len(m.index)
        if spans and spans[-1][2:] == (m.height, m.width):
            spans[-1] = (spans[-1][0], end, m.height, m.width)
        else:
            spans.append((begin, end, m.height, m.width))
        begin = end
    return spans


def base_samples(shape: Shape, raster: Raster) -> int:
    """Sub-samples a side that all bodies of a shape get at least."""
    return raster.wall_samples if shape.flat_faces else 1


def _drawing(
    raster: Raster,
    batch: ParticleBatch,
    shapes: tuple[Shape, Shape],
    index: Tensor,
    patch: Tensor,
    spans: list[tuple[int, int, int, int]],
    bodies: Bodies,
    levels: DrawnLevels,
) -> Drawing:
    own, shape = shapes
    along, width = shape.strip(bodies.resized(levels.fine))
    fine, coarse = _drawn_numbers(shape, bodies, levels, raster)
    squeeze = torch.ones_like(width)
    if raster.squeeze is not None:
        squeeze = raster.squeeze.to(index.device)[index]
    return Drawing(
        shape=shape,
        own=own,
        index=index,
        patch=_array(torch.cat([patch, levels.samples[:, None]], 1)),
        numbers=_array(torch.stack([levels.share, levels.factor, squeeze.to(width)], 1)),
        bound=_array(torch.cat([along, width[:, None]], 1)),
        fine=_array(fine),
        coarse=_array(coarse),
        quaternion=_array(bodies.quaternion),
        position=_array(batch.position[index]),
        spans=spans,
    )


def _drawn_numbers(
    shape: Shape, bodies: Bodies, levels: DrawnLevels, raster: Raster
) -> tuple[Tensor, Tensor]:
    """What loops take of each body at its own level and at the coarser one, differentiable."""
    if not shape.walled:
        return levels.fine, bodies.size
    # The same walls at every level but for edges too short to turn, and for thickened bodies.
    cells = [_kernel(k)[1] if k in _LEVELS else 0.0 for k in range(_LEVELS[-1] + 1)]
    sides = min(raster.plan.pitch_um) * torch.tensor(cells).to(bodies.size)
    fine = shape.walls(bodies.resized(levels.fine), sides[levels.samples][:, None]).table
    if not bool((levels.share > 0).any()):
        return fine, fine.detach()
    less = sides[(levels.samples // 2).clamp_min(1)]
    return fine, shape.walls(bodies, less[:, None]).table


def add_bodies(
    pairs: Sequence[tuple[ModuleType, Drawing]],
    raster: Raster,
    coefficients: Sequence[Tensor],
    slabs: range,
    out: Tensor,
) -> None:
    """Add coefficient × length of bodies to slabs (C, K, Gy, Gx), each sample in a fixed order."""
    target = out.numpy()
    rows = target.shape[2]
    for module, drawing in pairs:
        density = densities(raster, drawing, coefficients).numpy()
        patch = drawing.patch.numpy()
        threads = torch.get_num_threads()
        band = max(_BAND, -(-rows // (4 * threads)))
        calls = []
        for top in range(0, rows, band):
            bottom = min(top + band, rows)
            inside = (patch[:, 0] < bottom) & (patch[:, 0] + patch[:, 2] > top)
            inside &= (patch[:, 4] < slabs.stop) & (patch[:, 5] >= slabs.start)
            chosen = np.flatnonzero(inside)
            if len(chosen):
                calls.append(
                    partial(
                        module.deposit, target, top, bottom, chosen, slabs.start, *drawing.arrays,
                        density, plan_numbers(raster).numpy(), windows(out.dtype),
                    )
                )  # fmt: skip
        _run(calls, threads)


def pull_back_bodies(
    pairs: Sequence[tuple[ModuleType, Drawing]],
    raster: Raster,
    batch: ParticleBatch,
    coefficients: Sequence[Tensor],
    gradients: Tensor,
    slabs: range,
    into: Any,
) -> None:
    """Pull gradients of slabs (C, K, Gy, Gx) back; the exact adjoint of `add_bodies`."""
    values = gradients.numpy()
    for module, d in pairs:
        density = densities(raster, d, coefficients).numpy()
        patch, position, quaternion, fine, coarse, _, numbers = d.arrays
        given = (position, quaternion, fine, coarse, numbers, density)
        to = [np.zeros_like(a) for a in given]
        threads = torch.get_num_threads()
        inside = (patch[:, 4] < slabs.stop) & (patch[:, 5] >= slabs.start)
        chosen = np.flatnonzero(inside)
        part = max(_PART, -(-len(chosen) // (4 * threads)))
        calls = [
            partial(
                module.adjoint, values, begin, min(begin + part, len(chosen)), chosen, slabs.start,
                *d.arrays, density, plan_numbers(raster).numpy(),
                windows(gradients.dtype), *to,
            )
            for begin in range(0, len(chosen), part)
        ]  # fmt: skip
        _run(calls, threads)
        pulled_back(raster, batch, d, tuple(map(torch.from_numpy, to)), into)


def pulled_back(
    raster: Raster, batch: ParticleBatch, d: Drawing, to: Sequence[Tensor], into: Any
) -> None:
    """Add gradients in the numbers of a drawing to those of the particles."""
    position, quaternion, fine, coarse, numbers, by_density = to
    into.position.index_add_(0, d.index, position)
    into.quaternion.index_add_(0, d.index, quaternion)
    if d.shape.walled or d.own is not d.shape or bool(d.patch[:, 6].max() > 1):
        _through_levels(raster, batch, d, (fine, coarse, numbers), into)
    else:
        into.size[:, : fine.shape[1]].index_add_(0, d.index, coarse + fine)
    for total, mine in zip(into.coefficients, by_density, strict=True):
        mine = mine * raster.plan.slab_um
        if raster.squeeze is not None:
            mine = mine / raster.squeeze[d.index]
        total.index_add_(0, d.index, mine)


def _through_levels(
    raster: Raster,
    batch: ParticleBatch,
    d: Drawing,
    pulled: tuple[Tensor, Tensor, Tensor],
    into: Any,
) -> None:
    """Pull gradients in drawn numbers, shares and factors back to the bodies."""
    plain = Bodies.of(batch.detach(), d.index, d.own)
    inputs = [t for t in (plain.quaternion, plain.size, plain.planes) if t is not None]
    fine, coarse, numbers = pulled
    pitch = min(raster.plan.pitch_um)
    with torch.enable_grad():
        inputs = [t.detach().requires_grad_() for t in inputs]
        planes = inputs[2] if len(inputs) > 2 else None
        bodies = Bodies(inputs[0], inputs[1], planes, plain.plane_mask)
        if d.own is d.shape:
            levels = drawn_levels(d.own, bodies, pitch, base_samples(d.own, raster))
            results = [*_drawn_numbers(d.own, bodies, levels, raster), levels.share, levels.factor]
            gradients = [fine, coarse, numbers[:, 0], numbers[:, 1]]
        else:
            drawn, simpler = d.own.speck(bodies, pitch)
            results = [simpler.size, d.own.volume(bodies) / drawn.volume(simpler), bodies.size]
            gradients = [fine, numbers[:, 1], coarse]
        pairs = [(r, g) for r, g in zip(results, gradients, strict=True) if r.requires_grad]
        found = torch.autograd.grad(
            [r for r, _ in pairs], inputs, [g for _, g in pairs], allow_unused=True
        )
    quaternion, size = found[:2]
    if quaternion is not None:
        into.quaternion.index_add_(0, d.index, quaternion)
    if size is not None:
        into.size[:, : size.shape[1]].index_add_(0, d.index, size)
    if len(found) > 2 and found[2] is not None:
        into.add_planes(d.index, found[2])


def densities(raster: Raster, d: Drawing, coefficients: Sequence[Tensor]) -> Tensor:
    """What a slab spacing of each body adds to each output (C, n)."""
    squeeze = 1.0 if raster.squeeze is None else raster.squeeze[d.index]
    slab = raster.plan.slab_um
    return _array(torch.stack([c[d.index] * slab / squeeze for c in coefficients]))


def plan_numbers(raster: Raster) -> Tensor:
    """Pitch, corner, slab spacing and lowest slab as compiled code takes them."""
    plan = raster.plan
    numbers = (*plan.pitch_um, *plan.corner_um, plan.slab_um, float(plan.first_slab))
    return torch.tensor(numbers, dtype=torch.float64)


@cache
def windows(dtype: torch.dtype) -> np.ndarray:
    """Sub-samples at each level: their count and the cell of each, and their weights."""
    real = np.float32 if dtype == torch.float32 else np.float64
    kinds = {level: _kernel(level) for level in _LEVELS}
    table = np.zeros((max(_LEVELS) + 1, 2, max(len(s) for s, _ in kinds.values()) + 1), dtype=real)
    for level, (share, cell) in kinds.items():
        table[level, 0, :2] = len(share), cell
        table[level, 1, : len(share)] = share
    return table


def _kernel(level: int) -> tuple[tuple[float, ...], float]:
    """Weights of the sub-samples along a side, and the cell of each in samples of the grid."""
    return ((1.0,), SPREAD) if level == 1 else sampling_window(level)[1:]


def _run(calls: Sequence[Callable[[], None]], threads: int) -> None:
    """Run calls that do not touch each other's numbers, several at once."""
    if threads == 1 or len(calls) == 1:
        for call in calls:
            raise_if_cancelled()
            call()
        return
    raise_if_cancelled()
    with ThreadPoolExecutor(min(threads, len(calls)), "osog-deposit") as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()
    raise_if_cancelled()


def _array(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous()


__all__ = [
    "Drawing",
    "Drawings",
    "add_bodies",
    "base_samples",
    "densities",
    "drawings",
    "plan_numbers",
    "pull_back_bodies",
    "pulled_back",
    "windows",
]

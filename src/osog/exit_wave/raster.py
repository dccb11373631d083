"""Which patch of which particle goes where: a deposit as far as it has no gradient."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from osog.exit_wave.compiled.choice import loops_of, on_gpu
from osog.exit_wave.volume_deposit import VolumeBody, volume_bodies
from osog.geometry import (
    Bodies,
    Shape,
    buckets,
    chords,
    half_extents,
    sub_samples,
)
from osog.geometry.edges import REACH, SPREAD
from osog.geometry.sub_samples import FINEST
from osog.transfers import moved_together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.sample import ParticleBatch
    from osog.waves.sampling_plan import SamplingPlan

_BATCH_SAMPLES = {"cpu": 160_000, "cuda": 8_000_000, "mps": 2_000_000}
"""Patch samples handled at once: what fits the cache of a CPU core, or fills an accelerator."""
_BAND = 64
"""Rows of the grid whose slabs stay in the cache while their particles are summed."""

_RIM = SPREAD * REACH / 2 + 0.1
"""Samples that an edge is drawn beyond the silhouette: the half width of the kernel, and what the
levels of a strongly curved edge make of it."""


@dataclass(frozen=True)
class PatchBatch:
    """Particles of one shape family with patches of one size, near each other in the domain.

    Attributes
    ----------
    shape : Shape
    index : Tensor, shape (n,)
        Particle numbers.
    row, column : Tensor, shape (n,)
        First sample of each patches, which lies wholly in the field grid.
    height, width : int
        Size of the patches.
    first : Tensor, shape (n,)
        First slab that each particle touches, counted from the plan's lowest.
    last : Tensor, shape (n,)
        Last slab.
    lowest, highest : int
        First and last slab that any of them may touch.
    depth : int
        Slabs that the deepest of them touches.
    points : int
        Points within a sample at which the finest of them are drawn.
    """

    shape: Shape
    index: Tensor
    row: Tensor
    column: Tensor
    height: int
    width: int
    first: Tensor
    last: Tensor
    lowest: int
    highest: int
    depth: int
    points: int = 1

    def smaller(self, most_points: int) -> Iterator[PatchBatch]:
        """Yield the same patches, few enough at a time to hold no more points than that.

        Parameters
        ----------
        most_points : int
        """
        each = self.height * self.width * self.points
        count = max(1, most_points // each)
        for start in range(0, len(self.index), count):
            part = slice(start, start + count)
            yield replace(
                self,
                index=self.index[part],
                row=self.row[part],
                column=self.column[part],
                first=self.first[part],
                last=self.last[part],
            )


class Raster:
    """Which patch of which particle goes where: everything about a deposit that has no gradient.

    Parameters
    ----------
    batch : ParticleBatch
        Detached numbers suffice.
    plan : SamplingPlan
    thin : Tensor of bool, shape (N,), optional
        Particles that are squeezed into a thin sheet at their centre (projection).

    Attributes
    ----------
    planned : list of PatchBatch
        Where plans are made, see `ParticleBatch.for_planning`.
    occupied : list of int
        Slabs in which something may lie.
    squeeze : Tensor or None, shape (N,)
        Factor on the height of particles that are thin sheets, on the device of the batch.
    kept : dict
        What those who draw from it have worked out once.
    """

    def __init__(
        self, batch: ParticleBatch, plan: SamplingPlan, thin: Tensor | None = None
    ) -> None:
        self.plan, self.device = plan, batch.device
        self.planned: list[PatchBatch] = []
        self.occupied: list[int] = []
        self.squeeze: Tensor | None = None
        self.kept: dict[str, Any] = {}
        self.volumes: list[VolumeBody] = volume_bodies(batch.detach(), plan)
        if len(batch) == 0:
            return
        here = batch.for_planning()
        half = half_extents(here, torch.arange(len(here), device=here.device))
        reach = half[:, 2]
        if thin is not None and bool(thin.any()):
            # A tenth of a slab is thin enough for the splat weights and exact in float32; whole
            # powers of two keep the factor constant while a size changes.
            sheet = torch.exp2(torch.floor(torch.log2(0.05 * plan.slab_um / half[:, 2])))
            sheet = sheet.clamp(max=1.0)
            sheet = torch.where(thin.to(here.device), sheet, torch.ones_like(sheet))
            reach = reach * sheet
            self.squeeze = sheet.to(self.device)
        self._build(here, half, reach)

    @cached_property
    def patch_batches(self) -> list[PatchBatch]:
        """The patches on the device of the batch."""
        columns = [c for p in self.planned for c in (p.index, p.row, p.column, p.first, p.last)]
        if all(c.device == self.device for c in columns):
            return self.planned
        there = iter(moved_together(columns, self.device))
        found = []
        for p in self.planned:
            index, row, column, first, last = (next(there) for _ in range(5))
            found.append(replace(p, index=index, row=row, column=column, first=first, last=last))
        return found

    def _build(self, batch: ParticleBatch, half: Tensor, reach: Tensor) -> None:
        plan = self.plan
        (py, px), (cy, cx) = plan.pitch_um, plan.corner_um
        gy, gx = plan.grid_shape
        z = batch.position[:, 2]
        lowest = plan.first_slab
        first = torch.floor((z - reach) / plan.slab_um - 1e-4).long() - lowest
        last = torch.ceil((z + reach) / plan.slab_um + 1e-4).long() - lowest
        first, last = first.clamp(0, plan.slabs - 1), last.clamp(0, plan.slabs - 1)
        used = torch.zeros(plan.slabs, dtype=torch.bool)
        for body in self.volumes:
            used[body.slabs.start : body.slabs.stop] = True
        found = buckets(batch, plan.pitch_um, batch.drawn_apart, _RIM + 0.5)
        if found:
            every = torch.cat([bucket.members for bucket in found])
            sizes = [(len(b.members), b.height, b.width) for b in found]
            group, height, width = _spread(sizes, every.device)
            row = torch.ceil((batch.position[every, 1] - half[every, 1] - cy) / py - _RIM).long()
            column = torch.ceil((batch.position[every, 0] - half[every, 0] - cx) / px - _RIM).long()
            seen = (row + height > 0) & (row < gy) & (column + width > 0) & (column < gx)
            # Patches that hang over the border are moved in: they hold all that is inside.
            row = torch.minimum(row.clamp_min(0), (gy - height).clamp_min(0))
            column = torch.minimum(column.clamp_min(0), (gx - width).clamp_min(0))
            low, high = first[every], last[every]
            # Neighbours in memory next to each other: sums over sorted addresses are 3-5× faster.
            # Equal depths together, so that no particle goes through the slabs of a deeper one.
            key = torch.where(seen, group, len(found)) * plan.slabs + high - low
            key = (key * (gy // _BAND + 1) + row // _BAND) * plan.slabs + low
            order = torch.argsort((key * gy + row) * gx + column)
            columns = [c[order] for c in (every, row, column, low, high)]
            counts = torch.bincount(group[seen], minlength=len(found)).tolist()
            begin = 0
            cut: list[_Cut] = []
            for bucket, count, (_, tall, wide) in zip(found, counts, sizes, strict=True):
                mine = [c[begin : begin + count] for c in columns]
                begin += count
                if count:
                    size = min(tall, gy), min(wide, gx)
                    cut += self._cut(batch, bucket.shape, *size, mine)
            self.planned = _patch_batches(cut)
            marks = torch.zeros(plan.slabs + 1, dtype=torch.int64, device=every.device)
            ones = seen.long()
            marks.index_add_(0, low, ones).index_add_(0, high + 1, -ones)
            used |= (marks.cumsum(0)[:-1] > 0).cpu()
        self.occupied = torch.nonzero(used).flatten().tolist()

    def _cut(
        self, batch: ParticleBatch, shape: Shape, height: int, width: int, columns: list[Tensor]
    ) -> Iterator[_Cut]:
        """Patches of one size, all for a kernel and some at a time for torch."""
        index, target = columns[0], self.device.type
        if not on_gpu(self.device) or loops_of(shape, batch.dtype, target) is None:
            finest = sub_samples(shape, Bodies.of(batch, index, shape), min(self.plan.pitch_um))
            per_batch = _BATCH_SAMPLES.get(target, 80_000)
            part = per_batch // (height * width * max(1, finest**2 // 2) * shape.work)
        else:
            finest, part = FINEST, len(index)
        part = max(1, part)
        for start in range(0, len(index), part):
            yield _Cut(shape, (height, width), [c[start : start + part] for c in columns], finest)

    @property
    def wall_samples(self) -> int:
        """Sub-samples a side that bodies with flat faces get at least."""
        # One sample of a wall is 0.3 % off, which only the fine grid can show.
        return 2 if self.plan.accuracy == "fine" else 1

    def chord(self, patches: PatchBatch, tensors: ParticleTensors) -> tuple[Tensor, Tensor]:
        """Entry and exit heights (n, K P, Q) of a batch, squeezed where particles are thin."""
        plan = self.plan
        (py, px), (cy, cx) = plan.pitch_um, plan.corner_um
        real: dict[str, Any] = {"dtype": tensors.position.dtype, "device": tensors.position.device}
        rows = torch.arange(patches.height, device=patches.row.device)
        columns = torch.arange(patches.width, device=patches.row.device)
        y = ((patches.row[:, None] + rows).to(**real) * py + cy)[:, :, None]
        x = ((patches.column[:, None] + columns).to(**real) * px + cx)[:, None, :]
        chord = chords(
            patches.shape,
            x,
            y,
            tensors.position,
            tensors.quaternion,
            tensors.size,
            tensors.planes,
            tensors.plane_mask,
            plan.pitch_um,
            wall_samples=self.wall_samples,
        )
        entry, leaving = chord.entry, chord.exit
        if self.squeeze is not None:
            factor = self.squeeze[patches.index][:, None, None]
            centre = tensors.position[:, 2, None, None]
            entry = centre + (entry - centre) * factor
            leaving = centre + (leaving - centre) * factor
        return entry, leaving

    def addresses(self, patches: PatchBatch) -> Tensor:
        """Flat index (n, K P, Q) of every patch sample in slab 0, once for each piece of a line."""
        gx = self.plan.grid_shape[1]
        y = patches.row[:, None] + torch.arange(patches.height, device=patches.row.device)
        x = patches.column[:, None] + torch.arange(patches.width, device=patches.row.device)
        flat = y[:, :, None] * gx + x[:, None, :]
        pieces = patches.shape.intervals
        return flat if pieces == 1 else flat.repeat(1, pieces, 1)

    def density(self, patches: PatchBatch, coefficient: Tensor) -> Tensor:
        """Coefficient per µm of deposited length (n,), undoing the squeeze of thin particles."""
        mine = coefficient[patches.index]
        return mine if self.squeeze is None else mine / self.squeeze[patches.index]


@dataclass(frozen=True)
class ParticleTensors:
    """The particles of one patches, as tensors that gradients are taken of."""

    position: Tensor
    quaternion: Tensor
    size: Tensor
    planes: Tensor | None
    plane_mask: Tensor | None


def particle_tensors(batch: ParticleBatch, patches: PatchBatch) -> ParticleTensors:
    """Select the particles of a batch of patches."""
    i = patches.index
    planes, mask = patches.shape.planes_of(batch, i)
    size = batch.size[i, : patches.shape.size_columns]
    return ParticleTensors(batch.position[i], batch.quaternion[i], size, planes, mask)


class _Cut(NamedTuple):
    """Patches of one size before their slabs are known to the host."""

    shape: Shape
    size: tuple[int, int]
    columns: list[Tensor]
    finest: int


def _patch_batches(cut: list[_Cut]) -> list[PatchBatch]:
    """Batches with their range of slabs, for all of which a device is waited for once."""
    if not cut:
        return []
    slabs = [each.columns[3:] for each in cut]
    ranges = torch.stack(
        [torch.stack([(high - low).max(), low.min(), low.max()]) for low, high in slabs]
    ).tolist()
    found = []
    for (shape, size, columns, finest), (deep, bottom, top) in zip(cut, ranges, strict=True):
        index, row, column, low, high = columns
        numbers = (bottom, top + deep, deep + 1, finest**2)
        found.append(PatchBatch(shape, index, row, column, *size, low, high, *numbers))
    return found


def _spread(sizes: list[tuple[int, int, int]], device: torch.device) -> list[Tensor]:
    """Number of the group, height and width of every patch (n,), from those of each group."""
    table = torch.tensor([(k, *rest) for k, (_, *rest) in enumerate(sizes)], device=device)
    counts = torch.tensor([count for count, *_ in sizes], device=device)
    total = sum(count for count, *_ in sizes)
    return list(torch.repeat_interleave(table, counts, dim=0, output_size=total).unbind(1))


def modelled_by(model: str, batch: ParticleBatch, plan: SamplingPlan) -> Tensor | None:
    """Which particles (N,) the plan leaves to a model of scattering; None where it leaves none."""
    mine = [i for i, name in enumerate(plan.scattering) if name == model]
    if not mine:
        return None
    return torch.isin(batch.population, torch.tensor(mine, device=batch.device, dtype=torch.int64))


__all__ = ["ParticleTensors", "PatchBatch", "Raster", "modelled_by", "particle_tensors"]

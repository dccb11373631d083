"""Masked splat of particle patches into slabs, and its adjoint.

A chord [t1, t2] gives slab j the length ∫ hat((z − z_j)/dz) dz = dz [W(u2) − W(u1)],
u = (t − z_j)/dz, with the integrated hat W(u) = ½ + u − ½ u|u| for |u| ≤ 1. The slabs of a particle
then hold exactly its length and its centroid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.exit_wave.interrupt import checkpoint
from osog.geometry import Shape, buckets, chords, half_extents, padded_planes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from osog.exit_wave.plan import SamplingPlan
    from osog.sample import ParticleBatch

_CHUNK_SAMPLES = {"cpu": 160_000, "cuda": 8_000_000, "mps": 2_000_000}
"""Patch samples handled at once: what fits the cache of a CPU core, or fills an accelerator."""
_BAND = 64
"""Rows of the grid whose slabs stay in the cache while their particles are summed."""
_RIM = 0.75
"""Samples that an anti-aliased edge reaches beyond the silhouette (half a diagonal)."""
_FIXED_POINT = 2.0**36
"""Scale of the integer sums on CUDA: integer addition gives the same bits in any order."""


@dataclass(frozen=True)
class Chunk:
    """Particles of one shape with patches of one size, near each other in the domain.

    Attributes
    ----------
    shape : Shape
    index : Tensor, shape (n,)
        Particle numbers.
    row, column : Tensor, shape (n,)
        First sample of each patch, which lies wholly in the field grid.
    height, width : int
        Size of the patches.
    first : Tensor, shape (n,)
        First slab that each particle touches, counted from the plan's lowest.
    lowest, highest : int
        First and last slab that any of them may touch.
    depth : int
        Slabs that the deepest of them touches.
    """

    shape: Shape
    index: Tensor
    row: Tensor
    column: Tensor
    height: int
    width: int
    first: Tensor
    lowest: int
    highest: int
    depth: int


class Raster:
    """Which patch of which particle goes where: everything about a deposit that has no gradient.

    Parameters
    ----------
    batch : ParticleBatch
        Detached numbers suffice.
    plan : SamplingPlan
    thin : Tensor of bool, shape (N,), optional
        Particles that are squeezed into a thin sheet at their centre (projection).
    """

    def __init__(
        self, batch: ParticleBatch, plan: SamplingPlan, thin: Tensor | None = None
    ) -> None:
        self.plan = plan
        self.chunks: list[Chunk] = []
        self.occupied: list[int] = []
        self.squeeze: Tensor | None = None
        batch = batch.detach()
        if len(batch) == 0:
            return
        half = half_extents(batch, torch.arange(len(batch), device=batch.device))
        if thin is not None and bool(thin.any()):
            # A tenth of a slab is thin enough for the hat weights and exact in float32; whole
            # powers of two keep the factor constant while a size changes.
            sheet = torch.exp2(torch.floor(torch.log2(0.05 * plan.slab_um / half[:, 2])))
            sheet = sheet.clamp(max=1.0)
            self.squeeze = torch.where(thin, sheet, torch.ones_like(sheet))
        reach = half[:, 2] * (self.squeeze if self.squeeze is not None else 1.0)
        self._build(batch, half, reach)

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
        per_chunk = _CHUNK_SAMPLES.get(batch.device.type, 80_000)
        for shape, height, width, index in buckets(batch, plan.pitch_um, margin_px=_RIM + 0.5):
            position = batch.position[index]
            row = torch.ceil((position[:, 1] - half[index, 1] - cy) / py - _RIM).long()
            column = torch.ceil((position[:, 0] - half[index, 0] - cx) / px - _RIM).long()
            seen = (row + height > 0) & (row < gy) & (column + width > 0) & (column < gx)
            if not bool(seen.all()):
                index, row, column = index[seen], row[seen], column[seen]
            if len(index) == 0:
                continue
            # Patches that hang over the border are moved in: they still hold all that is inside.
            height, width = min(height, gy), min(width, gx)
            row, column = row.clamp(0, gy - height), column.clamp(0, gx - width)
            # Neighbours in memory next to each other: sums over sorted addresses are 3-5× faster.
            # Equal depths together, so that no particle goes through the slabs of a deeper one.
            deep = last[index] - first[index]
            group = deep * (gy // _BAND + 1) + row // _BAND
            order = torch.argsort(((group * plan.slabs + first[index]) * gy + row) * gx + column)
            index, row, column = index[order], row[order], column[order]
            count = max(1, per_chunk // (height * width))
            for start in range(0, len(index), count):
                part = slice(start, start + count)
                i, r, c = index[part], row[part], column[part]
                low, high = first[i], last[i]
                numbers = torch.stack([(high - low).max(), low.min(), low.max()])
                deep, bottom, top = numbers.tolist()
                self.chunks.append(
                    Chunk(shape, i, r, c, height, width, low, bottom, top + deep, deep + 1)
                )
                marks = torch.zeros(plan.slabs + 1, dtype=torch.int64)
                marks.index_add_(0, low.cpu(), torch.ones(len(i), dtype=torch.int64))
                marks.index_add_(0, (high + 1).cpu(), -torch.ones(len(i), dtype=torch.int64))
                used |= marks.cumsum(0)[:-1] > 0
        self.occupied = torch.nonzero(used).flatten().tolist()

    def chord(self, chunk: Chunk, leaves: Leaves) -> tuple[Tensor, Tensor]:
        """Entry and exit heights (n, P, Q) of a chunk, squeezed where particles are thin."""
        plan = self.plan
        (py, px), (cy, cx) = plan.pitch_um, plan.corner_um
        real: dict[str, Any] = {"dtype": leaves.position.dtype, "device": leaves.position.device}
        rows = torch.arange(chunk.height, device=chunk.row.device)
        columns = torch.arange(chunk.width, device=chunk.row.device)
        y = ((chunk.row[:, None] + rows).to(**real) * py + cy)[:, :, None]
        x = ((chunk.column[:, None] + columns).to(**real) * px + cx)[:, None, :]
        chord = chords(
            chunk.shape,
            x,
            y,
            leaves.position,
            leaves.quaternion,
            leaves.size,
            leaves.planes,
            leaves.plane_mask,
            plan.pitch_um,
            # One sample of a wall is 0.3 % off, which only the fine grid can show.
            wall_samples=2 if plan.accuracy == "fine" else 1,
        )
        entry, leaving = chord.entry, chord.exit
        if self.squeeze is not None:
            factor = self.squeeze[chunk.index][:, None, None]
            centre = leaves.position[:, 2, None, None]
            entry = centre + (entry - centre) * factor
            leaving = centre + (leaving - centre) * factor
        return entry, leaving

    def addresses(self, chunk: Chunk) -> Tensor:
        """Flat index (n, P, Q) of every patch sample in slab 0."""
        gx = self.plan.grid_shape[1]
        y = chunk.row[:, None] + torch.arange(chunk.height, device=chunk.row.device)
        x = chunk.column[:, None] + torch.arange(chunk.width, device=chunk.row.device)
        return y[:, :, None] * gx + x[:, None, :]

    def density(self, chunk: Chunk, coefficient: Tensor) -> Tensor:
        """Coefficient per µm of deposited length (n,), undoing the squeeze of thin particles."""
        mine = coefficient[chunk.index]
        return mine if self.squeeze is None else mine / self.squeeze[chunk.index]


@dataclass(frozen=True)
class Leaves:
    """The particles of one chunk, as tensors that gradients are taken of."""

    position: Tensor
    quaternion: Tensor
    size: Tensor
    planes: Tensor | None
    plane_mask: Tensor | None


def leaves_of(batch: ParticleBatch, chunk: Chunk) -> Leaves:
    """Select a chunk's particles."""
    planes = mask = None
    if chunk.shape.has_planes:
        planes, mask = padded_planes(batch, chunk.index)
    i = chunk.index
    return Leaves(batch.position[i], batch.quaternion[i], batch.size[i], planes, mask)


@torch.no_grad()
def deposit(
    raster: Raster, batch: ParticleBatch, coefficients: Sequence[Tensor], slabs: range
) -> list[Tensor]:
    """Sum coefficient × length of every particle into slabs.

    Parameters
    ----------
    raster : Raster
    batch : ParticleBatch
    coefficients : sequence of Tensor, shape (N,)
        One output for each: phase per µm, loss per µm, emission per µm.
    slabs : range
        Slabs wanted, counted from the plan's lowest.

    Returns
    -------
    list of Tensor, each (len(slabs), Gy, Gx)
    """
    gy, gx = raster.plan.grid_shape
    plane = gy * gx
    exact = _adds_integers(batch.device)
    chunks = list(_touching(raster, slabs))
    # Planes below and above the window catch what belongs to deeper chunk mates.
    base = min([slabs.start, *(chunk.lowest for chunk in chunks)])
    top = max([slabs.stop, *(chunk.highest + 1 for chunk in chunks)])
    kind = torch.int64 if exact else batch.dtype
    size = (top - base) * plane
    out = [torch.zeros(size, dtype=kind, device=batch.device) for _ in coefficients]
    for chunk in chunks:
        checkpoint()
        entry, leaving = raster.chord(chunk, leaves_of(batch, chunk))
        flat = raster.addresses(chunk)
        address = (flat + ((chunk.first - chunk.lowest) * plane)[:, None, None]).reshape(-1)
        densities = [
            (raster.density(chunk, c) * raster.plan.slab_um)[:, None, None] for c in coefficients
        ]
        share = _Shares(raster.plan, entry, leaving, chunk.first)
        for m in range(chunk.depth):
            value = share.next()
            begin = (chunk.lowest - base + m) * plane
            for volume, density in zip(out, densities, strict=True):
                weighted = (value * density).reshape(-1)
                if exact:
                    weighted = torch.round(weighted.double() * _FIXED_POINT).long()
                volume[begin:].scatter_add_(0, address, weighted)
    first = (slabs.start - base) * plane
    out = [v[first : first + len(slabs) * plane] for v in out]
    if exact:
        out = [(v.double() / _FIXED_POINT).to(batch.dtype) for v in out]
    return [v.view(len(slabs), gy, gx) for v in out]


def _adds_integers(device: torch.device) -> bool:
    """Whether sums run in an order that changes from call to call, as CUDA's atomics do."""
    return device.type == "cuda"


def deposit_adjoint(
    raster: Raster,
    batch: ParticleBatch,
    coefficients: Sequence[Tensor],
    gradients: Sequence[Tensor],
    slabs: range,
    into: Gradients,
) -> None:
    """Pull gradients of slabs back to the particles; the exact adjoint of `deposit`.

    Parameters
    ----------
    raster, batch, coefficients, slabs
        As for `deposit`.
    gradients : sequence of Tensor, each (len(slabs), Gy, Gx)
        Gradient of the loss in each output.
    into : Gradients
        Sums, updated in place.
    """
    gy, gx = raster.plan.grid_shape
    plane = gy * gx
    flat = [g.reshape(-1) for g in gradients]
    for chunk in _touching(raster, slabs):
        leaves, wanted = _tracked(batch, chunk)
        with torch.enable_grad():
            entry, leaving = raster.chord(chunk, leaves)
        with torch.no_grad():
            base = raster.addresses(chunk)
            low, high = entry.detach(), leaving.detach()
            to_low, to_high = torch.zeros_like(low), torch.zeros_like(high)
            densities = [raster.density(chunk, c)[:, None, None] for c in coefficients]
            sums = [torch.zeros_like(d[:, 0, 0]) for d in densities]
            share = _Shares(raster.plan, low, high, chunk.first)
            whole = chunk.lowest >= slabs.start and chunk.highest < slabs.stop
            for m in range(chunk.depth):
                number = chunk.first + m
                where = base + ((number - slabs.start) * plane)[:, None, None]
                keep = None
                if not whole:
                    keep = ((number >= slabs.start) & (number < slabs.stop))[:, None, None]
                    where = torch.where(keep, where, 0)
                hat_low, hat_high = share.hats()
                length = share.next()
                for k, density in enumerate(densities):
                    g = flat[k].index_select(0, where.reshape(-1)).view_as(where)
                    if keep is not None:
                        g = torch.where(keep, g, 0.0)
                    sums[k] += (g * length).sum((1, 2)) * raster.plan.slab_um
                    g = g * density
                    to_high.addcmul_(g, hat_high)
                    to_low.addcmul_(g, hat_low, value=-1.0)
        pulled = torch.autograd.grad((entry, leaving), wanted, (to_low, to_high), allow_unused=True)
        into.add(chunk, pulled, sums, raster, coefficients)


class Gradients:
    """Sums of gradients in the tensors of a batch and in the coefficients."""

    def __init__(self, batch: ParticleBatch, coefficients: Sequence[Tensor]) -> None:
        self.position = torch.zeros_like(batch.position)
        self.quaternion = torch.zeros_like(batch.quaternion)
        self.size = torch.zeros_like(batch.size)
        self.planes = torch.zeros_like(batch.planes)
        self.coefficients = [torch.zeros_like(c) for c in coefficients]
        self._starts = batch.plane_start

    def add(
        self,
        chunk: Chunk,
        pulled: Sequence[Tensor | None],
        sums: Sequence[Tensor],
        raster: Raster,
        coefficients: Sequence[Tensor],
    ) -> None:
        """Add one chunk's gradients at its particles."""
        i = chunk.index
        targets = (self.position, self.quaternion, self.size)
        for target, gradient in zip(targets, pulled[:3], strict=True):
            if gradient is not None:
                target.index_add_(0, i, gradient)
        if len(pulled) > 3 and pulled[3] is not None:
            padded = pulled[3]
            own = torch.arange(padded.shape[1], device=i.device)
            counts = self._starts[i + 1] - self._starts[i]
            real = own < counts[:, None]
            rows = (self._starts[i][:, None] + own)[real]
            self.planes.index_add_(0, rows, padded[real])
        for total, part in zip(self.coefficients, sums, strict=True):
            if raster.squeeze is not None:
                part = part / raster.squeeze[i]
            total.index_add_(0, i, part)


def _tracked(batch: ParticleBatch, chunk: Chunk) -> tuple[Leaves, list[Tensor]]:
    plain = leaves_of(batch.detach(), chunk)
    wanted = [t.detach().requires_grad_() for t in (plain.position, plain.quaternion, plain.size)]
    planes = plain.planes
    if planes is not None:
        planes = planes.detach().requires_grad_()
        wanted.append(planes)
    return Leaves(wanted[0], wanted[1], wanted[2], planes, plain.plane_mask), wanted


def _touching(raster: Raster, slabs: range) -> Iterator[Chunk]:
    whole = slabs.start == 0 and slabs.stop >= raster.plan.slabs
    for chunk in raster.chunks:
        if whole or (chunk.lowest < slabs.stop and chunk.highest >= slabs.start):
            yield chunk


class _Shares:
    """Shares of a chord [low, high] in one slab after another, in slab spacings.

    With u counted from the plane of the slab, the share is F(u_high) − F(u_low) for the integrated
    hat F(u) = u − ½ u|u|, u held to ±1.
    """

    def __init__(self, plan: SamplingPlan, low: Tensor, high: Tensor, first: Tensor) -> None:
        plane = ((first + plan.first_slab).to(low.dtype))[:, None, None]
        self._ends = torch.stack((low, high)).div_(plan.slab_um).sub_(plane)
        self._held, self._size = torch.empty_like(self._ends), torch.empty_like(self._ends)

    def next(self) -> Tensor:
        """Share in the current slab, in a new tensor; then step to the slab above."""
        torch.clamp(self._ends, -1.0, 1.0, out=self._held)
        torch.abs(self._held, out=self._size)
        torch.addcmul(self._held, self._held, self._size, value=-0.5, out=self._size)
        self._ends -= 1.0
        low, high = self._size.unbind(0)
        share: Tensor = high - low
        return share

    def hats(self) -> tuple[Tensor, Tensor]:
        """Hat weights of both ends: the derivatives of the share × slab spacing."""
        low, high = self._ends.abs().neg_().add_(1.0).clamp_(min=0.0)
        return low, high

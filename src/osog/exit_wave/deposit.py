"""Masked splat of particle patches into slabs, and its adjoint."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.cancellation import raise_if_cancelled
from osog.derivatives import gradient_with_graph, needs_plain_operations
from osog.exit_wave.compiled.choice import note_time, on_gpu
from osog.exit_wave.compiled.drawing import add_bodies, drawings, pull_back_bodies
from osog.exit_wave.compiled.gpu_drawing import FIXED_POINT, add_integers, pull_back_integers
from osog.exit_wave.kernel_deconvolution import sharpened
from osog.exit_wave.plain_deposit import plain_deposit
from osog.exit_wave.raster import ParticleTensors, PatchBatch, Raster, particle_tensors
from osog.exit_wave.splat_weights import ChordShares
from osog.exit_wave.volume_deposit import add_volumes, pull_back_volumes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from osog.sample import ParticleBatch

_POINTS_DRAWN = 16_000_000
"""Points at which a GPU draws paths at once where a raster that is meant for kernels goes to torch:
bodies cut by planes, or specks whose simpler shape has no kernels yet."""
_POINTS_HELD = {"cpu": 400_000, "cuda": 2_000_000, "mps": 1_000_000}
"""Points at which paths are drawn while their derivatives are held: several KB each."""


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
    exact = on_gpu(batch.device)
    shared = drawings(raster, batch)
    patch_batches = list(_touching(shared.rest, raster, slabs))
    if exact:
        patch_batches = [few for each in patch_batches for few in each.smaller(_POINTS_DRAWN)]
    if shared.compiled and not patch_batches and not exact:
        whole = batch.position.new_zeros(len(coefficients), len(slabs), gy, gx)
        add_bodies(shared.compiled, raster, coefficients, slabs, whole)
        volumes = list(whole.unbind(0))
        add_volumes(raster.volumes, raster.plan, batch, coefficients, slabs, volumes)
        return [sharpened(v) for v in volumes]
    # Planes below and above the window catch what belongs to deeper neighbours.
    base = min([slabs.start, *(patches.lowest for patches in patch_batches)])
    top = max([slabs.stop, *(patches.highest + 1 for patches in patch_batches)])
    kind = torch.int64 if exact else batch.dtype
    shape = (len(coefficients), top - base, gy, gx)
    every = torch.zeros(shape, dtype=kind, device=batch.device)
    out = list(every.view(len(coefficients), -1).unbind(0))
    for patches in patch_batches:
        raise_if_cancelled()
        began = perf_counter()
        entry, leaving = raster.chord(patches, particle_tensors(batch, patches))
        flat = raster.addresses(patches)
        address = (flat + ((patches.first - patches.lowest) * plane)[:, None, None]).reshape(-1)
        densities = [
            (raster.density(patches, c) * raster.plan.slab_um)[:, None, None] for c in coefficients
        ]
        share = ChordShares(raster.plan, entry, leaving, patches.first)
        for m in range(patches.depth):
            value = share.next()
            begin = (patches.lowest - base + m) * plane
            for volume, density in zip(out, densities, strict=True):
                weighted = (value * density).reshape(-1)
                if exact:
                    weighted = torch.round(weighted.double() * FIXED_POINT).long()
                volume[begin:].scatter_add_(0, address, weighted)
        note_time(patches.shape, batch.dtype, perf_counter() - began, batch.device.type)
    if exact:
        add_integers(shared.compiled, raster, coefficients, base, every)
    every = every[:, slabs.start - base : slabs.stop - base]
    if exact:
        # Rounded once: the factor is a power of two.
        every = every.to(batch.dtype).mul_(1 / FIXED_POINT)
    out = list(every.unbind(0))
    if shared.compiled and not exact:
        both = torch.stack(out)
        add_bodies(shared.compiled, raster, coefficients, slabs, both)
        out = list(both.unbind(0))
    add_volumes(raster.volumes, raster.plan, batch, coefficients, slabs, out)
    return [sharpened(v) for v in out]


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
    gradients = [sharpened(g.clone()) for g in gradients]
    pull_back_volumes(raster.volumes, raster.plan, batch, coefficients, gradients, slabs, into)
    shared = drawings(raster, batch)
    if shared.compiled:
        every = torch.stack(gradients)
        pull_back = pull_back_integers if on_gpu(batch.device) else pull_back_bodies
        pull_back(shared.compiled, raster, batch, coefficients, every, slabs, into)
    flat = [g.reshape(-1) for g in gradients]
    held = _POINTS_HELD.get(batch.device.type, _POINTS_HELD["cpu"])
    for patches in (
        few for each in _touching(shared.rest, raster, slabs) for few in each.smaller(held)
    ):
        tensors, wanted = _tracked(batch, patches)
        with torch.enable_grad():
            entry, leaving = raster.chord(patches, tensors)
        with torch.no_grad():
            base = raster.addresses(patches)
            low, high = entry.detach(), leaving.detach()
            to_low, to_high = torch.zeros_like(low), torch.zeros_like(high)
            densities = [raster.density(patches, c)[:, None, None] for c in coefficients]
            sums = [torch.zeros_like(d[:, 0, 0]) for d in densities]
            share = ChordShares(raster.plan, low, high, patches.first)
            whole = patches.lowest >= slabs.start and patches.highest < slabs.stop
            for m in range(patches.depth):
                number = patches.first + m
                where = base + ((number - slabs.start) * plane)[:, None, None]
                keep = None
                if not whole:
                    keep = ((number >= slabs.start) & (number < slabs.stop))[:, None, None]
                    where = torch.where(keep, where, 0)
                kernel_low, kernel_high = share.kernels()
                length = share.next()
                for k, density in enumerate(densities):
                    g = flat[k].index_select(0, where.reshape(-1)).view_as(where)
                    if keep is not None:
                        g = torch.where(keep, g, 0.0)
                    sums[k] += (g * length).sum((1, 2)) * raster.plan.slab_um
                    g = g * density
                    to_high.addcmul_(g, kernel_high)
                    to_low.addcmul_(g, kernel_low, value=-1.0)
        pulled = torch.autograd.grad((entry, leaving), wanted, (to_low, to_high), allow_unused=True)
        into.add(patches, pulled, sums, raster, coefficients)


class Gradients:
    """Sums of gradients in the tensors of a batch and in the coefficients."""

    def __init__(self, batch: ParticleBatch, coefficients: Sequence[Tensor]) -> None:
        self.position = torch.zeros_like(batch.position)
        self.quaternion = torch.zeros_like(batch.quaternion)
        self.size = torch.zeros_like(batch.size)
        self.planes = torch.zeros_like(batch.planes)
        self.coefficients = [torch.zeros_like(c) for c in coefficients]
        self.weights = tuple(None if w is None else torch.zeros_like(w) for w in batch.weights)
        self._starts = batch.plane_start

    def add(
        self,
        patches: PatchBatch,
        pulled: Sequence[Tensor | None],
        sums: Sequence[Tensor],
        raster: Raster,
        coefficients: Sequence[Tensor],
    ) -> None:
        """Add the gradients of one batch of patches at its particles."""
        i = patches.index
        targets = (self.position, self.quaternion, self.size)
        for target, gradient in zip(targets, pulled[:3], strict=True):
            if gradient is not None:
                # Shapes that need fewer sizes than others see the first ones only.
                target[:, : gradient.shape[1]].index_add_(0, i, gradient)
        if len(pulled) > 3 and pulled[3] is not None:
            self.add_planes(i, pulled[3])
        for total, part in zip(self.coefficients, sums, strict=True):
            if raster.squeeze is not None:
                part = part / raster.squeeze[i]
            total.index_add_(0, i, part)

    def add_planes(self, index: Tensor, padded: Tensor) -> None:
        """Add gradients (n, F, 4) in the half-spaces of some particles, padding included."""
        own = torch.arange(padded.shape[1], device=index.device)
        counts = self._starts[index + 1] - self._starts[index]
        real = own < counts[:, None]
        rows = (self._starts[index][:, None] + own)[real]
        self.planes.index_add_(0, rows, padded[real])


def _tracked(batch: ParticleBatch, patches: PatchBatch) -> tuple[ParticleTensors, list[Tensor]]:
    plain = particle_tensors(batch.detach(), patches)
    wanted = [t.detach().requires_grad_() for t in (plain.position, plain.quaternion, plain.size)]
    planes = plain.planes
    if planes is not None:
        planes = planes.detach().requires_grad_()
        wanted.append(planes)
    return ParticleTensors(wanted[0], wanted[1], wanted[2], planes, plain.plane_mask), wanted


def _touching(
    patch_batches: Sequence[PatchBatch], raster: Raster, slabs: range
) -> Iterator[PatchBatch]:
    whole = slabs.start == 0 and slabs.stop >= raster.plan.slabs
    for patches in patch_batches:
        if whole or (patches.lowest < slabs.stop and patches.highest >= slabs.start):
            yield patches


def deposited(batch: ParticleBatch, coefficient: Tensor, raster: Raster) -> Tensor:
    """Slabs of coefficient × length, differentiable in the batch and the coefficient.

    Parameters
    ----------
    batch : ParticleBatch
    coefficient : Tensor, shape (N,)
    raster : Raster

    Returns
    -------
    Tensor, shape (K, Gy, Gx)
    """
    inputs = (batch.position, batch.quaternion, batch.size, batch.planes, coefficient)
    if needs_plain_operations(*inputs, *batch.weights):
        return plain_deposit(raster, batch, [coefficient])[0]
    further = (raster, batch, *batch.weights)
    slabs: Tensor = _Deposit.apply(*inputs, *further)  # type: ignore[no-untyped-call]
    return slabs


class _Deposit(torch.autograd.Function):
    """`deposit` of one coefficient into all slabs, with its adjoint."""

    @staticmethod
    def forward(
        ctx: Any,
        position: Tensor,
        quaternion: Tensor,
        size: Tensor,
        planes: Tensor,
        coefficient: Tensor,
        raster: Raster,
        batch: ParticleBatch,
        *weights: Tensor | None,
    ) -> Tensor:
        ctx.raster, ctx.batch, ctx.coefficient = raster, batch.detach(), coefficient.detach()
        ctx.save_for_backward(position, quaternion, size, planes, coefficient, *weights)
        slabs = range(raster.plan.slabs)
        return deposit(raster, ctx.batch, [ctx.coefficient], slabs)[0]

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled() or needs_plain_operations(*grad_outputs):

            def plain(*inputs: Tensor) -> Tensor:
                moved = ctx.batch.moved(*inputs[:4], *inputs[5:])
                return plain_deposit(ctx.raster, moved, inputs[4:5])[0]

            needed = (*ctx.needs_input_grad[:5], *ctx.needs_input_grad[7:])
            found = gradient_with_graph(plain, ctx.saved_tensors, needed, grad_outputs)
            return (*found[:5], None, None, *found[5:])
        total = Gradients(ctx.batch, [ctx.coefficient])
        slabs = range(ctx.raster.plan.slabs)
        deposit_adjoint(
            ctx.raster, ctx.batch, [ctx.coefficient], [grad_outputs[0].contiguous()], slabs, total
        )
        return (
            total.position,
            total.quaternion,
            total.size,
            total.planes,
            total.coefficients[0],
            None,
            None,
            *total.weights,
        )


__all__ = ["Gradients", "deposit", "deposit_adjoint", "deposited"]

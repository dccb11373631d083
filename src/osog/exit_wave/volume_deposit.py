"""Volumes of voxels in slabs, and the adjoint, window by window."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Protocol

import torch

from osog.geometry import half_extents
from osog.geometry.edges import REACH, SPREAD
from osog.geometry.voxel_boxes import Placed, Samples, right_angles, voxel_sums
from osog.rotations import rotation_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from osog.sample import ParticleBatch
    from osog.waves.sampling_plan import SamplingPlan


@dataclass(frozen=True)
class VolumeBody:
    """One volume on the field grid: all that has no gradient.

    Attributes
    ----------
    parts : Tensor, shape (L,)
        Its particles.
    grid : int
        Number of its array.
    rows, columns : range
        Samples that it reaches.
    slabs : range
        Slabs that it reaches, counted from the plan's lowest.
    """

    parts: Tensor
    grid: int
    rows: range
    columns: range
    slabs: range


class Sums(Protocol):
    """Gradients that are summed up: in the tensors of a batch, and in the coefficients."""

    position: Tensor
    quaternion: Tensor
    size: Tensor
    coefficients: list[Tensor]
    weights: tuple[Tensor | None, ...]


def volume_bodies(batch: ParticleBatch, plan: SamplingPlan) -> list[VolumeBody]:
    """Find where the volumes of a batch lie on the grids of a plan; detached numbers suffice."""
    if batch.voxels is None:
        return []
    found = []
    for parts in batch.voxels.bodies():
        lead = parts[:1]
        half = half_extents(batch, lead)[0].tolist()
        x, y, z = batch.position[lead[0]].tolist()
        rows, columns = (
            _reached((at - side - corner) / pitch, (at + side - corner) / pitch, number)
            for at, side, corner, pitch, number in zip(
                (y, x), (half[1], half[0]), plan.corner_um, plan.pitch_um, plan.grid_shape,
                strict=True,
            )
        )  # fmt: skip
        number = int(batch.voxels.grid[lead[0]])
        grid = batch.voxels.grids[number]
        low, high = z - half[2], z + half[2]
        aligned = right_angles(rotation_matrix(batch.quaternion[lead[0]]))
        if aligned is not None and aligned[0][2] == 2:  # planes of the array lie level
            used = torch.nonzero(grid.occupied).flatten()
            if not len(used):
                continue
            side = 2 * half[2] / grid.shape[0]
            first, last = int(used[0]) * side, (int(used[-1]) + 1) * side
            up = aligned[1][2] > 0
            low, high = (low + first, low + last) if up else (high - last, high - first)
        first = floor(low / plan.slab_um - 1e-4) - plan.first_slab
        last = ceil(high / plan.slab_um + 1e-4) - plan.first_slab
        slabs = range(max(0, int(first)), min(plan.slabs - 1, int(last)) + 1)
        if len(rows) and len(columns) and len(slabs):
            found.append(VolumeBody(parts, number, rows, columns, slabs))
    return found


def _reached(low: float, high: float, count: int) -> range:
    margin = REACH * SPREAD / 2 + 1.0
    return range(max(0, floor(low - margin)), min(count, ceil(high + margin) + 1))


def add_volumes(
    bodies: Sequence[VolumeBody],
    plan: SamplingPlan,
    batch: ParticleBatch,
    coefficients: Sequence[Tensor],
    slabs: range,
    into: Sequence[Tensor],
) -> None:
    """Add coefficient × length of volumes to slabs, in place.

    Parameters
    ----------
    bodies : sequence of VolumeBody
    plan : SamplingPlan
    batch : ParticleBatch
    coefficients : sequence of Tensor, each (N,)
    slabs : range
        Slabs wanted, counted from the plan's lowest.
    into : sequence of Tensor, each (len(slabs), Gy, Gx)
    """
    for body in bodies:
        within = _within(body, slabs)
        if not len(within):
            continue
        # Coefficients that are zero for all of a volume (losses, retardances) cost nothing.
        wanted = [k for k, c in enumerate(coefficients) if bool((c[body.parts] != 0).any())]
        if not wanted:
            continue
        found = _sums(body, plan, batch, [coefficients[k][body.parts] for k in wanted], within)
        first = within.start - slabs.start
        for k, sums in zip(wanted, found, strict=True):
            into[k][
                first : first + len(within),
                body.rows.start : body.rows.stop,
                body.columns.start : body.columns.stop,
            ] += sums


def plain_volumes(
    bodies: Sequence[VolumeBody],
    plan: SamplingPlan,
    batch: ParticleBatch,
    coefficients: Sequence[Tensor],
) -> list[Tensor] | None:
    """Coefficient × length of volumes in all slabs, by plain operations; None without volumes."""
    gy, gx = plan.grid_shape
    total: list[Tensor] | None = None
    for body in bodies:
        own = [c[body.parts] for c in coefficients]
        sums = _sums(body, plan, batch, own, body.slabs, plain=True)
        ends = (
            *(body.columns.start, gx - body.columns.stop),
            *(body.rows.start, gy - body.rows.stop),
            *(body.slabs.start, plan.slabs - body.slabs.stop),
        )
        found = list(torch.nn.functional.pad(sums, ends))
        total = found if total is None else [a + b for a, b in zip(total, found, strict=True)]
    return total


def pull_back_volumes(
    bodies: Sequence[VolumeBody],
    plan: SamplingPlan,
    batch: ParticleBatch,
    coefficients: Sequence[Tensor],
    gradients: Sequence[Tensor],
    slabs: range,
    into: Sums,
) -> None:
    """Add the gradients of slabs to those of the volumes in them; the adjoint of `add_volumes`.

    Parameters
    ----------
    bodies, plan, batch, coefficients, slabs
        As for `add_volumes`; the coefficients of all particles.
    gradients : sequence of Tensor, each (len(slabs), Gy, Gx)
    into : Sums
        Sums, updated in place.
    """
    for body in bodies:
        within = _within(body, slabs)
        if not len(within):
            continue
        lead, voxels = body.parts[0], batch.voxels
        assert voxels is not None
        numbers = (batch.position[lead], batch.quaternion[lead], batch.size[lead])
        own = [t.detach().requires_grad_() for t in numbers]
        factors = [c[body.parts].detach().requires_grad_() for c in coefficients]
        weight = voxels.weights[body.grid]
        weight = None if weight is None else weight.detach().requires_grad_()
        first = within.start - slabs.start
        with torch.enable_grad():
            found = voxel_sums(
                voxels.grids[body.grid],
                weight,
                factors,
                Placed(own[0], own[1], own[2][:3]),
                _samples(body, plan, within),
            )
        target = torch.stack(
            [
                g[
                    first : first + len(within),
                    body.rows.start : body.rows.stop,
                    body.columns.start : body.columns.stop,
                ]
                for g in gradients
            ]
        )
        inputs = [*own, *factors, *(() if weight is None else (weight,))]
        pulled = torch.autograd.grad(found, inputs, target, allow_unused=True)
        sums = (into.position, into.quaternion, into.size)
        for total, part in zip(sums, pulled[:3], strict=True):
            if part is not None:
                total[lead] += part
        for total, part in zip(into.coefficients, pulled[3 : 3 + len(factors)], strict=True):
            if part is not None:
                total.index_add_(0, body.parts, part)
        kept = into.weights[body.grid]
        if kept is not None and pulled[-1] is not None:
            kept += pulled[-1]


def _within(body: VolumeBody, slabs: range) -> range:
    return range(max(body.slabs.start, slabs.start), min(body.slabs.stop, slabs.stop))


def _samples(body: VolumeBody, plan: SamplingPlan, slabs: range) -> Samples:
    numbers = range(slabs.start + plan.first_slab, slabs.stop + plan.first_slab)
    return Samples(plan.pitch_um, plan.corner_um, body.rows, body.columns, plan.slab_um, numbers)


def _sums(
    body: VolumeBody,
    plan: SamplingPlan,
    batch: ParticleBatch,
    coefficients: list[Tensor],
    slabs: range,
    plain: bool = False,
) -> Tensor:
    assert batch.voxels is not None
    lead = body.parts[0]
    return voxel_sums(
        batch.voxels.grids[body.grid],
        batch.voxels.weights[body.grid],
        coefficients,
        Placed(batch.position[lead], batch.quaternion[lead], batch.size[lead, :3]),
        _samples(body, plan, slabs),
        plain,
    )


__all__ = ["VolumeBody", "add_volumes", "plain_volumes", "pull_back_volumes", "volume_bodies"]

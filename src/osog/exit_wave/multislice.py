"""Light through phase slabs: symmetric split-step propagation and its hand-written adjoint.

U ← U · exp(iφ_j − α_j) in slab j, then U ← IFFT[FFT(U) · exp(iκ dz)] to the next, κ = k_z − k.
Deposits centred on the planes make this the symmetric (Strang 1968) split. With A the gradient
∂L/∂Re U + i ∂L/∂Im U behind slab j, t_j = exp(iφ_j − α_j) and U the field that arrives there, the
gradient in t_j is g = A U*, and ∂L/∂φ_j = Im(g t_j*), ∂L/∂α_j = −Re(g t_j*).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.cancellation import raise_if_cancelled
from osog.derivatives import gradient_with_graph, needs_plain_operations
from osog.exit_wave.deposit import Gradients, deposit, deposit_adjoint
from osog.exit_wave.phase_screens import (
    HELD_BYTES,
    LEAST_SLABS,
    Fixed,
    Screens,
    Travel,
    Walk,
    transmission,
)
from osog.exit_wave.plain_deposit import plain_deposit
from osog.waves.bundles import together
from osog.waves.plane_waves import in_band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.exit_wave.raster import Raster
    from osog.sample import ParticleBatch
    from osog.waves.plane_waves import ForwardWaves

STORE_BYTES = 1.5e9
"""Fields kept for the backward pass; above it they are recomputed from checkpoints."""
VOLUME_BYTES = 6e8
"""Phase slabs held at once; deeper samples are walked window by window."""


def multislice(
    raster: Raster,
    batch: ParticleBatch,
    phase_per_um: Tensor,
    loss_per_um: Tensor | None,
    waves: ForwardWaves,
) -> Tensor:
    """Scattered spectrum behind the sample for each source point.

    Parameters
    ----------
    raster : Raster
    batch : ParticleBatch
    phase_per_um : Tensor, shape (N,)
        k0 Δn of every particle.
    loss_per_um : Tensor, shape (N,), or None
        Half of the absorption coefficient.
    waves : ForwardWaves
        In the light of S source points; its rows and columns are the frequencies wanted.

    Returns
    -------
    Tensor, shape (S, By, Bx), complex
        Fourier-series coefficients of U − 1 at the last slab plane. Differentiable in every
        floating argument by a hand-written adjoint, and again by plain operations.
    """
    fixed = Fixed(raster, batch, (waves.rows, waves.columns))
    inputs = (
        batch.position,
        batch.quaternion,
        batch.size,
        batch.planes,
        phase_per_um,
        loss_per_um,
        waves.kappa,
        waves.decay,
        waves.stretch,
    )
    if needs_plain_operations(*inputs, *batch.weights):
        return _plain(fixed, *inputs, *batch.weights)
    further = (fixed, *batch.weights)
    result: Tensor = _Multislice.apply(*inputs, *further)  # type: ignore[no-untyped-call]
    return result


class _Multislice(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        position: Tensor,
        quaternion: Tensor,
        size: Tensor,
        planes: Tensor,
        phase_per_um: Tensor,
        loss_per_um: Tensor | None,
        kappa: Tensor,
        decay: Tensor,
        stretch: Tensor,
        fixed: Fixed,
        *weights: Tensor | None,
    ) -> Tensor:
        batch = fixed.batch.detach()
        coefficients = [c.detach() for c in (phase_per_um, loss_per_um) if c is not None]
        raster, count = fixed.raster, kappa.shape[0]
        gy, gx = raster.plan.grid_shape
        windows, last_step = walks(raster, kappa.dtype, len(coefficients))
        differentiate = any(ctx.needs_input_grad)
        size_of_field = gy * gx * 2 * kappa.element_size()
        rings = _rings(stretch)
        if not differentiate and len(windows) == 1 and count > 1:
            many = together(gy * gx, kappa)
            if many > 1 and len(raster.occupied) * size_of_field <= HELD_BYTES:
                slabs = deposit(raster, batch, coefficients, windows[0].slabs)
                ends = windows[0], last_step
                return _bundled(slabs, ends, kappa, decay, stretch, fixed, many)
        kept = count * len(raster.occupied) * size_of_field
        store = differentiate and kept <= STORE_BYTES
        stored: list[list[list[Tensor | None]]] = []
        starts: list[list[Tensor | None]] = []
        volumes: list[list[Tensor]] = []
        fields: list[Tensor | None] = [None] * count
        for walk in windows:
            slabs = deposit(raster, batch, coefficients, walk.slabs)
            if store:
                volumes.append(slabs)
            if differentiate:
                starts.append(list(fields))
            window: list[list[Tensor | None]] = []
            for first, stop in rings:
                screens = Screens(fixed, walk, slabs, stretch[first], stop - first > 1)
                for s in range(first, stop):
                    travel = Travel(kappa[s], decay[s], raster.plan.slab_um)
                    trail: list[Tensor | None] | None = [] if store else None
                    fields[s] = _through(fields[s], screens, travel, trail)
                    if trail is not None:
                        window.append(trail)
            stored.append(window)
        rows, columns = fixed.crop
        out = torch.empty(
            (count, len(rows), len(columns)), dtype=kappa.dtype.to_complex(), device=kappa.device
        )
        for s in range(count):
            field = fields[s]
            if field is None:
                out[s] = 0
                continue
            spectrum = in_band(torch.fft.fft2(field - 1, norm="forward"), rows, columns)
            if last_step:
                travel = Travel(kappa[s], decay[s], raster.plan.slab_um)
                spectrum = spectrum * in_band(travel.factor(last_step), rows, columns)
            out[s] = spectrum
        ctx.fixed, ctx.coefficients, ctx.windows, ctx.last_step = (
            fixed,
            coefficients,
            windows,
            last_step,
        )
        ctx.stored, ctx.volumes, ctx.starts, ctx.store = stored, volumes, starts, store
        ctx.rings = rings
        if differentiate:
            ctx.save_for_backward(
                position, quaternion, size, planes, phase_per_um, loss_per_um, kappa, decay,
                stretch, out, *weights,
            )  # fmt: skip
        return out

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, out = ctx.saved_tensors[:10]
        kappa, decay, stretch = inputs[-3:]
        fixed: Fixed = ctx.fixed
        if torch.is_grad_enabled() or needs_plain_operations(*grad_outputs):
            inputs += ctx.saved_tensors[10:]
            needed = (*ctx.needs_input_grad[:9], *ctx.needs_input_grad[10:])
            found = gradient_with_graph(partial(_plain, fixed), inputs, needed, grad_outputs)
            return (*found[:9], None, *found[9:])
        raster, batch = fixed.raster, fixed.batch.detach()
        count = kappa.shape[0]
        gy, gx = raster.plan.grid_shape
        rows, columns = fixed.crop
        needs_kappa, needs_stretch = ctx.needs_input_grad[6], ctx.needs_input_grad[8]
        # Whatever moves κ (a wavelength, an index, a source) moves the decay as well.
        waves = (torch.zeros_like(kappa), torch.zeros_like(decay)) if needs_kappa else None
        to_stretch = torch.zeros_like(stretch)
        total = Gradients(batch, ctx.coefficients)
        adjoints: list[Tensor] = []
        for s in range(count):
            travel = Travel(kappa[s], decay[s], raster.plan.slab_um)
            g = grad_outputs[0][s]
            if ctx.last_step:
                if waves is not None:
                    distance = ctx.last_step * raster.plan.slab_um
                    product = distance * (g.conj() * out[s])
                    waves[0][s][rows[:, None], columns] -= product.imag
                    waves[1][s][rows[:, None], columns] -= product.real
                g = g * travel.factor(ctx.last_step)[rows[:, None], columns].conj()
            full = torch.zeros((gy, gx), dtype=g.dtype, device=g.device)
            full[rows[:, None], columns] = g
            adjoints.append(torch.fft.ifft2(full))
        for number in reversed(range(len(ctx.windows))):
            walk: Walk = ctx.windows[number]
            slabs = (
                ctx.volumes[number]
                if ctx.store
                else deposit(raster, batch, ctx.coefficients, walk.slabs)
            )
            gradients = [torch.zeros_like(v) for v in slabs]
            for first, stop in ctx.rings:
                screens = Screens(fixed, walk, slabs, stretch[first], stop - first > 1)
                for s in range(first, stop):
                    travel = Travel(kappa[s], decay[s], raster.plan.slab_um)
                    start = ctx.starts[number][s]
                    trail = ctx.stored[number][s] if ctx.store else []
                    if not ctx.store:
                        _through(start, screens, travel, trail)
                    adjoints[s] = _back(
                        adjoints[s],
                        screens,
                        travel,
                        trail,
                        gradients,
                        (waves[0][s], waves[1][s]) if waves is not None else None,
                        to_stretch[s] if needs_stretch else None,
                    )
            deposit_adjoint(raster, batch, ctx.coefficients, gradients, walk.slabs, total)
        loss = total.coefficients[1] if len(ctx.coefficients) > 1 else None
        return (
            total.position,
            total.quaternion,
            total.size,
            total.planes,
            total.coefficients[0],
            loss,
            *(waves if waves is not None else (None, None)),
            to_stretch if needs_stretch else None,
            None,
            *total.weights,
        )


def _plain(
    fixed: Fixed,
    position: Tensor,
    quaternion: Tensor,
    size: Tensor,
    planes: Tensor,
    phase_per_um: Tensor,
    loss_per_um: Tensor | None,
    kappa: Tensor,
    decay: Tensor,
    stretch: Tensor,
    *weights: Tensor | None,
) -> Tensor:
    """What `_Multislice` computes, as plain operations that keep all their parts."""
    raster, (rows, columns) = fixed.raster, fixed.crop
    coefficients = [c for c in (phase_per_um, loss_per_um) if c is not None]
    batch = fixed.batch.moved(position, quaternion, size, planes, *weights)
    windows, last_step = walks(raster, kappa.dtype, len(coefficients))
    slabs = [volume.unbind(0) for volume in plain_deposit(raster, batch, coefficients)]
    found = []
    for s in range(len(kappa)):
        travel = Travel(kappa[s], decay[s], raster.plan.slab_um)
        field: Tensor | None = None
        for walk in windows:
            for j, steps in zip(walk.occupied, walk.steps, strict=True):
                raise_if_cancelled()
                if field is not None and steps:
                    field = torch.fft.ifft2(torch.fft.fft2(field) * travel.factor(steps))
                t = transmission(slabs, j, stretch[s])
                field = t if field is None else field * t
        if field is None:
            zero = torch.zeros_like(kappa[s][rows[:, None], columns])
            found.append(torch.complex(zero, zero))
            continue
        spectrum = torch.fft.fft2(field - 1, norm="forward")[rows[:, None], columns]
        found.append(spectrum * travel.factor(last_step)[rows[:, None], columns])
    return torch.stack(found)


def walks(raster: Raster, dtype: torch.dtype, volumes: int) -> tuple[list[Walk], int]:
    """Windows of slabs that fit the memory, and the empty steps behind the last occupied slab."""
    plan, occupied = raster.plan, raster.occupied
    if not occupied:
        return [], 0
    gy, gx = plan.grid_shape
    number = torch.finfo(dtype).bits // 8
    depth = max(LEAST_SLABS, int(VOLUME_BYTES // (gy * gx * number * volumes)))
    windows: list[Walk] = []
    previous = occupied[0]
    for start in range(occupied[0], occupied[-1] + 1, depth):
        slabs = range(start, min(start + depth, occupied[-1] + 1))
        mine = [j for j in occupied if j in slabs]
        steps = []
        for j in mine:
            steps.append(j - previous)
            previous = j
        windows.append(Walk(slabs, mine, steps))
    return windows, plan.slabs - 1 - occupied[-1]


def _through(
    field: Tensor | None, screens: Screens, travel: Travel, trail: list[Tensor | None] | None
) -> Tensor | None:
    """Field behind a window; the trail gets the field that arrives at each slab, None for 1."""
    for j, steps in zip(screens.walk.occupied, screens.walk.steps, strict=True):
        raise_if_cancelled()
        own = False
        if field is not None and steps:
            field = torch.fft.ifft2(torch.fft.fft2(field).mul_(travel.factor(steps)))
            own = trail is None
        if trail is not None:
            trail.append(field)
        if field is None:
            field = screens.of(j)
        else:
            field = field.mul_(screens.of(j)) if own else field * screens.of(j)
    return field


def _bundled(
    slabs: Sequence[Tensor],
    ends: tuple[Walk, int],
    kappa: Tensor,
    decay: Tensor,
    stretch: Tensor,
    fixed: Fixed,
    many: int,
) -> Tensor:
    """Scattered spectra (S, By, Bx), some source points of one ring at a time; same bits as alone.

    `ends` is the only window, and the steps behind its last slab.
    """
    (walk, last_step), (rows, columns) = ends, fixed.crop
    shape = (len(kappa), len(rows), len(columns))
    out = torch.empty(shape, dtype=kappa.dtype.to_complex(), device=kappa.device)
    for first, stop in _rings(stretch):
        held: dict[int, Tensor] = {}
        for start in range(first, stop, many):
            some = slice(start, min(start + many, stop))
            travel = Travel(kappa[some], decay[some], fixed.raster.plan.slab_um)
            field: Tensor | None = None
            for j, steps in zip(walk.occupied, walk.steps, strict=True):
                raise_if_cancelled()
                if j not in held:
                    held[j] = transmission(slabs, j - walk.slabs.start, stretch[first])
                if field is None:
                    field = held[j]  # the same for all of the ring
                elif steps:
                    field = torch.fft.ifft2(torch.fft.fft2(field) * travel.factor(steps))
                    field.mul_(held[j])
                else:
                    field = field * held[j]
            assert field is not None
            spectrum = in_band(torch.fft.fft2(field - 1, norm="forward"), rows, columns)
            if last_step:
                spectrum = spectrum * in_band(travel.factor(last_step), rows, columns)
            out[some] = spectrum
    return out


def _rings(stretch: Tensor) -> list[tuple[int, int]]:
    """First and end of every run of source points whose rays are equally tilted.

    Numbers that differ by rounding only count as equal.
    """
    if len(stretch) == 1:
        return [(0, 1)]
    least = 4 * torch.finfo(stretch.dtype).eps
    alike = ((stretch[1:] - stretch[:-1]).abs() <= least * stretch[1:].abs()).tolist()
    starts = [0, *(k + 1 for k, same in enumerate(alike) if not same)]
    return list(zip(starts, [*starts[1:], len(stretch)], strict=True))


def _back(
    adjoint: Tensor,
    screens: Screens,
    travel: Travel,
    trail: Sequence[Tensor | None],
    gradients: Sequence[Tensor],
    to_waves: tuple[Tensor, Tensor] | None,
    to_stretch: Tensor | None,
) -> Tensor:
    """Adjoint in front of the window; adds to the gradients of its slabs.

    `trail` holds the field that arrives at each occupied slab.
    """
    walk = screens.walk
    for k in reversed(range(len(walk.occupied))):
        j, steps, arrived = walk.occupied[k], walk.steps[k], trail[k]
        # First in front of the slab, then also against the field there: what passes to its phase.
        adjoint = adjoint * screens.of(j).conj()
        passed = adjoint if arrived is None else adjoint * arrived.conj()
        screens.pull_back(j, passed, gradients, to_stretch)
        if steps and arrived is not None:
            spectrum = torch.fft.fft2(adjoint)
            if to_waves is not None:
                product = spectrum.conj() * torch.fft.fft2(arrived)
                for gradient, part in zip(to_waves, (product.imag, product.real), strict=True):
                    gradient.sub_(part, alpha=steps * travel.slab_um / adjoint.numel())
            adjoint = torch.fft.ifft2(spectrum.mul_(travel.factor(steps).conj()))
    return adjoint

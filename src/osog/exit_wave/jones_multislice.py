"""Polarised light through slabs of birefringent bodies.

The light has two transverse components U = (U_x, U_y), in the frame of its source point. A slab
with mean phase φ, loss α and retardance Γ of azimuth ψ turns them by the Jones matrix (Jones 1941)

    J = e^{iφ − α} exp[i (g_c σ_z + g_s σ_x)] = e^{iφ − α} [cos r + i sinc r (g_c σ_z + g_s σ_x)],

g_c = ½ Γ cos 2ψ, g_s = ½ Γ sin 2ψ, r² = g_c² + g_s², sinc r = sin r / r; bodies of one slab add
their (g_c, g_s), slabs multiply from the bottom to the top. Between slabs both components
propagate like scalar waves. With A = ∂L/∂Re U + i ∂L/∂Im U behind the slab, the field W in front
of it, A' = A e^{−iφ − α}, P = A'†W, Q = A'†(σ_z, σ_x)W, X = g_c Q_z + g_s Q_x and
V = cos r P + i sinc r X,

    ∂L/∂φ = −Im V,  ∂L/∂α = −Re V,  ∂L/∂g = −sinc r (g Re P + Im Q) − g Im X (cos r − sinc r)/r².
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import pi
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.cancellation import raise_if_cancelled
from osog.derivatives import gradient_with_graph, needs_plain_operations
from osog.exit_wave import multislice
from osog.exit_wave.deposit import Gradients, deposit, deposit_adjoint
from osog.exit_wave.multislice import walks
from osog.exit_wave.phase_screens import Fixed, Travel, Walk
from osog.exit_wave.plain_deposit import plain_deposit
from osog.exit_wave.shared_slabs import SharedSlabs
from osog.waves.phase_factors import cosine_and_sinc, phasor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.exit_wave.raster import Raster
    from osog.sample import ParticleBatch
    from osog.waves.plane_waves import ForwardWaves


def through_crystals(
    raster: Raster, batch: ParticleBatch, per_um: Tensor, state: Tensor, waves: ForwardWaves
) -> Tensor:
    """Scattered spectrum of polarised light behind the sample for each source point.

    Parameters
    ----------
    raster : Raster
    batch : ParticleBatch
    per_um : Tensor, shape (S, 3 or 4, N)
        Mean phase, g_c and g_s of every particle per µm of path and, if anything absorbs, its loss.
    state : complex Tensor, shape (2,)
        Polarisation of the light that comes in.
    waves : ForwardWaves
        In the light of S source points; its rows and columns are the frequencies wanted.

    Returns
    -------
    complex Tensor, shape (S, 2, By, Bx)
        Fourier-series coefficients of U − state at the last slab plane. Differentiable in every
        floating argument by a hand-written adjoint, and again by plain operations.
    """
    fixed = Fixed(raster, batch, (waves.rows, waves.columns))
    inputs = (
        batch.position,
        batch.quaternion,
        batch.size,
        batch.planes,
        per_um,
        state,
        waves.kappa,
        waves.decay,
        waves.stretch,
    )
    if needs_plain_operations(*inputs, *batch.weights):
        return _plain(fixed, *inputs, *batch.weights)
    further = (fixed, *batch.weights)
    result: Tensor = _Jones.apply(*inputs, *further)  # type: ignore[no-untyped-call]
    return result


class _Jones(torch.autograd.Function):
    """One source point after another: the slabs depend on the direction of the light."""

    @staticmethod
    def forward(
        ctx: Any,
        position: Tensor,
        quaternion: Tensor,
        size: Tensor,
        planes: Tensor,
        per_um: Tensor,
        state: Tensor,
        kappa: Tensor,
        decay: Tensor,
        stretch: Tensor,
        fixed: Fixed,
        *weights: Tensor | None,
    ) -> Tensor:
        raster, batch, count = fixed.raster, fixed.batch.detach(), len(kappa)
        gy, gx = raster.plan.grid_shape
        windows, last_step = walks(raster, kappa.dtype, per_um.shape[1])
        differentiate = any(ctx.needs_input_grad)
        bytes_per_slab = gy * gx * kappa.element_size() * (4 + per_um.shape[1])
        kept = count * len(raster.occupied) * bytes_per_slab
        store = differentiate and kept <= multislice.STORE_BYTES
        rows, columns = fixed.crop
        out = torch.zeros(
            (count, 2, len(rows), len(columns)), dtype=state.dtype, device=state.device
        )
        incident = state[:, None, None]
        drawn: SharedSlabs = raster.kept.setdefault("shared slabs", SharedSlabs(raster))
        kept_slabs: list[list[list[Tensor]]] = []
        kept_trails: list[list[list[Tensor]]] = []
        starts: list[list[Tensor]] = []
        for s in range(count):
            travel = Travel(kappa[s], decay[s], raster.plan.slab_um)
            field = incident.expand(2, gy, gx)
            kept_slabs.append([])
            kept_trails.append([])
            starts.append([])
            for walk in windows:
                if differentiate:
                    slabs = deposit(raster, batch, list(per_um[s]), walk.slabs)
                else:
                    slabs = drawn.of(batch, list(per_um[s]), walk.slabs)
                trail: list[Tensor] | None = [] if store else None
                if store:
                    kept_slabs[s].append(slabs)
                elif differentiate:
                    starts[s].append(field)
                field = _through(field, walk, slabs, stretch[s], travel, trail)
                if trail is not None:
                    kept_trails[s].append(trail)
            if windows:
                spectrum = torch.fft.fft2(field - incident, norm="forward")
                spectrum = spectrum[:, rows[:, None], columns]
                out[s] = spectrum * travel.factor(last_step)[rows[:, None], columns]
        ctx.fixed, ctx.windows, ctx.last_step, ctx.store = fixed, windows, last_step, store
        ctx.slabs, ctx.trails, ctx.starts = kept_slabs, kept_trails, starts
        if differentiate:
            ctx.save_for_backward(
                position, quaternion, size, planes, per_um, state, kappa, decay, stretch, out,
                *weights,
            )  # fmt: skip
        return out

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, out = ctx.saved_tensors[:10]
        per_um, state, kappa, decay, stretch = inputs[-5:]
        fixed: Fixed = ctx.fixed
        if torch.is_grad_enabled() or needs_plain_operations(*grad_outputs):
            inputs += ctx.saved_tensors[10:]
            needed = (*ctx.needs_input_grad[:9], *ctx.needs_input_grad[10:])
            found = gradient_with_graph(partial(_plain, fixed), inputs, needed, grad_outputs)
            return (*found[:9], None, *found[9:])
        raster, batch = fixed.raster, fixed.batch.detach()
        rows, columns = fixed.crop
        gy, gx = raster.plan.grid_shape
        last = ctx.last_step * raster.plan.slab_um
        needs_waves = ctx.needs_input_grad[6]
        waves = (torch.zeros_like(kappa), torch.zeros_like(decay)) if needs_waves else None
        to_stretch, to_state = torch.zeros_like(stretch), torch.zeros_like(state)
        to_per_um = torch.zeros_like(per_um)
        # One set of sums for the geometry; its coefficients belong to one source point at a time.
        total = Gradients(batch, [])
        for s in range(len(kappa)) if ctx.windows else ():
            travel = Travel(kappa[s], decay[s], raster.plan.slab_um)
            g = grad_outputs[0][s]
            if waves is not None:
                product = last * (g.conj() * out[s]).sum(0)
                waves[0][s][rows[:, None], columns] -= product.imag
                waves[1][s][rows[:, None], columns] -= product.real
            full = torch.zeros((2, gy, gx), dtype=g.dtype, device=g.device)
            full[:, rows[:, None], columns] = (
                g * travel.factor(ctx.last_step)[rows[:, None], columns].conj()
            )
            adjoint = torch.fft.ifft2(full)
            to_state -= full[:, 0, 0]
            coefficients = list(per_um[s])
            total.coefficients = list(to_per_um[s])
            for number in reversed(range(len(ctx.windows))):
                walk: Walk = ctx.windows[number]
                if ctx.store:
                    slabs, trail = ctx.slabs[s][number], ctx.trails[s][number]
                else:
                    slabs, trail = deposit(raster, batch, coefficients, walk.slabs), []
                    _through(ctx.starts[s][number], walk, slabs, stretch[s], travel, trail)
                gradients = [torch.zeros_like(v) for v in slabs]
                adjoint = _back(
                    adjoint,
                    walk,
                    slabs,
                    stretch[s],
                    travel,
                    trail,
                    gradients,
                    (waves[0][s], waves[1][s]) if waves is not None else None,
                    to_stretch[s],
                )
                deposit_adjoint(raster, batch, coefficients, gradients, walk.slabs, total)
            to_state += adjoint.sum((1, 2))
        return (
            total.position,
            total.quaternion,
            total.size,
            total.planes,
            to_per_um,
            to_state,
            *(waves if waves is not None else (None, None)),
            to_stretch,
            None,
            *total.weights,
        )


def _plain(
    fixed: Fixed,
    position: Tensor,
    quaternion: Tensor,
    size: Tensor,
    planes: Tensor,
    per_um: Tensor,
    state: Tensor,
    kappa: Tensor,
    decay: Tensor,
    stretch: Tensor,
    *weights: Tensor | None,
) -> Tensor:
    """What `_Jones` computes, as plain operations that keep all their parts."""
    raster, (rows, columns) = fixed.raster, fixed.crop
    batch = fixed.batch.moved(position, quaternion, size, planes, *weights)
    windows, last_step = walks(raster, kappa.dtype, per_um.shape[1])
    incident = state[:, None, None]
    found = []
    for s in range(len(kappa)):
        travel = Travel(kappa[s], decay[s], raster.plan.slab_um)
        slabs = [v.unbind(0) for v in plain_deposit(raster, batch, per_um[s].unbind(0))]
        field = incident.expand(2, *raster.plan.grid_shape)
        for walk in windows:
            for j, steps in zip(walk.occupied, walk.steps, strict=True):
                raise_if_cancelled()
                if steps:
                    field = torch.fft.ifft2(torch.fft.fft2(field) * travel.factor(steps))
                field = _Slab.of(slabs, j, stretch[s], smooth=True).turned(field)
        spectrum = torch.fft.fft2(field - incident, norm="forward")[:, rows[:, None], columns]
        found.append(spectrum * travel.factor(last_step)[rows[:, None], columns])
    return torch.stack(found)


@dataclass(frozen=True)
class _Slab:
    """Numbers of one slab on the grid, stretched by the slope of the light."""

    cosine: Tensor
    sinc: Tensor
    along: Tensor
    across: Tensor
    common: Tensor

    @classmethod
    def of(
        cls,
        slabs: Sequence[Sequence[Tensor] | Tensor],
        j: int,
        stretch: Tensor,
        smooth: bool = False,
    ) -> _Slab:
        """Numbers of slab j; `smooth` makes them differentiable where nothing is retarded."""
        phase, along, across = (slabs[k][j] * stretch for k in range(3))
        squared = along * along + across * across
        common = phasor(phase)
        if len(slabs) > 3:
            common = common * torch.exp(-slabs[3][j] * stretch)
        if smooth:
            return cls(*cosine_and_sinc(squared), along, across, common)
        angle = torch.sqrt(squared)
        return cls(torch.cos(angle), torch.sinc(angle / pi), along, across, common)

    def entries(self) -> tuple[Tensor, Tensor]:
        """Entries a and b of J = e^{iφ − α} [[a, ib], [ib, a*]]."""
        return torch.complex(self.cosine, self.sinc * self.along), self.sinc * self.across

    def turned(self, field: Tensor) -> Tensor:
        """Field (2, Gy, Gx) behind the slab."""
        a, b = self.entries()
        x, y = field[0], field[1]
        behind = torch.stack((a * x + 1j * (b * y), a.conj() * y + 1j * (b * x)))
        return behind * self.common


def _through(
    field: Tensor,
    walk: Walk,
    slabs: Sequence[Tensor],
    stretch: Tensor,
    travel: Travel,
    trail: list[Tensor] | None,
) -> Tensor:
    """Field (2, Gy, Gx) behind a window; the trail gets the field in front of each slab."""
    for j, steps in zip(walk.occupied, walk.steps, strict=True):
        raise_if_cancelled()
        if steps:
            field = torch.fft.ifft2(torch.fft.fft2(field).mul_(travel.factor(steps)))
        if trail is not None:
            trail.append(field)
        # Only a field of our own may be changed in place.
        own = bool(steps) and trail is None
        field = _behind(field, slabs, j - walk.slabs.start, stretch, own)
    return field


def _behind(field: Tensor, slabs: Sequence[Tensor], j: int, stretch: Tensor, own: bool) -> Tensor:
    """Field (2, Gy, Gx) behind slab j, computed where the slab holds anything."""
    if field.device.type != "cpu":  # elsewhere, asking where that is costs more than it spares
        return _Slab.of(slabs, j, stretch).turned(field)
    filled = slabs[0][j] != 0
    for values in slabs[1:]:
        filled |= values[j] != 0
    where = torch.nonzero(filled.view(-1)).flatten()
    if 2 * len(where) > filled.numel():
        return _Slab.of(slabs, j, stretch).turned(field)
    some = [values[j].view(-1)[where][None] for values in slabs]
    field = field if own else field.clone()
    flat = field.view(2, -1)
    flat.index_copy_(1, where, _Slab.of(some, 0, stretch).turned(flat.index_select(1, where)))
    return field


def _back(
    adjoint: Tensor,
    walk: Walk,
    slabs: Sequence[Tensor],
    stretch: Tensor,
    travel: Travel,
    trail: Sequence[Tensor],
    gradients: Sequence[Tensor],
    to_waves: tuple[Tensor, Tensor] | None,
    to_stretch: Tensor,
) -> Tensor:
    """Adjoint (2, Gy, Gx) in front of the window; adds to the gradients of its slabs."""
    for k in reversed(range(len(walk.occupied))):
        j, steps, arrived = walk.occupied[k] - walk.slabs.start, walk.steps[k], trail[k]
        slab = _Slab.of(slabs, j, stretch)
        adjoint = adjoint * slab.common.conj()
        x, y = adjoint[0].conj(), adjoint[1].conj()
        xx, yy = x * arrived[0], y * arrived[1]
        p, along = xx + yy, xx - yy
        across = x * arrived[1] + y * arrived[0]
        mixed = slab.along * along + slab.across * across
        behind = slab.cosine * p + 1j * (slab.sinc * mixed)
        squared = slab.along * slab.along + slab.across * slab.across
        curve = (slab.cosine - slab.sinc) / squared
        # Below 1e-4 rad² the quotient loses its digits; the series is good to 1e-11 there.
        curve = torch.where(squared < 1e-4, squared / 30 - 1 / 3 - squared**2 / 840, curve)
        inward = slab.sinc * p.real + curve * mixed.imag
        slopes = [
            -behind.imag,
            -(slab.along * inward + slab.sinc * along.imag),
            -(slab.across * inward + slab.sinc * across.imag),
            -behind.real,
        ]
        for slope, values, gradient in zip(slopes, slabs, gradients, strict=False):
            gradient[j].addcmul_(slope, stretch)
            to_stretch += (slope * values[j]).sum()
        a, b = slab.entries()
        x, y = adjoint[0], adjoint[1]
        adjoint = torch.stack((a.conj() * x - 1j * (b * y), a * y - 1j * (b * x)))
        if steps:
            spectrum = torch.fft.fft2(adjoint)
            if to_waves is not None:
                # Both spectra are those behind the free path, where the factor has acted.
                product = (spectrum.conj() * torch.fft.fft2(arrived)).sum(0)
                for gradient, part in zip(to_waves, (product.imag, product.real), strict=True):
                    gradient.sub_(part, alpha=steps * travel.slab_um / arrived[0].numel())
            adjoint = torch.fft.ifft2(spectrum.mul_(travel.factor(steps).conj()))
    return adjoint


__all__ = ["through_crystals"]

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
from math import pi
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.exit_wave import multislice
from osog.exit_wave.birefringence import index_split
from osog.exit_wave.deposit import Gradients, Raster, deposit, deposit_adjoint
from osog.exit_wave.engine import modelled_by, plane_waves
from osog.exit_wave.illumination import illumination
from osog.exit_wave.interrupt import checkpoint
from osog.exit_wave.multislice import Travel, Walk, walks
from osog.exit_wave.spheres import with_cores
from osog.exit_wave.wave import JonesWave

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.exit_wave.plan import SamplingPlan
    from osog.sample import ParticleBatch, Values


def jones_wave(batch: ParticleBatch, values: Values, plan: SamplingPlan) -> JonesWave:
    """Multiply polarised light through the slabs of the particles, for every source point.

    Parameters
    ----------
    batch : ParticleBatch
        N particles; `birefringence` and `optic_axis` act.
    values : Values
        Wavelength, index of the medium, condenser and polariser are read from it, differentiably.
    plan : SamplingPlan

    Returns
    -------
    JonesWave
        Differentiable in the batch, the wavelength, the medium, the condenser and the polariser.

    Notes
    -----
    Uniaxial bodies with an optic axis in any direction of space; the extraordinary index is that
    for the direction of the source, refracted into the body (`index_split` says how well it agrees
    with the exact formula). Between slabs both components propagate with the index of the medium,
    and scattered waves keep the polarisation frame of the wave that they come from: the model is
    paraxial in the scattering angle γ, not in that of the source, and leaves out an amplitude of up
    to γ²/4 of the scattered wave in the crossed component. Walk-off of the extraordinary ray (up to
    b/n of the path) and reflections at the faces are left out too. Errors of the mean phase are
    those of `exit_wave`. Jones, J. Opt. Soc. Am. 31, 488 (1941); Born & Wolf §15.3.
    """
    wavelength, index = values.number("microscope.wavelength_um"), values.number("medium.index")
    source, weights = illumination(values, plan)
    waves = plane_waves(plan, values, source, wavelength, index)
    state = polarizer_state(values)
    batch = with_cores(batch)
    spectrum = _through_crystals(
        Raster(batch, plan, modelled_by("projection", batch, plan)),
        batch,
        _per_um(batch, source, wavelength, index),
        state,
        waves.kappa,
        waves.decay,
        waves.stretch,
        (waves.rows, waves.columns),
    )
    return JonesWave(
        spectrum=spectrum * waves.correction[:, None],
        state=state,
        fx=waves.fx,
        fy=waves.fy,
        source=source,
        weights=weights,
        wavelength_um=wavelength,
        medium_index=index,
        reference_um=plan.reference_um,
        plan=plan,
    )


def retarder(retardance: Tensor, azimuth: Tensor) -> Tensor:
    """Jones matrix (2, 2) of a plate whose slow axis has an azimuth from +x towards +y.

    Parameters
    ----------
    retardance, azimuth : Tensor, 0-dim
        In radians.

    Returns
    -------
    complex Tensor, shape (2, 2)
        R(ψ) diag(e^{iΓ/2}, e^{−iΓ/2}) R(−ψ): the slow component gets the larger phase.
    """
    cosine, sine = torch.cos(retardance / 2), torch.sin(retardance / 2)
    along, across = sine * torch.cos(2 * azimuth), sine * torch.sin(2 * azimuth)
    diagonal = torch.complex(cosine, along)
    off = torch.complex(torch.zeros_like(across), across)
    return torch.stack([torch.stack([diagonal, off]), torch.stack([off, diagonal.conj()])])


def linear(azimuth: Tensor) -> Tensor:
    """Real unit vector (2,) of linear polarisation, as a complex tensor; azimuth in radians."""
    vector = torch.stack([torch.cos(azimuth), torch.sin(azimuth)])
    return torch.complex(vector, torch.zeros_like(vector))


def quarter_wave(values: Values, turn_deg: float) -> Tensor:
    """Jones matrix of an achromatic quarter-wave plate, its slow axis turned from the polariser."""
    azimuth = torch.deg2rad(values.number("microscope.modality.polarizer_deg") + turn_deg)
    return retarder(torch.full_like(azimuth, pi / 2), azimuth)


def polarizer_state(values: Values) -> Tensor:
    """Polarisation (2,) of the light that reaches the sample, with unit norm.

    Linear along the polariser, or right-handed circular behind a quarter-wave plate whose slow axis
    lies 45° before the polariser: seen against the light, the field turns from +y towards +x (Born
    & Wolf §1.4.2; with exp(−iωt) that is (1, −i)/√2 times a phase).
    """
    state = linear(torch.deg2rad(values.number("microscope.modality.polarizer_deg")))
    if values.scene.microscope.modality.circular:  # type: ignore[union-attr]
        state = quarter_wave(values, -45.0) @ state
    return state


def _per_um(batch: ParticleBatch, source: Tensor, wavelength: Tensor, index: Tensor) -> Tensor:
    """Mean phase, g_c, g_s and, if anything absorbs, loss per µm: (S, 3 or 4, N)."""
    k0 = 2 * pi / wavelength
    absorbing = batch.absorption_per_um.requires_grad or bool((batch.absorption_per_um > 0).any())
    rows = []
    for point in source:
        mean, cosine, sine = index_split(batch, index, point * (wavelength / index))
        columns = [k0 * mean, 0.5 * k0 * cosine, 0.5 * k0 * sine]
        if absorbing:
            columns.append(0.5 * batch.absorption_per_um)
        rows.append(torch.stack(columns))
    return torch.stack(rows)


@dataclass(frozen=True)
class _Fixed:
    raster: Raster
    batch: ParticleBatch
    crop: tuple[Tensor, Tensor]


def _through_crystals(
    raster: Raster,
    batch: ParticleBatch,
    per_um: Tensor,
    state: Tensor,
    kappa: Tensor,
    decay: Tensor,
    stretch: Tensor,
    crop: tuple[Tensor, Tensor],
) -> Tensor:
    """Coefficients (S, 2, By, Bx) of U − state at the last slab plane; arguments as multislice."""
    result: Tensor = _Jones.apply(  # type: ignore[no-untyped-call]
        batch.position,
        batch.quaternion,
        batch.size,
        batch.planes,
        per_um,
        state,
        kappa,
        decay,
        stretch,
        _Fixed(raster, batch, crop),
    )
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
        fixed: _Fixed,
    ) -> Tensor:
        raster, batch, count = fixed.raster, fixed.batch.detach(), len(kappa)
        gy, gx = raster.plan.grid_shape
        windows, last_step = walks(raster, kappa.dtype, per_um.shape[1])
        differentiate = any(ctx.needs_input_grad)
        bytes_per_slab = gy * gx * kappa.element_size() * (4 + per_um.shape[1])
        kept = count * len(raster.occupied) * bytes_per_slab
        store = differentiate and kept <= multislice._STORE_BYTES
        rows, columns = fixed.crop
        out = torch.zeros(
            (count, 2, len(rows), len(columns)), dtype=state.dtype, device=state.device
        )
        incident = state[:, None, None]
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
                slabs = deposit(raster, batch, list(per_um[s]), walk.slabs)
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
            ctx.save_for_backward(per_um, state, kappa, decay, stretch, out)
        return out

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        per_um, state, kappa, decay, stretch, out = ctx.saved_tensors
        fixed: _Fixed = ctx.fixed
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
                turned = last * (g.conj() * out[s]).sum(0)
                waves[0][s][rows[:, None], columns] -= turned.imag
                waves[1][s][rows[:, None], columns] -= turned.real
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
        )


@dataclass(frozen=True)
class _Slab:
    """Numbers of one slab on the grid, stretched by the slope of the light."""

    cosine: Tensor
    sinc: Tensor
    along: Tensor
    across: Tensor
    common: Tensor

    @classmethod
    def of(cls, slabs: Sequence[Tensor], j: int, stretch: Tensor) -> _Slab:
        phase, along, across = (slabs[k][j] * stretch for k in range(3))
        angle = torch.sqrt(along * along + across * across)
        common = torch.complex(torch.cos(phase), torch.sin(phase))
        if len(slabs) > 3:
            common = common * torch.exp(-slabs[3][j] * stretch)
        return cls(torch.cos(angle), torch.sinc(angle / pi), along, across, common)

    def entries(self) -> tuple[Tensor, Tensor]:
        """Entries a and b of J = e^{iφ − α} [[a, ib], [ib, a*]]."""
        return torch.complex(self.cosine, self.sinc * self.along), self.sinc * self.across


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
        checkpoint()
        if steps:
            field = torch.fft.ifft2(torch.fft.fft2(field).mul_(travel.factor(steps)))
        if trail is not None:
            trail.append(field)
        slab = _Slab.of(slabs, j - walk.slabs.start, stretch)
        a, b = slab.entries()
        x, y = field[0], field[1]
        field = torch.stack((a * x + 1j * (b * y), a.conj() * y + 1j * (b * x))).mul_(slab.common)
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
                turned = (spectrum.conj() * torch.fft.fft2(arrived)).sum(0)
                for gradient, part in zip(to_waves, (turned.imag, turned.real), strict=True):
                    gradient.sub_(part, alpha=steps * travel.slab_um / arrived[0].numel())
            adjoint = torch.fft.ifft2(spectrum.mul_(travel.factor(steps).conj()))
    return adjoint


__all__ = ["jones_wave", "linear", "polarizer_state", "quarter_wave", "retarder"]

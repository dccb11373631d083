"""Light that spheres scatter forward exactly, as spatial frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import pi
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from osog.cancellation import raise_if_cancelled
from osog.exit_wave.lorenz_mie.equal_spheres import distinct, sphere_table
from osog.waves.bundles import bundles
from osog.waves.evanescence import NEGLIGIBLE_NEPERS
from osog.waves.phase_factors import phase_factor, phasor
from osog.waves.recomputation import KEPT_SPHERE_SAMPLES, recomputed
from osog.waves.sharing import shared

if TYPE_CHECKING:
    from osog.exit_wave.lorenz_mie.amplitudes import Place
    from osog.sample import ParticleBatch
    from osog.waves.plane_waves import ForwardWaves
    from osog.waves.sampling_plan import SamplingPlan


def sphere_spectrum(
    batch: ParticleBatch,
    waves: ForwardWaves,
    plan: SamplingPlan,
    wavelength: Tensor,
    index: Tensor,
) -> Tensor:
    """Fourier-series coefficients of the light that spheres scatter, by Lorenz-Mie theory.

    Parameters
    ----------
    batch : ParticleBatch
        Spheres only; cores and absorption count, birefringence does not.
    waves : ForwardWaves
        In the light of S source points.
    plan : SamplingPlan
    wavelength, index : Tensor, 0-dim
        In vacuum, and of the medium.

    Returns
    -------
    Tensor, shape (S, By, Bx), complex
        As in `ExitWave.spectrum`, at its reference plane. Differentiable in the batch, wavelength,
        medium and all of `waves`.

    Notes
    -----
    Weyl's expansion of the scattered wave: Ê(f) = −2π/(k k_z) · (S1 + S2)/2(cos γ) for a unit
    incident wave at the sphere's centre, γ between the incident and the scattered direction. Exact
    for one sphere, but for the polarisation that the scalar field leaves out (1-2 % of it at NA
    0.8); the fields of several spheres add, without scattering from one to the next.
    """
    angles = shared("scattering angles", lambda: _Angles.of(waves, plan, wavelength, index))
    which, group = distinct(batch)
    table = sphere_table(batch.taken(which), wavelength, index, angles.largest_u)
    scalar, nodes = table.scalar, len(table.nodes)
    groups = [torch.nonzero(group == g).flatten() for g in range(len(which))]

    spare = len(batch) * angles.u.numel() > KEPT_SPHERE_SAMPLES
    some_at_once = bundles(0, len(angles.u), angles.u[0].numel(), angles.u)
    if spare and torch.is_grad_enabled():  # what is computed again is held for all spheres at once
        some_at_once = [slice(s, s + 1) for s in range(len(angles.u))]
    result = []
    for some in some_at_once:
        u, kappa = angles.u[some], angles.kappa[some]
        place = shared(f"{nodes} nodes to {angles.largest_u}", partial(table.locate, u))
        total = torch.zeros_like(u, dtype=u.dtype.to_complex())
        for g, members in enumerate(groups):
            raise_if_cancelled()
            total = total + recomputed(
                spare,
                _equal_spheres,
                scalar[:, g],
                place,
                batch.position[members],
                kappa,
                waves,
                plan,
            )
        result.append(total * angles.weyl[some])
    return torch.cat(result)


@dataclass(frozen=True)
class _Angles:
    """Directions of the band as light of S source points is scattered into them.

    Attributes
    ----------
    kappa, u, weyl : Tensor, shape (S, By, Bx)
        k_z(f + f_s) − k_z(f_s) in 1/µm; 1 − cos γ; and the factor of Weyl's expansion, 0 for waves
        that do not travel.
    largest_u : float
        Of the waves that travel.
    """

    kappa: Tensor
    u: Tensor
    weyl: Tensor
    largest_u: float

    @classmethod
    def of(
        cls, waves: ForwardWaves, plan: SamplingPlan, wavelength: Tensor, index: Tensor
    ) -> _Angles:
        """Directions of the band of a plan."""
        k = 2 * pi * index / wavelength
        inner = (slice(None), waves.rows[:, None], waves.columns)
        kappa, travels = waves.kappa[inner], waves.decay[inner] * plan.slab_um < NEGLIGIBLE_NEPERS
        kz_source = (k / waves.stretch)[:, None, None]
        # From the momentum transfer, which loses no digits at small angles.
        across = waves.fy[:, None] ** 2 + waves.fx[None, :] ** 2
        u = ((2 * pi) ** 2 * across + kappa**2) / (2 * k**2)
        height, width = plan.extent_um
        weyl = torch.where(travels, -2 * pi / (k * (kz_source + kappa)) / (height * width), 0.0)
        largest = float(torch.where(travels, u, 0.0).detach().max()) * 1.0001
        return cls(kappa, u, weyl, largest)


def _equal_spheres(
    amplitude: Tensor,
    place: Place,
    position: Tensor,
    kappa: Tensor,
    waves: ForwardWaves,
    plan: SamplingPlan,
) -> Tensor:
    """Sum of equal spheres at several places (S, By, Bx), without Weyl's factor."""
    corner_y, corner_x = plan.corner_um
    kind = kappa.dtype.to_complex()
    x, y, _ = position.double().unbind(1)
    shift_x, shift_y = (
        phase_factor(frequency, place_um).to(kind)
        for frequency, place_um in ((waves.fx, x - corner_x), (waves.fy, y - corner_y))
    )
    total: Tensor | None = None
    for p in range(len(position)):
        raise_if_cancelled()
        wave = phasor(kappa * (plan.reference_um - position[p, 2]))
        wave = wave * (shift_y[p, :, None] * shift_x[p])
        total = wave if total is None else total + wave
    assert total is not None
    return total * place.of(amplitude)


__all__ = ["sphere_spectrum"]

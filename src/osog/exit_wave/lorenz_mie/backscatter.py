"""Light that spheres of any size scatter back, by Lorenz-Mie theory."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.cancellation import raise_if_cancelled
from osog.exit_wave.lorenz_mie.equal_spheres import distinct, sphere_table
from osog.waves.phase_factors import phase_factor, phasor
from osog.waves.recomputation import KEPT_SPHERE_SAMPLES, recomputed

if TYPE_CHECKING:
    from torch import Tensor

    from osog.exit_wave.lorenz_mie.amplitudes import Place
    from osog.sample import ParticleBatch
    from osog.waves.plane_waves import UpwardWaves
    from osog.waves.sampling_plan import SamplingPlan


def backscattered(
    batch: ParticleBatch,
    waves: UpwardWaves,
    plan: SamplingPlan,
    index: Tensor,
    wavelength: Tensor,
) -> Tensor:
    """Spectrum of the light that spheres send back to where it came from.

    Ê(f) = −2π/(k k_z) · ½(S₁ − S₂)(θ) exp(−2i k_zs z) exp(iκ_s(z_ref − z) − 2πi f·r) per area of
    the domain, with 2k² (1 − cos θ) = (2π f)² + (k_z + k_zs)².

    Parameters
    ----------
    batch : ParticleBatch
        Spheres only, coated or not.
    waves : UpwardWaves
    plan : SamplingPlan
    index, wavelength : Tensor, 0-dim
        Of the medium, and in vacuum.

    Returns
    -------
    complex Tensor (S, By, Bx)
        Conventions of `ReflectedWave`; differentiable in the batch and the numbers.

    Notes
    -----
    Bohren & Huffman (1983), chapter 4; Weyl's expansion of the outgoing wave. Exact for one sphere
    but for the polarisation: ½(S₁ − S₂) is the mean over both, and the part that goes with cos 2φ
    is left out. Light that goes from sphere to sphere is left out too.
    """
    around = 2 * pi * index / wavelength
    twice = waves.kappa + 2 * waves.down[:, None, None]
    across = (2 * pi) ** 2 * (waves.fy[:, None] ** 2 + waves.fx[None, :] ** 2)
    # Straight back is 2; rounding must not leave the table.
    u = ((across + twice**2) / (2 * around**2)).clamp(max=2.0)
    height, width = plan.extent_um
    upward = twice - waves.down[:, None, None]
    weyl = -2 * pi / (around * upward) / (height * width)

    which, group = distinct(batch)
    table = sphere_table(batch.taken(which), wavelength, index, 2.0)
    back = (table.s1 - table.s2) / 2
    spare = len(batch) * u.numel() > KEPT_SPHERE_SAMPLES
    parts = []
    for s in range(len(u)):
        place = table.locate(u[s])
        total = torch.zeros_like(u[s], dtype=u.dtype.to_complex())
        for g in range(len(which)):
            raise_if_cancelled()
            position = batch.position[torch.nonzero(group == g).flatten()]
            total = total + recomputed(spare, _sum, back[:, g], position, place, waves, plan, s)
        parts.append(total * weyl[s])
    return torch.stack(parts)


def _sum(
    amplitude: Tensor,
    position: Tensor,
    place: Place,
    waves: UpwardWaves,
    plan: SamplingPlan,
    point: int,
) -> Tensor:
    """Sum of equal spheres at several places (By, Bx), without the factor of Weyl's expansion."""
    kappa, corner = waves.kappa[point], plan.corner_um
    kind = kappa.dtype.to_complex()
    x, y, z = position.double().unbind(1)
    shift_x = phase_factor(waves.fx, x - corner[1]).to(kind)
    shift_y = phase_factor(waves.fy, y - corner[0]).to(kind)
    round_trip = phasor(-2 * waves.down[point].double() * z).to(kind)
    total = torch.zeros_like(kappa, dtype=kind)
    for p in range(len(position)):
        raise_if_cancelled()
        wave = phasor(kappa * (waves.reference_um - position[p, 2]))
        total = total + wave * (shift_y[p, :, None] * round_trip[p]) * shift_x[p]
    return total * place.of(amplitude)


__all__ = ["backscattered"]

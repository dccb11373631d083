"""Light that spheres of any size scatter back, by Lorenz-Mie theory."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint as recomputed

from osog.exit_wave.interrupt import checkpoint
from osog.exit_wave.mie import Place, amplitude_table, complex_index

if TYPE_CHECKING:
    from osog.exit_wave.plan import SamplingPlan
    from osog.exit_wave.reflected import UpwardWaves
    from osog.sample import ParticleBatch

_GROUP = 32
"""Spheres whose fields are recomputed together for the gradient."""


def sphere_spectrum(
    batch: ParticleBatch,
    number: Tensor,
    waves: UpwardWaves,
    plan: SamplingPlan,
    index: Tensor,
    wavelength: Tensor,
) -> Tensor:
    """Spectrum of the light that spheres send back when lit along the axis.

    Ê(f) = −2π/(k k_z) · ½(S₁ − S₂)(θ) exp(−2ik z) exp(iκ(z_ref − z) − 2πi f·r) per area of the
    domain, with cos θ = −k_z/k.

    Parameters
    ----------
    batch : ParticleBatch
    number : Tensor, shape (n,), int64
        Which particles; spheres, coated or not.
    waves : UpwardWaves
        Of one source point on the axis.
    plan : SamplingPlan
    index, wavelength : Tensor, 0-dim
        Of the medium, and in vacuum.

    Returns
    -------
    complex Tensor (By, Bx)
        Conventions of `ReflectedWave`; differentiable in the batch, the index and the wavelength.

    Notes
    -----
    Bohren & Huffman (1983), chapter 4; Weyl's expansion of the outgoing wave. Scalar: the mean over
    both polarisations, ½(S₁ − S₂); the part that goes with cos 2φ is left out. Light that goes from
    sphere to sphere is left out too.
    """
    around = 2 * pi * index / wavelength
    size = around * batch.size[number, 0]
    relative = complex_index(
        index + batch.delta_index[number], batch.absorption_per_um[number], wavelength
    )
    core = None
    if bool((batch.core_radius[number] > 0).any()):
        inside = index + batch.delta_index[number] + batch.core_index_step[number]
        core_index = complex_index(inside, batch.absorption_per_um[number], wavelength)
        core = around * batch.core_radius[number], core_index / index
    table = amplitude_table(size, relative / index, 2.0, core)
    back = (table.s1 - table.s2) / 2
    kz = around + waves.kappa[0]
    place = table.locate(1 + (kz / around).clamp(max=1.0))
    height, width = plan.extent_um
    factor = -2 * pi / (around * kz) / (height * width)
    position = batch.position[number]

    def group(members: range) -> Tensor:
        return _sum(members, back, place, position, waves, plan, around)

    total: Tensor | None = None
    for start in range(0, len(number), _GROUP):
        checkpoint()
        members = range(start, min(start + _GROUP, len(number)))
        part = (
            recomputed(group, members, use_reentrant=False, preserve_rng_state=False)
            if torch.is_grad_enabled() and len(number) > _GROUP
            else group(members)
        )
        total = part if total is None else total + part
    assert total is not None
    return total * factor


def _sum(
    members: range,
    back: Tensor,
    place: Place,
    position: Tensor,
    waves: UpwardWaves,
    plan: SamplingPlan,
    around: Tensor,
) -> Tensor:
    corner_y, corner_x = plan.corner_um
    total: Tensor | None = None
    for i in members:
        x, y, z = position[i].unbind()
        phase = waves.kappa[0] * (waves.reference_um - z) - 2 * around * z
        along = phase - 2 * pi * (waves.fy * (y - corner_y))[:, None]
        turn = along - 2 * pi * (waves.fx * (x - corner_x))
        field = place.of(back[:, i]) * torch.complex(torch.cos(turn), torch.sin(turn))
        total = field if total is None else total + field
    assert total is not None
    return total

"""Groups of equal spheres, whose amplitudes are tabulated once."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.derivatives import followed, needs_plain_operations
from osog.exit_wave.coated_spheres import is_coated
from osog.exit_wave.lorenz_mie.amplitudes import AmplitudeTable, amplitude_table
from osog.exit_wave.lorenz_mie.coefficients import complex_index

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import ParticleBatch


def sphere_table(
    batch: ParticleBatch, wavelength: Tensor, medium_index: Tensor, largest_u: float
) -> AmplitudeTable:
    """Amplitudes of the spheres of a batch, with S1 and S2 apart.

    Parameters
    ----------
    batch : ParticleBatch
        N spheres.
    wavelength, medium_index : 0-dim Tensor
    largest_u : float
        Largest 1 − cos γ, 2 for light that goes straight back.
    """
    k = 2 * pi * medium_index.double() / wavelength.double()
    own = medium_index.double() + batch.delta_index.double()
    shell = complex_index(own, batch.absorption_per_um, wavelength) / medium_index
    core = None
    if is_coated(batch).any():
        inner = own + batch.core_index_step.double()
        absorption = batch.absorption_per_um + batch.core_absorption_step
        inside = complex_index(inner, absorption, wavelength) / medium_index
        core = (k * batch.core_radius.double(), inside)
    return amplitude_table(k * batch.size[:, 0].double(), shell, largest_u, core)


def distinct(batch: ParticleBatch) -> tuple[Tensor, Tensor]:
    """Representatives of equal spheres, and the group (N,) of each; apart under a gradient."""
    columns = (
        batch.size[:, 0],
        batch.delta_index,
        batch.absorption_per_um,
        batch.core_radius,
        batch.core_index_step,
        batch.core_absorption_step,
    )
    every = torch.arange(len(batch), device=batch.device)
    tracked = torch.is_grad_enabled() and followed(*columns)
    if tracked or needs_plain_operations(*columns):
        return every, every
    rows, group = torch.unique(torch.stack(columns, 1), dim=0, return_inverse=True)
    first = torch.full((len(rows),), len(batch), device=batch.device)
    return first.scatter_reduce(0, group, every, "amin"), group


__all__ = ["distinct", "sphere_table"]

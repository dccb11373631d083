"""Light that spheres scatter exactly, as spatial frequencies; and the cores of coated spheres."""

from __future__ import annotations

from dataclasses import fields, replace
from math import pi
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils import checkpoint as recompute

from osog.cautions import Caution
from osog.exit_wave.interrupt import checkpoint
from osog.exit_wave.mie import AmplitudeTable, Place, amplitude_table, complex_index
from osog.geometry import half_extents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.exit_wave.engine import PlaneWaves
    from osog.exit_wave.plan import SamplingPlan
    from osog.sample import ParticleBatch, Values

_NEAR = 1.1
"""Distance of two spheres, in sums of their radii, below which they count as touching."""
_SHADED = 0.7
"""The same for the distance across the light, below which one shades the other."""
_KEEP = 4e6
"""Samples of all spheres and source points up to which the gradient keeps what it needs."""


def sphere_spectrum(
    batch: ParticleBatch, values: Values, plan: SamplingPlan, waves: PlaneWaves, source: Tensor
) -> Tensor:
    """Fourier-series coefficients of the light that spheres scatter, by Lorenz-Mie theory.

    Parameters
    ----------
    batch : ParticleBatch
        Spheres only; cores and absorption count, birefringence does not.
    values : Values
        Wavelength and index of the medium.
    plan : SamplingPlan
    waves : PlaneWaves
    source : Tensor, shape (S, 2)
        Source points in cycles/µm.

    Returns
    -------
    Tensor, shape (S, By, Bx), complex
        As in `ExitWave.spectrum`, at its reference plane. Differentiable in the batch, wavelength,
        medium and source.

    Notes
    -----
    Weyl's expansion of the scattered wave: Ê(f) = −2π/(k k_z) · (S1 + S2)/2(cos γ) for a unit
    incident wave at the sphere's centre, γ between the incident and the scattered direction. Exact
    for one sphere, but for the polarisation that the scalar field leaves out (1-2 % of it at NA
    0.8); the fields of several spheres add, without scattering from one to the next.
    """
    wavelength, index = values.number("microscope.wavelength_um"), values.number("medium.index")
    k = 2 * pi * index / wavelength
    inner = (slice(None), waves.rows[:, None], waves.columns)
    kappa, travels = waves.kappa[inner], waves.decay[inner] * plan.slab_um < 8
    kz_source = k / waves.stretch
    fy, fx = waves.fy[:, None], waves.fx[None, :]
    # 1 − cos γ from the momentum transfer, which loses no digits at small angles.
    u = ((2 * pi) ** 2 * (fx**2 + fy**2) + kappa**2) / (2 * k**2)
    height, width = plan.extent_um
    weyl = -2 * pi / (k * (kz_source[:, None, None] + kappa)) / (height * width)
    weyl = torch.where(travels, weyl, 0.0)

    which, group = distinct(batch)
    spheres = batch.taken(which)
    table = sphere_table(
        spheres, wavelength, index, float(torch.where(travels, u, 0.0).detach().max()) * 1.0001
    )
    scalar = table.scalar

    differentiate = torch.is_grad_enabled()
    spare = differentiate and len(batch) * u.numel() > _KEEP
    result = []
    for s in range(len(source)):
        place = table.locate(u[s])
        total = torch.zeros_like(u[s], dtype=u.dtype.to_complex())
        for g in range(len(which)):
            checkpoint()
            mine = torch.nonzero(group == g).flatten()
            arguments = (scalar[:, g], place.weights, batch.position[mine], kappa[s])
            if spare:
                part = recompute.checkpoint(
                    _equal_spheres, *arguments, place.left, waves, plan,
                    use_reentrant=False, preserve_rng_state=False,
                )  # fmt: skip
            else:
                part = _equal_spheres(*arguments, place.left, waves, plan)
            total = total + part
        result.append(total * weyl[s])
    return torch.stack(result)


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
    if _coated(batch).any():
        inner = own + batch.core_index_step.double()
        inside = complex_index(inner, batch.absorption_per_um, wavelength) / medium_index
        core = (k * batch.core_radius.double(), inside)
    return amplitude_table(k * batch.size[:, 0].double(), shell, largest_u, core)


def with_cores(batch: ParticleBatch) -> ParticleBatch:
    """Return the batch with the core of each coated sphere as a further sphere at its end.

    Its index is relative to the shell, so that phases add up along a ray; it absorbs and emits
    nothing of its own, since the coefficients of the outer sphere hold for all of it.
    """
    coated = _coated(batch)
    if not bool(coated.any()):
        return batch
    index = torch.nonzero(coated).flatten()
    cores = batch.taken(index)
    zero = torch.zeros_like(cores.delta_index)
    cores = replace(
        cores,
        size=cores.core_radius[:, None].expand(-1, 3),
        delta_index=cores.core_index_step,
        absorption_per_um=zero,
        emission_per_um=zero,
        birefringence=zero,
        core_radius=zero,
        core_index_step=zero,
    )
    joined: dict[str, Any] = {
        f.name: torch.cat((getattr(batch, f.name), getattr(cores, f.name)))
        for f in fields(batch)
        if f.name not in ("planes", "plane_start")
    }
    last = batch.plane_start[-1:].expand(len(index))
    return replace(batch, **joined, plane_start=torch.cat((batch.plane_start, last)))


def _coated(batch: ParticleBatch) -> Tensor:
    return batch.core_radius.detach() > 0


def distinct(batch: ParticleBatch) -> tuple[Tensor, Tensor]:
    """Representatives of equal spheres, and the group (N,) of each; apart under a gradient."""
    columns = (
        batch.size[:, 0],
        batch.delta_index,
        batch.absorption_per_um,
        batch.core_radius,
        batch.core_index_step,
    )
    every = torch.arange(len(batch), device=batch.device)
    if torch.is_grad_enabled() and any(c.requires_grad for c in columns):
        return every, every
    rows, group = torch.unique(torch.stack(columns, 1), dim=0, return_inverse=True)
    first = torch.full((len(rows),), len(batch), device=batch.device)
    return first.scatter_reduce(0, group, every, "amin"), group


def _equal_spheres(
    amplitude: Tensor,
    weights: Tensor,
    position: Tensor,
    kappa: Tensor,
    left: Tensor,
    waves: PlaneWaves,
    plan: SamplingPlan,
) -> Tensor:
    """Sum of equal spheres at several places, without the factor of Weyl's expansion."""
    corner_y, corner_x = plan.corner_um
    # Hundreds of turns across the domain: in single precision they would cost three digits.
    turn_x = turn(waves.fx, position[:, 0].double() - corner_x).to(kappa.dtype.to_complex())
    turn_y = turn(waves.fy, position[:, 1].double() - corner_y).to(kappa.dtype.to_complex())
    total: Tensor | None = None
    for p in range(len(position)):
        checkpoint()
        phase = kappa * (plan.reference_um - position[p, 2])
        wave = torch.complex(torch.cos(phase), torch.sin(phase))
        wave = wave * turn_y[p, :, None] * turn_x[p]
        total = wave if total is None else total + wave
    assert total is not None
    return total * Place(left, weights).of(amplitude)


def turn(frequency: Tensor, position: Tensor) -> Tensor:
    """exp(−2πi f r) for every position, shape (n, B)."""
    phase = -2 * pi * position[:, None] * frequency.double()
    return torch.complex(torch.cos(phase), torch.sin(phase))


def neighbour_cautions(batch: ParticleBatch, exact: list[int]) -> Iterator[Caution]:
    """Say how many exact spheres touch a neighbour, lie in its shadow, or overlap with it.

    Parameters
    ----------
    batch : ParticleBatch
    exact : list of int
        Populations of exact spheres.
    """
    with torch.no_grad():
        numbers = torch.tensor(exact, dtype=torch.int64, device=batch.device)
        mine = torch.nonzero(torch.isin(batch.population, numbers)).flatten()
        radius = half_extents(batch, torch.arange(len(batch), device=batch.device)).max(1).values
        place = batch.position
        close = shaded = overlapping = 0
        # In parts, so that thousands of particles need no square table.
        for part in mine.split(512):
            reach = radius[part][:, None] + radius
            distance, across = (
                torch.cdist(place[part], place),
                torch.cdist(place[part, :2], place[:, :2]),
            )
            itself = torch.arange(len(part), device=batch.device), part
            distance[itself], across[itself] = float("inf"), float("inf")
            close += int((distance < _NEAR * reach).any(1).sum())
            shaded += int((across < _SHADED * reach).any(1).sum())
            overlapping += int((distance < 0.999 * reach).any(1).sum())
    if close:
        noun = "exact sphere touches" if close == 1 else "exact spheres touch"
        words = f"{close} {noun} a neighbour or nearly: their fields are added, some 3 % off"
        if overlapping:
            words += f", and {overlapping} overlap, which no sum of spheres describes"
        yield Caution(words + ".")
    if shaded:
        noun = "exact sphere lies" if shaded == 1 else "exact spheres lie"
        yield Caution(
            f"{shaded} {noun} before or behind another body: what passes from one to the other "
            "is left out, some 20 % of their light."
        )

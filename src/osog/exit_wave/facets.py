"""Light that the upper and lower surfaces of bodies send back."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, degrees, pi
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.cancellation import raise_if_cancelled
from osog.cautions import Caution
from osog.derivatives import followed
from osog.exit_wave.birefringence import mean_delta_index
from osog.exit_wave.kernel_deconvolution import (
    binned_transfer,
    cubic_spline_transfer,
    deconvolved,
)
from osog.exit_wave.raster import PatchBatch, Raster, particle_tensors
from osog.exit_wave.splat_weights import cubic_spline
from osog.geometry import by_shape, chords, half_extents
from osog.particles import assembled
from osog.waves.phase_factors import phasor, sinc
from osog.waves.recomputation import recomputed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.plane_waves import UpwardWaves
    from osog.waves.sampling_plan import SamplingPlan

_PARTS = {"draft": 1, "standard": 2, "fine": 3}
"""Sub-samples a side of every sample: what is left of the error lies at steep rims."""

_RIM = 1.5
"""Half heights of a body from its middle up to which a column's surface may be found."""


def facet_spectrum(
    batch: ParticleBatch,
    waves: UpwardWaves,
    plan: SamplingPlan,
    index: Tensor,
    wanted: Tensor,
) -> Tensor:
    """Spectrum of the light that both surfaces of every particle send back.

    A column of a body between t1 and t2 reflects r exp(−2i k_zs t2) from its upper surface and
    −r (1 − r²) exp(−2i k_zs t2 + 2i k'_zs (t2 − t1) − μ (t2 − t1)) from its lower one, with
    r = (n_m − n)/(n_m + n) and k' within the body. Each contribution is spread over the nearest
    slab planes (cubic B-splines, divided out by sinc⁴) and travels up from there, the lower
    surface from its apparent height t2 − (t2 − t1) n_m/n.

    Parameters
    ----------
    batch : ParticleBatch
    waves : UpwardWaves
    plan : SamplingPlan
    index : Tensor, 0-dim
        Of the medium.
    wanted : Tensor of bool, shape (N,)
        Particles to draw.

    Returns
    -------
    complex Tensor (S, By, Bx)
        Conventions of `ReflectedWave`; differentiable in the batch, the index and all of `waves`.

    Notes
    -----
    Kirchhoff's integral over both surfaces (Beckmann & Spizzichino 1963): a phasor of the round
    trip k_z + k_zs per column, times k_zs/k_z. In the stationary-phase limit that is geometric
    optics. The reflectance is that at normal incidence, which the mean over both polarisations
    keeps to first order of the index step. Valid for surfaces much larger than the wavelength
    with slopes below half of the collection angle, from where light reaches the objective, and
    for weak bodies of any size (first Born approximation) with a phase error of about their
    retardation 2π Δn (t2 − t1)/λ. Against Lorenz-Mie theory the field of a sphere is 1–3 % off at
    Δn 0.001; `scattering.facet_error_percent` holds beyond, where light from the lower surface is
    refracted by a curved upper one. Of bodies that a line of sight crosses several times, the
    farther pieces are drawn as if the nearer ones did not delay their light. Light that is
    reflected more than twice, shadows of one particle on another, total reflection and cores of
    coated spheres are left out. Parts reflect as if the light reached them through the medium.
    """
    batch = assembled(batch)
    if batch.membership is not None:
        wanted = wanted[batch.membership.host]
    raster = Raster(batch, plan)
    relative = mean_delta_index(batch, index)
    columns = []
    for patches in raster.patch_batches:
        raise_if_cancelled()
        mine = wanted[patches.index]
        if bool(mine.any()):
            columns.append(_Columns.of(raster, batch, patches, relative, index, mine))

    points = range(len(waves.down))
    spare = len(points) > 1
    return torch.stack([recomputed(spare, _one_source, columns, waves, plan, p) for p in points])


@dataclass(frozen=True)
class _Columns:
    """Columns of the particles of one patches, each (n, P, Q) or (n, 1, 1).

    Attributes
    ----------
    address : Tensor, int64
        Place in the field grid.
    upper, thickness : Tensor
        t2 and t2 − t1 over the covered part of the pixel, µm.
    upper_rise, thickness_rise : Tensor (2, n, P, Q)
        How much they change across the pixel, along x and y.
    first, second : Tensor
        Amplitudes of both surfaces, coverage included.
    inside : Tensor
        Index of the body.
    apparent : Tensor
        n_m/n.
    """

    address: Tensor
    upper: Tensor
    thickness: Tensor
    upper_rise: Tensor
    thickness_rise: Tensor
    first: Tensor
    second: Tensor
    inside: Tensor
    apparent: Tensor

    @classmethod
    def of(
        cls,
        raster: Raster,
        batch: ParticleBatch,
        patches: PatchBatch,
        relative: Tensor,
        index: Tensor,
        wanted: Tensor,
    ) -> _Columns:
        plan, tensors, i = raster.plan, particle_tensors(batch, patches), patches.index
        parts = _PARTS[plan.accuracy]
        (py, px), (cy, cx) = (p / parts for p in plan.pitch_um), plan.corner_um
        real: dict[str, Any] = {"dtype": tensors.position.dtype, "device": tensors.position.device}
        rows = torch.arange(patches.height * parts, device=patches.row.device)
        columns = torch.arange(patches.width * parts, device=patches.row.device)
        # Sub-samples lie evenly about the middle of their sample.
        cx, cy = cx - (parts - 1) / 2 * px, cy - (parts - 1) / 2 * py
        chord = chords(
            patches.shape,
            ((parts * patches.column[:, None] + columns).to(**real) * px + cx)[:, None, :],
            ((parts * patches.row[:, None] + rows).to(**real) * py + cy)[:, :, None],
            tensors.position,
            tensors.quaternion,
            tensors.size,
            tensors.planes,
            tensors.plane_mask,
            (py, px),
            wall_samples=1,
        )
        # Each piece of a line of sight sends back light of its own.
        coverage = chord.coverage.repeat(1, chord.intervals, 1)
        # A path is the mean over the pixel; the surfaces lie where the covered part of it is.
        thickness = (chord.exit - chord.entry) / (coverage + 1e-6)
        upper = (chord.exit + chord.entry + thickness) / 2
        # At the rim of a wall that the sample hardly touches, the mean height is far outside.
        half = half_extents(batch, i)[:, 2, None, None]
        middle, reach = tensors.position[:, 2, None, None], _RIM * half
        upper = torch.minimum(torch.maximum(upper, middle - reach), middle + reach)
        thickness = torch.minimum(thickness, 2 * reach)
        outside = relative[i, None, None]
        # A part in a body reflects by the step between both.
        step = batch.steps(relative)[i, None, None]
        mirror = -step / (2 * index + outside + (outside - step))
        weight = coverage * (wanted.to(coverage)[:, None, None] / parts**2)
        filled = thickness if chord.intervals == 1 else thickness.clamp_min(0)
        loss = torch.exp(-batch.steps(batch.absorption_per_um)[i, None, None] * filled)
        address = raster.addresses(patches)
        return cls(
            address=address.repeat_interleave(parts, 1).repeat_interleave(parts, 2),
            upper=upper,
            thickness=thickness,
            upper_rise=_rise(upper, coverage),
            thickness_rise=_rise(thickness, coverage),
            first=mirror * weight,
            second=-mirror * (1 - mirror * mirror) * weight * loss,
            inside=index + outside,
            apparent=index / (index + outside),
        )


def _rise(height: Tensor, coverage: Tensor) -> Tensor:
    """Change of a surface across each sample, (2, n, P, Q) along x and y.

    The mean of the differences to both neighbours, weighted with what the body covers of them.
    """
    found = []
    for axis in (-1, -2):
        step = height.diff(dim=axis)
        number = height.shape[axis]
        ahead, behind = coverage.narrow(axis, 1, number - 1), coverage.narrow(axis, 0, number - 1)
        edge = torch.zeros_like(height.narrow(axis, 0, 1))
        total = torch.cat([step * ahead, edge], axis) + torch.cat([edge, step * behind], axis)
        weight = torch.cat([ahead, edge], axis) + torch.cat([edge, behind], axis)
        found.append(total / (weight + 1e-3))
    return torch.stack(found)


def _one_source(
    columns: list[_Columns], waves: UpwardWaves, plan: SamplingPlan, point: int
) -> Tensor:
    """Spectrum (By, Bx) of all columns in the light of one source point."""
    dz, (gy, gx) = plan.slab_um, plan.grid_shape
    plane = gy * gx
    down, middle = waves.down[point], waves.middle[point]
    contributions: list[tuple[Tensor, Tensor, Tensor]] = []
    for c in columns:
        raise_if_cancelled()
        within = (waves.vacuum * c.inside) ** 2
        # A ray that would be totally reflected runs along the surface instead.
        within = torch.sqrt(torch.maximum(within - waves.across_squared[point], 1e-4 * within))
        lower = c.upper - c.thickness * c.apparent
        trip = -2 * down * c.upper
        trip_rise = -2 * down * c.upper_rise
        for amplitude, height, phase, rise in (
            (c.first, c.upper, trip, trip_rise),
            (
                c.second,
                lower,
                trip + 2 * within * c.thickness,
                trip_rise + 2 * within * c.thickness_rise,
            ),
        ):
            # Mean of the phasor over the sample: steep slopes fade, they do not alias.
            faded = amplitude * sinc(rise / (2 * pi)).prod(0)
            place = height / dz
            below = torch.floor(place.detach())
            above = place - below
            slow = phase - middle * height
            value = torch.stack((faded * torch.cos(slow), faded * torch.sin(slow)))
            contributions.append(
                ((below.long() * plane + c.address).reshape(-1), value.flatten(1), above.flatten())
            )
    total = torch.zeros_like(waves.kappa[point])
    if not contributions:
        return torch.complex(total, total)
    lowest = min(int(address.min()) for address, _, _ in contributions) // plane - 1
    highest = max(int(address.max()) for address, _, _ in contributions) // plane + 2
    size = (highest - lowest + 1) * plane
    volumes = [torch.zeros(size, dtype=total.dtype, device=total.device) for _ in range(2)]
    for address, value, above in contributions:
        start = address - (lowest + 1) * plane
        for number, weight in enumerate(cubic_spline(above)):
            for volume, part in zip(volumes, value, strict=True):
                _add(volume, start + number * plane, part * weight)
    shifted = waves.kappa[point] - middle
    spectrum = torch.complex(total, total)
    slabs = torch.complex(*volumes).view(-1, gy, gx)
    for number, slab in enumerate(slabs.unbind(0)):
        raise_if_cancelled()
        if not followed(slab) and not bool(slab.any()):
            continue
        rows = torch.fft.fft(slab, dim=-1, norm="forward")[:, waves.columns]
        found = torch.fft.fft(rows, dim=-2, norm="forward")[waves.rows]
        phase = middle * waves.reference_um + shifted * (
            waves.reference_um - (lowest + number) * dz
        )
        spectrum = spectrum + found * phasor(phase)
    along = cubic_spline_transfer(shifted, dz)
    across = binned_transfer(waves, plan, _PARTS[plan.accuracy])
    return spectrum * deconvolved(waves.obliquity[point], along, across)


def _add(volume: Tensor, address: Tensor, value: Tensor) -> None:
    """Add values in place; on CUDA in an order that does not change from call to call."""
    if volume.device.type == "cuda":
        volume.index_put_((address,), value, accumulate=True)
    else:
        volume.scatter_add_(0, address, value)


def steepest_slope_deg(scene: Scene) -> float:
    """Slope of a facet that still sends axial light into the objective: half of its angle."""
    sine = scene.microscope.numerical_aperture / scene.medium.index
    return degrees(asin(min(sine, 1.0))) / 2


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when facets are too small to stand for a body of high index."""
    numbers = [i for i, model in enumerate(plan.scattering) if model == "facets"]
    if len(batch) == 0 or not numbers or not scene.microscope.epi:
        return
    with torch.no_grad():
        drawn = torch.tensor(numbers, dtype=torch.int64, device=batch.device)
        mine = torch.isin(batch.population, drawn)
        if not bool(mine.any()):
            return
        index = torch.nonzero(mine).flatten()
        width = 2 * half_extents(batch, index)[:, :2].min(1).values
        phase = 4 * pi * batch.delta_index[index].abs() / scene.microscope.wavelength_um
        phase = phase * half_extents(batch, index)[:, 2]
        wavelength = scene.microscope.wavelength_um / scene.medium.index
        small = int(((width < 2 * wavelength) & (phase > 0.5)).sum())
        delayed = any(
            bool((phase[rows] > 0.5).any())
            for shape, rows in by_shape(batch, index)
            if shape.intervals > 1
        )
    if delayed:
        yield Caution(
            "Reflected light takes bodies as convex: that of the farther parts of bent, biconcave "
            "or hollow ones is drawn as if the nearer parts did not delay it."
        )
    if small:
        noun = "body is" if small == 1 else "bodies are"
        yield Caution(
            f"{small} {noun} less than two wavelengths wide ({2 * wavelength:.2g} µm) and of high "
            "index: facets stand for large surfaces or weak bodies only."
        )


__all__ = ["cautions", "facet_spectrum", "steepest_slope_deg"]

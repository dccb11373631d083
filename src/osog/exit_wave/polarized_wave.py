"""Particles → polarised light behind the sample."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, cast

import torch

from osog.derivatives import followed
from osog.exit_wave.birefringence import index_split
from osog.exit_wave.coated_spheres import with_cores
from osog.exit_wave.illumination import light_points
from osog.exit_wave.jones_multislice import through_crystals
from osog.exit_wave.kernel_deconvolution import slab_correction
from osog.exit_wave.raster import Raster, modelled_by
from osog.exit_wave.wave import JonesWave
from osog.particles import assembled
from osog.waves.jones_matrices import polarizer_state
from osog.waves.plane_waves import ForwardWaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

    from osog.sample import ParticleBatch, Values
    from osog.scene import Polarized
    from osog.waves.sampling_plan import SamplingPlan


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
    (wave,) = jones_waves([(batch, values)], plan)
    return wave


def jones_waves(
    lines: Iterable[tuple[ParticleBatch, Values]], plan: SamplingPlan
) -> Iterator[JonesWave]:
    """Yield the light of several wavelengths one after the other; see `jones_wave`.

    Parameters
    ----------
    lines : iterable of (ParticleBatch, Values)
        For each wavelength. Particles that are the same ones are rasterised once, and so is what
        their phases have in common.
    plan : SamplingPlan
    """
    raster: Raster | None = None
    before: tuple[Tensor, ...] = ()
    for each, values in lines:
        batch = assembled(with_cores(each))
        bodies = (batch.position, batch.quaternion, batch.size, batch.planes)
        if raster is None or any(a is not b for a, b in zip(bodies, before, strict=True)):
            raster = Raster(batch, plan, modelled_by("projection", batch, plan))
            before = bodies
        yield _through(raster, batch, values, plan)


def _through(raster: Raster, batch: ParticleBatch, values: Values, plan: SamplingPlan) -> JonesWave:
    wavelength, index = values.microscope.wavelength_um, values.medium.index
    polars = cast("Polarized[Tensor]", values.microscope.modality)
    source, weights = light_points(values, plan)
    waves = ForwardWaves.of(plan, source, wavelength, index)
    state = polarizer_state(polars.polarizer_deg, polars.circular)
    per_um = phases_per_um(batch, source, wavelength, index)
    spectrum = through_crystals(raster, batch, per_um, state, waves)
    return JonesWave(
        spectrum=spectrum * slab_correction(waves, plan)[:, None],
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


def phases_per_um(
    batch: ParticleBatch, source: Tensor, wavelength: Tensor, index: Tensor
) -> Tensor:
    """Mean phase, g_c, g_s and, if anything absorbs, loss per µm: (S, 3 or 4, N).

    Parameters
    ----------
    batch : ParticleBatch
    source : Tensor, shape (S, 2)
        Source points (x, y) in cycles/µm.
    wavelength, index : Tensor, 0-dim
        In vacuum, and of the medium.
    """
    k0 = 2 * pi / wavelength
    absorbing = followed(batch.absorption_per_um) or bool((batch.absorption_per_um > 0).any())
    rows = []
    for point in source:
        mean, cosine, sine = index_split(batch, index, point * (wavelength / index))
        columns = [k0 * mean, 0.5 * k0 * cosine, 0.5 * k0 * sine]
        if absorbing:
            columns.append(0.5 * batch.absorption_per_um)
        rows.append(batch.steps(torch.stack(columns)))
    return torch.stack(rows)


__all__ = ["jones_wave", "jones_waves", "phases_per_um"]

"""Polarised light."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.exit_wave.birefringence import largest_retardance
from osog.optics.abbe import abbe_sum
from osog.optics.lens import coherent_field
from osog.optics.optical_image import OpticalImage
from osog.optics.vectorial import is_vectorial, scattered_weights
from osog.scene import Polarized
from osog.waves.jones_matrices import linear, quarter_wave_plate, retarder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.exit_wave.wave import ExitWave, JonesWave
    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan


def polarized(wave: JonesWave, values: Values) -> OpticalImage:
    """Polariser, sample, compensator and analyser.

    I = Σ_s w_s (|⟨a| M U_s|² + e |⟨a⊥| M U_s|²) / Σ_s w_s |P(f_s)|² with the analyser's direction a
    and its extinction leak e. M is the compensator, a plate with the retardance 2π R/λ for R in nm
    and its slow axis along the given azimuth, followed by the second quarter-wave plate if the
    light is circular. That plate is crossed with the first one, so that both cancel where the field
    is empty, and turning the analyser acts as it does between linear polars (Malus).

    Parameters
    ----------
    wave : JonesWave
        Any number of source points.
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance relative to the light behind the polariser: without a sample 1 between parallel
        polars and e between crossed ones. The field is the one that the analyser passes, relative
        to the light behind the polariser, for one source point.

    Notes
    -----
    Crossed polars show a plate of retardance Γ and azimuth θ from the polariser as
    sin²2θ sin²(Γ/2), crossed circular ones as sin²(Γ/2) whatever its azimuth (Jones 1941; Born &
    Wolf §15.4.1). The quarter-wave plates are achromatic; the compensator's path difference is the
    same at all wavelengths. A scalar pupil leaves the polarisation of scattered light as it is; a
    vectorial one turns it ray by ray, so that isotropic edges shine between crossed polars too, and
    the dark cross in the back focal plane appears. The turn by refraction at lens surfaces (some
    1e-3 of the light at high NA; Inoué & Hyde 1957) can be put into the extinction leak.
    """
    polars = values.microscope.modality
    assert isinstance(polars, Polarized)
    passing, blocked = analysers(values, wave.wavelength_um)
    leak = polars.extinction
    if is_vectorial(values):
        wave = _turned_by_lens(wave)
    analysed = wave.analysed(passing)
    irradiance, field = _imaged(analysed, values)
    if values.acts(leak):
        leaked, _ = _imaged(wave.analysed(blocked), values)
        irradiance = irradiance + leak * leaked
    return OpticalImage(irradiance, field)


def _turned_by_lens(wave: JonesWave) -> JonesWave:
    """Scattered light whose components an aplanatic lens has turned ray by ray.

    Every scatterer is a dipole along the field that it sees (Born's approximation), as in
    `scattered_weights`.
    """
    turned = []
    for spectrum, source in zip(wave.spectrum, wave.source, strict=True):
        sx, sy = source[0], source[1]
        fx, fy = wave.fx[None, :] + sx, wave.fy[:, None] + sy
        (xx, xy), (yx, yy) = scattered_weights(
            fx, fy, (sx, sy), wave.wavelength_um, wave.medium_index
        )
        x, y = spectrum[0], spectrum[1]
        turned.append(torch.stack((xx * x + yx * y, xy * x + yy * y)))
    return replace(wave, spectrum=torch.stack(turned))


def analysers(values: Values, wavelength_um: Tensor) -> tuple[Tensor, Tensor]:
    """Rows ⟨a| M and ⟨a⊥| M of everything behind the sample, for what passes and what is blocked.

    Parameters
    ----------
    values : Values
    wavelength_um : Tensor, 0-dim
        Vacuum wavelength, in which the compensator's path difference is counted.

    Returns
    -------
    passing, blocked : complex Tensor, shape (2,)
    """
    polars = values.microscope.modality
    assert isinstance(polars, Polarized)
    retardance = 2e-3 * pi * polars.compensator_nm / wavelength_um
    azimuth = torch.deg2rad(polars.compensator_azimuth_deg)
    matrix = retarder(retardance, azimuth)
    if polars.circular:
        matrix = quarter_wave_plate(polars.polarizer_deg, 45.0) @ matrix
    analyser = torch.deg2rad(polars.analyzer_deg)
    return linear(analyser) @ matrix, linear(analyser + pi / 2) @ matrix


def _imaged(wave: ExitWave, values: Values) -> tuple[Tensor, Tensor | None]:
    if wave.spectrum.shape[0] > 1:
        return abbe_sum(wave, values, [(1.0, None)]), None
    field, _ = coherent_field(wave, values)
    return field.real.square() + field.imag.square(), field


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when crossed polars have nothing to show."""
    if len(batch) == 0:
        return
    name, largest = largest_retardance(scene, batch)
    if largest == 0:
        yield Caution(
            "No particle is birefringent, so crossed polars show nothing of the sample.",
            {f"populations.{name}.material.birefringence": 0.01},
            f"Make '{name}' birefringent",
        )

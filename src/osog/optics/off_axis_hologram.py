"""Off-axis holography."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.optics.lens import coherent_field
from osog.optics.optical_image import OpticalImage
from osog.scene import OffAxisHologram
from osog.waves.phase_factors import phasor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.exit_wave.wave import ExitWave
    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan


def off_axis_hologram(wave: ExitWave, values: Values) -> OpticalImage:
    """Off-axis hologram: the image field interferes with a plane reference wave.

    I = |U + A exp(2πi f_c·r)|² / (1 + A²) with U the coherent image field relative to the incident
    wave, the carrier f_c (along its azimuth from +x towards +y) and r from the middle of the first
    pixel. Without a sample the mean is 1 and the fringes have the contrast 2A/(1 + A²). The fine
    grid holds the fringes; camera pixels average over them, and alias them when they are wider
    than half a fringe. U can be recovered where f_c exceeds 3 NA/λ.

    Parameters
    ----------
    wave : ExitWave
        Of one source point.
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance relative to the mean without a sample, and the field U.

    Raises
    ------
    ValueError
        If the wave has several source points.

    Notes
    -----
    Leith & Upatnieks (1962); Cuche, Marquet & Depeursinge, Appl. Opt. 39, 4070 (2000). The domain
    is periodic and the fringes are not: within the frame they are exactly straight, in the margin
    they are stretched by less than half a period so that they join.
    """
    field, _ = coherent_field(wave, values)
    beam = values.microscope.modality
    assert isinstance(beam, OffAxisHologram)
    carrier = beam.carrier_per_um.to(field.real)
    azimuth = torch.deg2rad(beam.carrier_azimuth_deg.to(field.real))
    amplitude = beam.reference_amplitude.to(field.real)
    along_x = reference(carrier * torch.cos(azimuth), wave.plan, 1)
    along_y = reference(carrier * torch.sin(azimuth), wave.plan, 0)
    total = field + amplitude * (along_y[:, None] * along_x[None, :])
    irradiance = total.real.square() + total.imag.square()
    return OpticalImage(irradiance / (1 + amplitude.square()), field)


def reference(carrier_per_um: Tensor, plan: SamplingPlan, axis: int) -> Tensor:
    """Plane wave along one axis of the fine grid that closes on itself behind the frame.

    Parameters
    ----------
    carrier_per_um : 0-dim Tensor
        Cycles/µm along this axis.
    plan : SamplingPlan
    axis : int
        0 for y, 1 for x.

    Returns
    -------
    complex Tensor (Fy,) or (Fx,)
        exp(2πi f x), x from the middle of the first pixel of the frame.
    """
    per_pixel = plan.oversampling
    pixel = plan.pixel_size_um
    # Pixels reach half their width beyond the first and the last centre.
    frame = (plan.frame_shape[axis] + 1) * pixel
    whole = plan.domain_px[axis] * pixel
    number = plan.fine_shape[axis]
    index = torch.arange(number, dtype=carrier_per_um.dtype, device=carrier_per_um.device)
    from_edge = (index / per_pixel - plan.pad_px[axis] + 1) * pixel
    from_edge = torch.remainder(from_edge + 1e-9 * pixel, whole) - 1e-9 * pixel
    turns = carrier_per_um * (from_edge - pixel)
    if whole > frame:
        # A whole number of fringes over the domain; which one is a choice without a derivative.
        fringes = torch.round(carrier_per_um.detach() * whole)
        t = ((from_edge - frame) / (whole - frame)).clamp(0.0, 1.0)
        rise = t**3 * (10 - 15 * t + 6 * t**2)
        turns = turns + (fringes - carrier_per_um * whole) * rise
    return phasor(2 * math.pi * turns)


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when the orders overlap, or pixels miss the fringes."""
    optics, modality = scene.microscope, scene.microscope.modality
    assert isinstance(modality, OffAxisHologram)
    carrier = modality.carrier_per_um
    limit = optics.numerical_aperture / optics.wavelength_um
    if carrier < 3 * limit:
        enough = math.ceil(30 * limit) / 10
        yield Caution(
            f"A carrier of {carrier:g} fringes per µm is below 3 NA/λ = {3 * limit:.3g}: the "
            "orders overlap, and the field cannot be recovered without error.",
            {"microscope.modality.carrier_per_um": enough},
            f"Use {enough:g} fringes per µm",
        )
    pixel, azimuth = scene.grid.pixel_size_um, math.radians(modality.carrier_azimuth_deg)
    steepest = max(abs(math.cos(azimuth)), abs(math.sin(azimuth)))
    widest = 0.5 / (carrier * steepest + limit)
    if pixel > widest * 1.0001:
        yield Caution(
            f"Pixels of {pixel:.3g} µm undersample the fringes with their sidebands (at most "
            f"{widest:.3g} µm): the hologram aliases, as it does in such a camera.",
            {"grid.pixel_size_um": math.floor(1e4 * widest) / 1e4},
            "Use finer pixels",
        )

"""Numbers for a plot of the pupil, and of how contrast depends on the spatial frequency."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.exit_wave.illumination import Aperture, ring_numbers, source_points
from osog.optics.confocal import jinc
from osog.optics.phase_contrast import phase_plate
from osog.optics.pupil import Pupil
from osog.optics.vectorial import dipole_weights, is_vectorial
from osog.sample import Values

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from osog.scene import Scene

_SOURCE_POINTS = 300
_GRID = 96
"""Frequencies across twice the pupil on which the OTF of an emission is computed."""


@dataclass(frozen=True)
class PupilMap:
    """The pupil as the back focal plane shows it.

    Attributes
    ----------
    sine : ndarray (N,)
        λ f along x and y: sine of the angle times the index, in units of NA.
    pupil : complex ndarray (N, N)
        Amplitude and phase, rows along y: obstruction, apodisation, aberrations, cover glass, and
        the plate of phase contrast. 0 where no light passes.
    source : tuple of float, or None
        Inner and outer NA of the light and its shift (x, y); None where the particles emit. A
        plane wave has the outer NA 0.
    """

    sine: NDArray[np.float64]
    pupil: NDArray[np.complex128]
    source: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class TransferCurve:
    """How much of a grating in focus is seen, against its frequency.

    Attributes
    ----------
    frequency_per_um : ndarray (N,)
        Cycles per µm from 0 to `cutoff_per_um`.
    curves : dict of str to ndarray (N,)
        ``contrast`` of an emission (1 at frequency 0). In transmitted light the contrast per
        radian (``phase``) and per unit of amplitude loss (``amplitude``), each half of what the
        irradiance changes by, signed where it is real (positive brightens phase and darkens loss)
        and its modulus where not. In the dark, and for what measures fields, the share of the
        scattered ``light`` or ``field`` that is collected.
    cutoff_per_um : float
        Where all of them end.
    azimuth_deg : float
        Direction of the grating from +x towards +y: that of the shear, or of oblique light.
    """

    frequency_per_um: NDArray[np.float64]
    curves: dict[str, NDArray[np.float64]]
    cutoff_per_um: float
    azimuth_deg: float


def pupil_map(scene: Scene, size: int = 96) -> PupilMap:
    """Return the pupil of a scene, and the light that enters it.

    Parameters
    ----------
    scene : Scene
        A stack is shown for its first plane.
    size : int
        Samples along an edge.
    """
    values, wavelength, index = _numbers(scene)
    aperture = _aperture(values)
    reach = scene.microscope.numerical_aperture
    if aperture is not None:
        reach = max(reach, aperture[1] + math.hypot(aperture[2], aperture[3]))
    sine = torch.linspace(-1.05 * reach, 1.05 * reach, size, dtype=torch.float64)
    step = float(sine[1] - sine[0]) / float(wavelength) / 2
    fx, fy = (sine / wavelength)[None, :], (sine / wavelength)[:, None]
    passed = _behind(values, wavelength, index, step)(fx, fy)
    return PupilMap(sine.numpy(), passed.numpy(), aperture)


def transfer_curve(scene: Scene, points: int = 96) -> TransferCurve:
    """Return how contrast depends on the spatial frequency in the modality of a scene.

    Parameters
    ----------
    scene : Scene
    points : int
        Frequencies from 0 to the cut-off.

    Notes
    -----
    Emission: the normalised autocorrelation of the pupil (Hopkins 1955), for a confocal microscope
    of both point spreads and the pinhole. Transmission: the weak-object transfer functions
    H_φ/2 and −H_α/2 of Streibl (1985), Σ_s w_s c*P(f_s + f)D(f) ∓ conj(…(−f)) over B, for an object
    in the plane of focus.
    """
    values, wavelength, index = _numbers(scene)
    optics = scene.microscope
    if optics.emits:
        return _emission(values, wavelength, index, points)
    aperture = _aperture(values)
    assert aperture is not None
    inner, outer, shift_x, shift_y = aperture
    azimuth = 0.0
    if optics.modality.kind == "dic":
        azimuth = optics.modality.azimuth_deg
    elif shift_x or shift_y:
        azimuth = math.degrees(math.atan2(shift_y, shift_x))
    passing = min(optics.numerical_aperture, scene.medium.index)
    field_like = optics.epi or optics.modality.kind in ("phase", "hologram", "off_axis_hologram")
    reach = 0.0 if field_like else outer + math.hypot(shift_x, shift_y)
    dark = optics.modality.kind in ("darkfield", "polarized")
    # Direct light from outside the aperture does not arrive, and cannot interfere.
    cutoff = (passing + (reach if dark else min(reach, passing))) / float(wavelength)
    frequency = torch.linspace(0.0, cutoff, points, dtype=torch.float64)
    cosine, sine = math.cos(math.radians(azimuth)), math.sin(math.radians(azimuth))
    fx, fy = frequency * cosine, frequency * sine
    step = cutoff / points
    if optics.epi or optics.modality.kind in ("phase", "off_axis_hologram"):
        collected = _behind(values, wavelength, index, step)(fx, fy)
        return TransferCurve(frequency.numpy(), {"field": collected.abs().numpy()}, cutoff, azimuth)
    source, weights = _source(outer, inner, (shift_x, shift_y), wavelength)
    if len(source) > 1:  # a soft edge as wide as the points are apart hides their steps
        step = max(step, 1.5 * outer / float(wavelength) / len(source) ** 0.5)
    behind = _behind(values, wavelength, index, step)
    sx, sy, weights = source[:, 0, None], source[:, 1, None], weights[:, None]
    turned, flat = _sheared(values)(fx, fy), _sheared(values)(fx[:1] * 0, fy[:1] * 0)
    above = behind(sx + fx, sy + fy)
    direct = behind(sx, sy) * flat
    bright = (weights * direct.abs().square()).sum()
    if dark or float(bright) < 1e-3:
        light = (weights * above.abs().square()).sum(0)
        return TransferCurve(frequency.numpy(), {"light": light.numpy()}, cutoff, azimuth)
    below = behind(sx - fx, sy - fy) * _sheared(values)(-fx, -fy)
    plus = (weights * direct.conj() * above * turned).sum(0) / bright
    minus = (weights * direct * below.conj()).sum(0) / bright
    curves = {"phase": _signed(0.5j * (plus - minus)), "amplitude": _signed(0.5 * (plus + minus))}
    return TransferCurve(frequency.numpy(), curves, cutoff, azimuth)


def _numbers(scene: Scene) -> tuple[Values, Tensor, Tensor]:
    """Values at the first plane of a stack, wavelength, index of the medium."""
    values = Values(scene, dtype=torch.float64)
    first = values.constant(scene.microscope.focus_planes_um[0])
    values = values.replaced({"microscope": {"focus_um": first}})
    return values, values.microscope.wavelength_um, values.medium.index


def _aperture(values: Values) -> tuple[float, float, float, float] | None:
    """Inner and outer NA of the light, and its shift; None for an emission."""
    if values.scene.microscope.emits:
        return None
    aperture = Aperture.of(values)
    outer = float(aperture.outer)
    x, y = (float(shift) for shift in aperture.shift)
    return float(aperture.hole) * outer, outer, x, y


def _source(
    outer: float, inner: float, shift: tuple[float, float], wavelength: Tensor
) -> tuple[Tensor, Tensor]:
    """Points of light (S, 2) in cycles/µm, and their weights (S,)."""
    if outer == 0:
        source, weights = source_points(wavelength * 0, wavelength, 1)
    else:
        hole = torch.full_like(wavelength, inner / outer)
        # A thin annulus is one ring of a few dozen points.
        count = max(round(_SOURCE_POINTS * (1 - inner / outer)), 36)
        rings = ring_numbers(count, inner / outer)
        source, weights = source_points(torch.full_like(wavelength, outer), wavelength, rings, hole)
    return source + torch.tensor(shift, dtype=source.dtype) / wavelength, weights


def _behind(
    values: Values, wavelength: Tensor, index: Tensor, step: float
) -> Callable[[Tensor, Tensor], Tensor]:
    """Everything in the back focal plane, as a function of the absolute frequency."""
    pupil = Pupil.of(values, wavelength, index, (step, step))
    if values.scene.microscope.modality.kind != "phase_contrast":
        return pupil
    plate = phase_plate(values, wavelength, step)
    return lambda fx, fy: pupil(fx, fy) * plate(fx, fy)


def _sheared(values: Values) -> Callable[[Tensor, Tensor], Tensor]:
    """Factor of DIC on a wave relative to the direct light; 1 in any other modality."""
    modality = values.scene.microscope.modality
    if modality.kind != "dic":
        return lambda fx, fy: torch.ones_like(fx, dtype=torch.complex128)
    azimuth, bias = math.radians(modality.azimuth_deg), math.radians(modality.bias_retardance_deg)
    shear = modality.shear_um

    def factor(fx: Tensor, fy: Tensor) -> Tensor:
        along = fx * math.cos(azimuth) + fy * math.sin(azimuth)
        return 1j * torch.sin(math.pi * shear * along + bias / 2)

    return factor


def _signed(curve: Tensor) -> NDArray[np.float64]:
    """Real part where the curve is real, else its modulus."""
    real, whole = curve.real, curve.abs()
    is_real = bool((curve.imag.abs() <= 1e-6 + 1e-3 * whole.max()).all())
    return (real if is_real else whole).numpy()


def _emission(values: Values, wavelength: Tensor, index: Tensor, points: int) -> TransferCurve:
    """Modulus of the OTF along x."""
    optics = values.scene.microscope
    shortest = float(wavelength)
    modality = optics.modality
    if modality.kind == "confocal":
        shortest = min(shortest, modality.excitation_wavelength_um)
    passing = min(optics.numerical_aperture, values.scene.medium.index)
    # Twice the pupil's diameter holds one OTF, twice that the one of a product of two spreads.
    size = 2 * _GRID
    step = 2 * passing / shortest / (_GRID / 2 if modality.kind == "confocal" else _GRID)
    axis = torch.fft.fftfreq(size, 1 / size, dtype=torch.float64) * step
    fx, fy = axis[None, :], axis[:, None]

    def spread(light: Tensor) -> Tensor:
        # The half step is the edge of one sample's area: the pupil is as wide as it should be.
        field = Pupil.of(values, light, index, (step / 2, step / 2))(fx, fy)[None]
        if is_vectorial(values):
            field = field * dipole_weights(fx, fy, light, index)
        amplitude = torch.fft.ifft2(field)
        light_of_all: Tensor = (amplitude.real.square() + amplitude.imag.square()).sum(0)
        return light_of_all

    total = spread(wavelength)
    cutoff = 2 * passing / float(wavelength)
    if modality.kind == "confocal":
        exciting = torch.full_like(wavelength, modality.excitation_wavelength_um)
        radius = modality.pinhole_airy_units * 0.61 * wavelength / optics.numerical_aperture
        hole = jinc(2 * math.pi * radius * torch.sqrt(fx * fx + fy * fy))
        total = torch.fft.ifft2(torch.fft.fft2(total) * hole).real * spread(exciting)
        cutoff += 2 * passing / float(exciting)
    transfer = torch.fft.fft2(total)[0].abs()
    frequency = np.linspace(0.0, cutoff, points)
    half = size // 2
    seen = np.interp(frequency, axis[:half].numpy(), (transfer / transfer[0])[:half].numpy())
    return TransferCurve(frequency, {"contrast": seen}, cutoff, 0.0)

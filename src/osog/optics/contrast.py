"""How much of a grating in focus is seen, in transmitted, collected and emitted light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.exit_wave.illumination import Aperture
from osog.optics.pupil import Pupil
from osog.optics.vectorial import dipole_weights, is_vectorial
from osog.waves.condenser_points import ring_numbers, source_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from osog.sample import Values

    Factor = Callable[[Tensor, Tensor], Tensor]
    """Complex factor as a function of the frequencies fx and fy in cycles/µm."""

GRID = 96
"""Frequencies across twice the pupil on which the OTF of an emission is computed."""
_SOURCE_POINTS = 300


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


def transmitted(
    values: Values,
    points: int,
    plate: Callable[[Values, Tensor, float], Factor] | None = None,
    factor: Factor | None = None,
    azimuth_deg: float | None = None,
) -> TransferCurve:
    """Contrast of a thin, weak grating in light that passes it.

    Parameters
    ----------
    values : Values
        Numbers of a scene with one plane in focus.
    points : int
        Frequencies from 0 to the cut-off.
    plate : callable, optional
        What stands in the back focal plane beside the pupil; see `behind`.
    factor : callable, optional
        Factor of the modality on a wave relative to the direct light.
    azimuth_deg : float, optional
        Direction of the grating; by default that of oblique light.

    Notes
    -----
    The weak-object transfer functions H_φ/2 and −H_α/2 of Streibl (1985),
    Σ_s w_s c*P(f_s + f)D(f) ∓ conj(…(−f)) over B, for an object in the plane of focus.
    """
    scene = values.scene
    wavelength = values.microscope.wavelength_um
    inner, outer, shift_x, shift_y = aperture_of(values)
    azimuth = azimuth_deg
    if azimuth is None:
        oblique = shift_x or shift_y
        azimuth = math.degrees(math.atan2(shift_y, shift_x)) if oblique else 0.0
    passing = min(scene.microscope.numerical_aperture, scene.medium.index)
    reach = outer + math.hypot(shift_x, shift_y)
    dark = scene.microscope.modality.backdrop == "dark"
    # Direct light from outside the aperture does not arrive, and cannot interfere.
    cutoff = (passing + (reach if dark else min(reach, passing))) / float(wavelength)
    frequency = torch.linspace(0.0, cutoff, points, dtype=torch.float64)
    cosine, sine = math.cos(math.radians(azimuth)), math.sin(math.radians(azimuth))
    fx, fy = frequency * cosine, frequency * sine
    step = cutoff / points
    source, weights = _source(outer, inner, (shift_x, shift_y), wavelength)
    if len(source) > 1:  # a soft edge as wide as the points are apart hides their steps
        step = max(step, 1.5 * outer / float(wavelength) / len(source) ** 0.5)
    through = behind(values, step, plate)
    sx, sy, weights = source[:, 0, None], source[:, 1, None], weights[:, None]
    turned = factor or _one
    above = through(sx + fx, sy + fy)
    direct = through(sx, sy) * turned(fx[:1] * 0, fy[:1] * 0)
    bright = (weights * direct.abs().square()).sum()
    if dark or float(bright) < 1e-3:
        light = (weights * above.abs().square()).sum(0)
        return TransferCurve(frequency.numpy(), {"light": light.numpy()}, cutoff, azimuth)
    below = through(sx - fx, sy - fy) * turned(-fx, -fy)
    plus = (weights * direct.conj() * above * turned(fx, fy)).sum(0) / bright
    minus = (weights * direct * below.conj()).sum(0) / bright
    curves = {"phase": _signed(0.5j * (plus - minus)), "amplitude": _signed(0.5 * (plus + minus))}
    return TransferCurve(frequency.numpy(), curves, cutoff, azimuth)


def collected(values: Values, points: int) -> TransferCurve:
    """Share of the scattered field that is collected, for what measures fields.

    Parameters
    ----------
    values : Values
        Numbers of a scene with one plane in focus.
    points : int
        Frequencies from 0 to the cut-off.
    """
    scene = values.scene
    passing = min(scene.microscope.numerical_aperture, scene.medium.index)
    cutoff = passing / float(values.microscope.wavelength_um)
    frequency = torch.linspace(0.0, cutoff, points, dtype=torch.float64)
    field = behind(values, cutoff / points)(frequency, frequency * 0)
    return TransferCurve(frequency.numpy(), {"field": field.abs().numpy()}, cutoff, 0.0)


def emitted(values: Values, points: int) -> TransferCurve:
    """Contrast of a grating that shines: the normalised autocorrelation of the pupil.

    Parameters
    ----------
    values : Values
        Numbers of a scene with one plane in focus.
    points : int
        Frequencies from 0 to the cut-off.

    Notes
    -----
    Hopkins (1955).
    """
    wavelength = values.microscope.wavelength_um
    passing = min(values.scene.microscope.numerical_aperture, values.scene.medium.index)
    axis = spread_axis(2 * passing / float(wavelength) / GRID)
    spread = point_spread(values, wavelength, axis)
    return contrast_of(spread, axis, 2 * passing / float(wavelength), points)


def spread_axis(step: float) -> Tensor:
    """Frequencies (2 GRID,) of a transform, from 0 on: twice what one OTF needs.

    Parameters
    ----------
    step : float
        In cycles/µm.
    """
    size = 2 * GRID
    axis: Tensor = torch.fft.fftfreq(size, 1 / size, dtype=torch.float64) * step
    return axis


def point_spread(values: Values, wavelength_um: Tensor, axis: Tensor) -> Tensor:
    """Irradiance (N, N) of a point, from the frequencies of a transform (N,).

    Parameters
    ----------
    values : Values
    wavelength_um : Tensor, 0-dim
        Of the emission or of the excitation.
    axis : Tensor
        As `spread_axis` gives.
    """
    fx, fy = axis[None, :], axis[:, None]
    index, half = values.medium.index, float(axis[1]) / 2
    # The half step is the edge of one sample's area: the pupil is as wide as it should be.
    field = Pupil.of(values, wavelength_um, index, (half, half))(fx, fy)[None]
    if is_vectorial(values):
        field = field * dipole_weights(fx, fy, wavelength_um, index)
    amplitude = torch.fft.ifft2(field)
    light_of_all: Tensor = (amplitude.real.square() + amplitude.imag.square()).sum(0)
    return light_of_all


def contrast_of(spread: Tensor, axis: Tensor, cutoff: float, points: int) -> TransferCurve:
    """Modulus of the OTF along x, 1 at frequency 0.

    Parameters
    ----------
    spread : Tensor (N, N)
        Irradiance of a point.
    axis : Tensor (N,)
        Frequencies of its transform.
    cutoff : float
        Where the OTF ends, in cycles/µm.
    points : int
        Frequencies from 0 to there.
    """
    transfer = torch.fft.fft2(spread)[0].abs()
    frequency = np.linspace(0.0, cutoff, points)
    half = len(axis) // 2
    seen = np.interp(frequency, axis[:half].numpy(), (transfer / transfer[0])[:half].numpy())
    return TransferCurve(frequency, {"contrast": seen}, cutoff, 0.0)


def aperture_of(values: Values) -> tuple[float, float, float, float]:
    """Inner and outer NA of the light, and its shift (x, y)."""
    aperture = Aperture.of(values)
    outer = float(aperture.outer)
    x, y = (float(shift) for shift in aperture.shift)
    return float(aperture.hole) * outer, outer, x, y


def behind(
    values: Values,
    step: float,
    plate: Callable[[Values, Tensor, float], Factor] | None = None,
) -> Factor:
    """Everything in the back focal plane, as a function of the absolute frequency.

    Parameters
    ----------
    values : Values
    step : float
        Width of soft edges in cycles/µm.
    plate : callable, optional
        Values, wavelength and step → what stands there beside the pupil.
    """
    wavelength = values.microscope.wavelength_um
    pupil = Pupil.of(values, wavelength, values.medium.index, (step, step))
    if plate is None:
        return pupil
    extra: Factor = plate(values, wavelength, step)

    def passed(fx: Tensor, fy: Tensor) -> Tensor:
        return pupil(fx, fy) * extra(fx, fy)

    return passed


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


def _one(fx: Tensor, fy: Tensor) -> Tensor:
    return torch.ones_like(fx, dtype=torch.complex128)


def _signed(curve: Tensor) -> NDArray[np.float64]:
    """Real part where the curve is real, else its modulus."""
    real, whole = curve.real, curve.abs()
    is_real = bool((curve.imag.abs() <= 1e-6 + 1e-3 * whole.max()).all())
    return (real if is_real else whole).numpy()

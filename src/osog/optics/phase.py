"""Quantitative phase."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from skimage.restoration import unwrap_phase

from osog.derivatives import array, plain_numbers
from osog.optics.lens import coherent_field
from osog.optics.optical_image import OpticalImage

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from osog.exit_wave.wave import ExitWave
    from osog.sample import Values
    from osog.waves.sampling_plan import SamplingPlan


def phase(wave: ExitWave, values: Values) -> OpticalImage:
    """Phase of the coherent image in radians, unwrapped, near 0 in the background.

    φ = arg U + 2πm with U = F⁻¹[(Ê + δ) P(f) exp(iκ (z_focus − z_wave))]. The branches m are
    integers without a derivative, found on the frame by following the most reliable neighbours.

    Parameters
    ----------
    wave : ExitWave
        Of one source point.
    values : Values

    Returns
    -------
    OpticalImage
        ``irradiance`` holds the phase; ``field`` is U. Outside the frame the phase stays wrapped.

    Raises
    ------
    ValueError
        If the wave has several source points.

    Notes
    -----
    Unwrapping along rows (Itoh, Appl. Opt. 21, 2470 (1982)) where every path gives the same
    answer; else along the most reliable neighbours (Herráez et al., Appl. Opt. 41, 7437 (2002)).
    """
    field, _ = coherent_field(wave, values)
    return phase_of(field, wave.plan)


def phase_of(field: Tensor, plan: SamplingPlan) -> OpticalImage:
    """Unwrapped phase of a field.

    Parameters
    ----------
    field : complex Tensor (Fy, Fx)
        Relative to the incident wave.
    plan : SamplingPlan
        Says where the frame lies.
    """
    wrapped = torch.angle(field)
    turns = branches(plain_numbers(wrapped), plain_numbers(field), plan)
    return OpticalImage(wrapped + turns, field)


def branches(wrapped: Tensor, field: Tensor, plan: SamplingPlan) -> Tensor:
    """Multiples of 2π that make a wrapped phase continuous in the frame.

    Parameters
    ----------
    wrapped : Tensor (Fy, Fx)
        Phase in −π…π, without gradient.
    field : complex Tensor (Fy, Fx)
        The field itself; where it is near 1 there is background.
    plan : SamplingPlan
        Says where the frame lies.

    Returns
    -------
    Tensor (Fy, Fx)
        2π × integers.
    """
    turns = torch.zeros_like(wrapped)
    s = plan.oversampling
    if plan.frame_only:
        s, plan = 1, replace(plan, pad_px=(0, 0))
    y, x = (slice(pad * s, (pad + n - 1) * s + 1)
            for pad, n in zip(plan.pad_px, plan.frame_shape, strict=True))  # fmt: skip
    frame = wrapped[y, x]
    jumps = [frame.diff(dim=dim).abs() for dim in (0, 1)]
    if not any(jump.numel() and float(jump.max()) > math.pi for jump in jumps):
        return turns
    values = array(frame.double())
    order = np.rint((unwrapped(values) - values) / (2 * math.pi)).astype(int)
    # The branch in which most of the undisturbed wave lies is the background's.
    quiet = torch.exp(-50 * (field[y, x] - 1).abs().square())
    at_rest = array(quiet.double())
    lowest = int(order.min())
    order -= lowest + int(np.bincount((order - lowest).ravel(), at_rest.ravel()).argmax())
    turns[y, x] = torch.as_tensor(2 * math.pi * order, dtype=wrapped.dtype, device=wrapped.device)
    return turns


def unwrapped(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Continuous phase of an image; the two ways agree wherever the first one applies.

    Parameters
    ----------
    values : ndarray (Ny, Nx)
        Phase in radians, known up to multiples of 2π.

    Returns
    -------
    ndarray (Ny, Nx)
    """
    # The first column, then every row from it: twenty times faster than following reliability,
    # and the only answer there is unless a jump is left between two rows (a vortex, or noise).
    starts = np.unwrap(values[:, 0])
    rows = np.unwrap(values, axis=1)
    rows += (starts - values[:, 0])[:, None]
    if min(values.shape) == 1 or not (np.abs(np.diff(rows, axis=0)) > math.pi).any():
        return rows
    reliable: NDArray[np.float64] = unwrap_phase(values, rng=0)
    return reliable

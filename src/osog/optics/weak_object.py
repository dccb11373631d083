"""The weak-object transfer function: a fast preview of partially coherent images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import pad

from osog.cancellation import raise_if_cancelled
from osog.optics.band import Band
from osog.optics.interference import SeenWaves, interference
from osog.optics.lens import is_bright, lens, objective, squared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.exit_wave.wave import ExitWave
    from osog.optics.lens import Transfer
    from osog.sample import Values

_UNSEEN = 1e-12
"""Share of the direct light that passes, below which a source point is left out."""


def weak_sum(
    wave: ExitWave,
    values: Values,
    transfers: Sequence[tuple[Tensor | float, Transfer]],
    plate: Transfer = None,
) -> Tensor:
    """Abbe's sum to first order in the object, for a wave that is of first order itself.

    With the direct light c = P(f_s) T(0) of each source point, the spectrum of the irradiance is
    Σ_s w_s Σ_j a_j [|c|² δ + c* S_s(f) + (c* S_s(−f))*], S_s = Ê_s P(f + f_s) T(f) exp(iκ_s z).
    For a thin object Ê = iφ̂ − α̂ this is B [δ + H_φ φ̂ + H_α α̂] with the transfer functions
    H_φ = (i/B) Σ_s w_s [P*(f_s) P(f_s + f) − P(f_s) P*(f_s − f)] and
    H_α = −(1/B) Σ_s w_s [P*(f_s) P(f_s + f) + P(f_s) P*(f_s − f)], B = Σ_s w_s |P(f_s)|². Slabs at
    several depths add up, since all of it is linear. One Fourier transform serves all the points.

    Parameters
    ----------
    wave, values, transfers, plate
        As for `abbe_sum`.

    Returns
    -------
    Tensor (Fy, Fx)
        Irradiance relative to what the objective passes of the incident light; values that the
        linear theory makes negative are 0.

    Notes
    -----
    Streibl, J. Opt. Soc. Am. A 2, 121 (1985); Sheppard & Mao (1989); Hamilton & Sheppard (1984) for
    DIC. The contrast of a sphere is wrong by about half its peak phase in radians in focus (5 % at
    0.1 rad, 15 % at 0.3 rad); above 0.3 rad, and in the dark, the theory does not hold.
    """
    pupil = objective(wave, values)
    fine = wave.plan.fine_shape
    if wave.plan.interference_rings:
        seen = SeenWaves.of(wave, values, pupil)
        linear, around, background, passed = interference(
            seen, values, pupil, transfers, plate, vectorial=False
        )
        return _irradiance(background, linear, around, passed, fine)
    zero = wave.source.new_zeros(1, 1)
    parts: list[tuple[Tensor, Band]] = []
    direct: Tensor | float = 0.0
    throughput: Tensor | None = None
    for point in range(wave.spectrum.shape[0]):
        raise_if_cancelled()
        through, band, incident = lens(wave, values, pupil, point, plate)
        weight = wave.weights[point]
        throughput = _plus(throughput, weight * squared(incident))
        if float(squared(incident).detach()) < _UNSEEN and parts:
            continue  # to first order, scatter without direct light does not show
        here = (through * band.unit(through)).sum()
        share = weight * squared(here)
        scattered = band.taken(wave.spectrum[point]) * through * (weight * here.conj())
        factor: Tensor | float = 0.0
        for amount, transfer in transfers:
            if transfer is None:
                factor, direct = factor + amount, direct + amount * share
                continue
            centre = transfer(zero, zero)[0, 0].to(scattered)
            own = transfer(*band.frequencies(scattered.real))
            factor = factor + amount * centre.conj() * own
            direct = direct + amount * share * squared(centre)
        parts.append((scattered * factor, band))
    assert throughput is not None
    return _irradiance(direct, *_together(parts), throughput, fine)


def _irradiance(
    direct: Tensor | float, spectrum: Tensor, band: Band, throughput: Tensor, fine: tuple[int, int]
) -> Tensor:
    """Direct light and its interference with the scattered light, in units of the background."""
    spectrum, band = band.within(spectrum, fine)
    irradiance = direct + 2 * band.field(spectrum, fine).real
    if is_bright(throughput):
        irradiance = irradiance / throughput
    return irradiance.clamp(min=0.0)


def _plus(total: Tensor | None, part: Tensor) -> Tensor:
    return part if total is None else total + part


def _together(parts: Sequence[tuple[Tensor, Band]]) -> tuple[Tensor, Band]:
    """Sum of spectra that lie in different windows of one frequency grid."""
    bands = [band for _, band in parts]
    first = [min(band.first[axis] for band in bands) for axis in (0, 1)]
    end = [max(band.first[axis] + band.shape[axis] for band in bands) for axis in (0, 1)]
    total: Tensor | None = None
    for spectrum, band in parts:
        above, left = band.first[0] - first[0], band.first[1] - first[1]
        below = end[0] - band.first[0] - band.shape[0]
        right = end[1] - band.first[1] - band.shape[1]
        whole = pad(spectrum, (left, right, above, below))
        total = _plus(total, whole)
    assert total is not None
    shape = (end[0] - first[0], end[1] - first[1])
    return torch.resolve_conj(total), Band((first[0], first[1]), shape, bands[0].step)

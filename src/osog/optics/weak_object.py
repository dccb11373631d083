"""The weak-object transfer function: a fast preview of partially coherent images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.cancellation import raise_if_cancelled
from osog.optics.band import Band
from osog.optics.directions import Directions, ascending, bands_around
from osog.optics.interference import SeenWaves, embedded, factors, interference
from osog.optics.lens import is_bright, objective, squared
from osog.waves.bundles import bundles
from osog.waves.sharing import shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from osog.exit_wave.wave import ExitWave
    from osog.optics.lens import Transfer
    from osog.sample import Values


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
    band = _around_all(bands_around(wave, pupil, wave.source))
    distance = values.microscope.focus_plane_um.to(wave.source) - wave.reference_um

    def part(some: slice) -> tuple[Tensor, Tensor, Tensor]:
        seen, through, incident = shared("lens", lambda: lens(wave.source[some]))
        here = (through * seen.unit(through)).sum((-2, -1))
        weights = wave.weights[some]
        scattered = seen.taken(*ascending(wave.spectrum[some])) * through
        light = scattered * (weights * here.conj())[:, None, None]
        passed = (weights * squared(incident[:, 0, 0])).sum()
        return embedded(light, seen.bands, band), (weights * squared(here)).sum(), passed

    def lens(sources: Tensor) -> tuple[Directions, Tensor, Tensor]:
        seen = Directions.around(wave, pupil, sources)
        return seen, *seen.through(wave, pupil, distance, plate)

    total: tuple[Tensor, ...] | None = None
    for some in bundles(0, len(wave.source), band.shape[0] * band.shape[1], wave.source):
        raise_if_cancelled()
        found = part(some)
        total = found if total is None else tuple(a + b for a, b in zip(total, found, strict=True))
    assert total is not None
    spectrum, direct, throughput = total
    factor, unit = factors(transfers, band, spectrum)
    return _irradiance(direct * unit, spectrum * factor, band, throughput, fine)


def _irradiance(
    direct: Tensor | float, spectrum: Tensor, band: Band, throughput: Tensor, fine: tuple[int, int]
) -> Tensor:
    """Direct light and its interference with the scattered light, in units of the background."""
    spectrum, band = band.within(spectrum, fine)
    irradiance = direct + 2 * band.field(spectrum, fine).real
    if is_bright(throughput):
        irradiance = irradiance / throughput
    return irradiance.clamp(min=0.0)


def _around_all(bands: Sequence[Band]) -> Band:
    """Smallest band that holds others of one frequency grid."""
    first = [min(band.first[axis] for band in bands) for axis in (0, 1)]
    end = [max(band.first[axis] + band.shape[axis] for band in bands) for axis in (0, 1)]
    shape = (end[0] - first[0], end[1] - first[1])
    return Band((first[0], first[1]), shape, bands[0].step)

"""Abbe's sum: irradiance of a sample lit by incoherent source points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from osog.cancellation import raise_if_cancelled
from osog.optics.band import Band, intensity_grid, modulus_squared, resampled
from osog.optics.directions import Directions, ascending
from osog.optics.interference import SeenWaves, interference
from osog.optics.lens import is_bright, objective, squared
from osog.optics.vectorial import is_vectorial, scattered_weights
from osog.waves.bundles import bundles
from osog.waves.recomputation import KEPT_SAMPLES, recomputed
from osog.waves.sharing import shared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from osog.exit_wave.wave import ExitWave
    from osog.optics.lens import Transfer
    from osog.optics.pupil import Pupil
    from osog.sample import Values


def abbe_sum(
    wave: ExitWave,
    values: Values,
    transfers: Sequence[tuple[Tensor | float, Transfer]],
    plate: Transfer = None,
    dark: bool = False,
) -> Tensor:
    """Σ_s w_s Σ_j a_j |U_sj|² / Σ_s w_s |P(f_s)|² on the fine grid.

    Parameters
    ----------
    wave : ExitWave
        Any number of source points.
    values : Values
    transfers : sequence of (a_j, callable or None)
        Incoherent contributions: weight a_j and factor of the modality on the field, as a function
        of the frequency relative to the incident wave.
    plate : callable (fx, fy) → Tensor, optional
        Plate in the back focal plane of the objective, as a function of the absolute frequency; it
        belongs to P.
    dark : bool
        Leave the irradiance relative to the incident light.

    Returns
    -------
    Tensor (Fy, Fx)
        Irradiance relative to what the objective passes of the incident light, or to all of that
        where almost nothing passes; never negative.

    Notes
    -----
    Hopkins, Proc. R. Soc. A 217, 408 (1953); Born & Wolf §10.5. The sum is taken on the smallest
    grid that holds an intensity of this pupil and interpolated once, which is exact. A vectorial
    pupil takes the mean over incident light along x and along y, and the sum over both
    polarisations behind the lens (Richards & Wolf 1959).
    """
    view = _View.of(wave, values, transfers, plate)
    fine = wave.plan.fine_shape
    add_up = _in_two_parts if wave.plan.interference_rings else _point_by_point
    irradiance, throughput = add_up(view)
    if not dark and is_bright(throughput):
        irradiance = irradiance / throughput
    image = resampled(irradiance, fine)
    exact = view.grid == fine and not wave.plan.interference_rings
    return image if exact else image.clamp(min=0.0)


@dataclass(frozen=True)
class _View:
    """What all directions of light of one image share."""

    wave: ExitWave
    values: Values
    transfers: Sequence[tuple[Tensor | float, Transfer]]
    plate: Transfer
    pupil: Pupil
    grid: tuple[int, int]
    vectorial: bool

    @classmethod
    def of(
        cls,
        wave: ExitWave,
        values: Values,
        transfers: Sequence[tuple[Tensor | float, Transfer]],
        plate: Transfer,
    ) -> _View:
        pupil = objective(wave, values)
        full = (wave.spectrum.shape[-2], wave.spectrum.shape[-1])
        widest = Band.around((0.0, 0.0), pupil.cutoff, full, wave.plan.frequency_step)
        fine = wave.plan.fine_shape
        grid = intensity_grid(widest.shape, fine) if wave.spectrum.shape[0] > 1 else fine
        vectorial = is_vectorial(values) and wave.incident is None
        return cls(wave, values, transfers, plate, pupil, grid, vectorial)

    def spares(self, points: int) -> bool:
        """Whether the gradient is to keep nothing of so many directions."""
        fields = points * len(self.transfers) * (4 if self.vectorial else 1)
        return fields * self.grid[0] * self.grid[1] > KEPT_SAMPLES

    def lens(self, sources: Tensor, distance_um: Tensor) -> tuple[Directions, Tensor, Tensor]:
        """What the objective makes of the light of some directions (C, 2)."""
        seen = Directions.around(self.wave, self.pupil, sources)
        return seen, *seen.through(self.wave, self.pupil, distance_um, self.plate)

    def irradiance(
        self, spectra: Sequence[tuple[Tensor, float]], lit: Tensor, seen: Directions
    ) -> Tensor:
        """Σ_j a_j |F⁻¹[spectrum · lit · T_j]|² (C, Y, X), over spectra with their shares."""
        total: Tensor | None = None
        for spectrum, share in spectra:
            for weight, transfer in self.transfers:
                filtered = spectrum * lit
                if transfer is not None:
                    filtered = filtered * shared("transfer", partial(transfer, seen.fx, seen.fy))
                part = (share * weight) * modulus_squared(filtered, self.grid)
                total = part if total is None else total + part
        assert total is not None
        return total

    def bundles(self, first: int, end: int) -> list[slice]:
        """Directions that are taken together."""
        return bundles(first, end, self.grid[0] * self.grid[1], self.wave.source)


def _point_by_point(view: _View, first: int = 0) -> tuple[Tensor, Tensor]:
    """Σ_s w_s |U_s|² and Σ_s w_s |P(f_s)|² over the exit waves from a first one on."""
    wave, count = view.wave, view.wave.spectrum.shape[0]
    distance = view.values.microscope.focus_plane_um.to(wave.source) - wave.reference_um

    def contribution(some: slice) -> tuple[Tensor, Tensor]:
        seen, transmitted, incident = shared("lens", lambda: view.lens(wave.source[some], distance))
        scattered = seen.taken(*ascending(wave.spectrum[some]))
        direct = seen.unit(scattered)
        if wave.incident is not None:
            direct = direct * wave.incident
        spectra = [(scattered + direct, 1.0)]
        if view.vectorial:
            spectra = _polarised(wave, scattered, direct, seen)
        light = view.irradiance(spectra, transmitted, seen)
        share = wave.weights[some]
        passed = (share * squared(incident[:, 0, 0])).sum()
        return (share[:, None, None] * light).sum(0), passed

    light, passed = _added(contribution, view.bundles(first, count), view.spares(count - first))
    return light, passed


def _in_two_parts(view: _View) -> tuple[Tensor, Tensor]:
    """The same over more directions than there are exit waves, by `SeenWaves`."""
    wave, values, pupil, plate = view.wave, view.values, view.pupil, view.plate
    seen = SeenWaves.of(wave, values, pupil)
    spectrum, band, irradiance, throughput = interference(
        seen, values, pupil, view.transfers, plate, view.vectorial
    )
    # Direct light lies within the pupil: beyond twice its radius there is no interference.
    linear, kept = band.within(spectrum, view.grid)
    irradiance = irradiance + 2 * kept.field(linear, view.grid).real
    rings = wave.plan.scatter_rings or wave.plan.source_rings
    sources, weights = seen.light.points(rings)
    polynomials = shared("polynomials", lambda: seen.polynomials(sources))
    distance = values.microscope.focus_plane_um.to(wave.source) - seen.middle_um

    def scattered_light(some: slice) -> tuple[Tensor]:
        around, transmitted, _ = shared(
            "lens for scattered light", lambda: view.lens(sources[some], distance)
        )
        scattered = seen.scattered(around, polynomials[some])
        spectra = [(scattered, 1.0)]
        if view.vectorial:
            spectra = _polarised(wave, scattered, scattered * 0, around)
        light = view.irradiance(spectra, transmitted, around)
        return ((weights[some, None, None] * light).sum(0),)

    (own,) = _added(scattered_light, view.bundles(0, len(sources)), view.spares(len(sources)))
    irradiance = irradiance + own
    if wave.plan.outer_rings:
        light, passed = _point_by_point(view, sum(wave.plan.source_rings))
        irradiance, throughput = irradiance + light, throughput + passed
    return irradiance, throughput


def _added(
    contribution: Callable[[slice], tuple[Tensor, ...]], bundles: list[slice], spare: bool
) -> tuple[Tensor, ...]:
    """Sum of what the directions of each bundle add, part by part."""
    total: tuple[Tensor, ...] | None = None
    for some in bundles:
        raise_if_cancelled()
        found = recomputed(spare, contribution, some)
        total = found if total is None else tuple(a + b for a, b in zip(total, found, strict=True))
    assert total is not None
    return total


def _polarised(
    wave: ExitWave, scattered: Tensor, direct: Tensor, seen: Directions
) -> list[tuple[Tensor, float]]:
    """Spectra of all pairs of incident and detected polarisation, with the share of each."""
    sx, sy = seen.source[0], seen.source[1]
    (xx, xy), (yx, yy) = scattered_weights(
        seen.fx + sx, seen.fy + sy, (sx, sy), wave.wavelength_um, wave.medium_index
    )
    return [
        (scattered * xx + direct, 0.5),
        (scattered * xy, 0.5),
        (scattered * yx, 0.5),
        (scattered * yy + direct, 0.5),
    ]

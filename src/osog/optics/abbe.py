"""Abbe's sum: irradiance of a sample lit by incoherent source points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.cancellation import raise_if_cancelled
from osog.optics.band import Band, intensity_grid, resampled
from osog.optics.pupil import Pupil
from osog.optics.vectorial import is_vectorial, scattered_weights
from osog.waves.angular_spectrum import propagator
from osog.waves.recomputation import KEPT_SAMPLES, recomputed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from osog.exit_wave.wave import ExitWave
    from osog.sample import Values

    Transfer = Callable[[Tensor, Tensor], Tensor] | None
    """Factor of the modality as a function of fx and fy relative to the incident wave."""

DARK = 1e-3
"""Share of the incident light below which a background is too dark to be the unit."""


def is_coherent(wave: ExitWave) -> bool:
    """Whether the light comes from one direction."""
    return wave.spectrum.shape[0] == 1


def objective(wave: ExitWave, values: Values) -> Pupil:
    """Return the pupil for the light of an exit wave."""
    return Pupil.of(
        values,
        wave.wavelength_um,
        wave.medium_index,
        wave.plan.frequency_step,
        edge_steps=wave.plan.edge_steps,
    )


def lens(
    wave: ExitWave, values: Values, pupil: Pupil, point: int = 0, plate: Transfer = None
) -> tuple[Tensor, Band, Tensor]:
    """What the objective does to the waves of one source point.

    Parameters
    ----------
    wave : ExitWave
    values : Values
        Gives the focus.
    pupil : Pupil
    point : int
        Number of the source point.
    plate : callable (fx, fy) → Tensor, optional
        Plate in the back focal plane, as a function of absolute frequencies.

    Returns
    -------
    transfer : complex Tensor (By, Bx)
        P(f + f_s) exp(iκ_s(f) (z_focus − z_wave)) on the frequencies of the band, ascending.
    band : Band
        Frequencies f relative to the incident wave that can pass.
    incident : complex 0-dim Tensor
        P(f_s), what is left of the incident wave in the middle of the frame.
    """
    source = wave.source[point]
    sx, sy = source[0], source[1]
    centre = source.detach().tolist()
    available = (wave.spectrum.shape[-2], wave.spectrum.shape[-1])
    band = Band.around((-centre[1], -centre[0]), pupil.cutoff, available, wave.plan.frequency_step)
    fx, fy = band.frequencies(wave.spectrum.real)
    distance = values.microscope.focus_plane_um.to(sx) - wave.reference_um
    through = propagator(fx, fy, source, distance, wave.wavelength_um, wave.medium_index)
    passing, incident = pupil(fx + sx, fy + sy), pupil.unvignetted(sx, sy)
    if plate is not None:
        passing, incident = passing * plate(fx + sx, fy + sy), incident * plate(sx, sy)
    return through * passing, band, incident


def passed(
    wave: ExitWave, values: Values, pupil: Pupil, point: int = 0, plate: Transfer = None
) -> tuple[Tensor, Band, Tensor]:
    """Wave of one source point behind the objective.

    Parameters
    ----------
    wave, values, pupil, point, plate
        As in `lens`.

    Returns
    -------
    spectrum : complex Tensor (By, Bx)
        (Ê(f) + U_0 δ(f)) P(f + f_s) exp(iκ_s(f) (z_focus − z_wave)), frequencies ascending; U_0 is
        the amplitude of the unscattered wave, 1 but for analysed light.
    band : Band
        Its frequencies.
    incident : complex 0-dim Tensor
        P(f_s), what is left of the incident wave in the middle of the frame.
    """
    transfer, band, incident = lens(wave, values, pupil, point, plate)
    scattered, direct = _parts(wave, band, point)
    return (scattered + direct) * transfer, band, incident


def _parts(wave: ExitWave, band: Band, point: int) -> tuple[Tensor, Tensor]:
    """Scattered and unscattered light of one source point in a band."""
    scattered = band.taken(wave.spectrum[point])
    direct = band.unit(scattered)
    return scattered, direct if wave.incident is None else direct * wave.incident


def coherent_field(
    wave: ExitWave, values: Values, transfer: Transfer = None
) -> tuple[Tensor, Tensor]:
    """Image field relative to the incident wave.

    Parameters
    ----------
    wave : ExitWave
        Of one source point.
    values : Values
    transfer : callable (fx, fy) → complex Tensor, optional
        Factor of the modality.

    Returns
    -------
    field : complex Tensor (Fy, Fx)
        On the fine grid. Divided by what the objective makes of the incident wave, so that the
        piston of an aberration does not turn the background; undivided where that is blocked.
    fraction : 0-dim Tensor
        |P(f_s)|², the share of the incident irradiance that the objective passes.

    Raises
    ------
    ValueError
        If the wave has several source points.
    """
    if not is_coherent(wave):
        raise ValueError(
            f"this modality needs one source point, but the wave has {wave.spectrum.shape[0]}."
        )
    pupil = objective(wave, values)
    spectrum, band, incident = passed(wave, values, pupil)
    if transfer is not None:
        spectrum = spectrum * transfer(*band.frequencies(spectrum.real))
    field = band.field(spectrum, wave.plan.fine_shape)
    fraction = incident.real.square() + incident.imag.square()
    return field / incident if is_bright(fraction) else field, fraction


def is_bright(share: Tensor) -> bool:
    """Whether so much of the incident light passes that it can be the unit of irradiance."""
    return float(share.detach()) > DARK


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
    pupil = objective(wave, values)
    fine = wave.plan.fine_shape
    count = wave.spectrum.shape[0]
    full = (wave.spectrum.shape[-2], wave.spectrum.shape[-1])
    widest = Band.around((0.0, 0.0), pupil.cutoff, full, wave.plan.frequency_step)
    grid = intensity_grid(widest.shape, fine) if count > 1 else fine
    vectorial = is_vectorial(values) and wave.incident is None

    def contribution(point: int) -> tuple[Tensor, Tensor]:
        through, band, incident = lens(wave, values, pupil, point, plate)
        scattered, direct = _parts(wave, band, point)
        total: Tensor | None = None
        for spectrum, share in (
            _polarised(wave, scattered, direct, band, point)
            if vectorial
            else [(scattered + direct, 1.0)]
        ):
            for weight, transfer in transfers:
                filtered = spectrum * through
                if transfer is not None:
                    filtered = filtered * transfer(*band.frequencies(spectrum.real))
                part = (share * weight) * band.modulus_squared(filtered, grid)
                total = part if total is None else total + part
        assert total is not None
        passing = incident.real.square() + incident.imag.square()
        return wave.weights[point] * total, wave.weights[point] * passing

    fields = count * len(transfers) * (4 if vectorial else 1)
    spare = fields * grid[0] * grid[1] > KEPT_SAMPLES
    irradiance = throughput = None
    for point in range(count):
        raise_if_cancelled()
        light, share = recomputed(spare, contribution, point)
        irradiance = light if irradiance is None else irradiance + light
        throughput = share if throughput is None else throughput + share
    assert irradiance is not None and throughput is not None
    if not dark and is_bright(throughput):
        irradiance = irradiance / throughput
    image = resampled(irradiance, fine)
    return image if grid == fine else image.clamp(min=0.0)


def _polarised(
    wave: ExitWave, scattered: Tensor, direct: Tensor, band: Band, point: int
) -> list[tuple[Tensor, float]]:
    """Spectra of all pairs of incident and detected polarisation, with the share of each."""
    sx, sy = wave.source[point][0], wave.source[point][1]
    fx, fy = band.frequencies(wave.spectrum.real)
    (xx, xy), (yx, yy) = scattered_weights(
        fx + sx, fy + sy, (sx, sy), wave.wavelength_um, wave.medium_index
    )
    return [
        (scattered * xx + direct, 0.5),
        (scattered * xy, 0.5),
        (scattered * yx, 0.5),
        (scattered * yy + direct, 0.5),
    ]

"""What the objective does to the light behind the sample, one direction of light at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.optics.band import Band
from osog.optics.pupil import Pupil
from osog.waves.angular_spectrum import propagator
from osog.waves.recently_used import RecentlyUsed, numbers_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from osog.exit_wave.wave import ExitWave, LitWave
    from osog.sample import Values

    Transfer = Callable[[Tensor, Tensor], Tensor] | None
    """Factor of the modality as a function of fx and fy relative to the incident wave."""

DARK = 1e-3
"""Share of the incident light below which a background is too dark to be the unit."""
_KEPT_NUMBERS = 10**6
"""Complex numbers of pupils and transfers that are kept together."""


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
    distance = values.microscope.focus_plane_um.to(wave.source) - wave.reference_um
    return through(wave, pupil, wave.source[point], distance, plate)


def through(
    wave: LitWave, pupil: Pupil, source: Tensor, distance_um: Tensor, plate: Transfer = None
) -> tuple[Tensor, Band, Tensor]:
    """What the objective does to light that came in from any direction.

    Parameters
    ----------
    wave : LitWave
        Gives the grid of frequencies.
    pupil : Pupil
    source : Tensor, shape (2,)
        Transverse frequency (x, y) of the incident wave in cycles/µm.
    distance_um : 0-dim Tensor
        From the plane in which the light is known to the plane in focus.
    plate : callable (fx, fy) → Tensor, optional
        As in `lens`.

    Returns
    -------
    transfer, band, incident
        As in `lens`.
    """
    sx, sy = source[0], source[1]
    centre = source.detach().tolist()
    available = (len(wave.fy), len(wave.fx))
    band = Band.around((-centre[1], -centre[0]), pupil.cutoff, available, wave.plan.frequency_step)
    fx, fy = band.frequencies(wave.source)

    def passing() -> tuple[Tensor, Tensor]:
        return pupil(fx + sx, fy + sy), pupil.unvignetted(sx, sy)

    def transfer() -> tuple[Tensor, Tensor]:
        through_pupil, direct = passing() if lens is None else _KEPT.get((lens, None), passing)
        turned = propagator(fx, fy, source, distance_um, wave.wavelength_um, wave.medium_index)
        if plate is not None:
            through_pupil, direct = through_pupil * plate(fx + sx, fy + sy), direct * plate(sx, sy)
        return turned * through_pupil, direct

    # While a fit moves the particle, or templates the focus, the lens stays as it is.
    lens = numbers_in(pupil, source, band, wave.source.dtype)
    place = (
        None
        if plate is not None
        else numbers_in(distance_um, wave.wavelength_um, wave.medium_index)
    )
    if lens is None or place is None:
        seen, incident = transfer()
    else:
        seen, incident = _KEPT.get((lens, place), transfer)
    return seen, band, incident


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
    scattered, direct = parts(wave, band, point)
    return (scattered + direct) * transfer, band, incident


def parts(wave: ExitWave, band: Band, point: int) -> tuple[Tensor, Tensor]:
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
        On the fine grid, or at the frame's pixels where the plan wants no more. Divided by what the
        objective makes of the incident wave, so that the piston of an aberration does not turn the
        background; undivided where that is blocked.
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
    plan = wave.plan
    part = plan.pixel_centres if plan.frame_only else None
    field = band.field(spectrum, plan.fine_shape, part)
    fraction = squared(incident)
    return field / incident if is_bright(fraction) else field, fraction


def is_bright(share: Tensor) -> bool:
    """Whether so much of the incident light passes that it can be the unit of irradiance."""
    return float(share.detach()) > DARK


def squared(amplitude: Tensor) -> Tensor:
    """|amplitude|² of a complex number."""
    return amplitude.real.square() + amplitude.imag.square()


_KEPT: RecentlyUsed[tuple[Tensor, Tensor]] = RecentlyUsed(
    _KEPT_NUMBERS, lambda parts: parts[0].numel()
)
"""Pupils and transfers of the images before, by the numbers that they are made of."""

"""Every particle of one micrograph: found, fitted together, looked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.detection import detect
from osog.fitting import FitError
from osog.fitting.problem.inputs import checked_image
from osog.tracking.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from osog.fitting.problem.inputs import CheckedImage
    from osog.scene import Particle, Scene
    from osog.tracking.table import ParticleTable


def fit_many(
    image: Any,
    scene: Scene,
    free: Sequence[str] | None = None,
    *,
    population: str | None = None,
    start: Sequence[Particle] | None = None,
    mask: Any = None,
    rounds: int = 1,
    most: int = 1000,
    optics: str = "exact",
    priors: dict[str, Any] | None = None,
    linear: str = "auto",
    rescue: int = 4,
    joint: bool = False,
    shared: Sequence[str] = (),
    callback: Callable[[int, int, str], Any] | None = None,
    device: str = "cpu",
) -> ParticleTable:
    """Fit every particle of a micrograph.

    Particles are found by matched templates (`osog.detect`) and fitted one by one in their patches
    of at most 97 × 97 pixels, clearest first, the light of their neighbours subtracted as far as
    it is known; those with neighbours are fitted again when these have moved. Then the data minus
    the model are searched for particles that were missed. What explains nothing, or lies where a
    better one is, is dropped.

    With `joint` they are fitted together, with the optics that they share: the image is that of the
    whole frame, each particle's derivatives are taken in its patch, and standard deviations come
    from the normal matrix of all numbers. Those derivatives are right to some per cent; standard
    deviations of shared optics, and of depths that trade with them, are then too small by up to
    three times. Where the background is dark each particle has a brightness of its own, and
    `joint` is without effect.

    Parameters
    ----------
    image : array_like, shape (Y, X)
        As for `osog.fit`.
    scene : Scene
        Optics, camera, and the population to look for; particles of other populations are not
        simulated.
    free : sequence of str, optional
        Fields of a particle, such as ``x_um``, ``z_um``, ``radius_um``, ``index`` or
        ``orientation_deg[0]``; all that an image of the modality shows when left out.
    population : str, optional
        Its name; the first visible one when left out.
    start : sequence of Particle, optional
        Where to begin, in place of a search of the whole image.
    mask : array_like of bool, shape (Y, X), optional
        True where a pixel counts.
    rounds : int
        How often data − model are searched for particles that were missed at most; 0 to 10.
    most : int
        Largest number of particles; at least 1.
    optics : str
        ``exact``: the optics as stated. ``uncertain``: NA, astigmatism and spherical aberration
        vary within their tolerance, for all particles together (for each one by itself where they
        are fitted one by one), so that the intervals count what is not known of them.
    priors, linear, device
        As for `osog.fit`.
    rescue : int
        How many of the worst fits begin again from other numbers; 0 to 1000.
    joint : bool
        True fits all particles together; False one by one, the light of their neighbours
        subtracted to first order.
    shared : sequence of str
        Numbers of the scene that are free for all particles together, such as
        ``microscope.aberrations.coma_x`` or ``microscope.modality.bias_deg``; needs `joint`.
    callback : callable, optional
        Called with the number of fits made, their likely total, and a word; a true answer stops
        and keeps what there is.

    Returns
    -------
    ParticleTable

    Raises
    ------
    FitError
        For an image, population, field or option that cannot be used. A particle whose own fit
        fails is named in ``failures`` and stops nothing.
    """
    for name, value, limits in (
        ("rounds", rounds, (0, 10)), ("most", most, (1, 100_000)), ("rescue", rescue, (0, 1000)),
    ):  # fmt: skip
        if not limits[0] <= value <= limits[1]:
            raise FitError(f"{name} = {value} must lie within {limits[0]} … {limits[1]}.")
    checked = checked_image(image, scene, mask)
    frame = Frame(
        checked, scene, free, population=population, most=most,
        options={"optics": optics, "priors": priors, "linear": linear, "device": device},
        callback=callback, joint=joint, shared=shared,
    )  # fmt: skip
    frame.begin(detect_all(checked, scene, population, most, device) if start is None else start)
    return frame.finished(rounds, rescue)


def detect_all(
    checked: CheckedImage, scene: Scene, population: str | None, most: int, device: str
) -> tuple[Particle, ...]:
    """Find the particles of a checked image."""
    return detect(
        checked.values, scene, population=population, most=most, mask=checked.counted,
        device=device,
    )  # fmt: skip

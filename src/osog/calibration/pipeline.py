"""A calibration from the micrograph to the scene."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.calibration.moments import Matching, regressed, sobol
from osog.calibration.result import CalibrationResult
from osog.calibration.simulation import Simulation
from osog.calibration.summary import Summary
from osog.calibration.unknowns import Unknowns
from osog.cancellation import Cancelled, asker, cancellable
from osog.fitting import FitError
from osog.scene.paths import get
from osog.statistics import average, distances, measure, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from osog.scene import Scene

    Array = NDArray[np.float64]

_SCATTER = 24
"""Pictures by which the statistics are weighed."""
_JUDGED = 4
"""Pictures of the start and of the answer whose distances are given."""
_SEED_OF_ANSWER = 1_000_003


def calibrate(
    image: Any,
    scene: Scene,
    free: Mapping[str, tuple[float, float]],
    *,
    pilot: int = 128,
    steps: int = 6,
    renders: int = 6,
    accuracy: str = "standard",
    seed: int = 0,
    callback: Callable[[int, int, str], Any] | None = None,
    device: str = "cpu",
) -> CalibrationResult:
    """Find the numbers of a scene whose pictures look like a crowded micrograph.

    No particle is matched with one of the micrograph: 76 statistics of renders, spectrum by
    direction, histogram, slopes, are brought to those of the micrograph, weighed by how they differ
    between renders. A pilot of pictures all over the ranges gives the start by regression; then
    come steps of simulated moments, each with new particles.

    It finds what the statistics show: densities, sizes, depths, index, blur, noise, some of the
    optics. Numbers that act alike, such as shear and index in DIC, come out with their correlation
    near ±1 (`CalibrationResult.tied`): give the one that is known. The sign of an index difference
    cannot be told. σ is that of the statistics; what the scene does not contain biases the numbers
    beyond it, and shows in `misfit`.

    Parameters
    ----------
    image : array_like, shape (Y, X) or (Y, X, 3)
        In grey levels, of the pixel size of the scene. It is cut into tiles of the size of the
        scene's grid, of which at least one must fit.
    scene : Scene
        Where to begin; numbers that are not free stay.
    free : mapping of dotted name to (low, high)
        Numbers to find, with their ranges: of microscope, camera, medium or background, of
        populations (``populations.needles.count``), or parameters of their laws
        (``populations.needles.shape.length_um.median``). Ranges of a ratio of 4 or more are
        searched by logarithm.
    pilot : int
        Pictures all over the ranges; 16 to 10000.
    steps : int
        Of the simulated moments; 1 to 50.
    renders : int
        Pictures of each place in a step; 2 to 1000.
    accuracy : str
        Of the pictures, as ``numerics.accuracy``. ``draft`` takes few directions of light, whose
        pattern out of focus is then taken for the sample: use it with a closed condenser only.
    seed : int
        Draws the pictures; the same seed gives the same answer on one machine.
    callback : callable, optional
        Called with the pictures made, their total, and a word; a true answer stops, and the answer
        is that of the pilot or of the start.
    device : str
        As for `osog.render`.

    Returns
    -------
    CalibrationResult

    Raises
    ------
    FitError
        For an image, range or option that cannot be used.

    Notes
    -----
    pilot + 24 + steps × renders × (P + 1) + renders + 8 pictures of the scene's size are made.
    """
    for name, value, limits in (
        ("pilot", pilot, (16, 10_000)), ("steps", steps, (1, 50)), ("renders", renders, (2, 1000)),
    ):  # fmt: skip
        if not limits[0] <= value <= limits[1]:
            raise FitError(f"{name} = {value} must lie within {limits[0]} … {limits[1]}.")
    unknowns = Unknowns.of(scene, free)
    tiles = _tiles(image, scene)
    began = time.process_time()
    modality: Any = scene.microscope.modality
    azimuth = float(modality.azimuth_deg) if modality.directional else 0.0
    pixel = scene.grid.pixel_size_um
    summary = Summary.suited_to(tiles, pixel, azimuth)
    target = np.stack([summary(tile) for tile in tiles])
    total = pilot + _SCATTER + renders * (steps * (len(unknowns) + 1) + 1) + 2 * _JUDGED
    watch = _Watch(callback, total, asker())
    simulation = Simulation(scene, unknowns, summary, accuracy, device, watch.made)

    def drawn(u: Array, first: int, count: int) -> Array:
        return simulation.summaries(u, range(first, first + count))

    start = unknowns.place(_numbers(scene, unknowns))
    u, sigma = start, np.full(len(unknowns), np.inf)
    correlation, misfit, stopped = np.eye(len(unknowns)), float("nan"), False
    measured: dict[str, dict[str, float]] = {"start": {}, "end": {}, "own": {}}
    try:
        with cancellable(watch.stops):
            watch.word = "start"
            measured["start"], measured["own"] = _distances(tiles, simulation, start, summary)
            watch.word = "pilot"
            first = seed * 100_000
            places = sobol(pilot, len(unknowns), seed)
            seen = np.concatenate([drawn(p, first + k, 1) for k, p in enumerate(places)])
            u = regressed(places, seen, target.mean(0))
            watch.word = "matching"
            matching = Matching(drawn, target, renders, unknowns.stepped)
            after = matching.weighed(u, first + pilot, _SCATTER)
            found = matching.matched(u, after, steps)
            u, sigma = found.u, found.sigma
            correlation, misfit = found.correlation, found.misfit
            watch.word = "judging"
            measured["end"], _ = _distances(tiles, simulation, u, summary)
    except Cancelled:
        stopped = True
    values = unknowns.values(u)
    return CalibrationResult(
        scene=scene.updated(values),
        values=values,
        sigma=unknowns.deviations(u, sigma),
        correlation=correlation,
        misfit=misfit,
        start_distances=measured["start"],
        distances=measured["end"],
        own_distances=measured["own"],
        renders=watch.count,
        seconds=time.process_time() - began,
        stopped=stopped,
    )


class _Watch:
    """Counts pictures, tells the caller, and keeps the wish to stop: its own or one outside."""

    def __init__(
        self,
        callback: Callable[[int, int, str], Any] | None,
        total: int,
        outside: Callable[[], bool],
    ) -> None:
        self._callback, self._total, self._outside = callback, total, outside
        self._stopped = False
        self.count, self.word = 0, ""

    def made(self, number: int) -> None:
        self.count += number
        self.stops()

    def stops(self) -> bool:
        if not self._stopped:
            self._stopped = self._outside()
        if self._callback is not None and not self._stopped:
            self._stopped = bool(self._callback(self.count, self._total, self.word))
        return self._stopped


def _numbers(scene: Scene, unknowns: Unknowns) -> dict[str, float]:
    return {name: float(get(scene, name)) for name in unknowns.names}


def _tiles(image: Any, scene: Scene) -> list[Array]:
    """Grey tiles of the size of the scene's grid."""
    try:
        picture = np.asarray(image, dtype=np.float64)
    except (TypeError, ValueError):
        raise FitError("image must be an array of numbers.") from None
    if picture.ndim == 3 and picture.shape[-1] == 3:
        picture = picture.mean(-1)
    if picture.ndim != 2:
        raise FitError(f"image has the shape {picture.shape}; it must be (Y, X) or (Y, X, 3).")
    if not np.isfinite(picture).all():
        raise FitError("image holds values that are not finite.")
    if scene.series.frames > 1 or len(scene.microscope.focus_planes_um) > 1:
        raise FitError("scene makes a stack or a series; calibrate takes scenes of one picture.")
    rows, columns = scene.grid.shape
    if picture.shape[0] < rows or picture.shape[1] < columns:
        raise FitError(
            f"image of {picture.shape[0]} × {picture.shape[1]} px is smaller than grid.shape = "
            f"{rows} × {columns}; give the scene a grid of at most its size, with counts to match."
        )
    return [
        picture[top : top + rows, left : left + columns]
        for top in range(0, picture.shape[0] - rows + 1, rows)
        for left in range(0, picture.shape[1] - columns + 1, columns)
    ]


def _distances(
    tiles: list[Array], simulation: Simulation, u: Array, summary: Summary
) -> tuple[dict[str, float], dict[str, float]]:
    """Distances of renders from the micrograph, and of its own tiles; none without a field."""
    pictures = simulation.pictures(u, range(_SEED_OF_ANSWER, _SEED_OF_ANSWER + _JUDGED))
    if not summary.bright:
        return {}, {}
    azimuth, pixel = summary.azimuth_deg, summary.pixel_size_um
    try:
        real = [measure(tile, pixel, azimuth) for tile in tiles]
        mine = [measure(picture, pixel, azimuth) for picture in pictures]
    except ValueError:
        return {}, {}
    return distances(average(mine), average(real)), spread(real)

"""How far renders are from the micrograph: before, on the way, and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.calibration.result import CalibrationStep
from osog.cancellation import raise_if_cancelled
from osog.statistics import average, distances, measure, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from osog.calibration.simulation import Simulation
    from osog.calibration.summary import Summary
    from osog.statistics import ImageStatistics

    Array = NDArray[np.float64]

JUDGED = 4
"""Pictures of the start and of the answer whose distances are given."""
_MOST_TILES = 48
_SEED = 1_000_003


class Judge:
    """Measures pictures against the tiles of a micrograph.

    Parameters
    ----------
    tiles : sequence of ndarray, shape (Y, X)
        Of at most 48 of them, spread over the micrograph, distances are taken.
    summary : Summary
    simulation : Simulation
    told : callable, optional
        Called with each `CalibrationStep`.

    Attributes
    ----------
    start, end, own : dict of str to float
        Distances of the start and of the answer, and of the micrograph's own tiles from their
        average; empty where there is no bright field, or before they are known.
    """

    def __init__(
        self,
        tiles: Sequence[Array],
        summary: Summary,
        simulation: Simulation,
        told: Callable[[CalibrationStep], Any] | None,
    ) -> None:
        self._tiles, self._summary = tiles, summary
        self._simulation, self._told = simulation, told
        self.start: dict[str, float] = {}
        self.end: dict[str, float] = {}
        self.own: dict[str, float] = {}
        self._real: ImageStatistics | None = None
        contrasts = [float(np.std(tile)) for tile in tiles]
        self._typical = tiles[int(np.argsort(contrasts)[len(contrasts) // 2])]

    def summaries(self) -> Array:
        """Summaries (T, M) of the tiles."""
        found = []
        for tile in self._tiles:
            raise_if_cancelled()
            found.append(self._summary(tile))
        return np.stack(found)

    def at_start(self, u: Array) -> None:
        """Measure the micrograph and the start."""
        pictures = self._simulation.pictures(u, range(_SEED, _SEED + JUDGED))
        self._tell("start", u, pictures[0], {})  # to be seen while the tiles are measured
        if self._summary.bright:
            step = -(-len(self._tiles) // _MOST_TILES)
            real = [self._measured(tile) for tile in self._tiles[::step]]
            known = [each for each in real if each is not None]
            if 2 * len(known) > len(real):  # bodies may fill some tiles
                self._real, self.own = average(known), spread(known)
        self.start = self._far(pictures)
        self._tell("start", u, pictures[0], self.start)

    def at_end(self, u: Array) -> None:
        """Measure the answer."""
        pictures = self._simulation.pictures(u, range(_SEED, _SEED + JUDGED))
        self.end = self._far(pictures)
        self._tell("end", u, pictures[0], self.end)

    def shown(self, word: str, u: Array) -> None:
        """Show a place on the way; it costs a picture only where someone looks."""
        if self._told is None:
            return
        picture = self._simulation.pictures(u, [_SEED])[0]
        self._tell(word, u, picture, self._far([picture]))

    def _tell(self, word: str, u: Array, picture: Array, far: dict[str, float]) -> None:
        if self._told is not None:
            scene = self._simulation.scene(u)
            self._told(CalibrationStep(word, scene, picture, self._typical, far))

    def _far(self, pictures: Sequence[Array]) -> dict[str, float]:
        if self._real is None:
            return {}
        mine = [self._measured(picture) for picture in pictures]
        known = [each for each in mine if each is not None]
        return distances(average(known), self._real) if known else {}

    def _measured(self, picture: Array) -> ImageStatistics | None:
        raise_if_cancelled()
        try:
            return measure(picture, self._summary.pixel_size_um, self._summary.azimuth_deg)
        except ValueError:
            return None

"""What a calibration found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from osog.scene import Scene

_TIED = 0.9


@dataclass(frozen=True)
class CalibrationStep:
    """Where a calibration is.

    Attributes
    ----------
    word : str
        "start", "pilot", "matching" or "end".
    scene : Scene
    picture : ndarray, shape (Y, X)
        A render of it, grey.
    micrograph : ndarray, shape (Y, X)
        The tile of the micrograph whose contrast is that of most of them.
    distances : dict of str to float
        `osog.statistics.distances` of this one picture; empty without a bright field.
    """

    word: str
    scene: Scene
    picture: NDArray[np.float64]
    micrograph: NDArray[np.float64]
    distances: Mapping[str, float]


@dataclass(frozen=True)
class CalibrationResult:
    """A scene whose pictures have the statistics of a micrograph.

    Attributes
    ----------
    scene : Scene
        The scene that was given, with the numbers found.
    values, sigma : dict of str to float
        The numbers, and their standard deviations.
    correlation : ndarray, shape (P, P)
        Of the numbers, in the order of `values`.
    misfit : float
        Mean square of the differences that are left between statistics of renders and of the
        micrograph, in units of what such tiles differ by and of a tolerance of 10 %: up to about 1
        where they cannot be told apart, much more where the scene lacks something that the
        micrograph shows.
    start_distances, distances, own_distances : dict of str to float
        `osog.statistics.distances` from the micrograph of the scene that was given and of the one
        found, and of the micrograph's own tiles from their average; empty where the micrograph has
        no bright field.
    renders : int
        Pictures that were made.
    seconds : float
        Processor time of the process.
    stopped : bool
        Whether it was stopped early; the numbers are then those of the pilot, or of the start.
    """

    scene: Scene
    values: Mapping[str, float]
    sigma: Mapping[str, float]
    correlation: NDArray[np.float64]
    misfit: float
    start_distances: Mapping[str, float]
    distances: Mapping[str, float]
    own_distances: Mapping[str, float]
    renders: int
    seconds: float
    stopped: bool = False

    @property
    def tied(self) -> list[tuple[str, str, float]]:
        """Pairs that the micrograph hardly tells apart, with their correlation."""
        names = list(self.values)
        return [
            (one, names[k], float(self.correlation[i, k]))
            for i, one in enumerate(names)
            for k in range(i + 1, len(names))
            if abs(self.correlation[i, k]) > _TIED
        ]

    def to_dict(self) -> dict[str, Any]:
        """Numbers and lists only, for JSON; the scene is left out."""
        return {
            "values": dict(self.values),
            "sigma": dict(self.sigma),
            "correlation": self.correlation.tolist(),
            "misfit": self.misfit,
            "tied": [list(pair) for pair in self.tied],
            "start_distances": dict(self.start_distances),
            "distances": dict(self.distances),
            "own_distances": dict(self.own_distances),
            "renders": self.renders,
            "seconds": self.seconds,
            "stopped": self.stopped,
        }

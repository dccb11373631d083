"""A calibration as the job of a worker: it shows its pictures, and stops between two of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_osog.worker import Turn
    from osog.calibration import CalibrationResult, CalibrationStep
    from osog.scene import Scene

_log = logging.getLogger(__name__)

EFFORTS: dict[str, dict[str, int]] = {
    "Quick": {"pilot": 32, "steps": 3, "renders": 3},
    "Thorough": {"pilot": 128, "steps": 6, "renders": 6},
}
"""Numbers of pictures, by words."""


@dataclass(frozen=True)
class CalibrationRequest:
    """What is to be calibrated.

    Attributes
    ----------
    image : ndarray, shape (Y, X)
    scene : Scene
        Of the whole frame, as the sliders have it.
    tile : Scene
        The same crowd on a tile.
    free : mapping of dotted name to (low, high)
    effort : str
        One of `EFFORTS`.
    seed : int
    device : str
    """

    image: NDArray[np.float64]
    scene: Scene
    tile: Scene
    free: Mapping[str, tuple[float, float]]
    effort: str = "Quick"
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class CalibrationWord:
    """How far a calibration is: pictures made and all, what is done, and the newest step."""

    done: int
    total: int
    word: str
    step: CalibrationStep | None


@dataclass(frozen=True)
class CalibrationOutcome:
    """How a calibration ended: with a result, or with one sentence."""

    request: CalibrationRequest
    result: CalibrationResult | None = None
    problem: str = ""


def carry_out(
    request: CalibrationRequest, turn: Turn, calibrate: Callable[..., Any] | None = None
) -> CalibrationOutcome:
    """Carry out a request; whatever goes wrong comes back as a sentence."""
    from osog.fitting import FitError

    if calibrate is None:
        from osog.calibration import calibrate as found_by

        calibrate = found_by
    steps: list[CalibrationStep] = []
    told = [0]

    def on_step(step: CalibrationStep) -> None:
        steps[:] = [step]
        told[0] = -1  # the next word carries it

    def on_picture(done: int, total: int, word: str) -> bool:
        if turn.due and done != told[0]:
            told[0] = done
            turn.tell(CalibrationWord(done, total, word, steps[0] if steps else None))
        return turn.stopping

    try:
        result = calibrate(
            request.image, request.tile, request.free, **EFFORTS[request.effort],
            accuracy="draft", seed=request.seed, device=request.device,
            callback=on_picture, on_step=on_step,
        )  # fmt: skip
    except (SceneError, FitError) as error:
        return CalibrationOutcome(request, problem=str(error).splitlines()[0])
    except Exception as error:
        _log.exception("A calibration failed")
        return CalibrationOutcome(request, problem=f"The calibration failed: {error}")
    return CalibrationOutcome(request, result)

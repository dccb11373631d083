"""A fit as the job of a worker: carried out step by step, stopped between two of them."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.panels.fit_every import fit_every
from napari_osog.panels.fit_request import (
    MOST_NUMBERS,
    Refusal,
    expanded,
    in_region,
    prepared,
)
from napari_osog.worker import Worker
from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_osog.panels.fit_request import FitRequest
    from napari_osog.worker import Turn
    from osog.fitting import FitProgress, FitResult

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """Something to show while a fit runs.

    Attributes
    ----------
    progress : FitProgress or None
        None while particles are looked for.
    history : tuple of (stage, rms)
        Of every accepted step so far.
    words : str
        What is being done, where there are no steps to show.
    """

    progress: FitProgress | None
    history: tuple[tuple[str, float], ...] = ()
    words: str = ""


@dataclass(frozen=True)
class FitOutcome:
    """How a fit ended.

    Attributes
    ----------
    request : FitRequest
    result : FitResult or None
    problem : str
        One sentence when there is no result.
    started : dict
        Free names → value at which the search began.
    notes : tuple of str
        What was decided on the way.
    """

    request: FitRequest
    result: FitResult | None = None
    problem: str = ""
    started: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def carry_out(
    request: FitRequest,
    callback: Callable[[FitProgress], bool],
    fit: Callable[..., Any] | None = None,
    *,
    stopping: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = lambda words: None,
) -> FitOutcome:
    """Carry out a request; whatever goes wrong comes back as a sentence.

    Parameters
    ----------
    request : FitRequest
    callback : callable
        As for `osog.fitting.fit`.
    fit : callable, optional
        Another function than `osog.fitting.fit`; for tests.
    stopping, tell : callable
        For fits of one particle after another: see `fit_every`.
    """
    from osog.cancellation import Cancelled
    from osog.fitting import FitError
    from osog.fitting import fit as engine
    from osog.scene.parameters import describe

    started: dict[str, float] = {}
    try:
        if request.every:
            result, notes = fit_every(request, None, stopping, tell)
            return FitOutcome(request, result=result, notes=notes)
        scene, start, notes = prepared(request)
        names, bounds = expanded(request, scene)
        if len(names) > MOST_NUMBERS:
            result, more = fit_every(request, in_region(request, scene), stopping, tell)
            return FitOutcome(request, result=result, notes=(*notes, *more))
        started = {name: describe(scene, name).value for name in names}
        if request.start != "sliders" and start == "scene":
            bounds = _around_starts(bounds, started)
        good = np.isfinite(request.image)
        if not good.all():
            lost = int((~good).sum())
            words = (
                "pixel that holds no number was" if lost == 1 else "pixels that hold no number were"
            )
            notes = (*notes, f"{lost} {words} left out.")
        result = (fit or engine)(
            np.where(good, request.image, 0.0),
            scene,
            names,
            bounds=bounds,
            mask=None if good.all() else good,
            callback=callback,
            seed=request.seed,
            start=start,
            optics=request.optics,
            linear=request.linear,
            region=request.region,
            device=request.device,
        )
    except Cancelled:
        return FitOutcome(request, started=started)
    except (Refusal, FitError, SceneError) as error:
        return FitOutcome(request, problem=str(error), started=started)
    except Exception as error:
        _log.exception("A fit failed")
        return FitOutcome(request, problem=_words(error), started=started)
    return FitOutcome(request, result=result, started=started, notes=notes)


def _around_starts(
    bounds: dict[str, tuple[float, float]], started: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """A detected start may lie a little outside of the range that the user gave for all."""
    return {
        name: (min(low, started[name]), max(high, started[name]))
        for name, (low, high) in bounds.items()
    }


def _words(error: Exception) -> str:
    text = str(error).strip().splitlines()
    first = text[0] if text else type(error).__name__
    if isinstance(error, MemoryError) or "out of memory" in first.lower():
        return "Not enough memory for this fit: choose a smaller region."
    return f"The fit broke off ({first}). Nothing was changed."


class FitJob:
    """The job of a worker that fits; tells `Step` on its way and ends with `FitOutcome`.

    Parameters
    ----------
    fit : callable, optional
        Another function than `osog.fitting.fit`; for tests.
    """

    def __init__(self, fit: Callable[..., Any] | None = None) -> None:
        self.fit = fit

    def __call__(self, request: FitRequest, turn: Turn) -> FitOutcome:
        """Fit; a turn that is stopping ends with the best so far."""
        history: list[tuple[str, float]] = []

        def hand_over(progress: FitProgress) -> bool:
            history.append((progress.stage, progress.rms))
            if turn.due:
                own = replace(
                    progress, residual=np.array(progress.residual), model=np.array(progress.model)
                )
                turn.tell(Step(own, tuple(history)))
            return turn.stopping

        def tell(words: str) -> None:
            if turn.due:
                turn.tell(Step(None, words=words))

        if turn.stopping:
            return FitOutcome(request)
        turn.tell(Step(None))
        from osog.cancellation import cancellable

        with warnings.catch_warnings(), cancellable(lambda: turn.stopping):
            warnings.simplefilter("ignore")
            return carry_out(
                request, hand_over, self.fit, stopping=lambda: turn.stopping, tell=tell
            )


def fit_worker(parent: Any, fit: Callable[..., Any] | None = None) -> Worker:
    """Make a worker whose requests are `FitRequest` and whose results are `FitOutcome`.

    It shows in napari's activity dock, counts as a running task when the window is closed, and
    ends between two steps of an image, within about a second, once it is cancelled.

    Parameters
    ----------
    parent : QObject
        Goes with it.
    fit : callable, optional
        As for `FitJob`.
    """
    return Worker(FitJob(fit), "osog-fit", lasting=False, listed_as="OSOG fit", parent=parent)


__all__ = ["FitJob", "FitOutcome", "Step", "carry_out", "fit_worker"]

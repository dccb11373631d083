"""Datasets as jobs of a worker: a preview, one frame, or a folder of thousands."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osog.cancellation import Cancelled, cancellable

if TYPE_CHECKING:
    from pathlib import Path

    from napari_osog.worker import Turn
    from osog.datasets import LabelledFrame, LabelSettings
    from osog.scene import Scene

_log = logging.getLogger(__name__)
PREVIEWED = 9
"""Samples in the grid of the panel."""


@dataclass(frozen=True, kw_only=True)
class DatasetRequest:
    """What a user wants made.

    Attributes
    ----------
    kind : {"preview", "frame", "write"}
        Samples for the grid, the frame on show with its labels, or the dataset.
    scene : Scene
    seed : int
        Of the dataset; of the frame on show for ``frame``.
    labels : LabelSettings
    device : str
    accuracy : str or None
    folder : Path or None
    count : int
    formats : tuple of str
    """

    kind: str
    scene: Scene
    seed: int
    labels: LabelSettings
    device: str
    accuracy: str | None = None
    folder: Path | None = None
    count: int = PREVIEWED
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DatasetOutcome:
    """What came of a request.

    Attributes
    ----------
    request : DatasetRequest
    frames : tuple of LabelledFrame
        For ``preview`` and ``frame``.
    dataset : Dataset or None
    problem : str
        One sentence where nothing came of it.
    stopped : bool
    """

    request: DatasetRequest
    frames: tuple[LabelledFrame, ...] = ()
    dataset: Any = None
    problem: str = ""
    stopped: bool = False


@dataclass(frozen=True)
class Count:
    """Samples done, and all; or what is done before the first."""

    done: int
    total: int
    words: str = ""


def carry_out(request: DatasetRequest, turn: Turn) -> DatasetOutcome:
    """Carry out a request; whatever goes wrong comes back as a sentence."""
    from osog.datasets import DatasetError, FrameSource, export
    from osog.datasets.frames import labelled
    from osog.scene import SceneError

    def said(done: int, total: int) -> None:
        if turn.due or done == total:
            turn.tell(Count(done, total))

    try:
        with cancellable(lambda: turn.stopping):
            if request.kind == "frame":
                return DatasetOutcome(
                    request=request,
                    frames=(labelled(request.scene, request.seed, request.labels, request.device),),
                )
            if request.kind == "preview":
                source = FrameSource(
                    request.scene, request.seed, labels=request.labels, device=request.device,
                    accuracy=request.accuracy,
                )  # fmt: skip
                frames = []
                for k in range(request.count):
                    frames.append(source[k])
                    said(k + 1, request.count)
                return DatasetOutcome(request=request, frames=tuple(frames))
        assert request.folder is not None
        made = export(
            request.scene, request.folder, request.count, request.formats, request.seed,
            labels=request.labels, device=request.device, accuracy=request.accuracy,
            progress=said, said=lambda words: turn.tell(Count(0, request.count, words)),
            stop=lambda: turn.stopping,
        )  # fmt: skip
        return DatasetOutcome(request=request, dataset=made)
    except Cancelled:
        return DatasetOutcome(request=request, stopped=True)
    except (SceneError, DatasetError) as error:
        return DatasetOutcome(request=request, problem=str(error))
    except OSError as error:
        words = f"The folder cannot be written to: {error.strerror or error}."
        return DatasetOutcome(request=request, problem=words)
    except Exception as error:
        _log.exception("A dataset failed")
        return DatasetOutcome(request=request, problem=f"The dataset could not be made: {error}")

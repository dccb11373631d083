"""What the picture itself says of its modality, looked at beside the window."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QFrame, QVBoxLayout

from napari_osog.lifetimes import listen
from napari_osog.panels.edits import modality_change
from napari_osog.panels.widgets import note, push_button
from napari_osog.plane_geometry import TargetError
from napari_osog.worker import Worker
from osog.scene import MODALITY_TITLES, SceneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtCore import QObject

    from napari_osog.live_controller import LiveController
    from napari_osog.worker import Turn
    from osog.recognition import ModalityGuess
    from osog.recognition.levels import PictureLevels
    from osog.recognition.typical import TypicalBody

_log = logging.getLogger(__name__)
_SURE = 0.55
"""Share of a guess from which on a scene of another modality is doubted."""
_ALIKE = (
    {"fluorescence", "confocal", "light_sheet"},
    {"brightfield", "shadowgraph"},
    {"hologram", "iscat", "reflection", "brightfield"},
)
"""Kinds that a picture does not tell apart well enough to doubt one of them."""


@dataclass(frozen=True)
class GuessRequest:
    """A layer, and what hands over its pixels on the worker's thread."""

    layer: Any
    pixels: Callable[[], Any]
    guess: bool = True
    """Whether the modality is to be guessed, too."""


@dataclass(frozen=True)
class GuessAnswer:
    """A layer, its guesses, the likeliest first, its grey levels, and its bodies.

    There are no guesses where it shows nothing, or none were wanted; no levels of measured
    values, and no bodies where nothing stands out.
    """

    layer: Any
    guesses: tuple[ModalityGuess, ...]
    levels: PictureLevels | None = None
    body: TypicalBody | None = None


def guess_worker(parent: QObject) -> Worker:
    """Worker that takes a `GuessRequest` and answers with a `GuessAnswer`."""
    return Worker(_looked_at, "osog-guess", lasting=False, parent=parent)


def _looked_at(request: GuessRequest, turn: Turn) -> GuessAnswer:
    from osog.recognition import guess_modality
    from osog.recognition.levels import picture_levels
    from osog.recognition.typical import typical_body

    guesses: tuple[ModalityGuess, ...] = ()
    levels = body = None
    try:
        pixels = request.pixels()
        levels, body = picture_levels(pixels), typical_body(pixels)
        guesses = tuple(guess_modality(pixels)) if request.guess else ()
    except ValueError:
        pass
    except Exception:
        _log.exception("A micrograph could not be looked at")
    return GuessAnswer(request.layer, guesses, levels, body)


def colours_of(layer: Any) -> Any:
    """Red, green and blue of a colour layer, of its finest level."""
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    return np.asarray(data[..., :3])


def in_words(guesses: tuple[ModalityGuess, ...]) -> str:
    """Reason of the first guess, and what else it may be."""
    first, *others = guesses
    likely = [f"{each.title} {each.share:.0%}" for each in others if each.share >= 0.1]
    more = f" Else: {', '.join(likely)}." if likely else ""
    return f"{first.title} {first.share:.0%}. {first.reason}{more}"


class ModalityHint(QFrame):
    """A notice where the micrograph looks like another modality than the scene's.

    Parameters
    ----------
    controller : LiveController
    """

    def __init__(self, controller: LiveController) -> None:
        super().__init__()
        self.setObjectName("osog_notice")
        self.session = controller.session
        self._compared = controller.viewer_layers.compared
        self._answer: GuessAnswer | None = None
        self.words = note(style="")
        self.use_button = push_button("Use it", "Change the scene's modality; Undo takes it back",
                                      self.use)  # fmt: skip
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 4, 6, 4)
        box.addWidget(self.words)
        box.addWidget(self.use_button)
        self.hide()
        self.worker = guess_worker(self)
        self.worker.finished.connect(self._on_guess)
        listen(self, self.session.events.target, self.look)
        listen(self, self.session.scene_changed, self._tell)
        self.look(self.session.target)

    def look(self, layer: Any) -> None:
        """Look at the pixels of a layer."""
        self._answer = None
        self._tell()
        if layer is None:
            return
        try:
            plane = self._compared.target_plane()
        except TargetError:
            return
        self.worker.submit(GuessRequest(layer, lambda: plane))

    def _on_guess(self, answer: GuessAnswer) -> None:
        if answer.layer is self.session.target:
            self._answer = answer
            self._tell()
        elif self.session.target is not None:
            self.look(self.session.target)

    def _tell(self, _: object = None) -> None:
        kind = self.session.scene.microscope.modality.kind
        guesses = self._answer.guesses if self._answer is not None else ()
        wrong = bool(guesses) and guesses[0].share >= _SURE and guesses[0].kind != kind
        if wrong and any({guesses[0].kind, kind} <= alike for alike in _ALIKE):
            wrong = False
        self.setVisible(wrong)
        if wrong:
            first = guesses[0]
            self.words.setText(
                f"The micrograph looks like {first.title}, the scene is {MODALITY_TITLES[kind]}. "
                f"{first.reason}"
            )
            self.use_button.setText(f"Use {MODALITY_TITLES[first.kind]}")

    def use(self) -> None:
        """Take the likeliest modality, and for DIC its direction."""
        if self._answer is None or not self._answer.guesses:
            return
        first = self._answer.guesses[0]
        try:
            scene = modality_change(self.session.scene, first.kind, {})
            if first.azimuth_deg is not None:
                scene = scene.updated({"microscope.modality.azimuth_deg": first.azimuth_deg})
            self.session.set_scene(scene)
        except SceneError as error:
            self.words.setText(str(error).splitlines()[0])


__all__ = [
    "GuessAnswer",
    "GuessRequest",
    "ModalityHint",
    "colours_of",
    "guess_worker",
    "in_words",
]

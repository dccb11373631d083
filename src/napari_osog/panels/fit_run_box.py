"""The run of a fit: its buttons, its stage and time, the fall of its residual."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFrame, QVBoxLayout, QWidget

from napari_osog.panels.fit_plot import LossCurve
from napari_osog.panels.widgets import fault, note, push_button, say, side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_osog.panels.fit_trial import Step
    from osog.fitting import FitResult

_STAGES = {
    "start": "Stage 1 of 3: trying starts",
    "perturbations": "Stage 1 of 3: trying other ends and tilts",
    "fit": "Stage 2 of 3: fitting",
    "polish": "Stage 3 of 3: polishing on a finer grid",
}


class RunBox(QWidget):
    """Run, stop, and what is to be seen between them.

    Signals
    -------
    run_pressed(), all_pressed(), stop_pressed(), match_pressed()

    Attributes
    ----------
    steps : int
        Accepted steps of the fit that runs or ran last.
    """

    run_pressed = Signal()
    all_pressed = Signal()
    stop_pressed = Signal()
    match_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self._began = 0.0
        self._stage = ""
        self.mismatch = QFrame()
        self.mismatch.setObjectName("osog_notice")
        self.mismatch_text = note(style="")
        self.match_button = push_button("Match its grid and optics", "", self.match_pressed)
        inner = QVBoxLayout(self.mismatch)
        inner.setContentsMargins(8, 4, 6, 4)
        inner.addWidget(self.mismatch_text)
        inner.addWidget(self.match_button)
        self.fault = fault()
        self.run_button = push_button("Run", "", self.run_pressed)
        self.run_button.setObjectName("osog_run")
        self.all_button = push_button(
            "Find all",
            "Look for every particle like the sample's in the whole image, and fit each in its "
            "own patch",
            self.all_pressed,
        )
        self.stop_button = push_button("Stop, keep best", "", self.stop_pressed)
        self.status = note(style="")
        self.curve = LossCurve()
        self.legend = note(
            "Residual in the viewer: red where the micrograph is brighter than the model, blue "
            "where it is darker."
        )
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(5)
        for widget in (
            self.mismatch,
            self.fault,
            side_by_side(self.run_button, self.all_button, self.stop_button),
            self.status,
            self.curve,
            self.legend,
        ):
            box.addWidget(widget)
        for widget in (self.mismatch, self.fault, self.curve, self.legend):
            widget.hide()
        self._clock = QTimer(self)
        self._clock.setInterval(200)
        self._clock.timeout.connect(self._tell)

    def say(self, sentence: str) -> None:
        """Show one sentence above the Run button; "" takes it away."""
        say(self.fault, sentence)

    def show_mismatch(self, words: str) -> None:
        """Say that scene and micrograph lie on different grids; "" when they do not."""
        self.mismatch_text.setText(words)
        self.mismatch.setVisible(bool(words))

    def lock(self, running: bool) -> None:
        """Offer what can be done while a fit runs, or while none does."""
        self.run_button.setEnabled(not running)
        self.all_button.setEnabled(not running)
        self.match_button.setEnabled(not running)
        self.stop_button.setEnabled(running)
        self.status.setVisible(running or bool(self.status.text()))

    def begin(self, unit: str) -> None:
        """A fit begins.

        Parameters
        ----------
        unit : str
            Of the residual.
        """
        self._stage, self._began = "Starting", time.monotonic()
        self.show_history((), unit)
        self.legend.show()
        self._clock.start()
        self._tell()

    def begin_to_stop(self) -> None:
        """The fit was asked to end."""
        self._stage = "Stopping after this step"
        self.stop_button.setEnabled(False)
        self._tell()

    def end(self, words: str) -> None:
        """The fit has ended."""
        self._clock.stop()
        self.status.setText(words)

    def clear(self) -> None:
        """Forget the last fit."""
        self.show_history(())
        for widget in (self.curve, self.legend):
            widget.hide()
        self.end("")
        self.status.hide()

    def show_step(self, step: Step, *, searching: bool, stopping: bool) -> None:
        """Follow a fit that runs.

        Parameters
        ----------
        step : Step
        searching : bool
            Whether particles are looked for before the first step.
        stopping : bool
        """
        if step.progress is not None:
            self.show_history(step.history)
        if not stopping:
            stage = "Looking for particles" if searching else "Preparing"
            if step.words:
                stage = step.words
            elif step.progress is not None:
                stage = _STAGES.get(step.progress.stage, step.progress.stage)
            self._stage = stage
        self._tell()

    def show_history(self, history: Sequence[tuple[str, float]], unit: str | None = None) -> None:
        """Draw (stage, rms) of every step; a unit is that of all that follow."""
        self.steps = len(history)
        if unit is not None:
            self.curve.set_unit(unit)
        self.curve.show_history(history)
        self.curve.show()

    def show_result(self, result: FitResult) -> None:
        """Say how a fit ended."""
        how = "Stopped; the best so far is kept" if result.stopped else "Finished"
        if not result.stopped and not result.success:
            arrived = "Converged, but the model does not explain the image completely"
            how = arrived if result.converged else "Ended without a good fit"
        steps = len(result.history)
        parts = [f"{result.elapsed_s:.1f} s"]
        if steps or result.renders:
            images = f"{result.renders} images"
            parts = [f"{steps} step{'s' if steps != 1 else ''}", images, *parts]
        self.end(f"{how}: {', '.join(parts)}.")
        self.status.show()

    def _tell(self) -> None:
        """Stage, steps and time of the fit that runs."""
        words = [self._stage, f"{time.monotonic() - self._began:.1f} s"]
        if self.steps:
            words.insert(1, f"{self.steps} step{'s' if self.steps > 1 else ''}")
        self.status.setText(" · ".join(words))
        self.status.show()


__all__ = ["RunBox"]

"""Stacks and time series in the Simulate panel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt, QTimer, Signal

from napari_osog.panels.field import Field
from napari_osog.panels.inputs import ignore_wheel, spin_for
from napari_osog.panels.microscope import middle_plane
from napari_osog.panels.row import Row
from napari_osog.panels.rows import model_rows
from napari_osog.panels.section import RowGroup, Section, row_part
from napari_osog.panels.titles import Title
from napari_osog.panels.widgets import note, push_button, say
from osog.scene import Scene, SceneError
from osog.scene.parameters import get

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.live_controller import LiveController
    from osog.scene import Motion

_MOST_PLANES = 2000


class PlanesRow(Row):
    """First and last plane of a stack, and the step between them.

    Signals
    -------
    changed()
        Other planes were chosen.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__(
            "microscope.focus_um",
            "Planes",
            "First and last plane in focus, in µm; in files a list of planes makes a stack.",
        )
        field = Field(self.name, "Planes", "µm", limits=(-1000.0, 1000.0), slider=(-20.0, 20.0),
                      step=0.5)  # fmt: skip
        self.first, self.last = spin_for(field, letters=0), spin_for(field, letters=0)
        self._own: tuple[float, ...] | None = None
        for spin, value, word in ((self.first, -10.0, "first"), (self.last, 10.0, "last")):
            spin.setValue(value)
            spin.setAccessibleName(f"Planes: {word}")
            ignore_wheel(spin)
            spin.valueChanged.connect(self._edited)
        to = Title("to", 3)
        to.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._line.addWidget(self.first, 1)
        self._line.addWidget(to)
        self._line.addWidget(self.last, 1)
        self.step = Row("microscope.focus_um", "Step", "Distance between two planes.")
        self.step_box = spin_for(Field(self.name, "Step", "µm", step=0.1, slider=(0.05, 5.0)))
        self.step_box.setValue(1.0)
        self.step_box.setAccessibleName("Planes: step")
        ignore_wheel(self.step_box)
        self.step_box.valueChanged.connect(self._edited)
        self.count = note()
        self.count.setWordWrap(False)
        self.step._line.addWidget(self.count, 1)
        self.step._line.addWidget(self.step_box)
        self._tell()

    def planes(self) -> tuple[float, ...]:
        """Planes of the stack, in µm.

        Raises
        ------
        SceneError
            If the step leads nowhere, or to too many planes.
        """
        if self._own is not None:
            return self._own
        first, last, step = self.first.value(), self.last.value(), self.step_box.value()
        if step <= 0:
            raise SceneError(f"The step of {step:g} µm must be above 0.")
        number = round(abs(last - first) / step) + 1
        if number > _MOST_PLANES:
            raise SceneError(f"{number} planes are too many; a stack has up to {_MOST_PLANES}.")
        direction = 1.0 if last >= first else -1.0
        return tuple(round(float(first + direction * step * k), 6) for k in range(number))

    def show_planes(self, planes: tuple[float, ...]) -> None:
        """Take the planes of a scene; those without one step are kept as they are."""
        steps = np.diff(planes) if len(planes) > 1 else np.array([self.step_box.value()])
        regular = bool(np.allclose(steps, steps[0], rtol=1e-6, atol=1e-9)) and steps[0] != 0
        with (
            QSignalBlocker(self.first),
            QSignalBlocker(self.last),
            QSignalBlocker(self.step_box),
        ):
            self.first.setValue(planes[0])
            self.last.setValue(planes[-1])
            if regular:
                self.step_box.setValue(abs(float(steps[0])))
        self._own = None if regular else planes
        self._tell()

    def _edited(self, _: float) -> None:
        self._own = None
        self._tell()
        self.changed.emit()

    def _tell(self) -> None:
        try:
            number = len(self.planes())
        except SceneError as error:
            self.set_fault(str(error))
            self.count.setText("")
            return
        self.set_fault("")
        uneven = " of uneven distance" if self._own is not None else ""
        self.count.setText(f"{number} plane{'s' if number != 1 else ''}{uneven}")


class SequenceSection(Section):
    """Planes of a stack, frames of a series, and the buttons that render them.

    Parameters
    ----------
    controller : LiveController

    Signals
    -------
    row_made(Row)
    """

    page = "howto/stacks-and-series.md#in-napari"

    row_made = Signal(object)

    def __init__(self, controller: LiveController) -> None:
        super().__init__("Stack and series", open=False)
        self.controller = controller
        self.planes = PlanesRow()
        self.add(self.planes)
        self.add(self.planes.step)
        self.stack_button = push_button(
            "Render stack",
            "Render all planes into a layer; the slider below the viewer walks through them",
            self._render_stack,
        )
        self.add(self.stack_button)
        self.series = RowGroup(self.row_made.emit)
        self.add(self.series)
        self.liquid, self.liquid_rows = row_part("Liquid", self.row_made.emit)
        self.add(self.liquid)
        self.series_note = note()
        self.add(self.series_note)
        self.series_button = push_button(
            "Render series",
            "Render all frames into a layer; particles move by the motion of their population",
            self._render_series,
        )
        self.add(self.series_button)
        self.status = note()
        self.status.hide()
        self.add(self.status)
        self.stop_button = push_button("Stop", "", controller.stop_sequence)
        self.stop_button.hide()
        self.add(self.stop_button)
        self._words = ""
        self._clock = QTimer(self)
        self._clock.setInterval(500)
        self._clock.timeout.connect(self._tell_time)

    def sync(self, scene: Scene) -> None:
        """Show the planes and frames of a scene."""
        if isinstance(scene.microscope.focus_um, tuple):
            self.planes.show_planes(scene.microscope.focus_um)

        def value(name: str) -> Any:
            return get(scene, name)

        self.series.sync(
            "series",
            lambda: model_rows(scene.series, "series", only=("frames", "interval_s")),
            value,
        )
        self.liquid_rows.sync(
            "liquid",
            lambda: model_rows(scene.series, "series", only=("temperature_k", "viscosity_mpa_s")),
            value,
        )
        words = ""
        if scene.series.frames == 1:
            words = "A series needs more than one frame."
        elif not any(_moves(population.motion) for population in scene.populations):
            words = "Nothing moves yet: set the motion of a population under Sample."
        say(self.series_note, words)
        self._enable()

    def _enable(self) -> None:
        idle = not self._words
        self.stack_button.setEnabled(idle)
        self.series_button.setEnabled(idle and self.controller.session.scene.series.frames > 1)

    def _render_stack(self) -> None:
        self._render(lambda scene: self._changed(scene, self.planes.planes(), 1))

    def _render_series(self) -> None:
        def make(scene: Scene) -> Scene:
            return self._changed(scene, middle_plane(scene), scene.series.frames)

        self._render(make)

    @staticmethod
    def _changed(scene: Scene, focus: Any, frames: int) -> Scene:
        data = scene.model_dump()
        data["microscope"]["focus_um"] = focus
        data["series"]["frames"] = frames
        return Scene.parse(data)

    def _render(self, make: Callable[[Scene], Scene]) -> None:
        try:
            scene = make(self.controller.session.scene)
        except SceneError as error:
            self.controller.session.status = str(error)
            return
        self.controller.render_sequence(scene)

    def show_progress(self, words: str) -> None:
        """Say what is being rendered, or "" when nothing is."""
        self._words = words
        self.status.setVisible(bool(words))
        self.stop_button.setVisible(bool(words))
        self._enable()
        if words:
            self._clock.start()
            self._tell_time()
        else:
            self._clock.stop()

    def _tell_time(self) -> None:
        seconds = time.monotonic() - self.controller.stack_began
        self.status.setText(f"{self._words} … {seconds:.0f} s")


def _moves(motion: Motion) -> bool:
    numbers = (motion.diffusion_um2_per_s, motion.rotational_diffusion_per_s, *motion.flow_um_per_s)
    return any(number is None or number != 0 for number in numbers)


__all__ = ["PlanesRow", "SequenceSection"]

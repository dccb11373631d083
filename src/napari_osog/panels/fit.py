"""The Fit panel: a run from its setting to its result, and back, with everything kept."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_osog.micrographs import TargetError, adopt, optics, pixel_size, placement
from napari_osog.panels import fit_record
from napari_osog.panels.fit_inputs import region_of, scale_is_known, starts_of
from napari_osog.panels.fit_parameters import FitParameters
from napari_osog.panels.fit_plot import LossCurve
from napari_osog.panels.fit_result import residual_unit
from napari_osog.panels.fit_run import FitRunner, Order, Refusal
from napari_osog.panels.fit_saved import ResultBox
from napari_osog.panels.fit_target import TargetBox
from napari_osog.panels.panel import Panel, listen
from napari_osog.session import unwrapped
from osog.scene import Scene, SceneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_osog.panels.fit_run import Outcome, Step
    from napari_osog.studio import Studio

_STAGES = {
    "start": "Stage 1 of 3: trying starts",
    "fit": "Stage 2 of 3: fitting",
    "polish": "Stage 3 of 3: polishing on a finer grid",
}
_TABLE_STYLE = """
QTableView#osog_table {{ border: none; background: transparent; color: {text}; }}
QTableView#osog_table::item {{ padding: 0 3px; }}
QTableView#osog_table::item:selected {{ background: {primary}; color: {text}; }}
QTableView#osog_table QHeaderView::section {{
    background: transparent; border: none; padding: 2px 3px; color: {note};
}}
QTableView#osog_table QLineEdit {{ padding: 0 2px; background: {background}; }}
QTableView#osog_table::indicator {{
    width: 13px; height: 13px; border-radius: 2px; background: {foreground};
    border: 1px solid {note};
}}
QTableView#osog_table::indicator:checked {{
    background: {current}; border-color: {current}; image: url("theme_{theme}:/check.svg");
}}
QTableView#osog_table::indicator:hover {{ border-color: {text}; }}
QLabel#osog_number {{ color: {text}; font-weight: bold; }}
"""


class FitPanel(Panel):
    """Fit particles and optics to a micrograph, and watch the residual fall.

    Parameters
    ----------
    napari_viewer : napari viewer
    studio : Studio, optional
        Another studio than that of the viewer; for tests.
    fit : callable, optional
        Another function than `osog.fitting.fit`; for tests.

    Attributes
    ----------
    state : str
        "editing", "running" or "result".
    outcome : Outcome or None
        How the last fit ended.
    """

    def __init__(
        self,
        napari_viewer: Any,
        studio: Studio | None = None,
        fit: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(napari_viewer, studio)
        self.state = "editing"
        self.outcome: Outcome | None = None
        self._began = 0.0
        self._history: tuple[tuple[str, float], ...] = ()
        self._stage = ""
        self._fitted: Callable[[], Any] = lambda: None
        self._described: dict[str, Any] = {}
        self._frame: tuple[int, int] | None = None
        self._removed = ""
        self.runner = FitRunner(self, fit)
        self.runner.progressed.connect(self._on_step)
        self.runner.ended.connect(self._on_ended)
        self._clock = QTimer(self)
        self._clock.setInterval(200)
        self._clock.timeout.connect(self._tell_time)
        self.setting = TargetBox(self.studio, lambda: self.viewer)
        self.setting.started.connect(self._on_start)
        self.setting.said.connect(self.say)
        self.ending = ResultBox()
        self.ending.applied.connect(self.apply)
        self.ending.opened.connect(self.open_run)
        self.ending.said.connect(self.say)
        self.body.addWidget(self.setting)
        self.parameters = FitParameters(self.session)
        self.parameters.said.connect(self.say)
        self.table = self.parameters.table
        self.body.addWidget(self.parameters)
        self.body.addWidget(self._run_box())
        self.body.addWidget(self.ending)
        self.body.addStretch(1)
        session = self.session
        for signal, slot in (
            (session.scene_changed, self._on_scene),
            (session.free_changed, self.parameters.follow_free),
            (session.target_changed, self._on_target),
            (session.view_changed, self._on_view),
        ):
            listen(self, signal, slot)
        viewer = self.viewer
        if viewer is not None:
            events = viewer.layers.events
            for event in (events.removed, events.reordered):
                listen(self, event, self._on_layers)
            listen(self, events.inserted, self._on_inserted)
            listen(self, viewer.dims.events.current_step, self._on_dims)
        self._on_inserted()
        self._on_target(session.target)
        self.apply_theme()
        self._set_state("editing")

    # --- parts -------------------------------------------------------------------------------

    def _run_box(self) -> QWidget:
        holder = QWidget()
        box = QVBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(5)
        self.mismatch = QFrame()
        self.mismatch.setObjectName("osog_notice")
        inner = QVBoxLayout(self.mismatch)
        inner.setContentsMargins(8, 4, 6, 4)
        self.mismatch_text = QLabel()
        self.mismatch_text.setWordWrap(True)
        self.match_button = QPushButton("Match its grid and optics")
        self.match_button.clicked.connect(self.match_grid)
        inner.addWidget(self.mismatch_text)
        inner.addWidget(self.match_button)
        box.addWidget(self.mismatch)
        self.mismatch.hide()
        self.fault = QLabel()
        self.fault.setObjectName("osog_fault")
        self.fault.setWordWrap(True)
        self.fault.hide()
        box.addWidget(self.fault)
        line = QHBoxLayout()
        line.setSpacing(6)
        self.run_button, self.stop_button = QPushButton("Run"), QPushButton("Stop, keep best")
        self.run_button.setObjectName("osog_run")
        self.run_button.clicked.connect(self.run)
        self.stop_button.clicked.connect(self.stop)
        line.addWidget(self.run_button, 1)
        line.addWidget(self.stop_button, 1)
        box.addLayout(line)
        self.status = QLabel()
        self.status.setWordWrap(True)
        box.addWidget(self.status)
        self.curve = LossCurve()
        box.addWidget(self.curve)
        self.curve.hide()
        self.legend = QLabel(
            "Residual in the viewer: red where the micrograph is brighter than the model, blue "
            "where it is darker."
        )
        self.legend.setObjectName("osog_note")
        self.legend.setWordWrap(True)
        box.addWidget(self.legend)
        self.legend.hide()
        return holder

    def apply_theme(self) -> None:
        """Take the colours of napari's theme, for table and plot too."""
        super().apply_theme()
        if hasattr(self, "curve"):
            colours = self.colours()
            theme = getattr(self.viewer, "theme", None) or "dark"
            self.setStyleSheet(self.styleSheet() + _TABLE_STYLE.format(theme=theme, **colours))
            self.table.lines.colours = colours
            self.table.viewport().update()
            self.curve.set_colours(colours["text"])

    # --- layers ------------------------------------------------------------------------------

    def _on_layers(self, event: Any = None) -> None:
        self.setting.refresh_layers()
        if self.runner.running and self._fitted() is not None:
            self._notice_removal()

    def _on_inserted(self, event: Any = None) -> None:
        """Take the only image there is: nobody has to choose it."""
        self._on_layers()
        if self.session.target is None and len(self.setting.layers) == 1:
            self.session.set_target(self.setting.layers[0])

    def _on_dims(self, event: Any = None) -> None:
        self.setting.tell_frame()

    def _on_start(self) -> None:
        self._on_scene(self.session.scene)

    @property
    def record(self) -> fit_record.Record | None:
        """The run whose result is on show, or None."""
        return self.ending.record

    def _on_target(self, layer: Any) -> None:
        self._on_layers()
        self.parameters.show_known({}, None)
        self.say("")
        if layer is not None:
            try:
                self.studio.sink.target_plane()
                self.parameters.show_known(optics(layer), scale_is_known(layer))
            except TargetError as error:
                self.say(str(error))
        self._on_dims()
        self._on_scene(self.session.scene)

    # --- the table ---------------------------------------------------------------------------

    def _on_scene(self, scene: Scene) -> None:
        """Follow the sliders."""
        self._unpin()
        self.parameters.from_points = self.setting.start == "points"
        self.parameters.sync()
        self._check_grid()

    def _on_view(self, view: Any) -> None:
        if view.compare != "difference":
            self._unpin()

    def _unpin(self) -> None:
        """The residual of a fit stays until the sliders move or something else is compared."""
        if self.state != "running":
            self.studio.sink.pinned = False

    def _check_grid(self) -> None:
        """Offer to render on the micrograph's grid when the scene is on another one."""
        words = self._grid_problem()
        self.mismatch_text.setText(words)
        self.mismatch.setVisible(bool(words))

    def _grid_problem(self) -> str:
        layer, grid = self.session.target, self.session.scene.grid
        if layer is None:
            return ""
        shape = tuple(int(n) for n in _plane_shape(layer))
        if getattr(layer, "rgb", False) or len(shape) != 2:
            return ""
        if shape != tuple(grid.shape):
            return (
                f"The scene has {grid.shape[0]} × {grid.shape[1]} pixels and the micrograph "
                f"{shape[0]} × {shape[1]}."
            )
        pixel = self.parameters.known.get("pixel_size_um") or pixel_size(layer)
        if pixel is not None and abs(pixel.value - grid.pixel_size_um) > 1e-6 * pixel.value:
            return (
                f"The scene has pixels of {grid.pixel_size_um:.5g} µm and the micrograph "
                f"{pixel.value:.5g} µm ({pixel.source})."
            )
        return ""

    def match_grid(self) -> None:
        """Take over the micrograph's frame and what is known of its optics."""
        try:
            self.studio.sink.target_plane()
            self.parameters.known = adopt(self.session, self.session.target)
        except (TargetError, SceneError) as error:
            self.say(str(error).splitlines()[0])
            return
        self.say("")
        self._on_scene(self.session.scene)

    # --- the run -----------------------------------------------------------------------------

    def order(self) -> Order:
        """Collect everything that a fit depends on, as a copy.

        Raises
        ------
        TargetError, Refusal, SceneError
            With one sentence, when it cannot be fitted like this.
        """
        layer = self.session.target
        image = np.array(self.studio.sink.target_plane(), dtype=np.float64)
        problem = self._grid_problem()
        if problem:
            raise Refusal(f"{problem} Match the grid first.")
        frame = (image.shape[0], image.shape[1])
        region = None
        if self.setting.region.currentIndex() > 0:
            shapes = self.setting.shapes[self.setting.region.currentIndex() - 1]
            region = region_of(shapes, layer, frame)
        points: tuple[tuple[float, float], ...] = ()
        if self.setting.start == "points":
            if not self.setting.points:
                raise Refusal("There is no Points layer: add one, and click on the particles.")
            chosen = self.setting.points[max(self.setting.points_combo.currentIndex(), 0)]
            points = tuple(starts_of(chosen, layer, frame))
        camera = self.session.scene.camera
        if camera is not None and camera.channels > 1:
            raise Refusal(
                "The scene has a colour camera and the micrograph is grey: choose the monochrome "
                "sensor under Camera."
            )
        lines = self.parameters.free_lines()
        scene = self.parameters.scene()
        return Order(
            image=image,
            scene=scene,
            seed=self.session.seed,
            free=tuple(line.name for line in lines),
            bounds={line.name: line.bounds for line in lines if line.bounds is not None},
            start=self.setting.start,
            points=points,
            population=self.session.population,
            region=region,
            linear=self.parameters.linear,
            optics=self.parameters.optics,
            device="cuda" if self.session.device == "cuda" else "cpu",
        )

    def run(self) -> None:
        """Begin a fit; what is wrong with its setting is said above the button."""
        if self.runner.running:
            return
        try:
            order = self.order()
        except (TargetError, Refusal, SceneError) as error:
            self.say(str(error).splitlines()[0])
            return
        self.say("")
        layer = self.session.target
        self._fitted = weakref.ref(layer)
        point = None if self.viewer is None else tuple(self.viewer.dims.point)
        self._described = fit_record.described(layer, order.image, point)
        self._frame, self._removed = (order.image.shape[0], order.image.shape[1]), ""
        self._history, self._stage, self._began = (), "", time.monotonic()
        self.curve.set_unit(residual_unit(order.scene, order.linear))
        self.curve.show_history(())
        self.curve.show()
        self.legend.show()
        self.session.set_view(placement=placement(layer), compare="difference")
        self._set_state("running")
        self.studio.sink.pinned = True
        self.runner.start(order)
        self._clock.start()
        self._tell_time()

    def stop(self) -> None:
        """Ask the fit to end with its best so far."""
        self.runner.stop()
        self.stop_button.setEnabled(False)
        self._tell_time()

    @property
    def steps(self) -> int:
        """Accepted steps of the fit that runs or ran last."""
        return len(self._history)

    def _set_state(self, state: str) -> None:
        self.state = state
        running = state == "running"
        self.parameters.lock(running)
        self.setting.lock(running)
        self.ending.lock(running)
        for widget in (self.run_button, self.match_button):
            widget.setEnabled(not running)
        self.stop_button.setEnabled(running)
        self.status.setVisible(running or bool(self.status.text()))

    def _on_step(self, step: Step) -> None:
        if self.state != "running":
            return
        self._history = step.history
        if step.progress is None:
            self._stage = (
                "Preparing" if self.setting.start == "sliders" else "Looking for particles"
            )
        else:
            self._stage = _STAGES.get(step.progress.stage, step.progress.stage)
            self.curve.show_history(step.history)
            self._show_residual(step.progress.residual)
        self._tell_time()

    def _show_residual(self, residual: NDArray[np.float64], region: Any = None) -> None:
        """Show data − model in the one layer for comparisons; outside of the region is nothing."""
        layer, sink = self._fitted(), self.studio.sink
        if layer is None or self._removed or sink.viewer is None or self._frame is None:
            return
        if region is None and self.runner.order is not None:
            region = self.runner.order.region
        if residual.shape == self._frame:
            sink.show_compared(residual.astype(np.float32))
            return
        y0, y1, x0, x1 = region
        whole = np.full(self._frame, np.nan, dtype=np.float32)
        whole[y0:y1, x0:x1] = residual
        sink.show_compared(whole)

    def _tell_time(self) -> None:
        """Stage, steps and time of the fit that runs."""
        if self.state != "running":
            return
        stage = "Stopping after this step" if self.runner.stopping else self._stage or "Starting"
        words = [stage, f"{time.monotonic() - self._began:.1f} s"]
        if self._history:
            steps = len(self._history)
            words.insert(1, f"{steps} step{'s' if steps > 1 else ''}")
        self.status.setText(" · ".join(words))
        self.status.show()

    def _notice_removal(self) -> None:
        """Stop when the micrograph has left the viewer: nobody waits for its fit any more."""
        layer, viewer = self._fitted(), self.viewer
        if viewer is None or self._removed or any(layer is unwrapped(o) for o in viewer.layers):
            return
        self._removed = str(layer.name)
        self.runner.stop()
        self._tell_time()

    def _on_ended(self, outcome: Outcome) -> None:
        self._clock.stop()
        if outcome.result is None:
            self.status.setText("")
            self._set_state("result" if self.record is not None else "editing")
            self._unpin()
            self.studio.sink.refresh_comparison()
            self.say(outcome.problem or "The fit was cancelled before its first step.")
            return
        result = outcome.result
        self.outcome = outcome
        record = fit_record.record_of(outcome, self._described)
        self._set_state("result")
        self._history = tuple((step["stage"], step["rms"]) for step in result.history)
        self.curve.show_history(self._history)
        self._show_residual(result.residual, result.region)
        if self._removed:
            self.say(
                f"'{self._removed}' was removed while it was fitted: the fit was stopped, and its "
                "best values are kept."
            )
        self._show_record(record)

    # --- the result --------------------------------------------------------------------------

    def _show_record(self, record: fit_record.Record) -> None:
        result = record.result
        steps = len(result.history)
        how = "Stopped; the best so far is kept" if result.stopped else "Finished"
        if not result.stopped and not result.success:
            how = "Ended without a good fit"
        self.status.show()
        self.status.setText(
            f"{how}: {steps} step{'s' if steps != 1 else ''}, {result.renders} images, "
            f"{result.elapsed_s:.1f} s."
        )
        self.ending.show_record(record)
        self._reveal(self.ending.section)

    def _reveal(self, widget: QWidget) -> None:
        """Scroll to a widget, its top first, once the layout has taken it in."""
        QTimer.singleShot(60, lambda scroll=self.scroll, widget=widget: _scroll_to(scroll, widget))

    def apply(self) -> None:
        """Put the fitted numbers into the scene, as one step that Undo takes back."""
        if self.record is None:
            return
        with self.session.dragging():
            self.session.set_scene(self.record.result.scene)

    def open_run(self, record: fit_record.Record) -> None:
        """Show a run that was saved: its setting in the table and the sliders, and its result."""
        self.session.set_scene(record.scene, seed=record.seed, preset="")
        self.setting.start = record.start
        self.parameters.restore(set(record.free), dict(record.bounds), record.optics, record.linear)
        self.outcome = None
        self.curve.set_unit(residual_unit(record.scene, record.linear))
        self.curve.show_history([(s["stage"], s["rms"]) for s in record.result.history])
        self.curve.show()
        self._show_record(record)
        self._set_state("result")
        self.say(self._other_target(record))

    def _other_target(self, record: fit_record.Record) -> str:
        """Say when the run that is opened was made on another micrograph than the present one."""
        name = record.target.get("name", "")
        try:
            image = np.array(self.studio.sink.target_plane(), dtype=np.float64)
        except TargetError:
            return f"This run was made on '{name}', which is not chosen as micrograph."
        if fit_record.checksum(image) != record.target.get("sha256"):
            return f"This run was made on '{name}', whose pixels are not those chosen now."
        return ""

    # --- words and endings -------------------------------------------------------------------

    def say(self, sentence: str) -> None:
        """Show one sentence above the Run button; "" takes it away."""
        self.fault.setText(sentence)
        self.fault.setVisible(bool(sentence))

    def event(self, event: Any) -> bool:
        """A panel that was closed with x cannot be opened again: its fit ends."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            runner = getattr(self, "runner", None)
            if runner is not None:
                runner.stop()
        return super().event(event)


def _scroll_to(scroll: QScrollArea, widget: QWidget) -> None:
    from contextlib import suppress

    with suppress(RuntimeError):  # the panel may be gone by now
        scroll.ensureWidgetVisible(widget, 0, 0)


def _plane_shape(layer: Any) -> tuple[int, ...]:
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    return tuple(data.shape[-2:])


__all__ = ["FitPanel"]

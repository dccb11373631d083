"""The Fit panel: a run from its setting to its result, and back, with everything kept."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QTimer

from napari_osog.lifetimes import listen
from napari_osog.micrographs import adopt, known_optics
from napari_osog.panels import fit_record
from napari_osog.panels.fit_inputs import region_of, scale_is_known, starts_of
from napari_osog.panels.fit_parameters import FitParameters
from napari_osog.panels.fit_request import FitRequest, Refusal
from napari_osog.panels.fit_result import in_words, residual_unit
from napari_osog.panels.fit_run_box import RunBox
from napari_osog.panels.fit_saved import ResultBox
from napari_osog.panels.fit_target import TargetBox
from napari_osog.panels.fit_trial import fit_worker
from napari_osog.panels.panel import Panel
from napari_osog.plane_geometry import TRANSFORM, TargetError, plane_shape, transform_of
from napari_osog.viewers import unwrapped
from osog.scene import Scene, SceneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from qtpy.QtWidgets import QScrollArea, QWidget

    from napari_osog.live_controller import LiveController
    from napari_osog.panels.fit_trial import FitOutcome, Step

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
QLabel#osog_group {{ color: {text}; border-bottom: 1px solid {foreground}; padding-top: 4px; }}
"""


class FitPanel(Panel):
    """Fit particles and optics to a micrograph, and watch the residual fall.

    Parameters
    ----------
    napari_viewer : napari viewer
    controller : LiveController, optional
        Another controller than that of the viewer; for tests.
    fit : callable, optional
        Another function than `osog.fitting.fit`; for tests.

    Attributes
    ----------
    state : str
        "editing", "running" or "result".
    request : FitRequest or None
        What is being fitted.
    """

    page = "tour.md#6-fit"

    def __init__(
        self,
        napari_viewer: Any,
        controller: LiveController | None = None,
        fit: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(napari_viewer, controller)
        self.state = "editing"
        self.request: FitRequest | None = None
        self._fitted: Callable[[], Any] = lambda: None
        self._shown_for: Callable[[], Any] = lambda: None
        self._described: dict[str, Any] = {}
        self._removed = ""
        self._runs_when_picked = False
        self.worker = fit_worker(self, fit)
        self.worker.told.connect(self._on_step)
        self.worker.finished.connect(self._on_ended)
        self.setting = TargetBox(self.controller)
        self.parameters = FitParameters(self.session)
        self.table = self.parameters.table
        self.run_box = RunBox()
        self.ending = ResultBox()
        for widget in (self.setting, self.parameters, self.run_box, self.ending):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self._connect()
        self._on_layers()
        self._on_target(self.session.target)
        self.apply_theme()
        self._set_state("editing")

    def _connect(self) -> None:
        for said in (self.setting.said, self.parameters.said, self.ending.said):
            said.connect(self.run_box.say)
        self.setting.started.connect(self._follow_scene)
        self.setting.picked.connect(self._on_picked)
        self.setting.pick_button.clicked.connect(self._run_no_more)
        self.setting.target.relisted.connect(self._on_layers)
        self.run_box.run_pressed.connect(self.run)
        self.run_box.all_pressed.connect(self.find_all)
        self.run_box.stop_pressed.connect(self.stop)
        self.run_box.match_pressed.connect(self.match_grid)
        self.ending.applied.connect(self.apply)
        self.ending.opened.connect(self.open_run)
        session = self.session
        for signal, slot in (
            (session.scene_changed, self._on_scene),
            (session.events.free, self.parameters.follow_free),
            (session.events.target, self._on_target),
            (session.view.events, self._on_view),
            (session.events.picture, self._on_picture),
        ):
            listen(self, signal, slot)
        viewer = self.viewer
        if viewer is not None:
            listen(self, viewer.dims.events.current_step, self.setting.tell_frame)

    def apply_theme(self) -> None:
        """Take the colours of napari's theme, for table and plot too."""
        super().apply_theme()
        if hasattr(self, "ending"):
            colours = self.colours()
            theme = getattr(self.viewer, "theme", None) or "dark"
            self.setStyleSheet(self.styleSheet() + _TABLE_STYLE.format(theme=theme, **colours))
            self.table.set_colours(colours)
            self.run_box.curve.set_colours(colours["text"])

    # --- what changes around it --------------------------------------------------------------

    def _on_layers(self) -> None:
        """Take the only image there is; notice when the one that is fitted goes."""
        if self.worker.busy and self._fitted() is not None:
            self._notice_removal()
        if self.session.target is None and len(self.setting.target.layers) == 1:
            self.session.set_target(self.setting.target.layers[0])

    def _on_target(self, layer: Any) -> None:
        if layer is not None and layer is not self._shown_for() and self._is_of_another():
            self.run_box.clear()
            self.ending.clear()
            self._set_state("editing")
            self.controller.viewer_layers.compared.pinned = False
            self.controller.viewer_layers.compared.refresh()
        self.parameters.show_known({}, None)
        self.run_box.say("")
        if layer is not None:
            for name in TRANSFORM:
                listen(self, getattr(layer.events, name), self._on_moved)
            try:
                image = self.controller.viewer_layers.compared.target_plane()
                known = known_optics(layer, self.session)
                self.parameters.show_known(known, scale_is_known(layer, image))
            except TargetError as error:
                self.run_box.say(str(error))
        self.setting.tell_frame()
        self._follow_scene()

    def _on_moved(self, event: Any = None) -> None:
        """Take in another scale or transform of a layer."""
        if event is None or event.source is self.session.target:
            self._on_target(self.session.target)

    def _on_scene(self, _: Scene) -> None:
        self._follow_scene()

    def _follow_scene(self) -> None:
        """Follow the sliders."""
        self._unpin()
        self.parameters.start = self.setting.start
        self.parameters.sync()
        self.run_box.show_mismatch(self._grid_problem())

    def _on_picture(self, _: object) -> None:
        """The engine is loaded by the time that the first picture comes."""
        if self.parameters.waiting:
            self._follow_scene()

    def _on_view(self) -> None:
        if self.session.view.compare != "difference":
            self._unpin()

    def _unpin(self) -> None:
        """The residual of a fit stays until the sliders move or something else is compared."""
        if self.state != "running":
            self.controller.viewer_layers.compared.pinned = False

    def _grid_problem(self) -> str:
        """Say how scene and micrograph lie on different grids; "" when they do not."""
        layer, grid = self.session.target, self.session.scene.grid
        if layer is None:
            return ""
        if getattr(layer, "rgb", False) or layer.ndim < 2:
            return ""
        shape = plane_shape(layer)
        if shape != tuple(grid.shape):
            return (
                f"The scene has {grid.shape[0]} × {grid.shape[1]} pixels and the micrograph "
                f"{shape[0]} × {shape[1]}."
            )
        pixel = self.parameters.known.get("pixel_size_um")
        if pixel is not None and abs(pixel.value - grid.pixel_size_um) > 1e-6 * pixel.value:
            return (
                f"The scene has pixels of {grid.pixel_size_um:.5g} µm and the micrograph "
                f"{pixel.value:.5g} µm ({pixel.source})."
            )
        return ""

    def match_grid(self) -> None:
        """Take over the micrograph's frame and what is known of its optics."""
        try:
            self.controller.viewer_layers.compared.target_plane()
            self.parameters.known = adopt(self.session, self.session.target)
        except (TargetError, SceneError) as error:
            self.run_box.say(str(error).splitlines()[0])
            return
        self.run_box.say("")
        self._follow_scene()

    # --- the run -----------------------------------------------------------------------------

    def fit_one(self) -> None:
        """Fit the particle that the user clicks next."""
        if self.worker.busy:
            return
        if self._grid_problem():
            self.match_grid()
        self._runs_when_picked = True
        self.setting.pick()

    def _on_picked(self) -> None:
        runs, self._runs_when_picked = self._runs_when_picked, False
        if runs:
            self.run()

    def _run_no_more(self) -> None:
        """A click that the user asks for in this panel sets the region alone."""
        self._runs_when_picked = False

    def find_all(self) -> None:
        """Look for every particle like those of the sample, and fit each in its own patch."""
        if self.worker.busy:
            return
        if self._grid_problem():
            self.match_grid()
        self.setting.region.setCurrentIndex(0)
        self.setting.start = "detect"
        self.run(every=True)

    def _collected(self, every: bool) -> FitRequest:
        """Everything that a fit depends on, as a copy.

        Parameters
        ----------
        every : bool
            Whether every particle is looked for and fitted by itself.

        Raises
        ------
        TargetError, Refusal, SceneError
            With one sentence, when it cannot be fitted like this.
        """
        layer, setting = self.session.target, self.setting
        compared = self.controller.viewer_layers.compared
        image = np.array(compared.target_plane(), dtype=np.float64)
        problem = self._grid_problem()
        if problem:
            raise Refusal(f"{problem} Match the grid first.")
        frame = (image.shape[0], image.shape[1])
        shapes, region = setting.region_layer, None
        if shapes is not None:
            region = region_of(shapes, layer, frame)
        points: tuple[tuple[float, float], ...] = ()
        if setting.start == "points":
            if setting.points_layer is None:
                raise Refusal("There is no Points layer: add one, and click on the particles.")
            points = tuple(starts_of(setting.points_layer, layer, frame))
        camera = self.session.scene.camera
        if camera is not None and camera.channels > 1:
            raise Refusal(
                "The scene has a colour camera and the micrograph is grey: choose the monochrome "
                "sensor under Camera."
            )
        lines = [] if every else self.parameters.free_lines()
        return FitRequest(
            image=image,
            scene=self.parameters.scene(),
            seed=self.session.seed,
            free=tuple(line.name for line in lines),
            bounds={line.name: line.bounds for line in lines if line.bounds is not None},
            start=setting.start,
            points=points,
            population=self.session.population,
            region=region,
            linear=self.parameters.linear,
            optics=self.parameters.optics,
            device="cuda" if self.session.device == "cuda" else "cpu",
            every=every,
        )

    def run(self, every: bool = False) -> None:
        """Begin a fit; what is wrong with its setting is said above the button.

        Parameters
        ----------
        every : bool
            Whether every particle is looked for and fitted by itself.
        """
        if self.worker.busy:
            return
        try:
            request = self._collected(every)
            transform = transform_of(self.session.target)
        except (TargetError, Refusal, SceneError) as error:
            self.run_box.say(str(error).splitlines()[0])
            return
        self.run_box.say("")
        layer = self.session.target
        self.request, self._fitted, self._removed = request, weakref.ref(layer), ""
        point = None if self.viewer is None else tuple(self.viewer.dims.point)
        self._described = fit_record.described(layer, request.image, point)
        self.session.view.update(transform=transform, compare="difference")
        self._set_state("running")
        self.run_box.begin(residual_unit(request.scene, request.linear))
        self.controller.viewer_layers.compared.pinned = True
        self.worker.submit(request)

    def stop(self) -> None:
        """Ask the fit to end with its best so far."""
        self.worker.cancel()
        self.run_box.begin_to_stop()

    def _set_state(self, state: str) -> None:
        self.state = state
        for part in (self.parameters, self.setting, self.ending, self.run_box):
            part.lock(state == "running")

    def _on_step(self, step: Step) -> None:
        request = self.request
        if self.state != "running" or request is None:
            return
        searching = request.start != "sliders"
        self.run_box.show_step(step, searching=searching, stopping=self.worker.cancelled)
        if step.progress is not None:
            self._show_residual(step.progress.residual, request.region)

    def _show_residual(
        self, residual: NDArray[np.float64], region: tuple[int, int, int, int] | None
    ) -> None:
        """Show data − model in the one layer for comparisons; outside of the region is nothing."""
        layers, request = self.controller.viewer_layers, self.request
        gone = self._fitted() is None or self._removed or layers.registry.viewer is None
        if gone or request is None:
            return
        whole = residual.astype(np.float32)
        if region is not None and residual.shape != request.image.shape:
            y0, y1, x0, x1 = region
            whole = np.full(request.image.shape, np.nan, dtype=np.float32)
            whole[y0:y1, x0:x1] = residual
        layers.compared.show_array(whole)

    def _notice_removal(self) -> None:
        """Stop when the micrograph has left the viewer: nobody waits for its fit any more."""
        layer, viewer = self._fitted(), self.viewer
        if viewer is None or self._removed or any(layer is unwrapped(o) for o in viewer.layers):
            return
        self._removed = str(layer.name)
        self.stop()

    def _on_ended(self, outcome: FitOutcome) -> None:
        result = outcome.result
        if result is None:
            self.run_box.end("")
            self._set_state("result" if self.ending.record is not None else "editing")
            self._unpin()
            self.controller.viewer_layers.compared.refresh()
            problem = in_words(outcome.request.scene, outcome.problem)
            self.run_box.say(problem or "The fit was cancelled before its first step.")
            return
        self._set_state("result")
        self.run_box.show_history([(step["stage"], step["rms"]) for step in result.history])
        self._show_residual(result.residual, result.region)
        if self._removed:
            self.run_box.say(
                f"'{self._removed}' was removed while it was fitted: the fit was stopped, and its "
                "best values are kept."
            )
        self._show_record(fit_record.record_of(outcome, self._described), self._fitted())

    # --- the result --------------------------------------------------------------------------

    def _show_record(self, record: fit_record.Record, layer: Any) -> None:
        """Show a run; its result goes when another micrograph than this layer is chosen."""
        self._shown_for = (lambda: None) if layer is None else weakref.ref(layer)
        self.run_box.show_result(record.result)
        self.ending.show_record(record)
        # To its top first, once the layout has taken it in.
        scroll, section = self.scroll_area, self.ending.section
        QTimer.singleShot(60, lambda: _scroll_to(scroll, section))

    def apply(self) -> None:
        """Put the fitted numbers into the scene, as one step that Undo takes back."""
        if self.ending.record is None:
            return
        with self.session.dragging():
            self.session.set_scene(self.ending.record.result.scene)

    def open_run(self, record: fit_record.Record) -> None:
        """Show a run that was saved: its setting in the table and the sliders, and its result."""
        self.session.set_scene(record.scene, seed=record.seed, preset="")
        self.setting.start = record.start
        self.parameters.restore(set(record.free), dict(record.bounds), record.optics, record.linear)
        history = [(step["stage"], step["rms"]) for step in record.result.history]
        self.run_box.show_history(history, residual_unit(record.scene, record.linear))
        self._show_record(record, self.session.target)
        self._set_state("result")
        self.run_box.say(self._other_target(record))

    def _is_of_another(self) -> bool:
        """Whether the result on show is that of another micrograph than the present one."""
        record = self.ending.record
        return self.state == "result" and record is not None and self._other_target(record) != ""

    def _other_target(self, record: fit_record.Record) -> str:
        """Say when the run that is opened was made on another micrograph than the present one."""
        name = record.target.get("name", "")
        try:
            image = np.array(
                self.controller.viewer_layers.compared.target_plane(), dtype=np.float64
            )
        except TargetError:
            return f"This run was made on '{name}', which is not chosen as micrograph."
        if fit_record.checksum(image) != record.target.get("sha256"):
            return f"This run was made on '{name}', whose pixels are not those chosen now."
        return ""

    def event(self, event: Any) -> bool:
        """A panel that was closed with x cannot be opened again: its fit ends."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            worker = getattr(self, "worker", None)
            if worker is not None:
                worker.cancel()
        return super().event(event)


def _scroll_to(scroll: QScrollArea, widget: QWidget) -> None:
    with suppress(RuntimeError):  # the panel may be gone by now
        scroll.ensureWidgetVisible(widget, 0, 0)


__all__ = ["FitPanel"]

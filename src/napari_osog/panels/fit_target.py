"""What is fitted, and where the fit starts: micrograph, region, start."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QLabel, QRadioButton, QVBoxLayout, QWidget

from napari_osog.clicked import clicked_at, region_around, with_one_particle
from napari_osog.micrographs import plane
from napari_osog.panels.fit_request import population_looked_for
from napari_osog.panels.micrograph_box import MicrographBox
from napari_osog.panels.widgets import (
    LABEL_WIDTH,
    after,
    combo_box,
    note,
    refill,
    say,
    side_by_side,
    small_button,
    titled,
)
from napari_osog.plane_geometry import TargetError, plane_shape, transform_of
from napari_osog.viewers import unwrapped
from osog.scene import SceneError

if TYPE_CHECKING:
    from napari_osog.live_controller import LiveController

_STARTS = (
    ("sliders", "Sliders", "Start where the sliders and the particles in the viewer are"),
    ("detect", "Detect", "Look for particles like those of the sample, over all of the region"),
    ("points", "Points", "Start one particle at every point of a Points layer"),
)
_WHOLE = "Whole image"
_STILL_PX = 4.0
"""Way of the mouse up to which a press is a click."""


class TargetBox(QWidget):
    """Micrograph, region and start of a fit.

    Parameters
    ----------
    controller : LiveController

    Signals
    -------
    started()
        Another start was chosen.
    said(str)
        A sentence for the user; "" takes it away.
    picked()
        A particle was clicked: region, start and sample are set.
    """

    started = Signal()
    picked = Signal()
    said = Signal(str)

    def __init__(self, controller: LiveController) -> None:
        super().__init__()
        self.session = controller.session
        self.registry = controller.viewer_layers.registry
        self.shapes: list[Any] = []
        self.points: list[Any] = []
        self.target = MicrographBox(controller, "Image layer that is fitted; it is never changed")
        self.frame_note = note()
        self.frame_note.setIndent(LABEL_WIDTH + 6)
        self.region = combo_box("Region", "Fit only what a shape encloses: its bounding box")
        self.draw_button = small_button("Draw", "Draw a rectangle around what is to be fitted")
        self.pick_button = small_button(
            "Click", "Click on a particle: a square around it becomes the region"
        )
        self.pick_button.setCheckable(True)
        self.pick_button.toggled.connect(self._on_picking)
        self.pick_note = note("Click on a particle in the micrograph")
        self.pick_note.setIndent(LABEL_WIDTH + 6)
        self.pick_note.hide()
        self._square: Any = lambda: None
        self.points_combo = combo_box("Points", "Points layer with one point per particle")
        self.new_points = small_button("New", "Add a Points layer and click on the particles")
        self.points_line = titled("Points layer", self.points_combo, self.new_points)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(5)
        for widget in (
            titled("Micrograph", self.target),
            self.frame_note,
            titled("Region", self.region, self.draw_button, self.pick_button),
            self.pick_note,
            after(QLabel("Start from"), self._start_choice()),
            self.points_line,
        ):
            box.addWidget(widget)
        self.points_line.hide()
        self.target.relisted.connect(self._list_others)
        self.region.currentIndexChanged.connect(lambda _: self.said.emit(""))
        self.draw_button.clicked.connect(self.draw_region)
        self.new_points.clicked.connect(self.add_points)
        self._list_others()

    def _start_choice(self) -> QWidget:
        self.start_buttons: dict[str, QRadioButton] = {}
        self.starts = QButtonGroup(self)
        for name, title, help in _STARTS:
            self.start_buttons[name] = button = QRadioButton(title)
            button.setToolTip(help)
            self.starts.addButton(button)
        self.start_buttons["sliders"].setChecked(True)
        self.starts.buttonToggled.connect(self._on_start)
        return side_by_side(*self.start_buttons.values(), spacing=4)

    def _list_others(self) -> None:
        """List shapes and points of the viewer that are not ours."""
        from napari.layers import Points, Shapes

        viewer = self.registry.viewer
        layers = [] if viewer is None else [unwrapped(o) for o in reversed(viewer.layers)]
        others = [layer for layer in layers if not self.registry.owns(layer)]
        self.shapes = [layer for layer in others if isinstance(layer, Shapes)]
        self.points = [layer for layer in others if isinstance(layer, Points)]
        refill(self.region, [_WHOLE], self.shapes)
        refill(self.points_combo, [] if self.points else ["none yet"], self.points)

    @property
    def region_layer(self) -> Any:
        """Shapes layer that encloses what is fitted, or None for the whole image."""
        index = self.region.currentIndex()
        return self.shapes[index - 1] if index > 0 else None

    @property
    def points_layer(self) -> Any:
        """Points layer that a fit may start from, or None."""
        return self.points[max(self.points_combo.currentIndex(), 0)] if self.points else None

    def tell_frame(self, event: Any = None) -> None:
        """Say which frame of a stack is fitted."""
        layer, viewer = self.session.target, self.registry.viewer
        words = ""
        if layer is not None and viewer is not None and layer.ndim > 2:
            first = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
            steps = viewer.dims.current_step
            parts = []
            for axis in range(layer.ndim - 2):
                step = steps[viewer.dims.ndim - layer.ndim + axis]
                parts.append(f"{min(int(step), first.shape[axis] - 1) + 1} of {first.shape[axis]}")
            words = f"Frame {', '.join(parts)}; the viewer's slider chooses it"
        say(self.frame_note, words)

    def draw_region(self) -> None:
        """Add a Shapes layer on the micrograph and begin to draw a rectangle in it."""
        target, viewer = self.session.target, self.registry.viewer
        if target is None or viewer is None:
            self.said.emit("Choose a micrograph first.")
            return
        try:
            place = _transform(target)
        except TargetError as error:
            self.said.emit(str(error))
            return
        layer = self._add_shapes(viewer, target, place)
        viewer.layers.selection.active = layer
        self.registry.lie_flat()
        layer.mode = "add_rectangle"

    def _add_shapes(self, viewer: Any, target: Any, place: dict[str, Any]) -> Any:
        from napari.layers import Shapes

        layer = Shapes(
            ndim=2,
            name="Fit region",
            edge_color="#00c8ff",
            face_color="transparent",
            edge_width=max(max(target.data.shape[-2:]) / 200, 0.5),
            axis_labels=("y", "x"),
            **place,
        )
        viewer.add_layer(layer)
        self.region.setCurrentIndex(self._position(self.shapes, layer) + 1)
        return layer

    # --- a particle by a click ---------------------------------------------------------------

    def pick(self) -> None:
        """Let the user click on a particle; `picked` follows."""
        self.pick_button.setChecked(True)

    def _on_picking(self, on: bool) -> None:
        target, viewer = self.session.target, self.registry.viewer
        if on and (target is None or viewer is None):
            self.pick_button.setChecked(False)
            self.said.emit("Choose a micrograph first.")
            return
        self.pick_note.setVisible(on)
        if not on:
            return
        self.said.emit("")
        self.registry.lie_flat()
        if self.session.view.compare == "off":  # the render would lie on it
            self.session.view.compare = "beside"
        viewer.layers.selection.active = target
        viewer.mouse_drag_callbacks.append(_click_handle(weakref.ref(self)))

    def take_click(self, position: Any) -> None:
        """Make what was clicked the only particle of the sample, and a square around it the region.

        Parameters
        ----------
        position : tuple of float
            In the viewer's world.
        """
        target, viewer = self.session.target, self.registry.viewer
        if target is None or viewer is None:
            return
        row, column = np.atleast_1d(target.world_to_data(position))[-2:]
        shape = plane_shape(target)
        if not (0 <= row <= shape[0] - 1 and 0 <= column <= shape[1] - 1):
            self.said.emit("That was beside the micrograph: click on a particle in it.")
            return
        session = self.session
        population = population_looked_for(session.scene, session.population)
        try:
            image, place = plane(target, tuple(viewer.dims.point)), _transform(target)
            if population < 0:
                raise TargetError("The sample holds no particles; add a population first.")
            found = clicked_at(image, float(row), float(column))
            if found is None:
                raise TargetError(
                    "Nothing stands out there, or it is not whole: click on the middle of another "
                    "particle, or draw a region around this one."
                )
            scene = with_one_particle(session.scene, population, found)
            y0, y1, x0, x1 = region_around(found, scene)
        except (TargetError, SceneError) as error:
            self.said.emit(str(error).splitlines()[0])
            return
        square = self._square()
        if square is None or not any(square is layer for layer in self.shapes):
            square = self._add_shapes(viewer, target, place)
            self._square = weakref.ref(square)
        square.data = [np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]])]
        self.region.setCurrentIndex(self._position(self.shapes, square) + 1)
        viewer.layers.selection.active = target
        session.set_scene(scene)
        self.start = "detect"
        self.pick_button.setChecked(False)
        self.said.emit("")
        self.picked.emit()

    def add_points(self) -> None:
        """Add a Points layer on the micrograph and begin to click in it."""
        from napari.layers import Points

        target, viewer = self.session.target, self.registry.viewer
        if target is None or viewer is None:
            self.said.emit("Choose a micrograph first.")
            return
        try:
            place = _transform(target)
        except TargetError as error:
            self.said.emit(str(error))
            return
        layer = Points(
            ndim=2,
            name="Fit starts",
            size=max(max(target.data.shape[-2:]) / 60, 3.0),
            symbol="cross",
            face_color="#00c8ff",
            border_width=0,
            axis_labels=("y", "x"),
            **place,
        )
        viewer.add_layer(layer)
        self.points_combo.setCurrentIndex(self._position(self.points, layer))
        viewer.layers.selection.active = layer
        self.registry.lie_flat()
        layer.mode = "add"

    @staticmethod
    def _position(layers: list[Any], layer: Any) -> int:
        return next((i for i, other in enumerate(layers) if other is layer), -1)

    @property
    def start(self) -> str:
        """Where a fit begins: "sliders", "detect" or "points"."""
        return next(name for name, button in self.start_buttons.items() if button.isChecked())

    @start.setter
    def start(self, name: str) -> None:
        self.start_buttons[name].setChecked(True)

    def _on_start(self, button: Any, on: bool) -> None:
        if on:
            self.points_line.setVisible(self.start == "points")
            self.said.emit("")
            self.started.emit()

    def lock(self, locked: bool) -> None:
        """Let nothing be changed while a fit runs."""
        self.pick_button.setChecked(False)
        for widget in (self.target, self.region, self.draw_button, self.pick_button,
                       self.points_line,
                       *self.start_buttons.values()):  # fmt: skip
            widget.setEnabled(not locked)


def _click_handle(owner: weakref.ref[TargetBox]) -> Any:
    """Mouse callback of the viewer: a click, and no drag, is what was picked; it is for one."""

    def press(viewer: Any, event: Any) -> Any:
        begun = np.array(event.pos)
        moved = 0.0
        yield
        while event.type == "mouse_move":
            moved = max(moved, float(np.abs(np.array(event.pos) - begun).max()))
            yield
        box = owner()
        with suppress(RuntimeError):  # Qt has deleted the box
            if box is not None and box.pick_button.isChecked():
                if moved <= _STILL_PX:
                    box.take_click(event.position)
                if box.pick_button.isChecked():  # it was a drag, or beside the micrograph
                    return
        with suppress(ValueError):
            viewer.mouse_drag_callbacks.remove(press)

    return press


def _transform(target: Any) -> dict[str, Any]:
    """Scale, offset, rotation and units of the plane of a micrograph."""
    copied = transform_of(target)
    return {
        "scale": copied.scale,
        "translate": copied.translate,
        "rotate": np.array(copied.rotate),
        "units": copied.units,
    }


__all__ = ["TargetBox"]

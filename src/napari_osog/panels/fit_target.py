"""What is fitted, and where the fit starts: micrograph, region, start."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from napari_osog.micrographs import placement
from napari_osog.panels.fit_form import combo_box, refill, small_button, titled
from napari_osog.panels.panel import listen
from napari_osog.panels.row import LABEL_WIDTH
from napari_osog.session import unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.session import Session
    from napari_osog.studio import Studio

_STARTS = (
    ("sliders", "Sliders", "Start where the sliders and the particles in the viewer are"),
    ("detect", "Detect", "Look for particles like those of the sample, over all of the region"),
    ("points", "Points", "Start one particle at every point of a Points layer"),
)
_WHOLE = "Whole image"


class TargetBox(QWidget):
    """Micrograph, region and start of a fit.

    Parameters
    ----------
    studio : Studio
    viewer : callable
        Returns the viewer, or None once it is gone.

    Signals
    -------
    started()
        Another start was chosen.
    said(str)
        A sentence for the person; "" takes it away.
    """

    started = Signal()
    said = Signal(str)

    def __init__(self, studio: Studio, viewer: Callable[[], Any]) -> None:
        super().__init__()
        self.studio = studio
        self._viewer = viewer
        self.layers: list[Any] = []
        self.shapes: list[Any] = []
        self.points: list[Any] = []
        self._named: weakref.WeakSet[Any] = weakref.WeakSet()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(5)
        self.target = combo_box("Micrograph", "Image layer that is fitted; it is never changed")
        self.target.currentIndexChanged.connect(self._on_target_chosen)
        box.addLayout(titled("Micrograph", self.target))
        self.frame_note = QLabel()
        self.frame_note.setObjectName("osog_note")
        self.frame_note.setIndent(LABEL_WIDTH + 6)
        box.addWidget(self.frame_note)
        self.region = combo_box("Region", "Fit only what a shape encloses: its bounding box")
        self.region.currentIndexChanged.connect(self._on_region_chosen)
        self.draw_button = small_button("Draw", "Draw a rectangle around what is to be fitted")
        self.draw_button.clicked.connect(self.draw_region)
        box.addLayout(titled("Region", self.region, self.draw_button))
        self.start_buttons: dict[str, QRadioButton] = {}
        self.starts = QButtonGroup(self)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        for name, title, help in _STARTS:
            button = QRadioButton(title)
            button.setToolTip(help)
            self.starts.addButton(button)
            self.start_buttons[name] = button
            line.addWidget(button, 1)
        self.start_buttons["sliders"].setChecked(True)
        self.starts.buttonToggled.connect(self._on_start)
        radios = QWidget()
        radios.setLayout(line)
        box.addLayout(titled("Start from", radios))
        self.points_combo = combo_box("Points", "Points layer with one point per particle")
        self.new_points = small_button("New", "Add a Points layer and click on the particles")
        self.new_points.clicked.connect(self.add_points)
        self.points_holder = QWidget()
        points_line = titled("Points layer", self.points_combo, self.new_points)
        points_line.setContentsMargins(0, 0, 0, 0)
        self.points_holder.setLayout(points_line)
        box.addWidget(self.points_holder)
        self.points_holder.hide()

    @property
    def session(self) -> Session:
        """State that the panels of this viewer share."""
        return self.studio.session

    @property
    def viewer(self) -> Any:
        """The viewer, or None once it is gone."""
        return self._viewer()

    def refresh_layers(self, event: Any = None) -> None:
        """List images, shapes and points of the viewer that are not ours."""
        from napari.layers import Points, Shapes

        viewer, sink = self.viewer, self.studio.sink
        self.layers = [unwrapped(layer) for layer in sink.micrographs()]
        others = [] if viewer is None else [unwrapped(layer) for layer in reversed(viewer.layers)]
        others = [layer for layer in others if not sink.owns(layer)]
        self.shapes = [layer for layer in others if isinstance(layer, Shapes)]
        self.points = [layer for layer in others if isinstance(layer, Points)]
        for layer in (*self.layers, *self.shapes, *self.points):
            if layer not in self._named:
                self._named.add(layer)
                listen(self, layer.events.name, self.refresh_layers)
        target = self.session.target
        with QSignalBlocker(self.target):
            self.target.clear()
            self.target.addItem("none" if self.layers else "none (open an image first)")
            self.target.addItems([layer.name for layer in self.layers])
            index = next((i for i, layer in enumerate(self.layers) if layer is target), -1)
            self.target.setCurrentIndex(index + 1)
        refill(self.region, [_WHOLE], self.shapes)
        refill(self.points_combo, [] if self.points else ["none yet"], self.points)

    def _on_target_chosen(self, index: int) -> None:
        self.session.set_target(self.layers[index - 1] if index > 0 else None)

    def tell_frame(self, event: Any = None) -> None:
        """Say which frame of a stack is fitted."""
        layer, viewer = self.session.target, self.viewer
        words = ""
        if layer is not None and viewer is not None and layer.ndim > 2:
            first = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
            steps = viewer.dims.current_step
            parts = []
            for axis in range(layer.ndim - 2):
                step = steps[viewer.dims.ndim - layer.ndim + axis]
                parts.append(f"{min(int(step), first.shape[axis] - 1) + 1} of {first.shape[axis]}")
            words = f"Frame {', '.join(parts)}; the viewer's slider chooses it"
        self.frame_note.setText(words)
        self.frame_note.setVisible(bool(words))

    def draw_region(self) -> None:
        """Add a Shapes layer on the micrograph and begin to draw a rectangle in it."""
        from napari.layers import Shapes

        target, viewer = self.session.target, self.viewer
        if target is None or viewer is None:
            self.said.emit("Choose a micrograph first.")
            return
        layer = Shapes(
            ndim=2,
            name="Fit region",
            edge_color="#00c8ff",
            face_color="transparent",
            edge_width=max(max(target.data.shape[-2:]) / 200, 0.5),
            axis_labels=("y", "x"),
            **_transform(target),
        )
        viewer.add_layer(layer)
        self.region.setCurrentIndex(self._position(self.shapes, layer) + 1)
        viewer.layers.selection.active = layer
        layer.mode = "add_rectangle"

    def add_points(self) -> None:
        """Add a Points layer on the micrograph and begin to click in it."""
        from napari.layers import Points

        target, viewer = self.session.target, self.viewer
        if target is None or viewer is None:
            self.said.emit("Choose a micrograph first.")
            return
        layer = Points(
            ndim=2,
            name="Fit starts",
            size=max(max(target.data.shape[-2:]) / 60, 3.0),
            symbol="cross",
            face_color="#00c8ff",
            border_width=0,
            axis_labels=("y", "x"),
            **_transform(target),
        )
        viewer.add_layer(layer)
        self.points_combo.setCurrentIndex(self._position(self.points, layer))
        viewer.layers.selection.active = layer
        layer.mode = "add"

    @staticmethod
    def _position(layers: list[Any], layer: Any) -> int:
        return next((i for i, other in enumerate(layers) if other is layer), -1)

    def _on_region_chosen(self, _: int) -> None:
        self.said.emit("")

    @property
    def start(self) -> str:
        """Where a fit begins: "sliders", "detect" or "points"."""
        return next(name for name, button in self.start_buttons.items() if button.isChecked())

    @start.setter
    def start(self, name: str) -> None:
        self.start_buttons[name].setChecked(True)

    def _on_start(self, button: Any, on: bool) -> None:
        if on:
            self.points_holder.setVisible(self.start == "points")
            self.said.emit("")
            self.started.emit()

    def lock(self, locked: bool) -> None:
        """Let nothing be changed while a fit runs."""
        for widget in (self.target, self.region, self.draw_button, self.points_holder,
                       *self.start_buttons.values()):  # fmt: skip
            widget.setEnabled(not locked)


def _transform(target: Any) -> dict[str, Any]:
    """Scale, offset, rotation and units of the plane of a micrograph."""
    copied = placement(target)
    return {
        "scale": copied.scale,
        "translate": copied.translate,
        "rotate": np.array(copied.rotate),
        "units": copied.units,
    }


__all__ = ["TargetBox"]

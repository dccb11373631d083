"""Grey levels of render and micrograph along a line that is drawn in the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget
from superqt.utils import qthrottled

from napari_osog.comparison import match_greys, profile
from napari_osog.lifetimes import listen
from napari_osog.panels.plot import GREY, ORANGE, Plot
from napari_osog.panels.widgets import after, combo_box, refill
from napari_osog.plane_geometry import TargetError
from napari_osog.viewers import unwrapped

if TYPE_CHECKING:
    from napari_osog.live_controller import LiveController

MICROGRAPH, RENDER = "micrograph", "OSOG, matched"
_DRAW_MS = 30


class LineProfile(QWidget):
    """A tick, a list of lines, and the plot.

    Parameters
    ----------
    controller : LiveController
    """

    def __init__(self, controller: LiveController) -> None:
        super().__init__()
        self.controller = controller
        self.on = QCheckBox("Line profile")
        self.on.setToolTip("Grey levels of both images along a line that you can drag")
        self.lines = combo_box("Line of the profile", "Shapes layer whose last line is followed")
        self.plot = Plot("distance (px)", "grey level", [(MICROGRAPH, GREY), (RENDER, ORANGE)])
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(after(self.on, self.lines, top=2))
        box.addWidget(self.plot)
        self.plot.hide()
        self.lines.hide()
        self._layers: list[Any] = []
        self._followed: Any = None
        self.draw_soon = qthrottled(self.draw, timeout=_DRAW_MS, leading=False, parent=self)
        self.on.toggled.connect(self._on_toggled)
        self.lines.currentIndexChanged.connect(lambda _: self._follow_line())
        listen(self, controller.session.events.picture, self._on_picture)

    def _on_picture(self, _: object) -> None:
        self.draw()

    def _on_toggled(self, on: bool) -> None:
        self.plot.setVisible(on)
        self.lines.setVisible(on)
        layers = self.controller.viewer_layers
        if on:
            layers.overlays.draw_profile_line()
            self.refresh()
            self._follow_line()
        else:
            line = layers.registry.layer("profile")
            if line is not None:
                line.visible = False

    def refresh(self) -> None:
        """List the Shapes layers of the viewer, ours that are no lines left out."""
        if not self.on.isChecked():
            return
        from napari.layers import Shapes

        registry = self.controller.viewer_layers.registry
        ours = [registry.layer(role) for role in ("outlines", "masks")]
        layers = [] if registry.viewer is None else [unwrapped(o) for o in registry.viewer.layers]
        self._layers = [
            layer
            for layer in layers
            if isinstance(layer, Shapes) and not any(layer is mine for mine in ours)
        ]
        known = any(layer is self._followed for layer in self._layers)
        newest = self._layers[-1] if self._layers else None
        refill(self.lines, [], self._layers, self._followed if known else newest)
        if not known and self._followed is not None:
            self._follow_line()
        if newest is None:
            self.on.setChecked(False)  # the last line was deleted

    def _follow_line(self) -> None:
        index = self.lines.currentIndex()
        layer = self._layers[index] if 0 <= index < len(self._layers) else None
        if layer is not self._followed:
            if self._followed is not None:
                self._followed.events.set_data.disconnect(self._on_line)
            self._followed = layer
            if layer is not None:
                listen(self, layer.events.set_data, self._on_line)
        self.draw()

    def _on_line(self, event: Any = None) -> None:
        self.draw_soon()

    def draw(self) -> None:
        """Draw both curves as they are now."""
        if not self.on.isChecked():
            return
        layers, layer = self.controller.viewer_layers, self._followed
        render, image = layers.compared.render_plane(), layers.registry.layer("image")
        lines = (
            [] if layer is None else [np.asarray(shape) for shape in layer.data if len(shape) >= 2]
        )
        if render is None or image is None or not lines:
            return
        line = lines[-1][:, -2:]
        ends = [
            np.asarray(image.world_to_data(layer.data_to_world(_padded(end, layer.ndim))))[-2:]
            for end in (line[0], line[-1])
        ]
        if self.controller.session.view.compare == "beside":
            # The line may be drawn on either of the two images that lie side by side.
            shift = np.array([0.0, round(1.03 * render.shape[1] * 1e6) / 1e6])
            if np.mean([end[1] for end in ends]) < -0.015 * render.shape[1]:
                ends = [end + shift for end in ends]
        start, end = ((float(row), float(column)) for row, column in ends)
        levels = profile(render, start, end)
        along = np.linspace(0.0, float(np.hypot(end[0] - start[0], end[1] - start[1])), len(levels))
        try:
            micrograph = layers.compared.target_plane()
        except TargetError:
            micrograph = None
        if micrograph is not None and micrograph.shape == render.shape:
            found = match_greys(render, micrograph)
            levels = found.gain * levels + found.offset
            self.plot.show_curve(MICROGRAPH, along, profile(micrograph, start, end))
        else:
            self.plot.show_curve(MICROGRAPH, [], [])
        self.plot.show_curve(RENDER, along, levels)


def _padded(point: Any, ndim: int) -> Any:
    return np.concatenate([np.zeros(ndim - 2), point]) if ndim > 2 else point


__all__ = ["MICROGRAPH", "RENDER", "LineProfile"]

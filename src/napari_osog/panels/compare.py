"""The comparison of a render with a micrograph: grid, overlays, line profile."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from napari_osog.comparison import match, profile
from napari_osog.micrographs import OPTICS, Known, TargetError, adopt, optics
from napari_osog.panels.inputs import Slider, ignore_wheel
from napari_osog.panels.panel import listen
from napari_osog.panels.plot import Plot
from napari_osog.panels.row import LABEL_WIDTH
from napari_osog.panels.section import Section
from napari_osog.session import unwrapped
from osog.scene import SceneError
from osog.scene.parameters import get

if TYPE_CHECKING:
    from napari_osog.studio import Studio

_MODES = (
    ("off", "Off", "Show the render alone"),
    ("beside", "Beside", "Show the render to the right of the micrograph"),
    ("blend", "Blend", "Lay the render over the micrograph"),
    ("wipe", "Wipe", "Micrograph on the left of a line, render on its right"),
    ("checkerboard", "Tiles", "Micrograph and render in alternating tiles"),
    ("difference", "Difference", "Micrograph minus render after matching gain and offset"),
)
_TITLES = {
    "pixel_size_um": ("pixel size", "µm", 1.0),
    "numerical_aperture": ("NA", "", 1.0),
    "wavelength_um": ("wavelength", "nm", 1000.0),
    "medium_index": ("medium index", "", 1.0),
    "immersion_index": ("immersion index", "", 1.0),
}
MICROGRAPH, RENDER = "micrograph", "OSOG, matched"


class CompareSection(Section):
    """Chooses the micrograph, copies its grid, and lays the render over it.

    The combo box of layers is a plain one: a magicgui container would process every layer again
    with each move of a slider.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__("Compare")
        self.studio = studio
        self.layers: list[Any] = []
        self.known: dict[str, Known] = {}
        self._named: weakref.WeakSet[Any] = weakref.WeakSet()
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        label = QLabel("Micrograph")
        label.setFixedWidth(LABEL_WIDTH)
        self.chooser = QComboBox()
        self.chooser.setAccessibleName("Micrograph")
        self.chooser.setToolTip("Image layer that is compared with, and fitted to")
        self.chooser.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.chooser.setMinimumContentsLength(6)
        self.chooser.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        ignore_wheel(self.chooser)
        line.addWidget(label)
        line.addWidget(self.chooser, 1)
        self._put(line)
        self.match_button = QPushButton("Match its grid and optics")
        self.match_button.setToolTip(
            "Copy pixel size, frame, offset, rotation and units from the layer; NA, wavelength and "
            "indices from its file where it knows them"
        )
        self.match_button.clicked.connect(self.match_grid)
        self.add(self.match_button)
        self.sources = QLabel()
        self.sources.setObjectName("osog_note")
        self.sources.setWordWrap(True)
        self.sources.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.add(self.sources)
        modes = QGridLayout()
        modes.setContentsMargins(0, 2, 0, 0)
        modes.setSpacing(2)
        self.modes = QButtonGroup(self)
        self.modes.setExclusive(True)
        self.mode_buttons: dict[str, QToolButton] = {}
        for k, (mode, title, help) in enumerate(_MODES):
            button = QToolButton()
            button.setObjectName("osog_mode")
            button.setText(title)
            button.setToolTip(help)
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _, mode=mode: self.choose_mode(mode))
            self.modes.addButton(button)
            self.mode_buttons[mode] = button
            modes.addWidget(button, k // 3, k % 3)
        self._put(modes)
        self.amount = Slider(Qt.Orientation.Horizontal)
        self.amount.setRange(0.0, 1.0)
        self.amount.setSingleStep(0.01)
        self.amount.stepped.connect(
            lambda steps: self.amount.setValue(self.amount.value() + 0.02 * steps)
        )
        ignore_wheel(self.amount)
        self.amount_label = QLabel()
        self.amount_label.setFixedWidth(LABEL_WIDTH)
        amounts = QHBoxLayout()
        amounts.setContentsMargins(0, 0, 0, 0)
        amounts.addWidget(self.amount_label)
        amounts.addWidget(self.amount, 1)
        self.amount_holder = self._put(amounts)
        self.amount.valueChanged.connect(self._on_amount)
        self.note = QLabel()
        self.note.setObjectName("osog_note")
        self.note.setWordWrap(True)
        self.add(self.note)
        self.problem = QLabel()
        self.problem.setObjectName("osog_fault")
        self.problem.setWordWrap(True)
        self.add(self.problem)
        profile_line = QHBoxLayout()
        profile_line.setContentsMargins(0, 2, 0, 0)
        self.profile_on = QCheckBox("Line profile")
        self.profile_on.setToolTip("Grey levels of both images along a line that you can drag")
        self.profile_on.toggled.connect(self._on_profile)
        self.lines = QComboBox()
        self.lines.setAccessibleName("Line of the profile")
        self.lines.setToolTip("Shapes layer whose last line is followed")
        self.lines.setMinimumContentsLength(6)
        self.lines.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        ignore_wheel(self.lines)
        self.lines.currentIndexChanged.connect(lambda _: self._follow_line())
        profile_line.addWidget(self.profile_on)
        profile_line.addWidget(self.lines, 1)
        self._put(profile_line)
        self.plot = Plot(
            "distance (px)", "grey level", [(MICROGRAPH, "#9aa0a6"), (RENDER, "#ff9f1c")]
        )
        self.add(self.plot)
        self.plot.hide()
        self.lines.hide()
        self._line_layers: list[Any] = []
        self._followed: Any = None
        self._update_soon = QTimer(self)
        self._update_soon.setSingleShot(True)
        self._update_soon.setInterval(30)
        self._update_soon.timeout.connect(self._draw_profile)
        self.chooser.currentIndexChanged.connect(self._on_chosen)
        session = studio.session
        listen(self, session.target_changed, self._on_target)
        listen(self, session.view_changed, self._on_view)
        listen(self, session.picture_changed, self._on_picture)
        self._connected: Any = None
        viewer = getattr(studio.sink, "viewer", None)
        if viewer is not None:
            for event in (
                viewer.layers.events.inserted,
                viewer.layers.events.removed,
                viewer.layers.events.reordered,
            ):
                listen(self, event, self._on_layers)
        self.refresh_layers()
        self._on_view(session.view)

    def _put(self, line: QLayout) -> QWidget:
        holder = QWidget()
        holder.setLayout(line)
        return self.add(holder)

    # --- the micrograph ----------------------------------------------------------------------

    def _on_layers(self, event: Any = None) -> None:
        self.refresh_layers()

    def refresh_layers(self) -> None:
        """List the image layers of the viewer that are not ours."""
        self.layers = [unwrapped(layer) for layer in self.studio.sink.micrographs()]
        target = self.studio.session.target
        with QSignalBlocker(self.chooser):
            self.chooser.clear()
            self.chooser.addItem("none" if self.layers else "none (open an image first)")
            for layer in self.layers:
                self.chooser.addItem(layer.name)
                if layer not in self._named:
                    self._named.add(layer)
                    listen(self, layer.events.name, self._on_layers)
            index = next((i for i, layer in enumerate(self.layers) if layer is target), -1)
            self.chooser.setCurrentIndex(index + 1)
        self.match_button.setEnabled(target is not None)
        self._refresh_lines()

    def _on_chosen(self, index: int) -> None:
        self.studio.session.set_target(self.layers[index - 1] if index > 0 else None)

    def _on_target(self, layer: Any) -> None:
        self.refresh_layers()
        self.problem.setText("")
        self.known = {}
        self.sources.setText("")
        if self._connected is not None:
            self._connected.events.data.disconnect(self._on_target_data)
            self._connected = None
        if layer is None:
            self._draw_profile()
            return
        listen(self, layer.events.data, self._on_target_data)
        self._connected = layer
        try:
            self.studio.sink.target_plane()
        except TargetError as error:
            self.problem.setText(str(error))
            return
        self.known = optics(layer)
        self._show_sources()

    def _on_target_data(self, event: Any = None) -> None:
        self.studio.sink.refresh_comparison()
        self._update_soon.start()

    def _show_sources(self) -> None:
        """Say of every number where it is from; what is unknown is said to be so."""
        scene = self.studio.session.scene
        lines = []
        for name, (title, unit, factor) in _TITLES.items():
            known = self.known.get(name)
            if known is not None:
                shown = f"{known.value * factor:.5g} {unit}".strip()
                lines.append(f"{title} {shown} ({known.source})")
            elif name != "immersion_index":
                used = get(scene, OPTICS[name]) * factor
                shown = f"{used:.5g} {unit}".strip()
                lines.append(f"<i>{title} unknown: using {shown}</i>")
        self.sources.setText("<br>".join(lines))

    def match_grid(self) -> None:
        """Render on the micrograph's grid: shape, pixel size, offset, rotation, units, optics."""
        session, layer = self.studio.session, self.studio.session.target
        if layer is None:
            self.problem.setText("Choose a micrograph first.")
            return
        try:
            self.studio.sink.target_plane()
            known = adopt(session, layer)
        except (TargetError, SceneError) as error:
            self.problem.setText(str(error))
            return
        self.known = known
        self.problem.setText("")
        self._show_sources()
        if session.view.compare == "off":
            self.choose_mode("beside")
        elif session.picture is not None:
            self.studio.sink.apply_view(session.view)

    # --- overlays ----------------------------------------------------------------------------

    def choose_mode(self, mode: str) -> None:
        """Show the comparison of this name; see ``session.COMPARISONS``."""
        session = self.studio.session
        if mode != "off" and session.target is None:
            if len(self.layers) == 1:
                session.set_target(self.layers[0])
            else:
                self.problem.setText("Choose a micrograph first.")
                self._on_view(session.view)
                return
        session.set_view(compare=mode)
        self._on_view(session.view)

    def _on_amount(self, value: float) -> None:
        session = self.studio.session
        if session.view.compare == "blend":
            session.set_view(opacity=float(value))
        elif session.view.compare == "wipe":
            session.set_view(wipe=float(value))
        elif session.view.compare == "checkerboard":
            session.set_view(tiles=round(2 + 22 * float(value)))

    def _on_view(self, view: Any) -> None:
        self.mode_buttons[view.compare].setChecked(True)
        amounts = {
            "blend": ("Opacity", view.opacity),
            "wipe": ("Line at", view.wipe),
            "checkerboard": ("Tiles", (view.tiles - 2) / 22),
        }
        self.amount_holder.setVisible(view.compare in amounts)
        if view.compare in amounts:
            title, value = amounts[view.compare]
            self.amount_label.setText(title)
            with QSignalBlocker(self.amount):
                self.amount.setValue(value)
        self._say()

    def _say(self) -> None:
        sink = self.studio.sink
        found = getattr(sink, "match", None)
        if self.studio.session.view.compare in ("off", "beside") or found is None:
            self.note.setText("")
        else:
            self.note.setText(
                f"micrograph ≈ {found.gain:.4g} × render {found.offset:+.4g}; "
                f"residual {found.rms:.3g} rms, correlation {found.correlation:.3f}"
            )
        self.note.setVisible(bool(self.note.text()))
        problem = getattr(sink, "problem", "")
        if problem:
            self.problem.setText(problem)
        self.problem.setVisible(bool(self.problem.text()))
        self.sources.setVisible(bool(self.sources.text()))

    def _on_picture(self, _: Any) -> None:
        self._say()
        if self.profile_on.isChecked():
            self._draw_profile()

    # --- line profile ------------------------------------------------------------------------

    def _on_profile(self, on: bool) -> None:
        self.plot.setVisible(on)
        self.lines.setVisible(on)
        if on:
            self.studio.sink.draw_profile_line()
            self._refresh_lines()
            self._follow_line()
        else:
            line = self.studio.sink.layer("profile")
            if line is not None:
                line.visible = False

    def _refresh_lines(self) -> None:
        if not self.profile_on.isChecked():
            return
        from napari.layers import Shapes

        viewer = self.studio.sink.viewer
        ours = [self.studio.sink.layer(role) for role in ("outlines", "masks")]
        found = (
            []
            if viewer is None
            else [
                unwrapped(layer)
                for layer in viewer.layers
                if isinstance(unwrapped(layer), Shapes)
                and not any(unwrapped(layer) is mine for mine in ours)
            ]
        )
        chosen = self._followed
        self._line_layers = found
        with QSignalBlocker(self.lines):
            self.lines.clear()
            for layer in found:
                self.lines.addItem(layer.name)
            index = next((i for i, layer in enumerate(found) if layer is chosen), len(found) - 1)
            self.lines.setCurrentIndex(index)

    def _follow_line(self) -> None:
        index = self.lines.currentIndex()
        layer = self._line_layers[index] if 0 <= index < len(self._line_layers) else None
        if layer is not self._followed:
            if self._followed is not None:
                self._followed.events.set_data.disconnect(self._on_line)
            self._followed = layer
            if layer is not None:
                listen(self, layer.events.set_data, self._on_line)
        self._draw_profile()

    def _on_line(self, event: Any = None) -> None:
        self._update_soon.start()

    def _draw_profile(self) -> None:
        if not self.profile_on.isChecked():
            return
        sink, layer = self.studio.sink, self._followed
        render, image = sink.render_plane(), sink.layer("image")
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
        if self.studio.session.view.compare == "beside":
            # The line may be drawn on either of the two images that lie side by side.
            shift = np.array([0.0, round(1.03 * render.shape[1] * 1e6) / 1e6])
            if np.mean([end[1] for end in ends]) < -0.015 * render.shape[1]:
                ends = [end + shift for end in ends]
        levels = profile(render, tuple(ends[0]), tuple(ends[1]))
        along = np.linspace(0.0, float(np.hypot(*(ends[1] - ends[0]))), len(levels))
        try:
            micrograph = sink.target_plane()
            same = micrograph.shape == render.shape
        except TargetError:
            same = False
        if same:
            found = match(render, micrograph)
            levels = found.gain * levels + found.offset
            self.plot.show_curve(
                MICROGRAPH, along, profile(micrograph, tuple(ends[0]), tuple(ends[1]))
            )
        else:
            self.plot.show_curve(MICROGRAPH, [], [])
        self.plot.show_curve(RENDER, along, levels)


def _padded(point: Any, ndim: int) -> Any:
    return np.concatenate([np.zeros(ndim - 2), point]) if ndim > 2 else point


__all__ = ["CompareSection"]

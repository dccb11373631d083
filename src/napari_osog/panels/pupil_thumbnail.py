"""The thumbnail of the pupil, and how much contrast it passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy
from superqt.utils import qthrottled

from napari_osog import engine
from napari_osog.panels.plot import BLUE, ORANGE, Plot
from napari_osog.panels.section import Section
from napari_osog.panels.widgets import holder, note
from osog.scene import SceneError

if TYPE_CHECKING:
    from osog.optics.transfer import PupilMap
    from osog.scene import Scene

_SIZE = 192
_WAIT_MS = 40
_LIGHT = "#ffe14d"
_CURVES = {
    "phase": "Phase",
    "amplitude": "Absorption",
    "contrast": "Contrast",
    "light": "Light collected",
    "field": "Field collected",
}
"""Words for the curves of ``osog.optics.transfer``."""


class PupilThumbnail(pyqtgraph.PlotWidget):
    """The back focal plane: phase as colour, amplitude as opacity, the light as an outline."""

    def __init__(self) -> None:
        super().__init__(background=None)
        self.setMinimumSize(150, 150)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setMouseEnabled(x=False, y=False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Pupil of the objective")
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setAspectLocked(True)
        # Rows count downwards, as in the image.
        item.invertY(True)
        self.image = pyqtgraph.ImageItem(axisOrder="row-major")
        self.addItem(self.image)
        pen = pyqtgraph.mkPen(_LIGHT, width=1.2)
        self.light = [self.plot(pen=pen, antialias=True) for _ in range(2)]
        self.point = self.plot(pen=None, symbol="o", symbolSize=5, symbolBrush=_LIGHT,
                               symbolPen=None)  # fmt: skip
        self.set_colours("#a0a4ab")

    def set_colours(self, text: str) -> None:
        """Colour of axes and letters, as hex."""
        for side in ("bottom", "left"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(pyqtgraph.mkPen(text, width=0.7))
            axis.setTextPen(pyqtgraph.mkPen(text))
            axis.enableAutoSIPrefix(False)
            axis.setLabel("NA", **{"color": text, "font-size": "8pt"})
            font = self.font()
            font.setPointSize(8)
            axis.setStyle(tickFont=font, tickLength=-4)

    def show_pupil(self, found: PupilMap) -> None:
        """Draw a pupil and the light that enters it."""
        colours = pupil_colours(found.pupil)
        low, high = float(found.sine[0]), float(found.sine[-1])
        self.image.setImage(colours, levels=(0, 255), autoLevels=False)
        self.image.setRect(QRectF(low, low, high - low, high - low))
        inner, outer, x, y = found.source or (0.0, 0.0, 0.0, 0.0)
        turn = np.linspace(0, 2 * np.pi, 121)
        for curve, radius in zip(self.light, (inner, outer), strict=True):
            shown = found.source is not None and radius > 0.004 * high
            curve.setData(
                *((x + radius * np.cos(turn), y + radius * np.sin(turn)) if shown else ([], []))
            )
        wave = found.source is not None and outer <= 0.004 * high
        self.point.setData([x] if wave else [], [y] if wave else [])
        self.setRange(xRange=(low, high), yRange=(low, high), padding=0.02)

    def sizeHint(self) -> QSize:
        """About square, beside its axis."""
        return QSize(190, 190)

    def wheelEvent(self, event: Any) -> None:
        """Let the wheel scroll the panel."""
        event.ignore()


class PupilSection(Section):
    """Pupil and transfer function of the scene; computed only while it is unfolded."""

    page = "physics.md#pupil-and-aberrations"

    def __init__(self) -> None:
        super().__init__("Pupil and transfer function", open=False, minor=True)
        self.pupil = PupilThumbnail()
        self.pupil_note = note()
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.pupil, 2)
        line.addWidget(self.pupil_note, 1)
        self.add(holder(line))
        self.transfer = Plot(
            "spatial frequency (1/µm)", "contrast", (("one", BLUE), ("other", ORANGE))
        )
        self.add(self.transfer)
        self.transfer_note = note()
        self.add(self.transfer_note)
        self._scene: Scene | None = None
        self._drawn: object = None
        self._draw_soon = qthrottled(self.draw, timeout=_WAIT_MS, leading=False, parent=self)
        self.toggled.connect(self._on_fold)

    def set_colours(self, text: str) -> None:
        """Colour of axes and letters, as hex."""
        self.pupil.set_colours(text)
        self.transfer.set_colours(text)

    def show_scene(self, scene: Scene) -> None:
        """Follow a scene; nothing is computed while the section is folded."""
        self._scene = scene
        if self.isExpanded():
            self._draw_soon()

    def _on_fold(self, open: bool) -> None:
        if open and self._scene is not None:
            self._draw_soon()

    def draw(self) -> None:
        """Draw pupil and curves of the scene as it is now."""
        scene = self._scene
        if scene is None or not self.isExpanded():
            return
        key = (scene.microscope, scene.medium)
        if key == self._drawn:
            return
        if not engine.is_loaded():
            self.transfer_note.setText("Loading the engine…")
            self._draw_soon()
            return
        from osog.optics.transfer import pupil_map, transfer_curve

        try:
            found, curve = pupil_map(scene, _SIZE), transfer_curve(scene)
        except (SceneError, ValueError) as error:
            self.transfer_note.setText(str(error))
            return
        self._drawn = key
        self.pupil.show_pupil(found)
        light = "" if found.source is None else "<p>Yellow: the incoming light.</p>"
        self.pupil_note.setText(
            "<p>Pupil of the objective.</p><p>Red and blue: up to half a wave ahead and "
            f"behind.</p>{light}"
        )
        names = list(curve.curves)
        for slot, name in zip(("one", "other"), (*names, None, None), strict=False):
            if name is None:
                self.transfer.show_curve(slot, [], [])
            else:
                self.transfer.show_curve(slot, curve.frequency_per_um, curve.curves[name])
        self.transfer.show_legend(
            [(_CURVES.get(name, name.capitalize()), colour)
             for name, colour in zip(names, (BLUE, ORANGE), strict=False)]
        )  # fmt: skip
        words = f"Ends at {curve.cutoff_per_um:.2f} per µm: a period of "
        words += f"{1e3 / curve.cutoff_per_um:.0f} nm."
        if curve.azimuth_deg:
            words += f" Gratings along {curve.azimuth_deg:.0f}°."
        self.transfer_note.setText(f"{words} For thin, weak objects in focus.")


def pupil_colours(pupil: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Colours of a pupil: grey where the phase is 0, red and blue half a wave off it.

    Parameters
    ----------
    pupil : complex ndarray (N, N)

    Returns
    -------
    ndarray (N, N, 4), uint8
        Opacity is the amplitude relative to the largest one.
    """
    phase, amplitude = np.angle(pupil) / np.pi, np.abs(pupil)
    zero, plus, minus = (np.array(c, dtype=float) for c in
                         ((205, 208, 212), (225, 60, 50), (50, 95, 225)))  # fmt: skip
    far = np.where(phase[..., None] > 0, plus, minus)
    colours = zero + np.abs(phase)[..., None] * (far - zero)
    alpha = 255 * amplitude / max(float(amplitude.max()), 1e-12)
    return np.concatenate([colours, alpha[..., None]], axis=-1).round().astype(np.uint8)


__all__ = ["PupilSection", "PupilThumbnail", "pupil_colours"]

"""A small plot in the colours of the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QSizePolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT = "#a0a4ab"
ORANGE, BLUE, GREY = "#c46c0c", "#2a86d6", "#7a8794"
"""Colours of curves: they stand out by 3 to 1 from both themes of napari."""


class Plot(pyqtgraph.PlotWidget):
    """At most a few curves with thin axes, units on the axes, and a legend.

    Parameters
    ----------
    x, y : str
        Names of the axes, with units.
    curves : sequence of (name, colour)
    """

    def __init__(
        self, x: str, y: str, curves: Sequence[tuple[str, str]], *, log_y: bool = False
    ) -> None:
        super().__init__(background=None)
        self._names = (x, y)
        self.setMinimumHeight(140)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setLogMode(y=log_y)
        item.setClipToView(True)
        self.setMouseEnabled(x=False, y=False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to operate
        self.setAccessibleName(f"{y} over {x}" if y else x)
        self._text = _TEXT
        self._legend: Sequence[tuple[str, str]] = ()
        self.show_legend(curves)
        self.curves = {
            name: self.plot(pen=pyqtgraph.mkPen(colour, width=1.3), antialias=True)
            for name, colour in curves
        }
        self.set_colours(_TEXT)

    def set_colours(self, text: str) -> None:
        """Colour of axes and letters, as hex."""
        self._text = text
        self.show_legend(self._legend)
        pen = pyqtgraph.mkPen(text, width=0.7)
        for side, words in zip(("bottom", "left"), self._names, strict=True):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(pen)
            axis.setTextPen(pyqtgraph.mkPen(text))
            axis.enableAutoSIPrefix(False)
            axis.setLabel(words, **{"color": text, "font-size": "8pt"})
            font = self.font()
            font.setPointSize(8)
            axis.setStyle(tickFont=font, tickLength=-4)

    def show_legend(self, names: Sequence[tuple[str, str]]) -> None:
        """Write names and colours above the curves, never on them."""
        self._legend = names
        words = " &nbsp; ".join(f'<span style="color:{c}">▬</span> {n}' for n, c in names)
        self.getPlotItem().setTitle(words or None, size="8pt", color=self._text)

    def show_curve(self, name: str, x: Any, y: Any) -> None:
        """Draw one of the curves.

        Parameters
        ----------
        x, y : array-like, shape (K,)
        """
        self.curves[name].setData(np.asarray(x), np.asarray(y), connect="finite")

    def sizeHint(self) -> QSize:
        """Half as tall as a panel is wide."""
        return QSize(280, 170)

    def wheelEvent(self, event: Any) -> None:
        """Let the wheel scroll the panel."""
        event.ignore()


__all__ = ["BLUE", "GREY", "ORANGE", "Plot"]

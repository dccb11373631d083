"""A small histogram of what a law draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph
from qtpy.QtCore import QSize

from napari_osog.panels.plot import BLUE, Plot

_BINS = 30
_DECADES = 50.0
"""Ratio of the ends from which an axis is logarithmic, where the slider is."""


class Histogram(Plot):
    """How often which number is drawn, over an axis in the unit of its row.

    Parameters
    ----------
    title : str
        Name of the axis, with its unit.
    log : bool
        Whether the axis may be logarithmic.

    Attributes
    ----------
    counts, edges : ndarray, shapes (k,) and (k + 1,)
        What is shown.
    """

    def __init__(self, title: str, *, log: bool = False) -> None:
        self._log = log
        super().__init__(title, "", [])
        self.setMinimumHeight(88)
        item = self.getPlotItem()
        item.hideAxis("left")
        fill = pyqtgraph.mkColor(BLUE)
        fill.setAlpha(150)
        self.bars = self.plot(
            [0.0, 1.0], [0.0, 0.0], fillLevel=0, brush=fill, pen=pyqtgraph.mkPen(BLUE, width=1)
        )
        item.setClipToView(False)
        self.counts, self.edges = np.zeros(0), np.zeros(1)

    def show_draws(self, numbers: Any) -> None:
        """Count numbers in bins.

        Parameters
        ----------
        numbers : array-like, shape (n,)
            In the unit of the axis.
        """
        numbers = np.asarray(numbers, dtype=np.float64)
        low, high = float(numbers.min()), float(numbers.max())
        log = self._log and low > 0 and high > _DECADES * low
        distinct = np.unique(numbers)
        if low == high:
            half = 0.05 * abs(low) or 0.5
            edges = np.array([low - half, low + half])
        elif log:
            edges = np.geomspace(low, high, _BINS + 1)
        elif len(distinct) <= _BINS and np.allclose(distinct, np.round(distinct)):
            edges = np.arange(low - 0.5, high + 1.0)  # whole numbers: one bin each
        else:
            edges = np.linspace(low, high, _BINS + 1)
        counts, edges = np.histogram(numbers, edges)
        self.getPlotItem().setLogMode(x=log)
        self.counts, self.edges = counts, edges
        tops = np.repeat(counts.astype(np.float64), 2)
        self.bars.setData(np.repeat(edges, 2), np.concatenate([[0.0], tops, [0.0]]))
        ends = np.log10(edges[[0, -1]]) if log else edges[[0, -1]]
        self.setRange(xRange=tuple(ends), yRange=(0.0, float(counts.max())), padding=0.02)

    def sizeHint(self) -> QSize:
        """As wide as there is room, and low."""
        return QSize(260, 90)


__all__ = ["Histogram"]

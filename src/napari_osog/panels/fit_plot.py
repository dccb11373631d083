"""The loss curve of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_osog.panels.plot import BLUE, GREY, Plot

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS, BEST = "each step", "best so far"


class LossCurve(Plot):
    """Root mean square of the residual over the accepted steps, and the best of them so far.

    A search tries several starts, so that the curve of the steps jumps where a new one begins.
    """

    def __init__(self) -> None:
        super().__init__("step", "rms", [(STEPS, GREY), (BEST, BLUE)])
        self.curves[BEST].setPen(color=BLUE, width=2)
        self.curves[STEPS].setSymbol("o")
        self.curves[STEPS].setSymbolSize(4)
        self.curves[STEPS].setSymbolBrush(GREY)
        self.curves[STEPS].setSymbolPen(None)
        self.setAccessibleName("Residual over the steps of the fit")

    def set_unit(self, unit: str) -> None:
        """Unit of the residual."""
        self._names = (self._names[0], f"rms ({unit})" if unit else "rms")
        self.getPlotItem().getAxis("left").setLabel(self._names[1])

    def show_history(self, history: Sequence[tuple[str, float]]) -> None:
        """Draw (stage, rms) of every step."""
        rms = np.array([value for _, value in history], dtype=np.float64)
        steps = np.arange(1, len(rms) + 1)
        positive = rms[rms > 0]
        wide = bool(positive.size and positive.max() > 20 * positive.min())
        self.getPlotItem().setLogMode(y=wide)
        every = next(s for s in (1, 2, 5, 10, 20, 50, 100, 500) if len(rms) <= 8 * s or s == 500)
        self.getPlotItem().getAxis("bottom").setTickSpacing(every, every)
        self.show_curve(STEPS, steps, rms)
        best = np.minimum.accumulate(rms) if len(rms) else rms
        self.show_curve(BEST, steps, best)


__all__ = ["BEST", "STEPS", "LossCurve"]

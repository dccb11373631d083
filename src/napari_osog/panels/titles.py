"""Titles of rows and columns, as wide as so many letters of whatever size letters have."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QLabel, QWidget

LETTERS = 15.25
"""Width of the titles of a panel's rows."""
_PADDING = 5
_CHANGES = (QEvent.Type.FontChange, QEvent.Type.StyleChange)


def letters(widget: QWidget, number: float) -> int:
    """Pixels that so many digits take in the font of a widget."""
    return round(number * widget.fontMetrics().horizontalAdvance("0"))


def changes_letters(event: Any) -> bool:
    """Whether an event may have changed the size of letters."""
    return event.type() in _CHANGES


class Title(QLabel):
    """Words of a fixed width, counted in digits; they wrap only where they are longer.

    Parameters
    ----------
    text : str
    width : float
        In digits of its own font.
    """

    def __init__(self, text: str = "", width: float = LETTERS) -> None:
        super().__init__(text)
        self._width = width
        self._fit()

    def changeEvent(self, event: Any) -> None:
        """Follow the size of letters."""
        super().changeEvent(event)
        if changes_letters(event):
            self._fit()

    def setText(self, text: str | None) -> None:
        """Show other words."""
        super().setText(text)
        self._fit()

    def _fit(self) -> None:
        width = letters(self, self._width)
        metrics = self.fontMetrics()
        # Style sheets indent labels by about a letter.
        beside = _PADDING + metrics.horizontalAdvance("x")
        long = metrics.horizontalAdvance(self.text()) + beside > width
        if long != self.wordWrap():
            self.setWordWrap(long)
        if width != self.minimumWidth() or width != self.maximumWidth():
            self.setFixedWidth(width)


__all__ = ["LETTERS", "Title", "changes_letters", "letters"]

"""The panels by keyboard: Tab goes through them as they are read, and a ring shows where it is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QPoint, QRect, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH = 2
_APART = 3
_MOVES = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide,
          QEvent.Type.ParentChange)  # fmt: skip


class FocusRing(QWidget):
    """Drawn around a widget; it follows that widget, and is gone with it.

    Qt's own focus frame is cut off where the parent of its widget ends.

    Parameters
    ----------
    parent : QWidget
        Around whatever lies in it; mouse and keys pass through the ring.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.colour = QColor("#8ab4f8")
        self._around: list[QWidget] = []
        self.setObjectName("osog_ring")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()

    def widget(self) -> QWidget | None:
        """Widget that it lies around, or None."""
        return self._around[0] if self._around else None

    def surround(self, widget: QWidget | None) -> None:
        """Lie around a widget; None hides it."""
        for watched in self._around:
            with suppress(RuntimeError):  # Qt has deleted it
                watched.removeEventFilter(self)
        self._around = []
        parent = self.parentWidget()
        while widget is not None and widget is not parent:
            self._around.append(widget)
            widget.installEventFilter(self)
            widget = widget.parentWidget()
        self._place()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Follow the widget, and what it lies in."""
        if event is not None and event.type() in _MOVES:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        parent = self.parentWidget()
        try:
            widget = self.widget()
            if widget is None or parent is None or not widget.isVisible():
                self.hide()
                return
            place = QRect(widget.mapTo(parent, QPoint(0, 0)), widget.size())
        except RuntimeError:  # Qt has deleted it
            self._around = []
            self.hide()
            return
        self.setGeometry(place.adjusted(-_APART, -_APART, _APART, _APART))
        self.show()
        self.raise_()

    def paintEvent(self, event: Any) -> None:
        """Draw the ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.colour, _WIDTH))
        half = _WIDTH / 2
        painter.drawRoundedRect(self.rect().toRectF().adjusted(half, half, -half, -half), 4, 4)
        painter.end()


def tab_order(root: QWidget) -> list[QWidget]:
    """Widgets that Tab stops at, as they are read: line by line, and along each line.

    Parameters
    ----------
    root : QWidget
        Whose descendants are meant; those in windows of their own are left out.
    """
    stops = [w for w in root.findChildren(QWidget) if takes_tab(w) and w.window() is root.window()]
    return [widget for line in _lines(stops, root) for widget in line]


def takes_tab(widget: QWidget) -> bool:
    """Whether Tab stops at a widget as it is now."""
    return (
        bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and widget.focusProxy() is None
        and widget.isVisible()
        and widget.isEnabled()
    )


def _lines(widgets: Iterable[QWidget], root: QWidget) -> list[list[QWidget]]:
    """Group widgets whose middles lie at about the same height, from top to bottom."""
    placed = [(w.mapTo(root, QPoint(w.width() // 2, w.height() // 2)), w) for w in widgets]
    placed.sort(key=lambda each: each[0].y())
    lines: list[list[tuple[QPoint, QWidget]]] = []
    for middle, widget in placed:
        if lines:
            first, beside = lines[-1][0]
            if middle.y() - first.y() < min(widget.height(), beside.height()) / 2:
                lines[-1].append((middle, widget))
                continue
        lines.append([(middle, widget)])
    return [[w for _, w in sorted(line, key=lambda each: each[0].x())] for line in lines]


def next_stop(root: QWidget, now: QWidget | None, *, forward: bool) -> QWidget | None:
    """Where Tab leads from a widget inside of `root`: the next one there, or the first beyond it.

    Parameters
    ----------
    root : QWidget
    now : QWidget or None
        What has the focus of the window.
    forward : bool
        False for Shift and Tab.
    """
    order = tab_order(root)
    step = 1 if forward else -1
    if now is not None and now not in order:  # something that only a click reaches
        now = next((w for w in order if w.isAncestorOf(now) or now.isAncestorOf(w)), now)
    if now in order:
        place = order.index(now) + step
        if 0 <= place < len(order):
            return order[place]
        return _beyond(root, now, forward=forward) or order[0 if forward else -1]
    return order[0 if forward else -1] if order else None


def _beyond(root: QWidget, now: QWidget, *, forward: bool) -> QWidget | None:
    """First stop of the window outside of `root`."""
    other = now
    for _ in range(100_000):
        following = other.nextInFocusChain() if forward else other.previousInFocusChain()
        if following is None or following is now:
            return None
        other = following
        if other is not root and not root.isAncestorOf(other) and takes_tab(other):
            return other
    return None


def spot(root: QWidget) -> tuple[Any, ...] | None:
    """Where the focus is inside of a widget, in a way that outlives it; None where it is not.

    Parameters
    ----------
    root : QWidget
        Whose descendants may be made again.
    """
    window = root.window()
    now = None if window is None else window.focusWidget()
    if now is None or not root.isAncestorOf(now):
        return None
    return type(now), now.accessibleName()


def return_to(root: QWidget, known: tuple[Any, ...]) -> None:
    """Give the focus to the widget that took the place of the one that had it.

    Parameters
    ----------
    root : QWidget
    known : tuple
        What `spot` said.
    """
    for widget in root.findChildren(QWidget):
        if (type(widget), widget.accessibleName()) == known:
            widget.setFocus(Qt.FocusReason.OtherFocusReason)
            return


__all__ = ["FocusRing", "next_stop", "return_to", "spot", "tab_order", "takes_tab"]

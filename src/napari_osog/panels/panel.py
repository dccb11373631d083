"""What every dock widget shares: one scroll area, the theme, and its comings and goings."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari.settings import get_settings
from qtpy.QtCore import QEvent, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QKeySequence
from qtpy.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QScrollArea,
    QShortcut,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_osog.docks import join_tabs, window_of
from napari_osog.lifetimes import listen, weakly, when_gone
from napari_osog.live_controller import LiveController
from napari_osog.manual.places import field_in, place_of
from napari_osog.panels.keyboard import FocusRing, next_stop
from napari_osog.panels.style import STYLE, letter_size, theme_colours
from napari_osog.viewers import unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 320
_LINES = 2
"""The theme draws a line of one pixel on either side."""


class Panel(QWidget):
    """A dock widget with one scroll area inside.

    Its controller renders while the panel is visible, pauses when it is hidden, and ends its thread
    when the panel is closed with x or goes with the viewer: napari sends neither a close event
    nor ``destroyed`` in the first case, so a parent that becomes None is the sign.

    Parameters
    ----------
    napari_viewer : napari viewer
        napari passes it by the parameter's name.
    controller : LiveController, optional
        Another controller than that of the viewer; for tests.
    """

    page = "tour.md#2-turn-the-knobs"

    def __init__(self, napari_viewer: Any, controller: LiveController | None = None) -> None:
        super().__init__()
        real = unwrapped(napari_viewer)
        self._viewer = weakref.ref(real) if real is not None else lambda: None
        self.controller = controller if controller is not None else LiveController.of(napari_viewer)
        self.session = self.controller.session
        self._docked = False
        self._themed = True
        self.setMinimumWidth(_WIDTH)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer.addWidget(self.scroll_area)
        self.content = QWidget()
        self.content.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.body = QVBoxLayout(self.content)
        self.body.setContentsMargins(8, 6, 10, 8)
        self.body.setSpacing(6)
        self.scroll_area.setWidget(self.content)
        self.ring = FocusRing(self.content)
        self.content.installEventFilter(self)
        # Tab passes it by; a click beside the rows still ends what was being typed.
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        keys = QShortcut(QKeySequence(QKeySequence.StandardKey.HelpContents), self)
        keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self.explain)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._on_focus)
        controller, key = self.controller, id(self)
        when_gone(self, lambda: controller.stop(key))
        self.apply_theme()
        events = getattr(real, "events", None)
        if events is not None and hasattr(events, "theme"):
            listen(self, events.theme, self._on_theme)
            listen(self, get_settings().appearance.events.font_size, self._on_letters)

    # --- help --------------------------------------------------------------------------------

    def explain(self, widget: QWidget | None = None) -> None:
        """Open the page of the manual that explains a widget.

        Parameters
        ----------
        widget : QWidget, optional
            That which has the focus, where it is left out.
        """
        from napari_osog.manual.window import open_manual

        window = window_of(self)
        asked = widget or (None if window is None else window.focusWidget())
        link, field = self.page, ""
        while asked is not None and asked is not self:
            name = getattr(asked, "name", None)
            if isinstance(name, str) and name:  # of a row
                link, field = place_of(self.session.scene, name), field_in(name)
                break
            if hasattr(asked, "page"):
                link = asked.page
                break
            asked = asked.parentWidget()
        open_manual(window, getattr(self.viewer, "theme", None) or "dark", link, field)

    def open_manual(self) -> None:
        """Open the manual at its contents."""
        from napari_osog.manual.window import open_manual

        open_manual(window_of(self), getattr(self.viewer, "theme", None) or "dark")

    # --- by keyboard -------------------------------------------------------------------------

    def focusNextPrevChild(self, next: bool) -> bool:
        """Tab goes through the panel as it is read, and then on to the rest of the window."""
        window = self.window()
        now = None if window is None else window.focusWidget()
        stop = next_stop(self, now, forward=next)
        if stop is None:
            return bool(super().focusNextPrevChild(next))
        reason = Qt.FocusReason.TabFocusReason if next else Qt.FocusReason.BacktabFocusReason
        stop.setFocus(reason)
        self.ring.surround(stop if self.isAncestorOf(stop) else None)
        return True

    def _on_focus(self, old: QWidget | None, now: QWidget | None) -> None:
        """The ring follows the keys, and leaves when a mouse takes over."""
        if self.ring.widget() is None:
            return
        pressed = QApplication.mouseButtons() != Qt.MouseButton.NoButton
        inside = now is not None and self.isAncestorOf(now)
        self.ring.surround(now if inside and not pressed else None)

    # --- as a dock ---------------------------------------------------------------------------

    @contextmanager
    def rows_aside(self) -> Iterator[None]:
        """Keep the rows out of the panel for a while.

        Whatever is put into a dock is styled four times on its way into the window: 0.6 s with
        all rows, where once is 0.3 s.
        """
        rows = self.scroll_area.takeWidget()
        try:
            yield
        finally:
            self.scroll_area.setWidget(rows)

    def sizeHint(self) -> QSize:
        """As wide as its rows need, as tall as there is room."""
        return QSize(_WIDTH + 30, 720)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """As narrow as the rows can be beside the scroll bar: none lies under it."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self.content:
            bar = self.scroll_area.verticalScrollBar()
            beside = _LINES if bar is None else bar.sizeHint().width() + _LINES
            self.setMinimumWidth(max(_WIDTH, self.content.minimumSizeHint().width() + beside))
        return bool(super().eventFilter(watched, event))

    @property
    def viewer(self) -> Any:
        """The viewer, or None once it is gone."""
        return self._viewer()

    def colours(self) -> dict[str, str]:
        """Colours of napari's theme by their names there, as hex; see `style.theme_colours`."""
        return theme_colours(getattr(self.viewer, "theme", None) or "dark")

    def apply_theme(self) -> None:
        """Take the colours of napari's theme."""
        colours = self.colours()
        self.setStyleSheet(STYLE.format(**colours, letters=letter_size()))
        self.ring.colour = QColor(colours["focus"])

    def _on_theme(self, event: Any = None) -> None:
        # To restyle a panel takes as long as to restyle the window: not in the same breath. One
        # behind another, which Qt moves away, waits to be seen.
        self._themed = False
        if not self.visibleRegion().isEmpty():
            QTimer.singleShot(0, weakly(self, lambda panel: panel._on_seen(True)))

    def _on_letters(self, event: Any = None) -> None:
        # Not to be put off: rows need another width, and the window makes room for it at once.
        self._themed = True
        self.apply_theme()

    def _on_seen(self, seen: bool) -> None:
        if seen and not self._themed:
            self._themed = True
            self.apply_theme()

    def showEvent(self, event: Any) -> None:
        """Go on rendering, in the colours that the theme has by now."""
        self._on_seen(True)
        super().showEvent(event)
        self.controller.enter(id(self))
        if self._docked:  # also after it was hidden: Qt puts it beside the others then
            QTimer.singleShot(0, weakly(self, join_tabs))

    def hideEvent(self, event: Any) -> None:
        """A hidden panel does no work."""
        super().hideEvent(event)
        self.controller.leave(id(self))

    def event(self, event: Any) -> bool:
        """Notice that the dock was closed with x: the parent is gone."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is not None:
                self._docked = True
                self.controller.panels.add(self)
                if isinstance(dock := self.parent(), QDockWidget):
                    dock.visibilityChanged.connect(self._on_seen)
            elif self._docked:
                self._docked = False
                self.controller.panels.discard(self)
                self.controller.stop(id(self))
        return bool(super().event(event))


__all__ = ["Panel"]

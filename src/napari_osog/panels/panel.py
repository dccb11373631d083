"""What every dock widget shares: one scroll area, the theme, and its comings and goings."""

from __future__ import annotations

import weakref
from typing import Any

from qtpy.QtCore import QEvent, QSize, Qt, QTimer
from qtpy.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from napari_osog.docks import join_tabs
from napari_osog.lifetimes import listen, weakly, when_gone
from napari_osog.live_controller import LiveController
from napari_osog.viewers import unwrapped

_WIDTH = 320
_LINES = 2
"""The theme draws a line of one pixel on either side."""
_STYLE = """
QCollapsible {{ border: none; margin: 0; padding: 0; }}
QPushButton#osog_section {{
    font-weight: bold; text-align: left; padding: 4px; border: none; border-radius: 3px;
    background: {foreground}; color: {text};
}}
QPushButton#osog_minor {{
    text-align: left; padding: 2px; border: none; background: transparent; color: {text};
}}
QPushButton#osog_section:hover, QPushButton#osog_minor:hover {{ background: {primary}; }}
QToolButton#osog_mode {{ padding: 3px 2px; border-radius: 3px; background: {foreground}; }}
QToolButton#osog_mode:hover {{ background: {primary}; }}
QToolButton#osog_mode:checked {{ background: {current}; color: white; }}
QAbstractSpinBox {{ min-width: 30px; padding: 1px 5px; }}
QLabel#osog_fault {{ color: {fault}; padding: 0 2px 2px 2px; }}
QLabel#osog_note {{ color: {note}; }}
QLabel#osog_explain {{ color: {text}; }}
QToolButton#osog_menu {{ background: {foreground}; border-radius: 2px; padding: 3px; }}
QToolButton#osog_menu:hover, QToolButton#osog_small:hover {{ background: {primary}; }}
QToolButton#osog_menu::menu-indicator {{ image: none; }}
QToolButton#osog_small {{ background: {foreground}; border-radius: 2px; padding: 2px; }}
QToolButton#osog_small:checked {{ background: {current}; color: white; }}
QLabel#osog_explain:hover, QLabel#osog_explain:focus {{ background: {foreground}; }}
QProgressBar#osog_busy {{
    border: none; border-radius: 2px; background: {foreground};
    min-height: 4px; max-height: 4px;
}}
QProgressBar#osog_busy::chunk {{ background: {current}; border-radius: 2px; width: 40px; }}
QFrame#osog_popup {{ background: {background}; border: 1px solid {primary}; }}
QFrame#osog_popup QLabel {{ background: transparent; }}
QFrame#osog_card {{ background: {background}; border: 1px solid {current}; border-radius: 4px; }}
QLabel#osog_card_title {{ color: {text}; }}
QFrame#osog_notice {{
    background: {foreground}; border-left: 3px solid {warning}; border-radius: 2px;
}}
QFrame#osog_notice QLabel {{ background: transparent; }}
QFrame#osog_notice[kind="error"] {{ border-left: 3px solid {error}; }}
"""


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

    def __init__(self, napari_viewer: Any, controller: LiveController | None = None) -> None:
        super().__init__()
        real = unwrapped(napari_viewer)
        self._viewer = weakref.ref(real) if real is not None else lambda: None
        self.controller = controller if controller is not None else LiveController.of(napari_viewer)
        self.session = self.controller.session
        self._docked = False
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
        self.content.installEventFilter(self)
        controller, key = self.controller, id(self)
        when_gone(self, lambda: controller.stop(key))
        self.apply_theme()
        events = getattr(real, "events", None)
        if events is not None and hasattr(events, "theme"):
            listen(self, events.theme, self._on_theme)

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
        """Colours of napari's theme by their names there, as hex."""
        from napari.utils.theme import get_theme

        theme = get_theme(getattr(self.viewer, "theme", None) or "dark")
        names = ("background", "foreground", "primary", "secondary", "highlight", "text",
                 "warning", "error", "current")  # fmt: skip
        found = {name: getattr(theme, name).as_hex() for name in names}
        dark = sum(int(found["background"].lstrip("#")[k : k + 2].ljust(2, "0"), 16)
                   for k in (0, 2, 4)) < 384  # fmt: skip
        found["fault"] = "#ff8a80" if dark else "#b00020"
        found["note"] = "#a8adb5" if dark else "#5b616a"
        return found

    def apply_theme(self) -> None:
        """Take the colours of napari's theme."""
        self.setStyleSheet(_STYLE.format(**self.colours()))

    def _on_theme(self, event: Any = None) -> None:
        self.apply_theme()

    def showEvent(self, event: Any) -> None:
        """Go on rendering."""
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
            elif self._docked:
                self._docked = False
                self.controller.panels.discard(self)
                self.controller.stop(id(self))
        return bool(super().event(event))


__all__ = ["Panel"]

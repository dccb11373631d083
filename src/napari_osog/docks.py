"""Panels in the window: each opened once, all of them behind one another as tabs."""

from __future__ import annotations

from typing import Any, TypeVar

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_osog.lifetimes import weakly
from napari_osog.live_controller import LiveController

P = TypeVar("P", bound=QWidget)
_NAMED = "{} (OSOG)"
"""As napari names what it opens from its menus, so that those find what is open already."""


def open_panel(viewer: Any, kind: type[P], name: str, *, front: bool = True) -> P:
    """Show the panel of a kind, docked once however it was opened before.

    Parameters
    ----------
    viewer : napari viewer
    kind : class of panels
    name : str
        Its name in the manifest.
    front : bool
        Whether it is brought to the front; else it is laid behind the others as a tab.
    """
    panels = LiveController.of(viewer).panels
    known = next((p for p in panels if isinstance(p, kind)), None)
    # Qt calls a panel behind another tab visible all the same; none of it is to be seen.
    seen = sorted(panels, key=lambda p: p.visibleRegion().isEmpty())
    shown = seen[0] if seen else None
    if known is None:
        made: Any = kind(viewer)  # napari hands its viewer to a panel, not a parent
        with made.rows_aside():
            named = _NAMED.format(name)
            viewer.window.add_dock_widget(made, name=named, area="right", tabify=True)
        known = made
    dock = dock_of(known)
    if dock is not None and front:
        dock.show()
        dock.raise_()
    elif shown is not None:
        # Qt brings to the front what came last, once it has laid the tabs out.
        QTimer.singleShot(0, weakly(shown, _bring_to_front))
    return known


def _bring_to_front(panel: QWidget) -> None:
    dock = dock_of(panel)
    if dock is not None:
        dock.raise_()


def dock_of(panel: QWidget) -> QDockWidget | None:
    """Return the dock that a panel lies in, or None."""
    parent = panel.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent


def window_of(panel: QWidget) -> QMainWindow | None:
    """Return napari's window around a panel, also of one whose dock floats, or None."""
    parent = panel.parent()
    while parent is not None and not isinstance(parent, QMainWindow):
        parent = parent.parent()
    return parent


def join_tabs(panel: Any) -> None:
    """Lay a panel that was docked beside another of ours behind it: side by side both are squeezed.

    Parameters
    ----------
    panel : Panel
        The one that came last; it is brought to the front.
    """
    dock = dock_of(panel)
    window = None if dock is None else dock.parent()
    if dock is None or not isinstance(window, QMainWindow) or dock.isFloating():
        return
    others = (dock_of(other) for other in panel.controller.panels if other is not panel)
    for other in others:
        if other is None or other.parent() is not window or other.isFloating():
            continue
        if other.isHidden() or window.dockWidgetArea(other) != window.dockWidgetArea(dock):
            continue
        if other not in window.tabifiedDockWidgets(dock):
            window.tabifyDockWidget(other, dock)
            dock.raise_()
        return


__all__ = ["dock_of", "join_tabs", "open_panel", "window_of"]

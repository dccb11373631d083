"""Panels in the window: each opened once, all of them behind one another as tabs."""

from __future__ import annotations

from typing import Any, TypeVar

from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_osog.live_controller import LiveController

P = TypeVar("P", bound=QWidget)
_NAMED = "{} (OSOG)"
"""As napari names what it opens from its menus, so that those find what is open already."""


def open_panel(viewer: Any, kind: type[P], name: str) -> P:
    """Show the panel of a kind, docked once however it was opened before.

    Parameters
    ----------
    viewer : napari viewer
    kind : class of panels
    name : str
        Its name in the manifest.
    """
    known = next((p for p in LiveController.of(viewer).panels if isinstance(p, kind)), None)
    if known is None:
        known = kind(viewer)  # napari hands its viewer to a panel, not a parent
        viewer.window.add_dock_widget(known, name=_NAMED.format(name), area="right", tabify=True)
    dock = dock_of(known)
    if dock is not None:
        dock.show()
        dock.raise_()
    return known


def dock_of(panel: QWidget) -> QDockWidget | None:
    """Return the dock that a panel lies in, or None."""
    parent = panel.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
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


__all__ = ["dock_of", "join_tabs", "open_panel"]

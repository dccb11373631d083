"""Preferences of the plugin, with defaults where napari keeps none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_DEFAULTS: dict[str, Any] = {"device": "auto", "max_fps": 30, "preview": True}


def setting(name: str) -> Any:
    """Value of one preference: "device", "max_fps" or "preview".

    napari keeps preferences of plugins since 0.9, and only for plugins that it knows by their
    manifest; anywhere else the default holds.
    """
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings("napari-osog").render, name)
    except (ImportError, AttributeError, KeyError, ValueError):
        return _DEFAULTS[name]


def when_changed(slot: Callable[..., None]) -> None:
    """Call a method whenever the user changes a preference.

    Parameters
    ----------
    slot : bound method
        Held weakly; called with whatever napari sends.
    """
    try:
        from napari.settings import get_plugin_settings

        get_plugin_settings("napari-osog").render.events.connect(slot)
    except (ImportError, AttributeError, KeyError, ValueError):
        return


__all__ = ["setting", "when_changed"]

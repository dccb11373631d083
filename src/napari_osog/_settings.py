"""Preferences of the plugin, with defaults where napari keeps none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_DEFAULTS: dict[str, Any] = {
    "device": "auto", "max_fps": 30, "preview": True, "offer_tour": False,
}  # fmt: skip
_GROUPS = {"offer_tour": "help"}
"""Groups of those that are not of rendering."""


def setting(name: str) -> Any:
    """Value of one preference: "device", "max_fps", "preview" or "offer_tour".

    napari keeps preferences of plugins since 0.9, and only for plugins that it knows by their
    manifest; anywhere else the default holds.
    """
    try:
        from napari.settings import get_plugin_settings

        group = getattr(get_plugin_settings("napari-osog"), _GROUPS.get(name, "render"))
        return getattr(group, name)
    except (ImportError, AttributeError, KeyError, ValueError):
        return _DEFAULTS[name]


def keep(name: str, value: Any) -> None:
    """Keep another value of a preference, where napari keeps preferences of plugins."""
    try:
        from napari.settings import get_plugin_settings

        group = getattr(get_plugin_settings("napari-osog"), _GROUPS.get(name, "render"))
        setattr(group, name, value)
    except (ImportError, AttributeError, KeyError, ValueError):
        return


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


__all__ = ["keep", "setting", "when_changed"]

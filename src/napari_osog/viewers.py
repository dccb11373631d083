"""One object per viewer, shared by all its panels, and gone with it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_SHARED: dict[int, tuple[weakref.ref[Any], Any]] = {}


def unwrapped(viewer: Any) -> Any:
    """Return the object itself: weak references to the proxies that plugins get die at once."""
    return getattr(viewer, "__wrapped__", viewer)


def camera_of(viewer: Any) -> Any:
    """Return the camera of the canvas, which napari 0.9 has moved from the viewer to its scene."""
    return getattr(viewer, "scene", viewer).camera


def forget_warning(window: Any) -> None:
    """Take away napari's note that layers have no common unit, once they have one.

    Parameters
    ----------
    window : QWidget
        Of napari.
    """
    from qtpy.QtWidgets import QDialog

    for child in window.findChildren(QDialog):
        message = getattr(child, "message", None)
        if type(child).__name__ == "NapariQtNotification" and message is not None:
            if "Inconsistent units" in message.text():
                child.close()


def shared(viewer: Any, make: Callable[[], T]) -> T:
    """Return the one object of this viewer, made on first use and forgotten with the viewer.

    Parameters
    ----------
    viewer : napari viewer or a proxy of it
    make : callable
        Called without arguments on first use. What it makes must not hold the viewer strongly.
    """
    real = unwrapped(viewer)
    known = _SHARED.get(id(real))
    if known is not None and known[0]() is real:
        return cast("T", known[1])
    made = make()
    key = id(real)
    _SHARED[key] = (weakref.ref(real, lambda _: _SHARED.pop(key, None)), made)
    return made


__all__ = ["camera_of", "forget_warning", "shared", "unwrapped"]

"""What happens when Qt deletes an object, and signals that outlive one."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtCore import QObject

_WAITING: set[_Farewell] = set()


class _Farewell:
    """Something to be done once an object is gone.

    It is kept here until then: a closure that only the object itself holds may be taken apart by
    Python's garbage collector before Qt calls it.
    """

    def __init__(self, then: Callable[[], Any]) -> None:
        self._then = then
        _WAITING.add(self)

    def say(self, _: object = None) -> None:
        """The object is gone."""
        if self in _WAITING:
            _WAITING.discard(self)
            self._then()


def when_gone(gone: QObject, then: Callable[[], Any]) -> None:
    """Call a function once Qt has deleted an object.

    Parameters
    ----------
    gone : QObject
    then : callable
        Must not hold the object.
    """
    gone.destroyed.connect(_Farewell(then).say)


def listen(widget: QObject, signal: Any, slot: Any) -> None:
    """Connect a signal that outlives a widget to one of its methods, until the widget is gone.

    Qt deletes a widget while Python still holds it; a signal that reached it then would raise.

    Parameters
    ----------
    widget : QWidget
    signal : psygnal or napari signal
        Holds bound methods weakly.
    slot : bound method
    """
    signal.connect(slot)
    method = weakref.WeakMethod(slot)

    def forget() -> None:
        alive = method()
        if alive is not None:
            with suppress(ValueError, RuntimeError):
                signal.disconnect(alive)

    when_gone(widget, forget)


def weakly(held: QObject, then: Callable[[Any], Any]) -> Callable[[], None]:
    """Return a function that does something with an object, unless it is gone by then.

    Parameters
    ----------
    held : QObject
        Held weakly.
    then : callable
        Called with the object.
    """
    reference = weakref.ref(held)

    def later() -> None:
        alive = reference()
        if alive is not None:
            with suppress(RuntimeError):  # Qt has deleted it
                then(alive)

    return later


__all__ = ["listen", "weakly", "when_gone"]

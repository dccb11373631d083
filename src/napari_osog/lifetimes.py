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


class _Connections:
    """What a widget listens to; each signal and slot once, and only while both are alive."""

    def __init__(self) -> None:
        self._heard: set[tuple[Callable[[], Any], weakref.WeakMethod[Any]]] = set()

    def add(self, signal: Any, slot: Any) -> None:
        method = weakref.WeakMethod(slot)
        try:
            # Signals of layers come and go with them, while the widget lives on.
            source: Any = weakref.ref(signal, lambda gone: self._heard.discard((gone, method)))
        except TypeError:  # those of psygnal have no weak references, but are as old as the session
            source = _Held(signal)
        self._heard.add((source, method))

    def end(self) -> None:
        """The widget is gone."""
        for source, method in self._heard:
            signal, slot = source(), method()
            if signal is not None and slot is not None:
                with suppress(ValueError, RuntimeError):
                    signal.disconnect(slot)
        self._heard.clear()


class _Held:
    """A signal that cannot be held weakly."""

    def __init__(self, signal: Any) -> None:
        self._signal = signal

    def __call__(self) -> Any:
        return self._signal

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other._signal is self._signal

    def __hash__(self) -> int:
        return id(self._signal)


_CONNECTIONS: weakref.WeakKeyDictionary[QObject, _Connections] = weakref.WeakKeyDictionary()


def listen(widget: QObject, signal: Any, slot: Any) -> None:
    """Connect a signal to a method of a widget until either of them is gone.

    Qt deletes a widget while Python still holds it; a signal that reached it then would raise.

    Parameters
    ----------
    widget : QWidget
    signal : psygnal or napari signal
        Holds bound methods weakly.
    slot : bound method
    """
    signal.connect(slot)
    heard = _CONNECTIONS.get(widget)
    if heard is None:
        heard = _CONNECTIONS[widget] = _Connections()
        when_gone(widget, heard.end)
    heard.add(signal, slot)


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

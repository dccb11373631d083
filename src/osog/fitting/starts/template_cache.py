"""Templates that are kept for the next fit with the same optics."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class RecentlyUsed(Generic[T]):
    """Values by key, the ones that were not used for longest dropped first.

    Parameters
    ----------
    most : int
        Total size that is kept, in the units of `size_of`.
    size_of : callable
        Size of a value.
    """

    def __init__(self, most: int, size_of: Callable[[T], int]) -> None:
        self._most, self._size_of = most, size_of
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Value of a key, made when it is not kept; one larger than everything is not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        value = make()
        size = self._size_of(value)
        with self._lock:
            if key not in self._kept and size <= self._most:
                self._kept[key] = value
                self._size += size
                while self._size > self._most:
                    self._size -= self._size_of(self._kept.popitem(last=False)[1])
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._size = 0

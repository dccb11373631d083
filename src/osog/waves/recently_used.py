"""What is kept because it will soon be asked for again.

`numbers_in` makes keys of what tensors of plain numbers hold.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch

from osog.derivatives import followed, func_is_active

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


def numbers_in(*things: Any) -> Hashable | None:
    """Key of the numbers in tensors, tuples and data classes of them; None where none may be kept.

    That is where derivatives are followed or recorded: what is kept carries none.

    Parameters
    ----------
    *things
        Tensors of few numbers, tuples and data classes of such; anything else stands for itself.
    """
    if torch.is_grad_enabled() or torch.is_inference_mode_enabled() or func_is_active():
        return None
    try:
        return tuple(_plain(thing) for thing in things)
    except _Followed:
        return None


class _Followed(Exception):
    """A number whose derivative is asked for."""


def _plain(thing: Any) -> Hashable:
    if isinstance(thing, torch.Tensor):
        if followed(thing):
            raise _Followed
        return thing.dtype, thing.device, tuple(thing.flatten().tolist()), tuple(thing.shape)
    if isinstance(thing, tuple | list):
        return tuple(_plain(part) for part in thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        parts = tuple(_plain(getattr(thing, field.name)) for field in fields(thing))
        return (type(thing), *parts)
    one: Hashable = thing
    return one

"""A way to leave a long render early, between two of its steps."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_local = threading.local()


class Cancelled(Exception):
    """The caller no longer wants the result."""


@contextmanager
def cancellable(stop: Callable[[], bool] | None) -> Iterator[None]:
    """Ask `stop` at every `raise_if_cancelled` that this thread passes inside the block.

    Parameters
    ----------
    stop : callable, optional
        Cheap; its first True ends the work with `Cancelled`. None leaves what an outer block asks.

    Raises
    ------
    Cancelled
        From a call of `raise_if_cancelled` inside the block.
    """
    outer = getattr(_local, "stop", None)
    _local.stop = stop if stop is not None else outer
    try:
        yield
    finally:
        _local.stop = outer


def asker() -> Callable[[], bool]:
    """Return what the innermost `cancellable` block asks, for a block inside of it to ask too."""
    stop: Callable[[], bool] | None = getattr(_local, "stop", None)
    return stop if stop is not None else lambda: False


def raise_if_cancelled() -> None:
    """End here if the caller has asked to; otherwise do nothing.

    Raises
    ------
    Cancelled
        When the `stop` of the innermost `cancellable` block says so.
    """
    stop = getattr(_local, "stop", None)
    if stop is not None and stop():
        raise Cancelled

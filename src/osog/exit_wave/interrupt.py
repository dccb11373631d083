"""A way to leave a long render early, between two of its steps."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_local = threading.local()


class Interrupted(Exception):
    """The caller no longer wants the result."""


@contextmanager
def interruptible(stop: Callable[[], bool] | None) -> Iterator[None]:
    """Ask `stop` at every `checkpoint` that this thread passes inside the block.

    Parameters
    ----------
    stop : callable, optional
        Cheap; its first True ends the work with `Interrupted`.

    Raises
    ------
    Interrupted
        From a checkpoint inside the block.
    """
    outer = getattr(_local, "stop", None)
    _local.stop = stop
    try:
        yield
    finally:
        _local.stop = outer


def checkpoint() -> None:
    """End here if the caller has asked to; otherwise do nothing."""
    stop = getattr(_local, "stop", None)
    if stop is not None and stop():
        raise Interrupted

"""Libraries that log about odd files are silent while one is read; our own sentence is enough."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class _WhileReading(logging.Filter):
    """Drops all records while any thread reads a file."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.readers = 0

    def filter(self, record: logging.LogRecord) -> bool:
        return self.readers == 0


_FILTERS: dict[str, _WhileReading] = {}


@contextmanager
def quiet(logger: str) -> Iterator[None]:
    """Silence a logger; several threads can do so at once."""
    silence = _FILTERS.setdefault(logger, _WhileReading())
    logging.getLogger(logger).addFilter(silence)  # adding it again changes nothing
    with silence.lock:
        silence.readers += 1
    try:
        yield
    finally:
        with silence.lock:
            silence.readers -= 1

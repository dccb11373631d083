"""Whether the engine is loaded: its libraries take seconds, so a worker's thread loads them.

The window is there before it. What needs the engine on the GUI thread asks here first, and waits
for the first picture, which only a loaded engine gives.
"""

from __future__ import annotations

import importlib
import sys
import threading

_LAST = ("torch", "osog.sample", "osog.rendering", "osog.optics")
_NAME = "osog-load"


def is_loaded() -> bool:
    """Whether the engine can be called from the GUI thread without loading anything first."""
    return all(_is_ready(name) for name in _LAST)


def load_ahead() -> None:
    """Load it on a thread, for what will want it soon; the interpreter's end waits for that."""
    if not is_loaded() and all(thread.name != _NAME for thread in threading.enumerate()):
        threading.Thread(target=_load, name=_NAME).start()


def _load() -> None:
    for name in _LAST:
        importlib.import_module(name)


def _is_ready(name: str) -> bool:
    """Whether a module is there, and no thread is still at work on it."""
    module = sys.modules.get(name)
    return module is not None and not getattr(module.__spec__, "_initializing", False)


__all__ = ["is_loaded", "load_ahead"]

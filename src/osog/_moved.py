"""Modules that have moved: what was public in them is found under its old name, with a warning."""

from __future__ import annotations

import sys
import warnings
from types import ModuleType
from typing import Any

MOVED = ("osog.render", "osog.fit", "osog.fit.errors")
"""Former modules whose public names are those of `osog` now."""


class _Moved(ModuleType):
    """Stands for a module that is gone; `osog.render` and `osog.fit` stay the functions."""

    def __getattr__(self, name: str) -> Any:
        osog = sys.modules["osog"]
        if name not in osog.__all__:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        warnings.warn(
            f"{self.__name__} has moved: use `from osog import {name}`.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(osog, name)


def stand_in() -> None:
    """Let old imports find the new places."""
    for name in MOVED:
        module = _Moved(name, f"Former place of names of `osog` ({name}).")
        if name == "osog.fit":
            module.__path__ = []  # a package: it had modules of its own
        sys.modules.setdefault(name, module)


__all__ = ["MOVED", "stand_in"]

"""The command ``osog``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osog.cli.app import main


def __getattr__(name: str) -> Any:
    # What measures does without the libraries of a command line.
    if name == "main":
        from osog.cli.app import main

        return main
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["main"]

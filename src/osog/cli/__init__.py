"""The command ``osog``."""

from __future__ import annotations

from osog.cli.app import main

__all__ = ["main"]

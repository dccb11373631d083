"""OSOG: a differentiable renderer of optical micrographs, and the fits made with it."""

from __future__ import annotations

from osog._version import __version__

__all__ = ["__version__"]

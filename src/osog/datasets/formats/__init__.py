"""Formats of datasets, one file each; `FORMATS` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osog.datasets.formats.base import Format

FORMATS: dict[str, Format] = {}
"""Every format by its name, in the order of a menu."""

"""The napari plugin of OSOG: tune, watch, overlay, fit."""

from osog._version import __version__

__all__ = ["__version__"]

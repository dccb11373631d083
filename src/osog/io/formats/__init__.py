"""Kinds of files: each module opens a family of them as an `osog.io.image_file.ImageFile`.

A new kind is one module with a context manager ``open_image(path)``, and a line here for each of
its suffixes. Whatever a module raises becomes one sentence in `osog.io.read`; a `MicrographError`
passes as it is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from osog.io.errors import MicrographError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from osog.io.image_file import ImageFile

_MODULES = {
    ".tif": "tiff",
    ".tiff": "tiff",
    ".btf": "tiff",
    ".tf8": "tiff",
    ".lsm": "tiff",
    ".stk": "tiff",
    ".svs": "tiff",
    ".scn": "tiff",
    ".ndpi": "tiff",
    ".png": "pictures",
    ".jpg": "pictures",
    ".jpeg": "pictures",
    ".bmp": "pictures",
    ".npy": "numpy_array",
    ".nd2": "nd2_file",
    ".czi": "czi_file",
    ".lif": "lif_file",
    ".lof": "lif_file",
    ".oif": "oif_file",
    ".oib": "oif_file",
}
SUFFIXES = tuple(_MODULES)
"""File names that can be read."""


def open_image(path: Path) -> AbstractContextManager[ImageFile]:
    """Open a file by its suffix.

    Raises
    ------
    MicrographError
        For a suffix that no module takes.
    """
    suffix = path.suffix.lower()
    if suffix not in _MODULES:
        raise MicrographError(
            f"{path.name}: '{suffix or 'no suffix'}' is not a kind of image that can be read; use "
            f"one of {', '.join(SUFFIXES)}."
        )
    opened: AbstractContextManager[ImageFile] = import_module(
        f"{__name__}.{_MODULES[suffix]}"
    ).open_image(path)
    return opened


__all__ = ["SUFFIXES", "open_image"]

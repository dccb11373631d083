"""NumPy files: an array without a word about its axes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from osog.io.errors import MicrographError
from osog.io.image_file import ImageFile, guessed_axes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile]:
    """Open ``.npy``; nothing but the planes that are asked for is read."""
    array = np.load(path, allow_pickle=False, mmap_mode="r")
    if not isinstance(array, np.ndarray):
        raise MicrographError(
            f"{path.name} is an archive of arrays; save one of them with np.save."
        )
    if array.ndim < 2:
        raise MicrographError(
            f"{path.name} has shape {array.shape}; an image has rows and columns."
        )
    axes, colours = guessed_axes(array.shape)
    yield ImageFile.of_array(array, axes, colours=colours)

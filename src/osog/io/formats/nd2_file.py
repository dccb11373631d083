"""Nikon's ND2, through the optional package nd2."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.errors import MicrographError
from osog.io.formats.packages import package
from osog.io.image_file import ImageFile
from osog.io.metadata.makers.nikon import of_nd2
from osog.io.metadata.ome import OmeImage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile]:
    """Open ``.nd2``; a frame of the file holds all channels, and is read when it is asked for."""
    nd2 = package("nd2", "nd2", path.name, "ND2 files")
    with nd2.ND2File(path) as file:
        yield _image(file, path.name)


def _image(file: Any, name: str) -> ImageFile:
    sizes = dict(file.sizes)
    loops = [axis for axis in sizes if axis not in "CYXS"]
    channels = sizes.get("C", 1)
    inner = "YXS" if "S" in sizes else "YX"
    axes = [*loops, *(["C"] if "C" in sizes else []), *inner]

    def plane(at: tuple[int, ...]) -> NDArray[Any]:
        loop = at[: len(loops)]
        number = 0
        for axis, index in zip(loops, loop, strict=True):
            number = number * sizes[axis] + index
        frame = np.asarray(file.read_frame(number))
        if not frame.any():  # frames that are missing come as zeros
            raise MicrographError(f"{name} lacks the pixels of this plane: all of them are 0.")
        of_plane = tuple(sizes[axis] for axis in inner)
        channel = at[len(loops)] if "C" in sizes else 0
        return np.asarray(frame.reshape(channels, *of_plane)[channel])

    stated = _stated(file)
    return ImageFile(
        axes="".join(axis if axis in "TZCYXS" else "Q" for axis in axes),
        shape=tuple(sizes[axis] for axis in axes),
        plane=plane,
        optics=stated.optics,
        channels=stated.channels,
        colours=3 if inner == "YXS" else 0,
    )


def _stated(file: Any) -> OmeImage:
    try:
        return of_nd2(file)
    except Exception:  # files of before 2010 have no such metadata; their pixels can be read
        return OmeImage()

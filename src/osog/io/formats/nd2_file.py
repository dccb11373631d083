"""Nikon's ND2, through the optional package nd2."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.errors import MicrographError
from osog.io.formats.packages import package
from osog.io.image_file import ImageFile
from osog.io.metadata.ome import OmeImage, of_ome

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
        return frame.reshape(channels, *of_plane)[channel]

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
    """Optics of the channels, without the 1 µm that the package says of pixels without a size."""
    try:
        stated = of_ome(file.ome_metadata(include_unstructured=False))
    except Exception:  # files from before 2010 have no such metadata; their pixels can be read
        return OmeImage()
    channels = file.metadata.channels or ()
    if not all(_is_calibrated(channel) for channel in channels):
        doubt = None
    elif any(channel.volume.axesCalibration[0] == 1.0 for channel in channels):
        doubt = "The file states pixels of 1 µm, which also stands for pixels of unknown size."
    else:
        return stated
    optics = tuple(o.without("pixel_size_um", doubt) for o in stated.optics)
    return OmeImage(optics, stated.channels)


def _is_calibrated(channel: Any) -> bool:
    volume = channel.volume
    in_space = all(axis == "distance" for axis in volume.axesInterpretation[:2])
    return in_space and all(volume.axesCalibrated[:2])

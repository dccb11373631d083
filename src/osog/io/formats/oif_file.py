"""Olympus's OIF and OIB, through the package oiffile."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from osog.io.errors import MicrographError
from osog.io.formats.packages import package
from osog.io.formats.quiet import quiet
from osog.io.image_file import ImageFile
from osog.io.metadata.makers.olympus import of_oif
from osog.io.metadata.ome import OmeImage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile]:
    """Open ``.oif`` with the folder of its planes, or ``.oib``."""
    oiffile = package("oiffile", "oif", path.name, "OIF and OIB files")
    try:
        file = oiffile.OifFile(path)
    except OSError:
        raise MicrographError(
            f"{path.name}: its planes lie in the folder {path.name}.files, which is missing."
        ) from None
    with quiet("tifffile"), file:
        yield _image(oiffile, file, path.name)


def _image(oiffile: Any, file: Any, name: str) -> ImageFile:
    if not file.series:
        raise MicrographError(f"{name} holds no image; its planes are missing.")
    series = file.series[0]
    # The library numbers the planes of the names along these axes: s_C001Z002T003.tif.
    axes, shape = "".join(series.dims), tuple(series.shape)
    names = dict(zip(series.indices, series, strict=True))

    def read(member: str) -> NDArray[Any]:
        with file.open_file(member) as stream:
            return np.asarray(tifffile.imread(io.BytesIO(stream.read())))

    def plane(at: tuple[int, ...]) -> NDArray[Any]:
        if at not in names:
            raise MicrographError(f"{name} lacks the file of this plane.")
        return read(names[at])

    first = read(series[0])
    count = shape[axes.index("C")] if "C" in axes else 1
    stated = _stated(oiffile, file, series[0], count, "L" in axes)
    return ImageFile(
        axes="".join(a if a in "CTZ" else "Q" for a in axes) + "YX",
        shape=(*shape, *first.shape),
        plane=plane,
        optics=stated.optics,
        channels=stated.channels,
    )


def _stated(oiffile: Any, file: Any, member: str, count: int, spectral: bool) -> OmeImage:
    try:
        try:
            settings = oiffile.SettingsFile(file.open_file(f"{member[:-4]}.pty"))
        except (OSError, ValueError):
            settings = {}
        return of_oif(file.mainfile, settings, count, spectral=spectral)
    except Exception:  # damaged settings say nothing, and cost no pixel
        return OmeImage()

"""Leica's LIF and LOF, through the package liffile."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.errors import MicrographError
from osog.io.formats.packages import package
from osog.io.formats.quiet import quiet
from osog.io.image_file import ImageFile
from osog.io.metadata.makers.leica import of_lif_element
from osog.io.metadata.ome import OmeImage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile]:
    """Open ``.lif`` or ``.lof``; its first image is the image."""
    liffile = package("liffile", "lif", path.name, "LIF files")
    with quiet("liffile"), liffile.LifFile(path, squeeze=False) as file:
        if not len(file.images):
            raise MicrographError(f"{path.name} holds no image; the file may be cut short.")
        others = tuple(
            optics for image in list(file.images)[1:] for optics in _stated(image).optics
        )
        yield _image(file.images[0], path.name, others)


def _image(image: Any, name: str, others: tuple[Any, ...]) -> ImageFile:
    sizes = dict(image.sizes)
    if "X" not in sizes or "Y" not in sizes or image.is_flim:
        raise MicrographError(
            f"{name}: its first image has the axes {', '.join(sizes)}, and no plane of rows and "
            "columns."
        )
    leading = [axis for axis in sizes if axis not in "YXS"]
    inner = "YXS" if "S" in sizes else "YX"
    # One letter for each; the scanner has axes of more.
    letters = "".join(axis if axis in "TZC" else "Q" for axis in leading)
    frames: dict[tuple[int, ...], NDArray[Any]] = {}

    def plane(at: tuple[int, ...]) -> NDArray[Any]:
        if not frames:  # the whole image is in one block of the file
            frames[()] = np.asarray(image.asarray())
        pixels = frames[()]
        names = list(sizes)
        moved = np.moveaxis(
            pixels, [names.index(a) for a in (*leading, *inner)], range(pixels.ndim)
        )
        return np.asarray(moved[at])

    stated = _stated(image)
    return ImageFile(
        axes=letters + inner,
        shape=tuple(sizes[axis] for axis in (*leading, *inner)),
        plane=plane,
        optics=stated.optics if len(stated.optics) in (1, sizes.get("C", 1)) else (_first(stated),),
        channels=stated.channels,
        colours=3 if sizes.get("S") in (3, 4) else 0,
        others=others,
    )


def _first(stated: OmeImage) -> Any:
    return type(stated.optics[0]).common(stated.optics)


def _stated(image: Any) -> OmeImage:
    try:
        return of_lif_element(image.xml_element)
    except Exception:  # damaged metadata say nothing, and cost no pixel
        return OmeImage()

"""Leica's LIF and LOF, through the package liffile."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cache
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
        first, *more = file.images
        others = [_image(image, path.name) for image in more if _has_planes(image)]
        yield replace(_image(first, path.name), others=tuple(others))


def _has_planes(image: Any) -> bool:
    return {"X", "Y"} <= set(image.sizes) and not image.is_flim


def _image(image: Any, name: str) -> ImageFile:
    sizes = dict(image.sizes)
    if not _has_planes(image):
        raise MicrographError(
            f"{name}: its first image has the axes {', '.join(sizes)}, and no grey planes of rows "
            "and columns."
        )
    leading = [axis for axis in sizes if axis not in "YXS"]
    inner = "YXS" if "S" in sizes else "YX"
    # One letter for each; the scanner has axes of more.
    letters = "".join(axis if axis in "TZC" else "Q" for axis in leading)
    names = list(sizes)
    order = [names.index(axis) for axis in (*leading, *inner)]

    @cache
    def pixels() -> NDArray[Any]:
        # Colours may have to be put into order, which only a copy allows.
        return np.transpose(image.asarray(out=None if "S" in sizes else "memmap"), order)

    def plane(at: tuple[int, ...]) -> NDArray[Any]:
        return np.asarray(pixels()[at])

    stated = _stated(image)
    return ImageFile(
        axes=letters + inner,
        shape=tuple(sizes[axis] for axis in (*leading, *inner)),
        plane=plane,
        optics=stated.optics,
        channels=stated.channels,
        colours=3 if sizes.get("S") in (3, 4) else 0,
    )


def _stated(image: Any) -> OmeImage:
    try:
        return of_lif_element(image.xml_element)
    except Exception:  # damaged metadata say nothing, and cost no pixel
        return OmeImage()

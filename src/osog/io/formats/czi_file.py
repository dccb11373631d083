"""Zeiss's CZI, through Zeiss's own package pylibCZIrw."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.errors import MicrographError
from osog.io.formats.packages import package
from osog.io.image_file import MOST_PIXELS, ImageFile
from osog.io.metadata.makers.czi import of_czi_xml
from osog.io.metadata.ome import OmeImage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_SCENE = "Q"


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile]:
    """Open ``.czi``; tiles are put together, and each scene is a plane of its own."""
    czi = package("pylibCZIrw.czi", "czi", path.name, "CZI files")
    with czi.open_czi(str(path)) as file:
        yield _image(file, path.name)


def _image(file: Any, name: str) -> ImageFile:
    # Without the pyramid, whose smaller pictures can reach beyond the scan.
    box = file.total_bounding_box_no_pyramid
    scenes = dict(sorted(file.scenes_bounding_rectangle_no_pyramid.items()))
    spans = {axis: span for axis, span in box.items() if axis not in "XYSM"}
    sizes = {axis: stop - start for axis, (start, stop) in spans.items()}
    whole = file.total_bounding_rectangle_no_pyramid
    areas = list(scenes.items()) or [(None, whole)]
    axes = _SCENE * (len(areas) > 1) + "".join(sizes)
    colours = _colours(file, name)

    def plane(at: tuple[int, ...]) -> NDArray[Any]:
        where = dict(zip(axes, at, strict=True))
        scene, area = areas[where.pop(_SCENE, 0)]
        if area.w * area.h > MOST_PIXELS:
            raise MicrographError(
                f"{name} holds a scene of {area.h} × {area.w} pixels; at most {MOST_PIXELS:.0e} "
                "can be read. Cut out a part of it first."
            )
        chosen = {axis: spans[axis][0] + i for axis, i in where.items()}
        pixels = np.array(file.read(roi=tuple(area), plane=chosen, scene=scene))
        if not pixels.any():  # tiles that are missing come as zeros
            raise MicrographError(f"{name} lacks the pixels of this plane: all of them are 0.")
        return pixels[..., ::-1] if colours else pixels[..., 0]

    area = areas[0][1]
    shape = (len(areas),) * (len(areas) > 1) + (*sizes.values(), area.h, area.w)
    stated = _stated(file, sizes.get("C", 1))
    return ImageFile(
        axes=f"{axes}YXS" if colours else f"{axes}YX",
        shape=(*shape, 3) if colours else shape,
        plane=plane,
        optics=stated.optics,
        channels=stated.channels,
        colours=3 if colours else 0,
    )


def _colours(file: Any, name: str) -> bool:
    kinds = {str(kind).startswith("Bgr") for kind in file.pixel_types.values()}
    if len(kinds) > 1:
        raise MicrographError(
            f"{name} holds colour and grey channels side by side; export the one that you need."
        )
    return True in kinds


def _stated(file: Any, count: int) -> OmeImage:
    try:
        return of_czi_xml(file.raw_metadata, count)
    except Exception:  # damaged metadata say nothing, and cost no pixel
        return OmeImage()

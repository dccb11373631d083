"""TIFF and its dialects: OME-TIFF, ImageJ, plain; page by page, through tifffile."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from osog.io.errors import MicrographError
from osog.io.formats.quiet import quiet
from osog.io.formats.tiff_light import (
    as_light,
    colours_of,
    has_palette,
    is_colour,
    refuse_inks,
)
from osog.io.formats.tiff_pages import page_pixels
from osog.io.image_file import MOST_PIXELS, ImageFile
from osog.io.metadata.makers import of_maker
from osog.io.metadata.ome import OmeImage, has_dtd, looks_like_ome, of_ome_xml
from osog.io.metadata.tiff_tags import of_tags

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from osog.io.micrograph import Optics


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile]:
    """Open a TIFF; its first series of like pages is the image."""
    with opened_tiff(path) as file:
        series = first_series(file, path.name)
        stated = stated_by(file, series)
        yield image_of(series, path.name, stated.optics, stated.channels)


@contextmanager
def opened_tiff(path: Path) -> Iterator[Any]:
    """Open with tifffile, which logs and warns about odd tags and goes on; here checks decide."""
    with quiet("tifffile"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            file = tifffile.TiffFile(path)
        except tifffile.TiffFileError:
            raise MicrographError(
                f"{path.name} is no TIFF, or cut short before its first page."
            ) from None
        with file:
            if file.pages and has_dtd(str(file.pages.first.description)):
                file.__dict__["is_ome"] = False  # XML that can grow without end stays unread
            yield file


def first_series(file: Any, name: str) -> Any:
    """Return the series of pages that is the image.

    Raises
    ------
    MicrographError
        If there is none.
    """
    # Pages that are larger than the series they are said to make up would be sought without end.
    if file.pages and min(file.pages.first.shape, default=0) < 1:
        raise MicrographError(
            f"{name} holds no pixels; its first page has the shape {file.pages.first.shape}."
        )
    if file.pages and file.pages.first.size > MOST_PIXELS:
        page_pixels(SimpleNamespace(keyframe=file.pages.first), 0, name)
    if file.pages and file.pages.first.shaped_description is not None:
        shape = tifffile.tifffile.shaped_description_metadata(
            file.pages.first.shaped_description
        ).get("shape", ())
        if math.prod(shape) < file.pages.first.size:
            raise MicrographError(
                f"{name} states pages larger than its image of shape {tuple(shape)}; it is damaged."
            )
    if not file.pages or not file.series:
        raise MicrographError(f"{name} holds no image; the file may be cut short.")
    return file.series[0]


def stated_by(file: Any, series: Any) -> OmeImage:
    """Optics and names of the channels: OME-XML or a maker's tags, then the resolution tags."""
    text = file.pages.first.description
    at = file.series.index(series) if series.kind == "ome" else None
    ome = of_ome_xml(text, at, len(file.series)) if looks_like_ome(text) else OmeImage()
    imagej = None
    if file.is_imagej:
        imagej = file.imagej_metadata or {}
    tags: Optics = of_tags(series.keyframe.tags, imagej)
    found = ome.otherwise(of_maker(file, series))
    return OmeImage(tuple(optics.otherwise(tags) for optics in found.optics), found.channels)


def image_of(
    series: Any,
    name: str,
    optics: tuple[Optics, ...],
    channels: tuple[str, ...] = (),
) -> ImageFile:
    """Image of a series of pages.

    Parameters
    ----------
    series : tifffile.TiffPageSeries
    name : str
        Of the file, for sentences.
    optics, channels
        As of `ImageFile`.

    Raises
    ------
    MicrographError
        For inks and other pixels that are no amounts of light.
    """
    page = series.keyframe
    refuse_inks(page, name)
    axes, shape = _named_axes(series)
    start = _block_start(axes, shape, page.size)
    leading = [i for i, axis in enumerate(axes) if axis not in "YXS"]
    inner = axes[start:]
    per_block = math.prod(shape[start:]) // max(page.size, 1)

    def plane(at: tuple[int, ...]) -> NDArray[Any]:
        index = dict(zip(leading, at, strict=True))
        first = 0
        for k in range(start):
            first = first * shape[k] + index[k]
        if math.prod(shape[start:]) > MOST_PIXELS:
            raise MicrographError(
                f"{name} keeps {math.prod(shape[start:])} numbers in one block; at most "
                f"{MOST_PIXELS:.0e} can be read."
            )
        blocks = [page_pixels(series, first * per_block + i, name) for i in range(per_block)]
        block = blocks[0] if per_block == 1 else np.stack(blocks)
        if series.transform is not None:  # gel scanners store the square root
            block = series.transform(block)
        block = block.reshape(shape[start:])
        block = block[
            tuple(
                slice(None) if axis in "YXS" else index[start + k] for k, axis in enumerate(inner)
            )
        ]
        left = "".join(axis for axis in inner if axis in "YXS")
        wanted = "YXS" if "S" in left else "YX"
        return as_light(np.transpose(block, [left.index(axis) for axis in wanted]), page, name)

    order = [axes.index(axis) for axis in "YXS" if axis in axes]
    named = "".join(axes[i] for i in (*leading, *order))
    sizes = tuple(int(shape[i]) for i in (*leading, *order))
    if has_palette(page) and "S" not in axes:
        named, sizes = f"{named}S", (*sizes, 3)
    return ImageFile(
        axes=named,
        shape=sizes,
        plane=plane,
        optics=optics,
        channels=channels,
        colours=colours_of(page, sizes[-1] if named.endswith("S") else 1),
    )


def _named_axes(series: Any) -> tuple[str, tuple[int, ...]]:
    """Letters and sizes of the axes of a series."""
    page = series.keyframe
    axes, shape = series.get_axes(False), series.get_shape(False)
    rows_and_columns = "".join(axis for axis in axes if axis in "YX")
    if sorted(rows_and_columns) != ["X", "Y"] or len(axes) != len(shape):
        # No names that hold together: planes of which no more is known.
        count = max(math.prod(shape) // max(page.size, 1), 1)
        axes, shape = f"Q{page.axes}", (count, *page.shape)
    # Colours that are stored plane by plane are called channels by some programs.
    of_page = dict(zip(page.axes, page.shape, strict=False))
    sizes = dict(zip(axes, shape, strict=False))
    planar = of_page.get("S", 1)
    if planar > 1 and sizes.get("S", 1) == 1 and sizes.get("C") == planar and is_colour(page):
        kept = [i for i, axis in enumerate(axes) if axis != "S"]
        axes, shape = "".join(axes[i] for i in kept), tuple(shape[i] for i in kept)
        axes = axes.replace("C", "S")
    return axes, shape


def _block_start(axes: str, shape: tuple[int, ...], page_size: int) -> int:
    """First of the axes that whole pages hold; rows, columns and samples are among them."""
    at = min(axes.index(axis) for axis in "YXS" if axis in axes)
    while at > 0 and math.prod(shape[at:]) % max(page_size, 1):
        at -= 1
    return at


__all__ = ["first_series", "image_of", "open_image", "opened_tiff", "stated_by"]

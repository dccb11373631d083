"""Pixels of one page of a TIFF, or one sentence that says what is missing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from osog.io.errors import MicrographError
from osog.io.formats.codecs import codecs
from osog.io.image_file import MOST_PIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def page_pixels(series: Any, number: int, name: str) -> NDArray[Any]:
    """Read the page of a number in a series.

    Raises
    ------
    MicrographError
        If it is not there as a whole, or packed in a way that cannot be read.
    """
    keyframe = series.keyframe
    if keyframe.size > MOST_PIXELS:
        raise MicrographError(
            f"{name} states a page of shape {keyframe.shape}; at most {MOST_PIXELS:.0e} numbers "
            "can be read. Cut out a part of it first."
        )
    if keyframe.dtype is None:
        raise MicrographError(
            f"{name} holds numbers of {keyframe.bitspersample} bits in a format that cannot be "
            "read."
        )
    if series.dataoffset is not None and keyframe.is_memmappable:
        return _from_one_run(series, number, name)
    if number < len(series):
        page = series[number]
        if page is None:
            raise MicrographError(
                f"{name}: this plane lies in another file of the series, which is missing."
            )
        _check_codec(keyframe, name)
        _check_presence(page, keyframe, name)
        try:
            return np.asarray(page.asarray())
        except ImportError:  # a stand-in for imagecodecs that lacks a library itself
            raise _no_codec(keyframe, name) from None
    raise _cut_short(name)


def _from_one_run(series: Any, number: int, name: str) -> NDArray[Any]:
    """Read a page of pages that follow each other; ImageJ describes them by the first alone."""
    keyframe = series.keyframe
    start = series.dataoffset + number * keyframe.nbytes
    file = keyframe.parent.filehandle
    if start + keyframe.nbytes > file.size:
        raise _cut_short(name)
    dtype = np.dtype(keyframe.dtype).newbyteorder(keyframe.parent.byteorder)
    return np.asarray(file.read_array(dtype, keyframe.size, start)).reshape(keyframe.shape)


def _check_codec(keyframe: Any, name: str) -> None:
    """Say which compression cannot be undone, before it is tried."""
    if keyframe.compression == 1:
        return
    try:
        tifffile.TIFF.DECOMPRESSORS[keyframe.compression]
    except Exception:
        raise _no_codec(keyframe, name) from None


def _no_codec(keyframe: Any, name: str) -> MicrographError:
    """Name what is missing: the package, or any way to undo this compression."""
    kind = getattr(keyframe.compression, "name", f"number {int(keyframe.compression)}")
    codecs(name, f"a TIFF compressed with {kind}")
    return MicrographError(
        f"{name} is compressed with {kind}, which cannot be read here; save it with LZW, deflate "
        "or no compression."
    )


def _check_presence(page: Any, keyframe: Any, name: str) -> None:
    """Parts that are missing would be read as zeros."""
    offsets, counts = page.dataoffsets, page.databytecounts
    expected = math.prod(keyframe.chunked)
    size = page.parent.filehandle.size
    if len(offsets) < expected or len(counts) < expected:
        raise _cut_short(name)
    for offset, count in zip(offsets, counts, strict=False):
        if offset <= 0 or count <= 0 or offset + count > size:
            raise _cut_short(name)


def _cut_short(name: str) -> MicrographError:
    return MicrographError(
        f"{name} lacks a part of its pixels; the file is cut short, or was not written to its end."
    )


__all__ = ["page_pixels"]

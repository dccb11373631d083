"""PNG, JPEG and BMP, through Pillow."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from osog.io.errors import MicrographError
from osog.io.image_file import ImageFile
from osog.io.metadata.exif import of_exif
from osog.io.micrograph import Optics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_AS_STORED = ("1", "L", "I", "F", "LA", "RGB", "RGBA", "I;16", "I;16B", "I;16L", "I;16N")
# A palette stands for its colours, and inks for the colours that they print.
_AS_COLOURS = {"P": "RGB", "PA": "RGBA", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}
_COLOURS_OF_SAMPLES = {2: 1, 3: 3, 4: 3}


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile]:
    """Open a picture; of an animated one, each frame is a plane."""
    with warnings.catch_warnings():
        # Pillow warns of large and odd files; what matters is raised.
        warnings.simplefilter("ignore")
        with _opened(path) as picture:
            count = getattr(picture, "n_frames", 1) if picture.format == "PNG" else 1
            planes = [_frame(picture, path, at) for at in range(count)]
            optics = _optics(picture)
    array = np.stack(planes)
    yield ImageFile.of_array(
        array,
        "QYXS" if array.ndim == 4 else "QYX",
        optics=(optics,),
        colours=_COLOURS_OF_SAMPLES[array.shape[-1]] if array.ndim == 4 else 0,
    )


def _opened(path: Path) -> Any:
    try:
        return Image.open(path, formats=("PNG", "JPEG", "BMP", "DIB"))
    except UnidentifiedImageError:
        raise MicrographError(
            f"{path.name} is no PNG, JPEG or BMP, or cut short before its first pixel."
        ) from None
    except Image.DecompressionBombError:
        raise MicrographError(
            f"{path.name} states more pixels than can be read of a picture; save it as TIFF, or "
            "cut out a part of it first."
        ) from None


def _optics(picture: Any) -> Optics:
    try:
        return of_exif(picture.getexif())
    except Exception:  # a damaged block of metadata says nothing, and costs no pixel
        return Optics()


def _frame(picture: Any, path: Path, at: int) -> NDArray[Any]:
    if at:
        picture.seek(at)
    elif picture.format == "PNG" and _has_deep_colours(path):
        return _deep_colours(path)
    mode = picture.mode
    if mode in _AS_COLOURS:
        return np.array(picture.convert(_AS_COLOURS[mode]))
    if mode not in _AS_STORED:
        raise MicrographError(
            f"{path.name} holds pixels of the kind {mode}, which are no grey levels and no "
            "colours of red, green and blue; convert it to grey."
        )
    return np.array(picture)


def _has_deep_colours(path: Path) -> bool:
    """Whether a PNG has 16 bits for each of several samples; Pillow would drop 8 of them."""
    with path.open("rb") as file:
        header = file.read(26)
    return header[12:16] == b"IHDR" and header[24] == 16 and header[25] != 0


def _deep_colours(path: Path) -> NDArray[Any]:
    from osog.io.formats.codecs import codecs

    return np.asarray(codecs(path.name, "a PNG of 16 bits a colour").png_decode(path.read_bytes()))

"""What the pixels of a TIFF mean: amounts of light, in grey or colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.errors import MicrographError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR, _LINEAR = 0, 1, 2, 3, 6, 34892
_JPEG = (6, 7, 33007, 34892)
_OTHERS = {
    5: "in inks for print (CMYK)",
    8: "in CIE L*a*b* colours",
    9: "in ICC L*a*b* colours",
    10: "in ITU L*a*b* colours",
    32803: "as the mosaic of a colour sensor (CFA), each pixel of another colour",
    32844: "as logarithms (LogL)",
    32845: "as logarithms (LogLuv)",
}
_TRANSPARENCY = (1, 2)
_SHIFT = 32768


def refuse_inks(page: Any, name: str) -> None:
    """Refuse pixels that are neither grey levels nor red, green and blue.

    Raises
    ------
    MicrographError
    """
    photometric = int(page.photometric)
    what = _OTHERS.get(photometric)
    if photometric == _YCBCR and int(page.compression) not in _JPEG:
        what = "as brightness and colour differences (YCbCr) without JPEG"
    if what is not None:
        raise MicrographError(
            f"{name} stores its pixels {what}; convert it to grey, or to red, green and blue."
        )


def has_palette(page: Any) -> bool:
    """Whether pixels are numbers of colours.

    ImageJ and LSM keep counts beside a palette that is for display alone.
    """
    return int(page.photometric) == _PALETTE and not (page.is_imagej or page.is_lsm)


def is_colour(page: Any) -> bool:
    """Whether the samples of a pixel are red, green and blue; in an LSM they are its channels."""
    return int(page.photometric) in (_RGB, _YCBCR) and not page.is_lsm


def colours_of(page: Any, samples: int) -> int:
    """How many of the samples of a pixel are colours; see `ImageFile.colours`."""
    photometric = int(page.photometric)
    if samples == 1:
        return 0
    if is_colour(page) or photometric in (_PALETTE, _LINEAR):
        return 3 if samples in (3, 4) else 0
    extra = tuple(page.extrasamples or ())
    return 1 if samples == 2 and len(extra) == 1 and int(extra[0]) in _TRANSPARENCY else 0


def as_light(array: NDArray[Any], page: Any, name: str) -> NDArray[Any]:
    """Turn stored numbers into such as grow with the light.

    Parameters
    ----------
    array : ndarray, shape (Y, X) or (Y, X, S)
    page : tifffile.TiffPage
        Its photometric interpretation and palette.
    name : str

    Raises
    ------
    MicrographError
        For a missing palette, and fractions of a white that is nowhere stated.
    """
    if has_palette(page):
        return _painted(array, page, name)
    if int(page.photometric) != _WHITE_IS_ZERO:
        return array.astype(np.int32) - _SHIFT if _is_shifted(array, page) else array
    if array.dtype == np.bool_ or np.issubdtype(array.dtype, np.signedinteger):
        return np.asarray(~array)
    if np.issubdtype(array.dtype, np.unsignedinteger):
        top = array.dtype.type(2 ** int(page.bitspersample) - 1)
        return np.asarray(top - array)
    raise MicrographError(
        f"{name} says that 0 is white, and not which of its {array.dtype} numbers is black; "
        "save it with 0 as black."
    )


def _is_shifted(array: NDArray[Any], page: Any) -> bool:
    """Whether ImageJ says that it keeps signed numbers of 16 bits as unsigned ones."""
    if array.dtype != np.uint16 or not page.is_imagej:
        return False
    stated = page.parent.imagej_metadata or {}
    try:
        law = [float(stated.get(name, np.nan)) for name in ("cf", "c0", "c1")]
    except (TypeError, ValueError):
        return False
    return law == [0.0, -_SHIFT, 1.0]


def _painted(array: NDArray[Any], page: Any, name: str) -> NDArray[Any]:
    colours = page.colormap
    if colours is None:
        raise MicrographError(f"{name} holds numbers of colours without a palette for them.")
    if array.ndim != 2:
        raise MicrographError(
            f"{name} holds numbers of colours beside other samples; convert it to red, green and "
            "blue."
        )
    palette = np.asarray(colours).reshape(3, -1)
    numbers = array.astype(np.intp)
    if numbers.max() >= palette.shape[1] or numbers.min() < 0:
        raise MicrographError(f"{name} holds numbers of colours that its palette lacks.")
    return np.moveaxis(palette[:, numbers], 0, -1)


__all__ = ["as_light", "colours_of", "has_palette", "is_colour", "refuse_inks"]

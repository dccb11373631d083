"""Micrographs in: TIFF, OME-TIFF, PNG, JPEG and NumPy files as one grey image."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.arrays import is_real
from osog.io.errors import MicrographError
from osog.io.micrograph import Micrograph
from osog.io.resolve import of_file

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

_TIFF = (".tif", ".tiff", ".btf", ".tf8", ".lsm")
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp")
SUFFIXES = (*_TIFF, *_PICTURES, ".npy", ".nd2")
"""File names that `read_micrograph` takes."""


def read_micrograph(
    path: str | os.PathLike[str], *, channel: int | str | None = None, page: int = 0
) -> Micrograph:
    """Read one grey image and what its file knows of the optics.

    Parameters
    ----------
    path : path
        TIFF, OME-TIFF, PNG, JPEG, BMP, NPY, or ND2 with the package nd2.
    channel : int or "mean", optional
        Which channel of a colour image, or the mean of all of them.
    page : int
        Which plane of a stack.

    Returns
    -------
    Micrograph

    Raises
    ------
    MicrographError
        For a file that is missing, damaged, of another kind, or in colour without `channel`.
    """
    target = Path(path)
    if not target.is_file():
        raise MicrographError(f"{target.name}: there is no such file in {target.parent}.")
    array = _pixels(target)
    image = _grey(array, target.name, channel, page)
    known = of_file(target).known()
    return Micrograph(image=image, name=target.name, **known)


def _pixels(target: Path) -> NDArray[Any]:
    suffix = target.suffix.lower()
    try:
        if suffix in _TIFF:
            return _tiff(target)
        if suffix in _PICTURES:
            import imageio.v3 as iio

            return np.asarray(iio.imread(target))
        if suffix == ".npy":
            return np.asarray(np.load(target, allow_pickle=False))
        if suffix == ".nd2":
            return _nd2(target)
    except MicrographError:
        raise
    except MemoryError:
        raise
    except Exception as error:
        # Decoders raise whatever they like on damaged bytes.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MicrographError(
            f"{target.name} cannot be read as an image; the file may be damaged or cut short "
            f"({reason[:120]})."
        ) from None
    raise MicrographError(
        f"{target.name}: '{suffix or 'no suffix'}' is not a kind of image that can be read; use "
        f"one of {', '.join(SUFFIXES)}."
    )


def _tiff(target: Path) -> NDArray[Any]:
    import tifffile

    logger = logging.getLogger("tifffile")
    level = logger.level
    # tifffile logs about damaged tags and goes on; the checks below decide instead.
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = np.asarray(tifffile.imread(target))
    finally:
        logger.setLevel(level)
    if array.size == 0:
        raise MicrographError(f"{target.name} holds no pixels; the file may be cut short.")
    return array


def _nd2(target: Path) -> NDArray[Any]:
    try:
        import nd2
    except ImportError:
        raise MicrographError(
            f"{target.name}: reading ND2 files needs the package nd2; install napari-osog[nd2]."
        ) from None
    return np.asarray(nd2.imread(target))


def _grey(
    array: NDArray[Any], name: str, channel: int | str | None, page: int
) -> NDArray[np.float64]:
    if not is_real(array):
        raise MicrographError(f"{name} holds {array.dtype} values; an image holds real numbers.")
    colour = array.ndim >= 3 and array.shape[-1] in (3, 4)
    if colour:
        array = _one_channel(array, name, channel)
    elif channel is not None and channel != "mean" and channel != 0:
        raise MicrographError(f"{name} is a grey image; channel = {channel!r} must be left out.")
    while array.ndim > 2:
        if array.shape[0] == 1:
            array = array[0]
            continue
        planes = array.reshape(-1, *array.shape[-2:])
        if not 0 <= page < len(planes):
            raise MicrographError(
                f"{name}: page = {page} must lie between 0 and {len(planes) - 1}."
            )
        array = planes[page]
    if array.ndim != 2 or min(array.shape) < 1:
        raise MicrographError(f"{name} has shape {array.shape}; an image has rows and columns.")
    return array.astype(np.float64)


def _one_channel(array: NDArray[Any], name: str, channel: int | str | None) -> NDArray[Any]:
    colours = array[..., :3]
    if channel is None:
        same = bool(np.all(colours == colours[..., :1]))
        if same:
            return np.asarray(colours[..., 0])
        raise MicrographError(
            f"{name} is a colour image of shape {array.shape}; choose channel = 0, 1 or 2 (red, "
            "green, blue) or 'mean'."
        )
    if channel == "mean":
        return np.asarray(colours.astype(np.float64).mean(axis=-1))
    if channel in (0, 1, 2):
        return np.asarray(colours[..., int(channel)])
    raise MicrographError(f"channel = {channel!r} must be 0, 1, 2 or 'mean'.")

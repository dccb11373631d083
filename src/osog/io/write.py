"""Results out: OME-TIFF with axes and pixel size, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io import atomic
from osog.io.arrays import real_array
from osog.io.errors import MicrographError

if TYPE_CHECKING:
    import os

_TYPES = ("float32", "uint16", "uint8")
_AXES = ("YX", "ZYX", "TYX", "TZYX", "YXC", "ZYXC", "TYXC", "TZYXC")


def write_image(
    path: str | os.PathLike[str],
    image: Any,
    *,
    pixel_size_um: float | None = None,
    dtype: str | None = None,
    name: str | None = None,
    axes: str = "YX",
) -> Path:
    """Write a picture, a stack or a time series as OME-TIFF.

    Parameters
    ----------
    path : path
        Ends in ``.ome.tif`` or ``.tif``.
    image : array_like, shape (Y, X), or as `axes` says
        A torch tensor is taken too.
    pixel_size_um : float, optional
    dtype : str, optional
        ``float32``, ``uint16`` or ``uint8``; when left out, arrays of an integer type that fit
        become uint8 or uint16, all others float32. Numbers round, and clip where the range ends.
    name : str, optional
        Name of the image inside the file.
    axes : str
        ``YX``, before it ``T`` and ``Z`` in this order, behind it ``C`` for three colours.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MicrographError
        For an image that has not these axes or is not real, another dtype, or another name.
    """
    import tifffile

    array = real_array(image)
    target = Path(path)
    if target.suffix.lower() not in (".tif", ".tiff"):
        raise MicrographError(f"'{target.name}' must end with .tif or .tiff.")
    if axes not in _AXES:
        raise MicrographError(f"axes = '{axes}' must be one of {', '.join(_AXES)}.")
    colour = axes.endswith("C")
    if array.ndim != len(axes) or array.size == 0 or (colour and array.shape[-1] != 3):
        expected = ", ".join(axes[:-1]) + ", 3" if colour else ", ".join(axes)
        raise MicrographError(f"image has shape {array.shape}; it must be ({expected}).")
    wanted = dtype if dtype is not None else _natural(array)
    if wanted not in _TYPES:
        raise MicrographError(f"dtype = '{wanted}' must be one of {', '.join(_TYPES)}.")
    if wanted == "float32":
        pixels = array.astype(np.float32)
    else:
        top = np.iinfo(wanted).max
        pixels = np.clip(np.round(np.nan_to_num(array.astype(np.float64))), 0, top).astype(wanted)
    metadata: dict[str, Any] = {"axes": axes.replace("C", "S")}
    if name is not None:
        metadata["Name"] = name
    resolution: dict[str, Any] = {}
    if pixel_size_um is not None:
        if not 1e-6 <= pixel_size_um <= 1e6:
            raise MicrographError(
                f"pixel_size_um = {pixel_size_um:g} must lie between 1e-6 and 1e6."
            )
        metadata |= {
            "PhysicalSizeX": pixel_size_um, "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": pixel_size_um, "PhysicalSizeYUnit": "µm",
        }  # fmt: skip
        per_cm = 1e4 / pixel_size_um
        resolution = {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}
    with atomic.writing(target) as temporary:
        tifffile.imwrite(
            temporary,
            pixels,
            ome=True,
            photometric="rgb" if colour else "minisblack",
            metadata=metadata,
            **resolution,
        )
    return target


def _natural(array: np.ndarray) -> str:
    if array.dtype == np.uint8 or array.dtype == np.bool_:
        return "uint8"
    if np.issubdtype(array.dtype, np.integer) and array.min() >= 0 and array.max() <= 65535:
        return "uint16"
    return "float32"

"""Images as arrays of real numbers, with the pixels that count and what their numbers mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.errors import MicrographError
from osog.io.micrograph import Micrograph

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MEANS = 12.0
"""Whole numbers, and means of 2, 3 or 4 of them, are whole in this many steps of one."""
_WHITES = (255.0, 65535.0)
"""Grey levels at the white of 8 and 16 bits."""
_ROUNDED = 1.2e-7
"""Relative rounding of numbers that were float32 once."""
_FEWEST_LEVELS = 8
"""Different numbers from which an image of floating numbers can be seen to be quantised."""
_GLANCE = 4096
"""Pixels that tell most images of measured values at once."""


@dataclass(frozen=True)
class Pixels:
    """Numbers of an image, and which of them count.

    Attributes
    ----------
    values : ndarray
        As they are stored, with whatever lies below a mask.
    counted : ndarray of bool or None
        False where a masked array hides a pixel; None where nothing is hidden.
    """

    values: NDArray[Any]
    counted: NDArray[np.bool_] | None = None

    def shown(self) -> NDArray[Any]:
        """Return the numbers, with NaN for those that are hidden."""
        if self.counted is None:
            return self.values
        return np.where(self.counted, self.values.astype(np.float64), np.nan)


def pixels_of(image: Any) -> Pixels:
    """Numbers of an image in any form.

    Parameters
    ----------
    image : array_like
        An array of NumPy (masked ones too), a list, a `Micrograph`, a torch tensor of any device
        and precision, with a gradient or without, or an array of dask, xarray or CuPy.

    Returns
    -------
    Pixels

    Raises
    ------
    MicrographError
        If it does not hold real numbers.
    """
    array = _fetched(image)
    counted = None
    if isinstance(array, np.ma.MaskedArray):
        if np.ma.is_masked(array):
            counted = ~np.ma.getmaskarray(array)
        array = array.data
    try:
        values = np.asarray(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise MicrographError(
            f"image is a {type(image).__name__} that makes no array of numbers "
            f"({str(error).splitlines()[0][:100] if str(error) else type(error).__name__})."
        ) from None
    if values.dtype.kind == "V" and values.dtype.names is None and values.dtype.itemsize <= 2:
        # Short floating numbers that NumPy does not know itself, such as bfloat16 of JAX.
        try:
            values = values.astype(np.float32)
        except (TypeError, ValueError):
            pass
    if not is_real(values):
        raise MicrographError(f"image holds {values.dtype} values; it must hold real numbers.")
    return Pixels(values, counted)


def real_array(image: Any) -> NDArray[Any]:
    """Array of an image in any form, NaN where a masked array hides a pixel.

    Parameters
    ----------
    image : array_like
        As for `pixels_of`.

    Returns
    -------
    ndarray

    Raises
    ------
    MicrographError
        If it does not hold real numbers.
    """
    return pixels_of(image).shown()


def is_real(array: NDArray[Any]) -> bool:
    """Whether an array holds truth values, whole or floating numbers."""
    return array.dtype.kind in "biuf"


def holds_grey_levels(array: NDArray[Any]) -> bool:
    """Whether numbers are grey levels of a picture rather than measured values such as radians.

    They are where they are stored as whole numbers, and where floating numbers can be seen to
    come from such: all whole, all means of two, three or four whole numbers, or all multiples of
    1/255 or 1/65535.

    Parameters
    ----------
    array : ndarray
        Real numbers; those that are not finite tell nothing.
    """
    if array.dtype.kind != "f":
        return True
    known = array[np.isfinite(array)].astype(np.float64)
    if not _quantised(known[:_GLANCE]) or not _quantised(known):
        return False
    return len(np.unique(known)) >= _FEWEST_LEVELS


def _quantised(known: NDArray[np.float64]) -> bool:
    """Whether all numbers are multiples of a step that grey levels have."""
    most = float(np.abs(known).max(initial=0.0))
    for steps in (_MEANS, *(_WHITES if most <= 1.0 else ())):
        room = _ROUNDED * most * steps
        levels = known * steps
        if room < 0.1 and bool((np.abs(levels - np.round(levels)) <= room + 1e-9).all()):
            return True
    return False


def _fetched(image: Any) -> Any:
    """Array in the memory of NumPy from whatever computes it, lies elsewhere or wraps it."""
    if isinstance(image, Micrograph):
        return image.image
    if hasattr(image, "get_mask") and hasattr(image, "get_data"):  # a masked tensor
        data, mask = _from_tensor(image.get_data()), _from_tensor(image.get_mask())
        return np.ma.MaskedArray(data, ~mask.astype(bool))
    if hasattr(image, "detach"):
        return _from_tensor(image)
    if not isinstance(image, np.ndarray) and callable(getattr(image, "compute", None)):
        image = image.compute()  # dask, and xarray over dask
    if hasattr(image, "dims") and hasattr(image, "values"):
        return image.values
    if hasattr(image, "__cuda_array_interface__") and callable(getattr(image, "get", None)):
        return image.get()
    if isinstance(image, list | tuple) and any(isinstance(r, np.ma.MaskedArray) for r in image):
        return np.ma.stack(image)
    return image


def _from_tensor(tensor: Any) -> NDArray[Any]:
    """NumPy array of a torch tensor; floating numbers that NumPy does not know become float32."""
    try:
        tensor = tensor.detach()
        if str(tensor.layout) != "torch.strided":
            tensor = tensor.to_dense()
        if tensor.is_quantized:
            tensor = tensor.dequantize()
        tensor = tensor.cpu().resolve_conj().resolve_neg()
        try:
            return np.asarray(tensor.numpy())
        except TypeError:
            return np.asarray(tensor.float().numpy())
    except (RuntimeError, TypeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise MicrographError(f"image is a tensor that holds no numbers ({reason}).") from None

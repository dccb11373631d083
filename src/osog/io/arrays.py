"""Images as arrays of real numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.errors import MicrographError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def real_array(image: Any) -> NDArray[Any]:
    """Array of an image in any form.

    Parameters
    ----------
    image : array_like
        A torch tensor is taken too, from any device and with a gradient.

    Returns
    -------
    ndarray

    Raises
    ------
    MicrographError
        If it does not hold real numbers.
    """
    detach = getattr(image, "detach", None)
    array = np.asarray(detach().cpu() if detach is not None else image)
    if not is_real(array):
        raise MicrographError(f"image holds {array.dtype}; it must hold real numbers.")
    return array


def is_real(array: NDArray[Any]) -> bool:
    """Whether an array holds truth values, whole or floating numbers."""
    return any(np.issubdtype(array.dtype, kind) for kind in (np.bool_, np.integer, np.floating))

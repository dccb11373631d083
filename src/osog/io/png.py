"""Pictures to look at: 8-bit PNG, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io import atomic
from osog.io.arrays import real_array
from osog.io.errors import MicrographError

if TYPE_CHECKING:
    import os


def write_png(
    path: str | os.PathLike[str],
    image: Any,
    low: float | None = None,
    high: float | None = None,
) -> Path:
    """Write one picture as 8-bit PNG, for a page or a slide; `write_image` keeps the numbers.

    Parameters
    ----------
    path : path
        Ends in ``.png``.
    image : array_like, shape (Y, X) or (Y, X, 3)
        A torch tensor is taken too.
    low, high : float, optional
        Values shown black and white. When left out they are 0 and 255 for an image within that
        range that holds whole numbers alone (counts of an 8-bit camera), else its own extremes.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MicrographError
        For another shape, numbers that are not finite, or a name without ``.png``.
    """
    from PIL import Image

    target = Path(path)
    if target.suffix.lower() != ".png":
        raise MicrographError(f"'{target.name}' must end with .png.")
    array = real_array(image).astype(np.float64)
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[-1] == 3)) or array.size == 0:
        raise MicrographError(f"image has shape {array.shape}; it must be (Y, X) or (Y, X, 3).")
    if not np.isfinite(array).all():
        raise MicrographError("image holds numbers that are not finite.")
    least, most = float(array.min()), float(array.max())
    counts = least >= 0 and 2 <= most <= 255 and bool((array == np.round(array)).all())
    black = low if low is not None else 0.0 if counts else least
    white = high if high is not None else 255.0 if counts else most
    scaled = (array - black) * (255 / (white - black if white > black else 1.0))
    pixels = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    with atomic.writing(target) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", optimize=True)
    return target

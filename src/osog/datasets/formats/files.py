"""What several formats write in the same way: pictures, numbers, label images."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.datasets.formats.base import WRITTEN

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from osog.datasets.labelled_frame import LabelledFrame
    from osog.datasets.objects import Objects

_DIGITS = 9


def png(picture: NDArray[np.uint8]) -> bytes:
    """8-bit PNG of a picture (Y, X) or (Y, X, 3)."""
    from PIL import Image

    out = io.BytesIO()
    # Noise hardly shrinks any further, and a higher level takes several times as long.
    Image.fromarray(picture).save(out, format="PNG", compress_level=3)
    return out.getvalue()


def put(path: Path, content: bytes | str) -> Path:
    """Write a file, in a folder that is made if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def numbers_of(objects: Objects, states: tuple[str, ...] = WRITTEN) -> list[int]:
    """Places of the objects in some states."""
    return [k for k, state in enumerate(objects.state) if state in states]


def label_image(frame: LabelledFrame, states: tuple[str, ...] = WRITTEN) -> NDArray[Any]:
    """Instances of objects in some states: their number from 1, as in the tables; others are 0.

    uint16, or uint32 where there are more than 65535 objects.
    """
    kind = np.uint16 if len(frame.objects) < 2**16 else np.uint32
    table = np.zeros(len(frame.objects) + 1, dtype=kind)
    numbers = np.array(numbers_of(frame.objects, states), dtype=np.int64) + 1
    table[numbers] = numbers
    return np.asarray(table[frame.instances])


def plain(value: Any) -> Any:
    """A number for JSON and tables: nine digits; None for what is not finite."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, np.integer, np.bool_)):
        return int(value)
    number = float(value)
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else None


def rows_of(objects: Objects, numbers: list[int]) -> list[dict[str, Any]]:
    """Rows of ``Objects.columns``, each with the number of its object from 1."""
    columns = objects.columns()
    return [
        {"object": k + 1, **{name: plain(column[k]) for name, column in columns.items()}}
        for k in numbers
    ]

"""Pictures and label images as files, with the same bytes for the same pixels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def png_bytes(picture: NDArray[np.generic]) -> bytes:
    """Encode a picture as PNG: grey or RGB of 8 bits, or grey of 16."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, format="PNG", compress_level=6)
    return out.getvalue()


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file of a shard, and the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def write_lines(path: Path, lines: list[str]) -> Path:
    """Write lines with Unix ends; no line gives an empty file."""
    return write_bytes(path, "".join(f"{line}\n" for line in lines).encode("utf-8"))


def label_image(instances: NDArray[np.int32]) -> NDArray[np.generic]:
    """Return instances in the smallest type that label readers take, uint16 or uint32."""
    most = int(instances.max(initial=0))
    return instances.astype(np.uint16 if most < 2**16 else np.uint32)


def written_instances(frame_instances: NDArray[np.int32], kept: list[int]) -> NDArray[np.int32]:
    """Number the written objects from 1, and let the others be background.

    Parameters
    ----------
    frame_instances : ndarray of int, shape (Y, X)
        k + 1 on object k.
    kept : list of int
        Numbers k of the objects that are written, in order.
    """
    table = np.zeros(int(frame_instances.max(initial=0)) + 1, dtype=np.int32)
    for number, k in enumerate(kept):
        if k + 1 < len(table):
            table[k + 1] = number + 1
    result: NDArray[np.int32] = table[frame_instances]
    return result

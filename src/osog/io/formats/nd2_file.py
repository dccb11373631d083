"""Nikon's ND2, through the optional package nd2."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from osog.io.errors import MicrographError
from osog.io.image_file import ImageFile
from osog.io.metadata.ome import of_ome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile]:
    """Open ``.nd2``."""
    try:
        import nd2
    except ImportError:
        raise MicrographError(
            f"{path.name}: reading ND2 files needs the package nd2; install napari-osog[nd2]."
        ) from None
    with nd2.ND2File(path) as file:
        array = np.asarray(file.asarray())
        stated = of_ome(file.ome_metadata())
        axes = "".join(file.sizes)
        yield ImageFile.of_array(
            array,
            axes,
            optics=stated.optics,
            channels=stated.channels,
            colours=3 if axes.endswith("S") else 0,
        )

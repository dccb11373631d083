"""DOTA: oriented boxes in pixels, with a word for the class and a mark for difficult ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from typing_extensions import override

from osog.datasets.formats import files
from osog.datasets.formats.base import Format, ShardWriter

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame


class Dota(Format):
    """``<split>/images`` and ``<split>/labelTxt``.

    A line is x y of four corners, clockwise as seen, in px from the corner of the first pixel, the
    class and 0 or 1 for difficult. Classes are single words here: blanks become ``_``. Corners are
    clipped to the frame, and no line stands above the boxes, as several readers want it.
    """

    name: ClassVar[str] = "dota"
    title: ClassVar[str] = "DOTA, oriented boxes"

    @override
    def begin(self, folder: Path, shard: int) -> ShardWriter:
        return _Writer(folder)


class _Writer(ShardWriter):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Path] = []

    @override
    def add(self, frame: LabelledFrame, split: str) -> None:
        objects = frame.objects
        corners = np.clip(objects.corners + 0.5, 0.0, frame.shape[::-1]) + 0.0
        lines = []
        for k in files.numbers_of(objects):
            if not np.ptp(corners[k], axis=0).all():
                continue  # outside the frame
            points = (f"{v:.3f}" for v in corners[k].ravel())
            word = "_".join(objects.class_names[objects.class_id[k]].split())
            lines.append(" ".join([*points, word, str(int(objects.state[k] == "difficult"))]))
        base = self._folder / split
        image = base / "images" / f"{frame.stem}.png"
        self._files.append(files.put(image, files.png(frame.picture)))
        text = "".join(line + "\n" for line in lines)
        self._files.append(files.put(base / "labelTxt" / f"{frame.stem}.txt", text))

    @override
    def close(self) -> list[Path]:
        return self._files

"""DOTA: corners in pixels, a category and a mark for difficult objects (Xia et al. 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from osog.datasets.formats.base import WRITTEN, Format, ShardWriter
from osog.datasets.formats.pictures import png_bytes, write_bytes, write_lines

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame


class _Writer(ShardWriter):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Path] = []

    def add(self, frame: LabelledFrame, split: str) -> None:
        # The format has no word for objects that count neither way: difficult is the nearest.
        objects = frame.objects.in_state(*WRITTEN, "ignored")
        lines = ["imagesource:osog", f"gsd:{frame.scene.grid.pixel_size_um:g}"]
        rows = zip(objects.corners + 0.5, objects.class_id, objects.state, strict=True)
        for corners, class_id, state in rows:
            numbers = " ".join(f"{v:.2f}" for v in corners.ravel())
            word = objects.class_names[int(class_id)].replace(" ", "-")
            lines.append(f"{numbers} {word} {int(state != 'counted')}")
        place = self.folder / split
        image = place / "images" / f"{frame.stem}.png"
        self.files.append(write_bytes(image, png_bytes(frame.picture)))
        self.files.append(write_lines(place / "labelTxt" / f"{frame.stem}.txt", lines))

    def close(self) -> list[Path]:
        return self.files


class Dota(Format):
    """Oriented boxes with a mark for difficult ones."""

    name: ClassVar[str] = "dota"
    title: ClassVar[str] = "DOTA, oriented boxes with difficult ones marked"

    def begin(self, folder: Path, shard: int) -> ShardWriter:
        """Begin a shard."""
        return _Writer(folder)

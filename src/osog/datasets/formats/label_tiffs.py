"""TIFF pairs: a picture, and an image whose values are the numbers of its objects.

One object for each pixel: where objects overlap, the upper one has it.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import tifffile

from osog.datasets.formats.base import WRITTEN, Format, ShardWriter
from osog.datasets.formats.pictures import label_image, written_instances

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame


class _Writer(ShardWriter):
    def __init__(self, folder: Path, kind: type[_Pairs]) -> None:
        self.folder, self.kind = folder, kind
        self.files: list[Path] = []

    def add(self, frame: LabelledFrame, split: str) -> None:
        kept = [k for k, state in enumerate(frame.objects.state) if state in WRITTEN]
        labels = label_image(written_instances(frame.instances, kept))
        image, masks = self.kind.places(self.folder, split, frame.stem)
        for path, array in ((image, frame.image), (masks, labels)):
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, np.asarray(array), frame)
            self.files.append(path)

    def close(self) -> list[Path]:
        return self.files


def _write(path: Path, array: np.ndarray[Any, Any], frame: LabelledFrame) -> None:
    """Write a TIFF with its pixel size; OME-XML where the name ends in .ome.tif."""
    pixel = frame.scene.grid.pixel_size_um
    per_cm = 1e4 / pixel
    colour = array.ndim == 3
    options: dict[str, Any] = {
        "photometric": "rgb" if colour else "minisblack",
        "resolution": (per_cm, per_cm),
        "resolutionunit": "CENTIMETER",
        "compression": "zlib",
        # No time and no program with its version: the same pixels give the same bytes.
        "software": "osog",
    }
    if path.name.endswith(".ome.tif"):
        # A random identity would make every run another file.
        own = uuid.uuid5(uuid.NAMESPACE_OID, f"{frame.seed}/{path.name}")
        metadata = {
            "axes": "YXS" if colour else "YX",
            "Name": frame.stem,
            "UUID": f"urn:uuid:{own}",
            "PhysicalSizeX": pixel, "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": pixel, "PhysicalSizeYUnit": "µm",
        }  # fmt: skip
        tifffile.imwrite(path, array, ome=True, metadata=metadata, **options)
    else:
        tifffile.imwrite(path, array, metadata=None, **options)


class _Pairs(Format):
    @classmethod
    def places(cls, folder: Path, split: str, stem: str) -> tuple[Path, Path]:
        """Files of the picture and of its labels."""
        raise NotImplementedError

    def begin(self, folder: Path, shard: int) -> ShardWriter:
        """Begin a shard."""
        return _Writer(folder, type(self))


class OmeTiff(_Pairs):
    """As Cellpose reads them: side by side."""

    name: ClassVar[str] = "ome-tiff"
    title: ClassVar[str] = "OME-TIFF with a label image beside it (Cellpose)"

    @classmethod
    def places(cls, folder: Path, split: str, stem: str) -> tuple[Path, Path]:
        """Picture and labels side by side."""
        return folder / split / f"{stem}.ome.tif", folder / split / f"{stem}_masks.tif"


class StarDist(_Pairs):
    """As StarDist reads them: two folders with the same names."""

    name: ClassVar[str] = "stardist"
    title: ClassVar[str] = "TIFF pictures and masks in two folders (StarDist)"

    @classmethod
    def places(cls, folder: Path, split: str, stem: str) -> tuple[Path, Path]:
        """Picture and labels in two folders."""
        place = folder / split
        return place / "images" / f"{stem}.tif", place / "masks" / f"{stem}.tif"

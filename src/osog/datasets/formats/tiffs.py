"""OME-TIFF with label images, laid out for Cellpose or for StarDist."""

from __future__ import annotations

import hashlib
import io
import uuid
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from osog.datasets.formats import files
from osog.datasets.formats.base import Format, ShardWriter

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame


class _Tiffs(Format):
    """Images with the counts they have, pixel size in OME-XML; instances in a second file.

    A pixel belongs to one instance, the uppermost: what others cover is lost. Instances have the
    numbers of the tables; ignored objects are background.
    """

    @override
    def begin(self, folder: Path, shard: int) -> ShardWriter:
        return _Writer(folder, self)

    @abstractmethod
    def places(self, stem: str) -> tuple[str, str]:
        """Names of image and label image, below the split's folder."""


class OmeTiff(_Tiffs):
    """``<split>/x.tif`` beside ``<split>/x_masks.tif``, as Cellpose pairs them.

    The image ends in ``.tif`` although it is OME-TIFF: beside ``x.ome.tif`` Cellpose would look for
    ``x.ome_masks.tif``.
    """

    name: ClassVar[str] = "ome-tiff"
    title: ClassVar[str] = "OME-TIFF with label images (Cellpose)"

    @override
    def places(self, stem: str) -> tuple[str, str]:
        return f"{stem}.tif", f"{stem}_masks.tif"


class StarDist(_Tiffs):
    """``<split>/images/x.tif`` and ``<split>/masks/x.tif``."""

    name: ClassVar[str] = "stardist"
    title: ClassVar[str] = "OME-TIFF and label images in two folders (StarDist)"

    @override
    def places(self, stem: str) -> tuple[str, str]:
        return f"images/{stem}.tif", f"masks/{stem}.tif"


class _Writer(ShardWriter):
    def __init__(self, folder: Path, style: _Tiffs) -> None:
        self._folder, self._style = folder, style
        self._files: list[Path] = []

    @override
    def add(self, frame: LabelledFrame, split: str) -> None:
        import tifffile

        image, labels = (self._folder / split / name for name in self._style.places(frame.stem))
        out = io.BytesIO()
        tifffile.imwrite(out, files.label_image(frame), compression="zlib", metadata=None)
        self._files.append(files.put(image, _ome_tiff(frame)))
        self._files.append(files.put(labels, out.getvalue()))

    @override
    def close(self) -> list[Path]:
        return self._files


def _ome_tiff(frame: LabelledFrame) -> bytes:
    import tifffile

    pixel = frame.pixel_size_um
    digest = hashlib.sha256(frame.image.tobytes()).hexdigest()
    metadata = {
        "axes": "YXS" if frame.image.ndim == 3 else "YX",
        "Name": frame.stem,
        "PhysicalSizeX": pixel, "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": pixel, "PhysicalSizeYUnit": "µm",
        # Of its content: the library would make one from the clock.
        "UUID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{frame.stem} {digest}")),
    }  # fmt: skip
    out = io.BytesIO()
    tifffile.imwrite(
        out, frame.image, ome=True, metadata=metadata,
        photometric="rgb" if frame.image.ndim == 3 else "minisblack",
        resolution=(1e4 / pixel, 1e4 / pixel), resolutionunit="CENTIMETER",
    )  # fmt: skip
    return out.getvalue()

"""OME-Zarr 0.5: a group for each image, with its labels inside.

Images are groups of their own, since the specification has no collection of unrelated images; the
names of the folders tell their split (https://ngff.openmicroscopy.org/0.5/).
"""

from __future__ import annotations

import colorsys
import json
import shutil
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from osog.datasets.formats.base import WRITTEN, Format, ShardWriter
from osog.datasets.formats.pictures import label_image, written_instances

if TYPE_CHECKING:
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame

_SPACE = {"type": "space", "unit": "micrometer"}


class _Writer(ShardWriter):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Path] = []

    def add(self, frame: LabelledFrame, split: str) -> None:
        place = self.folder / split / f"{frame.stem}.zarr"
        shutil.rmtree(place, ignore_errors=True)
        _write(place, frame)
        self.files += [path for path in sorted(place.rglob("*")) if path.is_file()]

    def close(self) -> list[Path]:
        return self.files


def _write(place: Path, frame: LabelledFrame) -> None:
    import zarr

    pixel = frame.scene.grid.pixel_size_um
    kept = [k for k, state in enumerate(frame.objects.state) if state in WRITTEN]
    labels = label_image(written_instances(frame.instances, kept))
    image = np.asarray(frame.image)
    colour = image.ndim == 3
    array = np.ascontiguousarray(np.moveaxis(image, -1, 0)) if colour else image
    axes = [{"name": "c", "type": "channel"}] if colour else []
    scale = [1.0] if colour else []
    space = [{"name": name, **_SPACE} for name in "yx"]
    group = zarr.create_group(place, zarr_format=3)
    names = [axis["name"] for axis in (*axes, *space)]
    group.create_array("0", data=array, chunks=array.shape, dimension_names=names)
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [_scales(frame.stem, [*axes, *space], [*scale, pixel, pixel])],
    }
    inner = group.create_group("labels")
    inner.attrs["ome"] = {"version": "0.5", "labels": ["objects"]}
    objects = inner.create_group("objects")
    objects.create_array("0", data=labels, chunks=labels.shape, dimension_names=["y", "x"])
    objects.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [_scales("objects", space, [pixel, pixel])],
        "image-label": {
            "colors": [{"label-value": k + 1, "rgba": _colour(k)} for k in range(len(kept))],
            "properties": _properties(frame, kept),
            "source": {"image": "../../"},
        },
    }


def _scales(name: str, axes: list[dict[str, str]], scale: list[float]) -> dict[str, Any]:
    step = {"type": "scale", "scale": scale}
    return {
        "name": name,
        "axes": axes,
        "datasets": [{"path": "0", "coordinateTransformations": [step]}],
    }


def _colour(number: int) -> list[int]:
    """Colours that neighbours in the list can be told apart by: golden steps of the hue."""
    hue = (number * 0.6180339887498949) % 1.0
    rgb = colorsys.hsv_to_rgb(hue, 0.65, 1.0)
    return [*(round(255 * v) for v in rgb), 255]


def _properties(frame: LabelledFrame, kept: list[int]) -> list[dict[str, Any]]:
    columns = frame.objects.taken(np.array(kept, dtype=np.int64)).columns()
    rows = []
    for k in range(len(kept)):
        row: dict[str, Any] = {"label-value": k + 1}
        for name, column in columns.items():
            value = column[k]
            if isinstance(value, str):
                row[name] = value
            elif value == value:
                row[name] = json.loads(f"{float(value):.8g}")
        rows.append(row)
    return rows


class OmeZarr(Format):
    """Images with labels and their properties."""

    name: ClassVar[str] = "ome-zarr"
    needs: ClassVar[str | None] = "zarr"
    title: ClassVar[str] = "OME-Zarr 0.5, a group for each image with its labels"

    def begin(self, folder: Path, shard: int) -> ShardWriter:
        """Begin a shard."""
        return _Writer(folder)

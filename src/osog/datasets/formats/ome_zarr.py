"""OME-Zarr 0.5: one image with its labels and their true numbers in each."""

from __future__ import annotations

import colorsys
import shutil
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from osog.datasets.formats import files
from osog.datasets.formats.base import SHOWN, Format, ShardWriter

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from osog.datasets.labelled_frame import LabelledFrame

_VERSION = "0.5"
_CHUNK = 1024
_GOLDEN = (5**0.5 - 1) / 2


class OmeZarr(Format):
    """``<split>/x.ome.zarr``, each an image with ``labels/instances``.

    One for each image, not a plate: images differ in their scenes and stand in no wells, viewers
    open one by itself, and processes that write different shards share no file. Images are small,
    so that there is one level of resolution; both image and labels have it. Every row of the
    table of objects is in ``image-label.properties``, ignored objects too, with their state.
    """

    name: ClassVar[str] = "ome-zarr"
    title: ClassVar[str] = "OME-Zarr 0.5 with labels"
    needs: ClassVar[str | None] = "zarr"
    module: ClassVar[str | None] = "zarr"

    @override
    def begin(self, folder: Path, shard: int) -> ShardWriter:
        return _Writer(folder)


class _Writer(ShardWriter):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Path] = []

    @override
    def add(self, frame: LabelledFrame, split: str) -> None:
        import zarr

        place = self._folder / split / f"{frame.stem}.ome.zarr"
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        colour = frame.image.ndim == 3
        pixels = np.moveaxis(frame.image, -1, 0) if colour else frame.image
        ome: dict[str, Any] = {"version": _VERSION, "multiscales": [_multiscale(frame, colour)]}
        if colour:
            ome["omero"] = _channels(frame)
        image = zarr.create_group(place, zarr_format=3, attributes={"ome": ome})
        _fill(image, pixels)
        labels = image.create_group(
            "labels", attributes={"ome": {"version": _VERSION, "labels": ["instances"]}}
        )
        rows = files.rows_of(frame.objects, files.numbers_of(frame.objects, SHOWN))
        properties = [{"label-value": row["object"], **row} for row in rows]
        label: dict[str, Any] = {"colors": _colours(rows), "source": {"image": "../../"}}
        if properties:  # the schema takes no empty list
            label["properties"] = properties
        described = {
            "version": _VERSION,
            "multiscales": [_multiscale(frame, False)],
            "image-label": label,
        }
        _fill(
            labels.create_group("instances", attributes={"ome": described}),
            files.label_image(frame, SHOWN),
        )
        self._files += sorted(path for path in place.rglob("*") if path.is_file())

    @override
    def close(self) -> list[Path]:
        return self._files


def _fill(group: Any, pixels: NDArray[Any]) -> None:
    from zarr.codecs import ZstdCodec

    names = ("c", "y", "x")[-pixels.ndim :]
    chunks = tuple(min(n, _CHUNK) for n in pixels.shape)
    array = group.create_array(
        "0", shape=pixels.shape, dtype=pixels.dtype, chunks=chunks, dimension_names=names,
        compressors=[ZstdCodec(level=3)],
        fill_value=0,
    )  # fmt: skip
    array[...] = pixels


def _multiscale(frame: LabelledFrame, colour: bool) -> dict[str, Any]:
    pixel = frame.pixel_size_um
    space = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    axes = [{"name": "c", "type": "channel"}, *space] if colour else space
    scale = [1.0] * colour + [pixel, pixel]
    transformations = [{"type": "scale", "scale": scale}]
    return {
        "name": frame.stem,
        "axes": axes,
        "datasets": [{"path": "0", "coordinateTransformations": transformations}],
    }


def _colours(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hues far apart for objects that follow each other; of an empty frame, the background's."""
    out: list[dict[str, Any]] = []
    if not rows:
        out.append({"label-value": 0, "rgba": [0, 0, 0, 0]})
    for row in rows:
        rgb = colorsys.hsv_to_rgb(row["object"] * _GOLDEN % 1.0, 0.8, 1.0)
        out.append({"label-value": row["object"], "rgba": [*(round(255 * v) for v in rgb), 255]})
    return out


def _channels(frame: LabelledFrame) -> dict[str, Any]:
    window = {"min": 0, "max": frame.white, "start": 0, "end": frame.white}
    colours = (("red", "FF0000"), ("green", "00FF00"), ("blue", "0000FF"))
    return {
        "channels": [
            {"label": name, "color": code, "active": True, "window": window}
            for name, code in colours
        ],
        "rdefs": {"model": "color"},
    }

"""Formats of datasets, one file each; `FORMATS` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.datasets.formats.coco import Coco, CocoPolygons
from osog.datasets.formats.dota import Dota
from osog.datasets.formats.ome_zarr import OmeZarr
from osog.datasets.formats.table import Parquet, Table
from osog.datasets.formats.tiffs import OmeTiff, StarDist
from osog.datasets.formats.webdataset import WebDataset
from osog.datasets.formats.yolo import YoloObb, YoloSeg

if TYPE_CHECKING:
    from osog.datasets.formats.base import Format

_ALL: tuple[type[Format], ...] = (
    YoloObb,
    YoloSeg,
    Coco,
    CocoPolygons,
    Dota,
    OmeTiff,
    StarDist,
    OmeZarr,
    WebDataset,
    Table,
    Parquet,
)

FORMATS: dict[str, Format] = {kind.name: kind() for kind in _ALL}
"""Every format by its name, in the order of a menu."""

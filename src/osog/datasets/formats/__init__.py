"""Formats of datasets, one file each; `FORMATS` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.datasets.formats.coco import Coco
from osog.datasets.formats.dota import Dota
from osog.datasets.formats.label_tiffs import OmeTiff, StarDist
from osog.datasets.formats.ome_zarr import OmeZarr
from osog.datasets.formats.table import Table
from osog.datasets.formats.webdataset import WebDataset
from osog.datasets.formats.yolo import YoloObb, YoloSeg

if TYPE_CHECKING:
    from osog.datasets.formats.base import Format

FORMATS: dict[str, Format] = {
    kind.name: kind
    for kind in (
        YoloObb(),
        YoloSeg(),
        Coco(),
        Dota(),
        OmeTiff(),
        StarDist(),
        OmeZarr(),
        WebDataset(),
        Table(),
    )
}
"""Every format by its name, in the order of a menu."""

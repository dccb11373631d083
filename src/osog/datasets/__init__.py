"""Labelled images by the thousand: files, shards and streams for training."""

from osog.cancellation import Cancelled
from osog.datasets.errors import DatasetError
from osog.datasets.exporting import Dataset, export, read_manifest
from osog.datasets.formats import FORMATS
from osog.datasets.frames import FrameSource
from osog.datasets.labelled_frame import LabelledFrame
from osog.datasets.objects import Mask, Objects
from osog.datasets.settings import LabelSettings, Rule
from osog.datasets.streaming import Stream, as_sample, collate, stream
from osog.datasets.tuning import tuned

__all__ = [
    "FORMATS",
    "Cancelled",
    "Dataset",
    "DatasetError",
    "FrameSource",
    "LabelSettings",
    "LabelledFrame",
    "Mask",
    "Objects",
    "Rule",
    "Stream",
    "as_sample",
    "collate",
    "export",
    "read_manifest",
    "stream",
    "tuned",
]

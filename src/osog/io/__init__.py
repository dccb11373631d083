"""Micrographs in, with the source of every optics number; results out."""

from osog.io.errors import MicrographError
from osog.io.formats import SUFFIXES
from osog.io.micrograph import Known, Micrograph, Optics
from osog.io.png import write_png
from osog.io.read import read_micrograph
from osog.io.resolve import optics_of
from osog.io.write import write_image

__all__ = [
    "SUFFIXES",
    "Known",
    "Micrograph",
    "MicrographError",
    "Optics",
    "optics_of",
    "read_micrograph",
    "write_image",
    "write_png",
]

"""Tables of objectives, condensers, lights and cameras, each row with its source.

>>> from osog import instruments
>>> instruments.objectives["Evident UPLXAPO60XO"].fields  # doctest: +SKIP
{'microscope.numerical_aperture': 1.42, ...}
"""

from osog.scene.instruments.cameras import CAMERAS as cameras
from osog.scene.instruments.condensers import CONDENSERS as condensers
from osog.scene.instruments.fill import (
    PIXEL_SIZE,
    PLACES,
    TABLES,
    filled,
    find,
    pixel_size_um,
    values_of,
)
from osog.scene.instruments.item import Instrument
from osog.scene.instruments.lights import LIGHTS as lights
from osog.scene.instruments.objectives import OBJECTIVES as objectives

__all__ = [
    "PIXEL_SIZE",
    "PLACES",
    "TABLES",
    "Instrument",
    "cameras",
    "condensers",
    "filled",
    "find",
    "lights",
    "objectives",
    "pixel_size_um",
    "values_of",
]

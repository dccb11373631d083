"""The table of materials: n(λ), birefringence and absorption, each row with its source.

>>> from osog import materials
>>> materials.index("calcite", 0.5893)  # doctest: +SKIP
1.6584...
>>> materials.find("water 37 °C").source  # doctest: +SKIP
'IAPWS R9-97; ...'
"""

from osog.scene.materials.registry import (
    MATERIALS,
    SERIES,
    absorption_per_um,
    birefringence,
    checked,
    find,
    index,
    known,
    names,
)
from osog.scene.materials.substance import Substance

__all__ = [
    "MATERIALS",
    "SERIES",
    "Substance",
    "absorption_per_um",
    "birefringence",
    "checked",
    "find",
    "index",
    "known",
    "names",
]

"""One instrument of the tables: what it sets in a scene, what else is known of it, its source."""

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["objective", "condenser", "light", "camera"]


@dataclass(frozen=True)
class Instrument:
    """A row of a table of instruments.

    Attributes
    ----------
    name : str
        As a scene file writes it.
    kind : {"objective", "condenser", "light", "camera"}
    fields : dict
        Dotted names of the scene and the values that they take.
    facts : dict
        What no field holds: magnification, working distance (mm), focal length of the tube lens
        (mm), pixel (µm), rows, columns.
    source : str
        Data sheet or catalogue of the maker, or reference.
    note : str
    """

    name: str
    kind: Kind
    fields: dict[str, Any]
    source: str
    facts: dict[str, float] = field(default_factory=dict)
    note: str = ""

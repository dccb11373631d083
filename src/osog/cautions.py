"""What a user should know about a picture, in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Caution:
    """A sentence for the user, and the change of the scene that would answer it.

    Attributes
    ----------
    text : str
        What is wrong, with the numbers.
    remedy : dict
        Dotted names and new values; empty when there is no simple one.
    remedy_text : str
        Words for a button.
    """

    text: str
    remedy: dict[str, Any] = field(default_factory=dict)
    remedy_text: str = ""

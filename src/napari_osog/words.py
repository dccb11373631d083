"""Sentences for the user: errors of a scene in the panel's words, and short notes by napari."""

from __future__ import annotations

import re

_FIELDS = {
    "numerical_aperture": "NA",
    "condenser_numerical_aperture": "condenser NA",
    "immersion_index": "the immersion's index",
    "length_um": "length",
    "radius_um": "radius",
    "bit_depth": "bit depth",
    "offset_counts": "offset",
}
"""Names of fields in sentences about a scene, and the words of the panel for them."""


def plain(message: str) -> str:
    """First sentence of an error, without the path of the field: the row says where it is."""
    first = message.splitlines()[0]
    head, _, tail = first.partition(": ")
    sentence = tail if tail and " " not in head else first
    for field, words in _FIELDS.items():
        sentence = re.sub(rf"\b{field}\b( =)?", words, sentence)
    return sentence[0].upper() + sentence[1:]


def told(text: str) -> None:
    """Tell of something that is done, in a note that goes by itself."""
    from napari.utils.notifications import show_info

    show_info(text)


def copied(text: str) -> None:
    """Put a text on the clipboard."""
    from qtpy.QtWidgets import QApplication

    clipboard = QApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)


__all__ = ["copied", "plain", "told"]

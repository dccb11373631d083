"""Lines of the Fit panel: a title, and what is chosen beside it."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from napari_osog.panels.inputs import ignore_wheel
from napari_osog.panels.row import LABEL_WIDTH


def combo_box(name: str, help: str) -> QComboBox:
    """Make a combo box that leaves the wheel to the panel."""
    made = QComboBox()
    made.setAccessibleName(name)
    made.setToolTip(help)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    made.setMinimumContentsLength(6)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    ignore_wheel(made)
    return made


def small_button(text: str, help: str) -> QToolButton:
    """Make a small button to stand behind a choice."""
    button = QToolButton()
    button.setObjectName("osog_small")
    button.setText(text)
    button.setToolTip(help)
    return button


def titled(title: str, *widgets: QWidget) -> QHBoxLayout:
    """Lay a title and widgets in one line, the first widget as wide as there is room."""
    line = QHBoxLayout()
    line.setSpacing(6)
    label = QLabel(title)
    label.setFixedWidth(LABEL_WIDTH)
    line.addWidget(label)
    for k, widget in enumerate(widgets):
        line.addWidget(widget, 0 if k else 1)
    return line


def refill(combo: QComboBox, first: list[str], layers: list[Any]) -> None:
    """List layers after fixed words; what was chosen stays chosen while it is there."""
    offset = len(first)
    chosen = combo.property("layer_ids") or []
    current = combo.currentIndex()
    before = chosen[current] if 0 <= current < len(chosen) else 0
    ids = [0] * offset + [id(layer) for layer in layers]
    with QSignalBlocker(combo):
        combo.clear()
        combo.addItems([*first, *(layer.name for layer in layers)])
        combo.setProperty("layer_ids", ids)
        combo.setCurrentIndex(ids.index(before) if before in ids else 0)


__all__ = ["combo_box", "refill", "small_button", "titled"]

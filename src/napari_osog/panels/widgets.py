"""Small parts that panels are made of: lines with a title, notes, buttons, lists of layers."""

from __future__ import annotations

import weakref
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_osog.panels.inputs import ignore_wheel
from napari_osog.panels.titles import Title

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

C = TypeVar("C", bound=QComboBox)
LABEL_WIDTH = 116


def holder(layout: QLayout) -> QWidget:
    """Wrap a layout, so that it can be hidden as one."""
    made = QWidget()
    made.setLayout(layout)
    return made


def side_by_side(*widgets: QWidget, indent: int = 0, spacing: int = 6, top: int = 0) -> QWidget:
    """Lay widgets in one line, each as wide as the others."""
    line = QHBoxLayout()
    line.setContentsMargins(indent, top, 0, 0)
    line.setSpacing(spacing)
    for widget in widgets:
        line.addWidget(widget, 1)
    return holder(line)


def titled(title: str, *widgets: QWidget, top: int = 0) -> QWidget:
    """Lay a title and widgets in one line, the first widget as wide as there is room."""
    return after(Title(title), *widgets, top=top)


def after(first: QWidget, *widgets: QWidget, top: int = 0) -> QWidget:
    """Lay widgets in one line behind a first one, the second as wide as there is room."""
    line = QHBoxLayout()
    line.setContentsMargins(0, top, 0, 0)
    line.setSpacing(6)
    line.addWidget(first)
    for k, widget in enumerate(widgets):
        line.addWidget(widget, 0 if k else 1)
    return holder(line)


def column(spacing: int = 5) -> tuple[QWidget, QVBoxLayout]:
    """Return a widget and its column without margins."""
    box = QVBoxLayout()
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(spacing)
    return holder(box), box


def combo_box(name: str, help: str = "", *, letters: int = 6) -> QComboBox:
    """Make a combo box that leaves the wheel to the panel; see `dressed`."""
    return dressed(QComboBox(), name, help, letters=letters)


def dressed(combo: C, name: str, help: str = "", *, letters: int = 6) -> C:
    """Let a combo box take the room that there is, and leave the wheel to the panel.

    Parameters
    ----------
    combo : QComboBox
    name, help : str
        For a screen reader, and as a tooltip.
    letters : int
        That there is always room for.
    """
    combo.setAccessibleName(name)
    combo.setToolTip(help)
    combo.setProperty("osog_help", help)
    held = weakref.ref(combo)

    def tell(_: str) -> None:
        box = held()
        if box is not None:
            tell_choice(box)

    combo.currentTextChanged.connect(tell)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    combo.setMinimumContentsLength(letters)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    ignore_wheel(combo)
    return combo


def tell_choice(combo: QComboBox) -> None:
    """Repeat in the tooltip of a combo box what it may have no room for."""
    text, help = combo.currentText(), combo.property("osog_help") or ""
    combo.setToolTip(f"<p><b>{escape(text)}</b></p><p>{help}</p>" if text else help)


def push_button(text: str, help: str, pressed: Any) -> QPushButton:
    """Make a button.

    Parameters
    ----------
    text, help : str
    pressed : callable or signal
        Qt holds bound methods weakly; a lambda that holds a panel would keep it for ever.
    """
    button = QPushButton(text)
    button.setToolTip(help)
    button.clicked.connect(pressed)
    return button


def small_button(text: str, help: str, *, style: str = "osog_small") -> QToolButton:
    """Make a small button to stand behind a choice, or in a row of its like."""
    button = QToolButton()
    button.setObjectName(style)
    button.setText(text)
    button.setToolTip(help)
    button.setAccessibleName(help)
    return button


def wide(button: QToolButton) -> QToolButton:
    """Let a small button take the room that there is."""
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button


def note(text: str = "", *, style: str = "osog_note", selectable: bool = False) -> QLabel:
    """Make a label of words beside the rows, which wrap."""
    label = QLabel(text)
    label.setObjectName(style)
    label.setWordWrap(True)
    if selectable:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def fault() -> QLabel:
    """Make a label for what is wrong."""
    return note(style="osog_fault")


def busy_sign(name: str) -> QProgressBar:
    """Make a line that moves while something is waited for, with words for a screen reader."""
    sign = QProgressBar()
    sign.setObjectName("osog_busy")
    sign.setRange(0, 0)
    sign.setTextVisible(False)
    sign.setAccessibleName(name)
    sign.setToolTip(name)
    return sign


def say(label: QLabel, words: str) -> None:
    """Show words in a label, or hide it with ""."""
    label.setText(words)
    label.setVisible(bool(words))


def notice(
    text: str,
    kind: str = "warning",
    *,
    remedy: Mapping[str, Any] | None = None,
    remedy_text: str = "",
    cure: Callable[[dict[str, Any]], None] | None = None,
) -> QFrame:
    """Make a framed notice, with a button where something can be done about it.

    Parameters
    ----------
    text : str
    kind : str
        "warning" or "error".
    remedy : mapping, optional
        What the button hands to `cure`.
    remedy_text : str
        Words of the button.
    cure : callable, optional
    """
    frame = QFrame()
    frame.setObjectName("osog_notice")
    frame.setProperty("kind", kind)
    box = QVBoxLayout(frame)
    box.setContentsMargins(8, 4, 6, 4)
    box.setSpacing(4)
    box.addWidget(note(text, style="", selectable=True))
    if remedy and cure is not None:
        change = dict(remedy)
        button = push_button(remedy_text or "Change it", "", lambda: cure(change))
        box.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
    return frame


def refill(combo: QComboBox, first: list[str], layers: list[Any], chosen: Any = None) -> None:
    """List layers after fixed words; what was chosen stays chosen while it is there.

    Parameters
    ----------
    combo : QComboBox
    first : list of str
        Words before the layers.
    layers : list of layers
    chosen : layer, optional
        To be chosen instead of what was.
    """
    known = combo.property("layer_ids") or []
    current = combo.currentIndex()
    before = known[current] if 0 <= current < len(known) else 0
    wanted = before if chosen is None else id(chosen)
    ids = [0] * len(first) + [id(layer) for layer in layers]
    with QSignalBlocker(combo):
        combo.clear()
        combo.addItems([*first, *(layer.name for layer in layers)])
        combo.setProperty("layer_ids", ids)
        combo.setCurrentIndex(ids.index(wanted) if wanted in ids else 0)
    tell_choice(combo)


__all__ = [
    "LABEL_WIDTH",
    "after",
    "busy_sign",
    "column",
    "combo_box",
    "dressed",
    "fault",
    "holder",
    "note",
    "notice",
    "push_button",
    "refill",
    "say",
    "side_by_side",
    "small_button",
    "tell_choice",
    "titled",
    "wide",
]

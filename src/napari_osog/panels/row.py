"""A row of a panel: a label, and something to edit beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from napari_osog.panels.titles import Title
from napari_osog.panels.widgets import combo_box, note, say
from napari_osog.words import copied

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Label(Title):
    """Title of a row; a double click restores the default."""

    reset = Signal()

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Restore the default."""
        self.reset.emit()


class Row(QWidget):
    """A label and something to edit; knows the dotted name of what it edits.

    Signals
    -------
    edited(name, value)
        The user changed the value; `value` is what belongs into the scene.
    pressed(), released()
        A drag begins or ends.
    freed(name, bool)
        "Free in fit" was ticked or unticked.
    drawn(name, law)
        The user chose what the number is drawn from; a number takes the law away.
    """

    edited = Signal(str, object)
    pressed = Signal()
    released = Signal()
    freed = Signal(str, bool)
    drawn = Signal(str, object)

    def __init__(self, name: str, title: str, help: str = "") -> None:
        super().__init__()
        self.name = name
        self.free = False
        self.label = _Label(title)
        self.label.reset.connect(self.reset)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(1)
        self._line = QHBoxLayout()
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(6)
        self._line.addWidget(self.label)
        self._box.addLayout(self._line)
        self._fault = QLabel()
        self._fault.setObjectName("osog_fault")
        self._fault.setWordWrap(True)
        self._fault.hide()
        self._box.addWidget(self._fault)
        self._source: QLabel | None = None
        self._set_help(help)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(
            lambda where: self.menu().exec(self.mapToGlobal(where))
        )

    def _set_help(self, help: str) -> None:
        self.help = help
        free = "<p>○ Free in the fit</p>" if self.free else ""
        self.label.setToolTip(f"<p>{help}</p><p><tt>{self.name}</tt> · F1: manual</p>{free}")

    def set_value(self, value: Any) -> None:
        """Show a value without telling anybody.

        Parameters
        ----------
        value : Any
            As it is in the scene.
        """
        raise NotImplementedError

    def reset(self) -> None:
        """Restore the default; rows without one ignore it."""

    def unfold(self, widget: QWidget) -> None:
        """Show something below the line of the row, above what is wrong with it."""
        self._box.insertWidget(self._box.count() - 1, widget)

    def set_fault(self, sentence: str) -> None:
        """Show a sentence under the row, or take it away with ""."""
        self._fault.setText(sentence)
        self._fault.setVisible(bool(sentence))

    def set_source(self, words: str) -> None:
        """Say below the row where its number comes from, or nothing with ""."""
        if words and self._source is None:
            self._source = note()
            self._box.insertWidget(1, self._source)
        if self._source is not None:
            say(self._source, words)

    @property
    def source(self) -> str:
        """Words on where the number comes from, or ""."""
        return "" if self._source is None else self._source.text()

    @property
    def fault(self) -> str:
        """Sentence under the row, or ""."""
        return self._fault.text() if not self._fault.isHidden() else ""

    def set_free(self, free: bool) -> None:
        """Mark the row as free in a fit."""
        self.free = free
        font = self.label.font()
        font.setItalic(free)
        self.label.setFont(font)
        title = self.label.text().removesuffix(" ○")
        self.label.setText(f"{title} ○" if free else title)
        self._set_help(self.help)

    def menu(self) -> QMenu:
        """Context menu of the row."""
        menu = QMenu(self)
        what = QAction("What is this? (F1)", menu)
        what.triggered.connect(self._ask)
        menu.addAction(what)
        copy = QAction("Copy name", menu)
        copy.triggered.connect(lambda: copied(self.name))
        menu.addAction(copy)
        return menu

    def _ask(self) -> None:
        """Let the panel open the page that explains the row."""
        parent: Any = self.parentWidget()
        while parent is not None and not hasattr(parent, "explain"):
            parent = parent.parentWidget()
        if parent is not None:
            parent.explain(self)


class ChoiceRow(Row):
    """A label and a combo box.

    Parameters
    ----------
    name, title, help : str
    choices : iterable of (value, words)
    """

    def __init__(
        self, name: str, title: str, choices: Iterable[tuple[Any, str]], help: str = ""
    ) -> None:
        super().__init__(name, title, help)
        given = list(choices)
        self.combo = combo_box(title, self.label.toolTip(), letters=8)
        self.choices = [value for value, _ in given]
        self.combo.addItems([words for _, words in given])
        self._line.addWidget(self.combo, 1)
        self.combo.currentIndexChanged.connect(
            lambda index: self.edited.emit(self.name, self.choices[index])
        )

    def set_value(self, value: Any) -> None:
        """Show a choice; one that is not in the list leaves the box empty."""
        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(self._index(value))
        self.set_fault("")

    def choose(self, value: Any) -> None:
        """Choose as a user does; a value that is not in the list is an error."""
        self.combo.setCurrentIndex(self.choices.index(value))

    def remove(self, value: Any) -> None:
        """Take a choice off the list."""
        index = self._index(value)
        if index >= 0:
            with QSignalBlocker(self.combo):
                self.combo.removeItem(index)
            del self.choices[index]

    def _index(self, value: Any) -> int:
        # Qt's own search compares tuples by identity.
        return self.choices.index(value) if value in self.choices else -1


class CheckRow(Row):
    """A label and a check box."""

    def __init__(self, name: str, title: str, help: str = "") -> None:
        super().__init__(name, title, help)
        self.box = QCheckBox()
        self.box.setAccessibleName(title)
        self.box.setToolTip(self.label.toolTip())
        self._line.addWidget(self.box, 1)
        self.box.toggled.connect(lambda on: self.edited.emit(self.name, on))

    def set_value(self, value: Any) -> None:
        """Tick or untick."""
        with QSignalBlocker(self.box):
            self.box.setChecked(bool(value))


__all__ = ["CheckRow", "ChoiceRow", "Row"]

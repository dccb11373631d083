"""Lines of a law's form: one for each of its parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QVBoxLayout, QWidget

from napari_osog.panels.field import Field
from napari_osog.panels.inputs import ignore_wheel, spin_for
from napari_osog.panels.numbers import number, parsed
from napari_osog.panels.titles import Title
from napari_osog.panels.widgets import (
    after,
    combo_box,
    fault,
    note,
    push_button,
    say,
    side_by_side,
    small_button,
)
from napari_osog.words import plain
from osog.scene.measured_values import MeasuredColumn, columns_in, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TITLE_LETTERS = 11.5


class LawLine(QWidget):
    """One parameter of a law.

    Signals
    -------
    changed()
        The user changed it.
    """

    changed = Signal()

    def __init__(self, title: str, *widgets: QWidget, help: str = "") -> None:
        super().__init__()
        self.title = title
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(2)
        if widgets:
            label = Title(title, TITLE_LETTERS)
            label.setToolTip(help)
            self._box.addWidget(after(label, *widgets))

    def value(self) -> Any:
        """What belongs into the law; None leaves the parameter out."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a parameter without telling anybody."""
        raise NotImplementedError


class NumberLine(LawLine):
    """One number, in the unit of the row or without one."""

    def __init__(self, title: str, field: Field, help: str = "") -> None:
        self.field = field
        self.spin = spin_for(field)
        self.spin.setAccessibleName(title)
        super().__init__(title, QWidget(), self.spin, help=help)
        ignore_wheel(self.spin)
        self.spin.valueChanged.connect(self.changed)

    def value(self) -> float:
        """Number in the unit of the scene."""
        return float(self.spin.value()) / self.field.factor

    def show_value(self, value: Any) -> None:
        """Show a number of the scene."""
        with QSignalBlocker(self.spin):
            self.spin.setValue(float(value) * self.field.factor)


class BetweenLine(LawLine):
    """Two bounds that may be left out."""

    def __init__(self, title: str, field: Field, help: str = "") -> None:
        self.field = field
        self.given = QCheckBox()
        self.given.setAccessibleName(f"{title}: bounds of its own")
        self.low, self.high = spin_for(field, letters=8), spin_for(field, letters=8)
        super().__init__(title, self.given, self.low, self.high, help=help)
        for spin, word in ((self.low, "from"), (self.high, "to")):
            spin.setAccessibleName(f"{title}: {word}")
            ignore_wheel(spin)
            spin.valueChanged.connect(self.changed)
        self.given.toggled.connect(self._on_given)
        self._range = (0.0, 1.0)

    def suggest(self, support: tuple[float, float]) -> None:
        """Bounds to begin with: where the law draws from."""
        self._range = support

    def _on_given(self, on: bool) -> None:
        if on:
            self._fill(self._range)
        self._show(on)
        self.changed.emit()

    def _show(self, on: bool) -> None:
        for spin in (self.low, self.high):
            spin.setVisible(on)

    def _fill(self, bounds: Sequence[float]) -> None:
        for spin, bound in zip((self.low, self.high), bounds, strict=True):
            with QSignalBlocker(spin):
                spin.setValue(float(bound) * self.field.factor)

    def value(self) -> tuple[float, float] | None:
        """Bounds in the unit of the scene, or None."""
        if not self.given.isChecked():
            return None
        factor = self.field.factor
        return float(self.low.value()) / factor, float(self.high.value()) / factor

    def show_value(self, value: Any) -> None:
        """Show bounds, or that there are none."""
        with QSignalBlocker(self.given):
            self.given.setChecked(value is not None)
        self._show(value is not None)
        if value is not None:
            self._fill(value)


class ListLine(LawLine):
    """Several numbers with semicolons between them; may be empty where the law allows it."""

    def __init__(
        self, title: str, field: Field, help: str = "", *, optional: bool, whole: bool = False
    ) -> None:
        self.field, self.optional, self.whole = field, optional, whole
        self.edit = QLineEdit()
        self.edit.setAccessibleName(title)
        self.edit.setPlaceholderText("equal" if optional else "1; 2; 5")
        unit = f" ({field.unit})" if field.unit else ""
        super().__init__(f"{title}{unit}", self.edit, help=help)
        self.problem = fault()
        self.problem.hide()
        self._box.addWidget(self.problem)
        self._kept: list[float] | None = None
        self.edit.editingFinished.connect(self._on_edited)

    def _on_edited(self) -> None:
        text = self.edit.text().strip()
        parts = text.replace(";", " ").replace(", ", " ").split()
        try:
            found = [parsed(part) / self.field.factor for part in parts]
        except ValueError:
            say(self.problem, f"'{text}' is no list of numbers such as 1; 2; 5.")
            return
        if not found and not self.optional:
            say(self.problem, f"{self.title} needs numbers such as 1; 2; 5.")
            return
        say(self.problem, "")
        if self.whole:
            found = [round(each) for each in found]
        if (found or None) != self._kept:
            self._kept = found or None
            self.changed.emit()

    def value(self) -> list[float] | None:
        """Numbers in the unit of the scene."""
        return self._kept

    def show_value(self, value: Any) -> None:
        """Show numbers."""
        self._kept = None if value is None else list(value)
        shown = "; ".join(number(each * self.field.factor) for each in self._kept or ())
        if not self.edit.hasFocus() or self.edit.text() == "":
            self.edit.setText(shown)
        say(self.problem, "")


class WordsLine(LawLine):
    """One of a few words."""

    def __init__(self, title: str, words: Sequence[str], help: str = "") -> None:
        self.words = list(words)
        self.combo = combo_box(title, help)
        self.combo.addItems([word.replace("_", " ").capitalize() for word in words])
        super().__init__(title, self.combo, help=help)
        self.combo.currentIndexChanged.connect(lambda _: self.changed.emit())

    def value(self) -> str:
        """The word."""
        return self.words[self.combo.currentIndex()]

    def show_value(self, value: Any) -> None:
        """Show a word."""
        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(self.words.index(value))


class NameLine(LawLine):
    """Name of another number: one of a list, or typed."""

    def __init__(self, title: str, names: Callable[[], list[str]], help: str = "") -> None:
        self.names = names
        self.combo = combo_box(title, help)
        self.combo.setEditable(True)
        super().__init__(title, self.combo, help=help)
        self.combo.activated.connect(lambda _: self.changed.emit())
        edit = self.combo.lineEdit()
        assert edit is not None
        edit.editingFinished.connect(self._on_typed)
        self._kept = ""

    def _on_typed(self) -> None:
        if self.value() != self._kept:
            self.changed.emit()

    def value(self) -> str:
        """The name."""
        return str(self.combo.currentText()).strip()

    def show_value(self, value: Any) -> None:
        """Show a name."""
        self._kept = str(value)
        with QSignalBlocker(self.combo):
            self.combo.clear()
            self.combo.addItems(self.names())
            self.combo.setCurrentText(self._kept)


class ValuesLine(LawLine):
    """Measured values: pasted, or from a file; of a table with several columns one is chosen."""

    def __init__(self, title: str, field: Field, help: str = "") -> None:
        super().__init__(title)
        self.field = field
        self.told = note()
        self.paste = push_button(
            "Paste measured sizes",
            "Numbers one below the other, or a table, as a spreadsheet or ImageJ copies it",
            self.paste_clipboard,
        )
        self.open = small_button("From a CSV file…", "Read a column of a table of measurements")
        self.open.clicked.connect(lambda: self.ask_file())
        self.column = combo_box("Column", "Column of the table that holds the sizes")
        self.problem = fault()
        for widget in (self.told, side_by_side(self.paste, self.open), self.column, self.problem):
            self._box.addWidget(widget)
        self.column.hide()
        self.problem.hide()
        self._columns: list[MeasuredColumn] = []
        self._values: list[float] = []
        self._source: dict[str, Any] = {}
        self.column.currentIndexChanged.connect(self._take_column)

    def paste_clipboard(self) -> None:
        """Take what lies on the clipboard."""
        from qtpy.QtWidgets import QApplication

        clipboard = QApplication.clipboard()
        self.take_text("" if clipboard is None else clipboard.text())

    def ask_file(self) -> None:
        """Ask for a table and take it."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Measured sizes", "", "Tables (*.csv *.tsv *.txt);;All files (*)"
        )
        if path:
            self.take_file(path)

    def take_file(self, path: str) -> None:
        """Take a column of a file; what is wrong with it is said below."""
        try:
            text = read_text(path)
        except ValueError as error:
            say(self.problem, plain(str(error)))
            return
        self.take_text(text, file=path.replace("\\", "/").rsplit("/", 1)[-1])

    def take_text(self, text: str, *, file: str | None = None) -> None:
        """Take numbers of a text; what is wrong with it is said below, and nothing changes."""
        try:
            columns = columns_in(text)
        except ValueError as error:
            say(self.problem, plain(str(error)))
            return
        say(self.problem, "")
        self._columns = columns
        self._source = {} if file is None else {"file": file}
        with QSignalBlocker(self.column):
            self.column.clear()
            self.column.addItems([column.head for column in columns])
            self.column.setVisible(len(columns) > 1)
            self.column.setCurrentIndex(self._likeliest())
        self._take_column(self.column.currentIndex())

    def _likeliest(self) -> int:
        """Column whose title has the words of the row; else the first that numbers no rows."""
        words = self.field.name.rpartition(".")[2].lower().split("_")
        for place, column in enumerate(self._columns):
            if any(word in column.head.lower() for word in words if len(word) > 3):
                return place
        return next((k for k, c in enumerate(self._columns) if not c.counts_rows), 0)

    def _take_column(self, place: int) -> None:
        column = self._columns[place]
        self._values = [value / self.field.factor for value in column.values]
        if "file" in self._source:
            self._source["column"] = column.head
        self._tell()
        self.changed.emit()

    def _tell(self) -> None:
        if not self._values:
            self.told.setText("No values yet: the number stays as it is until there are some.")
            return
        low, high = (number(f(self._values) * self.field.factor, 4) for f in (min, max))
        unit = f" {self.field.unit}" if self.field.unit else ""
        name = self._source.get("file")
        words = f"{len(self._values)} measured values, {low} to {high}{unit}"
        self.told.setText(f"{words}, from {name}" if name else words)

    def value(self) -> list[float] | None:
        """Values in the unit of the scene; None while there are none."""
        return self._values or None

    @property
    def source(self) -> dict[str, Any]:
        """File and column that they come from."""
        return dict(self._source)

    def show_value(self, value: Any) -> None:
        """Show values of a law."""
        values = [] if value is None else [float(each) for each in value]
        if values != self._values:
            self._values = values
            self._columns = []
            self.column.hide()
        self._tell()

    def show_source(self, file: Any, column: Any) -> None:
        """Remember where values of a law come from."""
        self._source = {k: v for k, v in (("file", file), ("column", column)) if v is not None}
        self._tell()


def bare(title: str, field: Field, **changes: Any) -> Field:
    """Field of a parameter that has no unit: a share, an exponent, a factor."""
    return Field(field.name, title, limits=(-1e9, 1e9), step=0.05, **changes)


def in_unit(title: str, field: Field) -> Field:
    """Field of a parameter that has the unit of the row."""
    return replace(field, title=title, empty="", integer=False)


__all__ = [
    "TITLE_LETTERS",
    "BetweenLine",
    "LawLine",
    "ListLine",
    "NameLine",
    "NumberLine",
    "ValuesLine",
    "WordsLine",
    "bare",
    "in_unit",
]

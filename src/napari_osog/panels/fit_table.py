"""The table of parameters: which are free, their values and ranges, where they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QFont
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QScrollArea, QSizePolicy, QTableView

from napari_osog.panels.numbers import parsed
from napari_osog.panels.titles import changes_letters, letters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_osog.panels.fit_lines import ParameterLine

FREE, NAME, VALUE, LOW, HIGH = range(5)
_HEADERS = ("Free", "Parameter", "Value", "From", "To")
_EACH = "particles[*]."
_FAR = 1e3


class ParameterModel(QAbstractTableModel):
    """The lines of the table as Qt sees them; tells of edits and changes nothing by itself."""

    freed = Signal(str, bool)
    edited = Signal(str, float)
    bounded = Signal(str, object)
    refused = Signal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.all: list[ParameterLine] = []
        self.lines: list[ParameterLine] = []
        self.everything = False
        self.locked = False
        self.colours = {"note": "#a8adb5", "text": "#f0f1f2", "foreground": "#414851"}

    # --- content -----------------------------------------------------------------------------

    def show(self, lines: Iterable[ParameterLine]) -> None:
        """Replace the lines."""
        new = list(lines)
        before = [line.name or line.title for line in self.lines]
        self.all = new
        shown = [line for line in new if self.everything or line.common or line.free]
        if [line.name or line.title for line in shown] == before:
            self.lines = shown
            last = self.index(max(len(shown) - 1, 0), HIGH)
            self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self.lines = shown
        self.endResetModel()

    def show_everything(self, on: bool) -> None:
        """List every parameter, or the common ones."""
        self.everything = on
        self.show(self.all)

    def entry(self, name: str) -> ParameterLine | None:
        """Line of this name, listed or not."""
        return next((line for line in self.all if line.name == name), None)

    # --- Qt ----------------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Count the lines."""
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Free, parameter, value, from, to."""
        return 0 if parent is not None and parent.isValid() else 5

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        """Title of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        return None

    def flags(self, index: QModelIndex) -> Any:
        """Headings are plain; numbers can be edited unless a fit runs."""
        line = self.lines[index.row()]
        flags = Qt.ItemFlag.ItemIsEnabled
        if not line.name or self.locked:
            return flags
        flags |= Qt.ItemFlag.ItemIsSelectable
        if index.column() == FREE:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        elif index.column() == VALUE and line.value is not None:
            flags |= Qt.ItemFlag.ItemIsEditable
        elif index.column() in (LOW, HIGH) and line.free and _is_bounded(line):
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """What a cell shows."""
        line, column = self.lines[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self._text(line, column)
        if role == Qt.ItemDataRole.CheckStateRole and column == FREE and line.name:
            return Qt.CheckState.Checked if line.free else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (VALUE, LOW, HIGH):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole and line.name:
            return self._help(line, column)
        if role == Qt.ItemDataRole.FontRole and not line.name:
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.BackgroundRole and not line.name:
            return QBrush(QColor(self.colours["foreground"]))
        if role == Qt.ItemDataRole.ForegroundRole:
            dim = column in (LOW, HIGH) and (line.bounds is None or not line.free)
            dim = dim or (column == VALUE and line.value is None)
            return QBrush(QColor(self.colours["note" if dim else "text"]))
        return None

    def _text(self, line: ParameterLine, column: int) -> str | None:
        if not line.name:
            return line.title if column == FREE else None
        if column == NAME:
            return line.words
        if column == VALUE:
            return "own" if line.value is None else line.shown(line.value)
        if column in (LOW, HIGH):
            if not line.free:
                return line.source if column == LOW else None
            low, high = line.bounds or line.default
            value = low if column == LOW else high
            if abs(value) >= _FAR:
                return "any"
            return line.shown(value, 5 if line.bounds is not None else 3)
        return None

    def _help(self, line: ParameterLine, column: int) -> str:
        text = f"<p>{line.help}</p>" if line.help else ""
        if line.unit and line.unit not in line.words:
            text += f"<p>In {line.unit}.</p>"
        if line.source:
            text += f"<p>Read from: {line.source}</p>"
        if column in (LOW, HIGH) and line.free:
            text += "<p>The fit keeps the value in this range; empty the cell for the default.</p>"
        return f"{text}<p><tt>{line.name}</tt></p>"

    def setData(self, index: QModelIndex, value: Any, role: int = 2) -> bool:
        """Tell of an edit."""
        line, column = self.lines[index.row()], index.column()
        if role == Qt.ItemDataRole.CheckStateRole and column == FREE:
            self.freed.emit(line.name, Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        if role != Qt.ItemDataRole.EditRole or str(value) == (self._text(line, column) or ""):
            return False
        text = str(value).strip()
        if column in (LOW, HIGH) and text in ("", "any"):
            self.bounded.emit(line.name, None)
            return True
        try:
            typed = parsed(text) / line.factor
        except ValueError:
            self.refused.emit(f"{line.title}: '{text}' is not a number.")
            return False
        if column == VALUE:
            self.edited.emit(line.name, typed)
            return True
        low, high = line.bounds or line.default
        low, high = (typed, high) if column == LOW else (low, typed)
        problem = self.problem(line, low, high)
        if problem:
            self.refused.emit(problem)
            return False
        self.bounded.emit(line.name, (low, high))
        return True

    @staticmethod
    def problem(line: ParameterLine, low: float, high: float) -> str:
        """Say what is wrong with a range; "" when nothing is."""
        unit = f" {line.unit}" if line.unit else ""
        if not low < high:
            return (
                f"{line.title}: the range from {line.shown(low)} to {line.shown(high)}{unit} is "
                "empty; the first must be the smaller."
            )
        if low < line.limits[0] or high > line.limits[1]:
            return (
                f"{line.title}: the range must lie within {line.shown(line.limits[0])} and "
                f"{line.shown(line.limits[1])}{unit}."
            )
        return ""


def _is_bounded(line: ParameterLine) -> bool:
    """Positions of many particles have no common range."""
    return line.name not in (f"{_EACH}x_um", f"{_EACH}y_um")


class ParameterTable(QTableView):
    """The table, as tall as its lines: the panel scrolls, not the table."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setObjectName("osog_table")
        self.lines = ParameterModel(self)
        self.setModel(self.lines)
        rows, header = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None and header is not None
        self.header = header
        rows.hide()
        rows.setMinimumSectionSize(18)
        rows.setDefaultSectionSize(22)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(30)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setTabKeyNavigation(False)  # arrows go through the cells, Tab on to what follows
        self._fit()
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setAccessibleName("Parameters of the fit")
        self.lines.modelReset.connect(self._arrange)
        self.lines.dataChanged.connect(self._arrange)

    def _fit(self) -> None:
        """Give columns and lines the room that their letters need."""
        for column, width in ((FREE, 4.5), (VALUE, 7), (LOW, 6.5), (HIGH, 6.5)):
            self.setColumnWidth(column, letters(self, width))
        rows = self.verticalHeader()
        assert rows is not None
        rows.setDefaultSectionSize(max(self.fontMetrics().height() + 7, 22))
        self.updateGeometry()

    def changeEvent(self, event: Any) -> None:
        """Follow the size of letters."""
        super().changeEvent(event)
        if changes_letters(event) and hasattr(self, "header"):
            self._fit()

    def scrollTo(self, index: QModelIndex, hint: Any = None) -> None:
        """Let the panel scroll to a cell that the arrows have come to: the table never does."""
        area = self.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        port = self.viewport()
        if area is not None and port is not None and self.hasFocus():
            place = port.mapTo(area.widget(), self.visualRect(index).center())
            area.ensureVisible(place.x(), place.y(), 0, 40)

    @property
    def name(self) -> str:
        """Dotted name of the line that the arrows have come to; "" on a heading."""
        row = self.currentIndex().row()
        return self.lines.lines[row].name if 0 <= row < len(self.lines.lines) else ""

    def _arrange(self) -> None:
        """Let headings, and sources of known numbers, run over several columns."""
        self.clearSpans()
        for row, line in enumerate(self.lines.lines):
            if not line.name:
                self.setSpan(row, FREE, 1, 5)
            elif not line.free and line.source:
                self.setSpan(row, LOW, 1, 2)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """All lines."""
        height = self.header.sizeHint().height() + 4
        height += sum(self.rowHeight(row) for row in range(self.lines.rowCount()))
        return QSize(300, height)

    def minimumSizeHint(self) -> QSize:
        """All lines."""
        return QSize(240, self.sizeHint().height())

    def wheelEvent(self, event: Any) -> None:
        """Let the wheel scroll the panel."""
        event.ignore()

    def set_colours(self, colours: dict[str, str]) -> None:
        """Take the colours of a theme, by their names there."""
        self.lines.colours = colours
        self._redraw()

    def _redraw(self) -> None:
        viewport = self.viewport()
        if viewport is not None:
            viewport.update()

    def lock(self, locked: bool) -> None:
        """Refuse edits while a fit runs."""
        self.lines.locked = locked
        self._redraw()


__all__ = ["FREE", "HIGH", "LOW", "NAME", "VALUE", "ParameterModel", "ParameterTable"]

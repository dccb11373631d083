"""A part of a panel that folds, and groups of rows that follow what they edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.panels.row import Row


class Section(QWidget):
    """A title that folds and unfolds what is below it.

    Parameters
    ----------
    title : str
    open : bool
    """

    def __init__(self, title: str, *, open: bool = True, minor: bool = False) -> None:
        super().__init__()
        self.button = QToolButton()
        self.button.setObjectName("osog_minor" if minor else "osog_section")
        self.button.setText(title)
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.content = QWidget()
        self.body = QVBoxLayout(self.content)
        self.body.setContentsMargins(4, 2, 0, 6)
        self.body.setSpacing(4)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(self.button)
        box.addWidget(self.content)
        self.button.toggled.connect(self._fold)
        self.button.setChecked(open)
        self._fold(open)

    def _fold(self, open: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if open else Qt.ArrowType.RightArrow)
        self.content.setVisible(open)

    def add(self, widget: QWidget) -> QWidget:
        """Append a widget."""
        self.body.addWidget(widget)
        return widget


class RowGroup(QWidget):
    """Rows that are rebuilt when the structure of what they edit changes.

    Parameters
    ----------
    build : callable
        Returns the rows; called again whenever `key` changes.
    """

    def __init__(self, on_row: Callable[[Row], None]) -> None:
        super().__init__()
        self._on_row = on_row
        self._key: Any = object()
        self.rows: dict[str, Row] = {}
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(4)

    def sync(self, key: Any, build: Callable[[], list[Row]], values: Callable[[str], Any]) -> None:
        """Show values; make the rows again first if the structure changed.

        Parameters
        ----------
        key : Any
            Equal as long as the same rows do.
        build : callable
            Makes the rows.
        values : callable
            Dotted name → value.
        """
        if key != self._key:
            self._key = key
            for row in self.rows.values():
                self._box.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = {}
            for row in build():
                self.rows[row.name] = row
                self._box.addWidget(row)
                self._on_row(row)
        for name, row in self.rows.items():
            row.set_value(values(name))  # type: ignore[attr-defined]


__all__ = ["RowGroup", "Section"]

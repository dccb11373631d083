"""A part of a panel that folds, and groups of rows that follow what they edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_osog.panels.keyboard import return_to, spot

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.panels.row import Row

_UNLIMITED = 16_777_215
"""Largest height that Qt knows."""


class Section(QCollapsible):
    """A title that folds and unfolds what is below it, at once and to any height.

    Parameters
    ----------
    title : str
    open : bool
    minor : bool
        Whether it is a part of another section.
    """

    def __init__(self, title: str, *, open: bool = True, minor: bool = False) -> None:
        super().__init__("", expandedIcon=QIcon(), collapsedIcon=QIcon())
        self.setDuration(0)
        self._title = title
        button = self.toggleButton()
        button.setStyleSheet("")  # that of the panel holds
        button.setObjectName("osog_minor" if minor else "osog_section")
        outer, body = self.layout(), self.content().layout()
        assert isinstance(outer, QVBoxLayout) and isinstance(body, QVBoxLayout)
        self.body: QVBoxLayout = body
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        self.body.setContentsMargins(4, 2, 0, 6)
        self.body.setSpacing(4)
        self.toggled.connect(self._follow)
        if open:
            self.expand(animate=False)
        else:
            self.collapse(animate=False)

    @property
    def title(self) -> str:
        """Words of the title."""
        return self._title

    @title.setter
    def title(self, title: str) -> None:
        self._title = title
        self._follow(self.isExpanded())

    def _follow(self, open: bool) -> None:
        self.setText(f"{'▾' if open else '▸'}  {self._title}")
        self.toggleButton().setAccessibleName(self._title)
        # Rows come and go while it is open: the layout alone decides on its height.
        self.content().setMaximumHeight(_UNLIMITED if open else 0)
        if open:
            for group in self.findChildren(RowGroup):
                group.unfold()
        self.content().setVisible(open)

    def add(self, widget: QWidget) -> QWidget:
        """Append a widget."""
        self.body.addWidget(widget)
        return widget


class RowGroup(QWidget):
    """Rows that are rebuilt when the structure of what they edit changes.

    Those in a folded section are made when it is unfolded or they are asked for: most rows of a
    scene are never looked at.

    Parameters
    ----------
    on_row : callable
        Called with each row that is made, to connect it.

    Signals
    -------
    followed(RowGroup)
        The rows have been made, or show other values.
    """

    followed = Signal(object)

    def __init__(self, on_row: Callable[[Row], None]) -> None:
        super().__init__()
        self._on_row = on_row
        self._key: Any = object()
        self._wanted: tuple[Any, Callable[[], list[Row]], Callable[[str], Any]] | None = None
        self.made: dict[str, Row] = {}
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(4)

    @property
    def rows(self) -> dict[str, Row]:
        """Rows by dotted name; they are made here, where nobody has seen them yet."""
        self._follow()
        return self.made

    @property
    def waits(self) -> bool:
        """Whether the rows are yet to be made, since nobody has seen them."""
        return self._wanted is not None

    def unfold(self) -> None:
        """Make the rows, unless another section around them is folded."""
        if self.made or not self._is_folded():
            self._follow()

    def _is_folded(self) -> bool:
        around = self.parentWidget()
        while around is not None:
            if isinstance(around, Section) and not around.isExpanded():
                return True
            around = around.parentWidget()
        return False

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
        self._wanted = key, build, values
        self.unfold()

    def _follow(self) -> None:
        if self._wanted is None:
            return
        (key, build, values), self._wanted = self._wanted, None
        if key != self._key:
            self._key = key
            name, focus = self._focused()
            for row in self.made.values():
                self._box.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.made = {}
            for row in build():
                self.made[row.name] = row
                self._box.addWidget(row)
                self._on_row(row)
            if focus is not None and name in self.made:
                return_to(self.made[name], focus)
        for name, row in self.made.items():
            row.set_value(values(name))
        self.followed.emit(self)

    def _focused(self) -> tuple[str, Any]:
        """Row in which the keys are, and where in it: who chooses with them goes on from there."""
        for name, row in self.made.items():
            found = spot(row)
            if found is not None:
                return name, found
        return "", None


def row_part(
    title: str, on_row: Callable[[Row], None], *, open: bool = False
) -> tuple[Section, RowGroup]:
    """Make a minor section that holds one group of rows."""
    part, group = Section(title, open=open, minor=True), RowGroup(on_row)
    part.add(group)
    return part, group


__all__ = ["RowGroup", "Section", "row_part"]

"""The numbers that a calibration may move: each with a tick and its range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_osog.panels.numbers import number, parsed
from napari_osog.panels.section import Section
from napari_osog.panels.widgets import after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.calibration import Suggestion


class RangeLine(QWidget):
    """One number: ticked it is moved, between two ends that can be typed.

    Parameters
    ----------
    entry : Suggestion
    """

    def __init__(self, entry: Suggestion) -> None:
        super().__init__()
        self.entry = entry
        self.tick = QCheckBox(entry.title)
        self.tick.setToolTip(f"Let it be found; now it is {number(entry.value, 4)}. {entry.name}")
        self.low, self.high = QLineEdit(number(entry.low, 3)), QLineEdit(number(entry.high, 3))
        self.low.setAccessibleName(f"{entry.title}, from")
        self.high.setAccessibleName(f"{entry.title}, to")
        self.ends = after(QLabel("from"), self.low, QLabel("to"), self.high)
        row = self.ends.layout()
        assert isinstance(row, QHBoxLayout)
        row.setContentsMargins(20, 0, 0, 0)
        row.setStretch(3, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(1)
        box.addWidget(self.tick)
        box.addWidget(self.ends)
        self.tick.toggled.connect(self.ends.setVisible)
        self.tick.setChecked(entry.chosen)
        self.ends.setVisible(entry.chosen)

    def range(self) -> tuple[float, float]:
        """Typed range.

        Raises
        ------
        ValueError
            With one sentence, if the ends are no numbers or in the wrong order.
        """
        try:
            low, high = parsed(self.low.text()), parsed(self.high.text())
        except ValueError:
            words = f"'{self.low.text()}' to '{self.high.text()}' are not two numbers"
            raise ValueError(f"{self.entry.title}: {words}.") from None
        if not low < high:
            raise ValueError(
                f"{self.entry.title}: the range from {number(low)} to {number(high)} is empty."
            )
        return low, high


class RangeLines(QWidget):
    """All numbers: those to begin with, and the others folded away."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[RangeLine] = []
        self.others = Section("More numbers", open=False, minor=True)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(4)
        self._box.addWidget(self.others)

    def show_entries(self, entries: Sequence[Suggestion]) -> None:
        """List numbers anew; what was ticked or typed of the same names stays."""
        before = {line.entry.name: line for line in self.lines}
        kept = {
            name: (line.tick.isChecked(), line.low.text(), line.high.text())
            for name, line in before.items()
            if line.tick.isChecked() != line.entry.chosen
            or line.low.text() != number(line.entry.low, 3)
            or line.high.text() != number(line.entry.high, 3)
        }
        for line in self.lines:
            line.hide()
            line.setParent(None)
            line.deleteLater()
        self.lines = []
        for entry in entries:
            line = RangeLine(entry)
            if entry.name in kept:
                ticked, low, high = kept[entry.name]
                line.tick.setChecked(ticked)
                line.low.setText(low)
                line.high.setText(high)
            self.lines.append(line)
            if entry.chosen:
                self._box.insertWidget(self._box.count() - 1, line)
            else:
                self.others.add(line)
        self.others.setVisible(any(not line.entry.chosen for line in self.lines))

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Ranges of the ticked numbers by name.

        Raises
        ------
        ValueError
            With one sentence, if none is ticked or a range is none.
        """
        found = {line.entry.name: line.range() for line in self.lines if line.tick.isChecked()}
        if not found:
            raise ValueError("Nothing is free: tick at least one number.")
        return found

    def title(self, name: str) -> str:
        """Words for a name."""
        return next((line.entry.title for line in self.lines if line.entry.name == name), name)


__all__ = ["RangeLine", "RangeLines"]

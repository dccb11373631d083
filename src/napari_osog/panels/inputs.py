"""Sliders and spin boxes: how wheel and keys move them, and how many digits they show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QDoubleSpinBox, QWidget
from superqt import QDoubleSlider

from napari_osog.panels.titles import changes_letters, letters

if TYPE_CHECKING:
    from napari_osog.panels.field import Field

SPIN_LETTERS = 9.0
"""Width of the boxes of a panel's rows, in digits."""
_AROUND = 8
"""Pixels around the digits of a box."""


class _NoWheel(QObject):
    """The wheel scrolls the panel; it never changes a value."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Pass wheel events to the parent."""
        if event is not None and event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def ignore_wheel(widget: QWidget) -> None:
    """Let the wheel over this widget scroll the panel."""
    widget.installEventFilter(_NoWheel(widget))
    if widget.focusPolicy() == Qt.FocusPolicy.WheelFocus:
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def _key_factor() -> float:
    """Shift steps ten times as far, Ctrl a tenth."""
    keys = QApplication.keyboardModifiers()
    if keys & Qt.KeyboardModifier.ShiftModifier:
        return 10.0
    return 0.1 if keys & Qt.KeyboardModifier.ControlModifier else 1.0


class Slider(QDoubleSlider):
    """A slider whose arrow keys step by the field's step, with Shift and Ctrl."""

    stepped = Signal(float)

    def __init__(self, orientation: Qt.Orientation = Qt.Orientation.Horizontal) -> None:
        super().__init__(orientation)  # type: ignore[no-untyped-call]

    def keyPressEvent(self, event: Any) -> None:
        """Step with the arrow keys."""
        key = event.key()
        if key in (Qt.Key.Key_Right, Qt.Key.Key_Up):
            self.stepped.emit(_key_factor())
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Down):
            self.stepped.emit(-_key_factor())
        else:
            super().keyPressEvent(event)


class SpinBox(QDoubleSpinBox):
    """A spin box that shows no more digits than needed, with Shift and Ctrl for its steps.

    Attributes
    ----------
    digits : int
        Digits after the point that are shown at most.
    least : int
        Digits that are shown even when they are zeros.
    significant : int
        Digits that are shown at most, before and after the point.
    words : str
        Shown instead of the number while not empty.
    letters : float
        Width in digits; 0 takes the room that there is.

    Signals
    -------
    refused(str)
        What was typed is no number within the range of the box, and the old one stays.
    """

    refused = Signal(str)
    digits = 2
    least = 2
    significant = 5
    words = ""
    letters = 0.0

    def fit(self) -> None:
        """Be as wide as so many digits of its font."""
        if self.letters:
            self.setFixedWidth(letters(self, self.letters) + _AROUND)
        else:
            self.setMinimumWidth(letters(self, 6) + _AROUND)

    def changeEvent(self, event: Any) -> None:
        """Follow the size of letters."""
        super().changeEvent(event)
        if changes_letters(event):
            self.fit()

    def stepBy(self, steps: int) -> None:
        """Step by the single step, times 10 or 0.1 with Shift or Ctrl."""
        keys = QApplication.keyboardModifiers()
        if keys & Qt.KeyboardModifier.ControlModifier:
            steps = int(math.copysign(max(abs(steps) // 10, 1), steps))  # Qt has made it 10 ×
            self.setValue(self.value() + 0.1 * steps * self.singleStep())
        elif keys & Qt.KeyboardModifier.ShiftModifier:
            steps = int(math.copysign(max(abs(steps), 1), steps))
            self.setValue(self.value() + 10 * steps * self.singleStep())
        else:
            super().stepBy(steps)

    def textFromValue(self, value: float) -> str:
        """Round, and drop zeros at the end beyond the second digit."""
        if self.words:
            return self.words
        before = len(str(int(abs(value))))
        least = self.least if before < self.significant else 0
        digits_shown = min(self.digits, self.decimals(), max(self.significant - before, least))
        text = f"{value:.{digits_shown}f}"
        if "." in text:
            whole, _, digits = text.partition(".")
            digits = digits.rstrip("0").ljust(min(digits_shown, self.least), "0")
            text = f"{whole}.{digits}" if digits else whole
        return text

    def valueFromText(self, text: str | None) -> float:
        """Read a number with a decimal point or comma, with or without its unit."""
        return float(self._bare(text))

    def _bare(self, text: str | None) -> str:
        bare = (text or "").removeprefix(self.prefix()).removesuffix(self.suffix())
        return bare.strip().replace(",", ".").replace("−", "-")

    def validate(self, text: str | None, position: int) -> Any:
        """Accept whatever is on the way to a number."""
        bare = self._bare(text)
        if not all(c in "+-.eE0123456789" for c in bare):  # also nan, inf and 1_000
            return QValidator.State.Invalid, text, position
        try:
            inside = self.minimum() <= float(bare) <= self.maximum()
        except ValueError:
            inside = False
        state = QValidator.State.Acceptable if inside else QValidator.State.Intermediate
        return state, text, position

    def fixup(self, text: str | None) -> str:
        """Tell of a text that is no number; Qt then puts the old number back."""
        bare = self._bare(text)
        if bare and not self.words:
            self.refused.emit(bare)
        return text or ""


def spin_for(field: Field, *, letters: float = SPIN_LETTERS) -> SpinBox:
    """Make the spin box of a field: its unit, its digits and its step.

    Parameters
    ----------
    field : Field
    letters : float
        Width in digits; 0 takes the room that there is.
    """
    spin = SpinBox()
    # Values beyond the limits can be typed, and are answered in words instead of being swallowed.
    spin.setRange(-1e9, 1e9)
    # What is typed is kept; what is shown is rounded to what matters.
    spin.setDecimals(0 if field.integer else 7)
    spin.least = min(field.decimals, 2)
    spin.significant = 4 if field.log else 5
    spin.digits = 0 if field.integer else min(field.decimals + 2, 5)
    spin.setSingleStep(max(field.step, 10.0**-field.decimals))
    if field.log:
        spin.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    if field.unit and len(field.unit) <= 4:  # longer ones stand in the label
        spin.setSuffix(f" {field.unit}")
    spin.setKeyboardTracking(False)
    spin.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    spin.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    spin.letters = letters
    spin.fit()
    return spin


__all__ = ["SPIN_LETTERS", "Slider", "SpinBox", "ignore_wheel", "spin_for"]

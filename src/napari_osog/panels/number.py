"""Rows of numbers: one number with its slider, and a range of two."""

from __future__ import annotations

import math
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QCheckBox, QInputDialog, QMenu, QSizePolicy

from napari_osog.panels.field import Field, centre
from napari_osog.panels.inputs import Slider, ignore_wheel, spin_for
from napari_osog.panels.law_editor import LawPart
from napari_osog.panels.numbers import parsed_range
from napari_osog.panels.row import Row
from napari_osog.panels.titles import Title
from osog.scene import Distribution

_TICKS = 1000.0


class NumberRow(Row):
    """Label, slider, spin box with a unit, and optionally a distribution around the number.

    Parameters
    ----------
    field : Field
    law : {"", "image", "particle"}
        What draws the number anew where it has a law; "" where it can have none.
    fittable : bool
        Whether "Free in fit" is offered.
    """

    def __init__(self, field: Field, *, law: str = "", fittable: bool = True) -> None:
        long = len(field.unit) > 4
        super().__init__(
            field.name, f"{field.title} ({field.unit})" if long else field.title, field.help
        )
        self.field = field
        self.fittable = fittable
        self.value: Any = field.default / field.factor
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setMinimumWidth(44)
        self.slider.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.slider.setToolTip(self.label.toolTip())
        self.slider.setAccessibleName(field.title)
        self.spin = spin_for(field)
        self.spin.setAccessibleName(field.title)
        self.spin.setToolTip(self.label.toolTip())
        self._line.addWidget(self.slider, 1)
        self._line.addWidget(self.spin)
        for widget in (self.slider, self.spin):
            ignore_wheel(widget)
        self._range = field.slider
        self._set_slider_range()
        with QSignalBlocker(self.spin):
            self.spin.setValue(field.default)
        self.part: LawPart | None = None
        if law:
            self.part = part = LawPart(self, field, native=law == "particle")
            self._line.addWidget(part.button)
            self.unfold(part.words)
        self.given: QCheckBox | None = None
        if field.empty:
            self.given = QCheckBox()
            self.given.setAccessibleName(f"{field.title}: a number of its own")
            self.given.setToolTip(self.label.toolTip())
            self._line.insertWidget(1, self.given)
            self.given.toggled.connect(self._on_given)
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderPressed.connect(self.pressed)
        self.slider.sliderReleased.connect(self.released)
        self.slider.stepped.connect(
            lambda steps: self.spin.setValue(self.spin.value() + steps * self.spin.singleStep())
        )
        self.spin.valueChanged.connect(self._on_spin)
        self.spin.refused.connect(self._on_refused)

    # --- slider scale ---

    def _set_slider_range(self) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setRange(0.0, _TICKS)
            self.slider.setSingleStep(1.0)
            self.slider.setPageStep(_TICKS / 10)

    def _tick(self, shown: float) -> float:
        low, high = self._range
        if self.field.log:
            share = math.log(max(shown, 1e-12) / low) / math.log(high / low)
        else:
            share = (shown - low) / (high - low)
        return min(max(share, 0.0), 1.0) * _TICKS

    def _from_tick(self, tick: float) -> float:
        low, high = self._range
        share = tick / _TICKS
        value = low * (high / low) ** share if self.field.log else low + share * (high - low)
        return round(value, self.field.decimals)

    # --- value ---

    @property
    def shown(self) -> float:
        """Number in the spin box."""
        return float(self.spin.value())

    def set_value(self, value: Any) -> None:
        """Show a number or a distribution without telling anybody."""
        if self.given is not None:
            with QSignalBlocker(self.given):
                self.given.setChecked(value is not None)
            self._show_given(value is not None)
        if value is None:
            return
        self.value = value
        shown = centre(value) * self.field.factor
        with QSignalBlocker(self.slider), QSignalBlocker(self.spin):
            self.spin.setValue(shown)
            self.slider.setValue(self._tick(shown))
        self.set_fault("")

    def _show_given(self, given: bool) -> None:
        self.slider.setEnabled(given)
        self.spin.setEnabled(given)
        words = "" if given else self.field.empty
        if words != self.spin.words:
            suffix = f" {self.field.unit}" if given and 0 < len(self.field.unit) <= 4 else ""
            with QSignalBlocker(self.spin):
                self.spin.words = words
                self.spin.setSuffix(suffix)

    def _on_given(self, given: bool) -> None:
        self._show_given(given)
        if given:
            self._emit(self.shown)
        else:
            self.set_fault("")
            self.edited.emit(self.name, None)

    def _on_slider(self, tick: float) -> None:
        shown = self._from_tick(tick)
        with QSignalBlocker(self.spin):
            self.spin.setValue(shown)
        self._emit(shown)

    def _on_spin(self, shown: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(self._tick(shown))
        self._emit(shown)

    def _on_refused(self, text: str) -> None:
        self.set_fault(self.field.refusal(text))

    def _emit(self, shown: float) -> None:
        low, high = self.field.limits
        if not low <= shown <= high:
            unit = f" {self.field.unit}" if self.field.unit else ""
            self.set_fault(f"{self.field.title} must lie between {low:g} and {high:g}{unit}.")
            return
        self.set_fault("")
        number: Any = shown / self.field.factor
        if self.field.integer:
            number = round(number)
        law = self.value if isinstance(self.value, Distribution) else self.law
        if law is not None and law.around(number) == law and number != centre(law):
            self.set_fault(f"{law.title} cannot be moved as a whole; open ± to change what it is.")
            return
        moved = isinstance(self.value, Distribution)
        self.edited.emit(self.name, self.value.around(number) if moved else number)

    @property
    def law(self) -> Distribution | None:
        """Law that the number has, for each particle or for the image."""
        return None if self.part is None else self.part.law

    def reset(self) -> None:
        """Restore the default."""
        if self.given is not None and self.field.blank:
            self.given.setChecked(False)
        else:
            self.spin.setValue(self.field.default)

    # --- menu ---

    def menu(self) -> QMenu:
        """Copy name, slider range, free in fit, default."""
        menu = super().menu()
        default = QAction(
            f"Default ({self.field.default:g} {self.field.unit})".replace(" )", ")"), menu
        )
        default.triggered.connect(self.reset)
        menu.addAction(default)
        limits = QAction("Slider range…", menu)
        limits.triggered.connect(self._ask_range)
        menu.addAction(limits)
        if self.fittable:
            free = QAction("Free in fit", menu)
            free.setCheckable(True)
            free.setChecked(self.free)
            free.toggled.connect(lambda on: self.freed.emit(self.name, on))
            menu.addAction(free)
        return menu

    def _ask_range(self) -> None:
        low, high = self._range
        text, accepted = QInputDialog.getText(
            self, "Slider range", f"{self.field.title}: from; to", text=f"{low:g}; {high:g}"
        )
        if accepted:
            self.set_slider_range(text)

    def set_slider_range(self, text: str) -> None:
        """Take a range such as "0; 5" for the slider; says below the row what is wrong with it.

        Parameters
        ----------
        text : str
            As `napari_osog.panels.numbers.parsed_range` reads it.
        """
        try:
            low, high = parsed_range(text)
        except ValueError:
            self.set_fault(f"A slider range is two numbers, such as 0; 5, and not '{text}'.")
            return
        bottom, top = self.field.limits
        if not bottom <= low < high <= top or (self.field.log and low <= 0):
            self.set_fault(
                f"The slider of {self.field.title} can run between {bottom:g} and {top:g}, "
                "the first number below the second."
            )
            return
        self._range = (low, high)
        self.set_fault("")
        with QSignalBlocker(self.slider):
            self.slider.setValue(self._tick(self.shown))


class RangeRow(Row):
    """Two numbers, from … to …; both equal is one number."""

    def __init__(self, field: Field) -> None:
        super().__init__(field.name, field.title, field.help)
        self.field = field
        self.low, self.high = spin_for(field, letters=0), spin_for(field, letters=0)
        to = Title("to", 3)
        to.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._line.addWidget(self.low, 1)
        self._line.addWidget(to)
        self._line.addWidget(self.high, 1)
        self.part = part = LawPart(self, field, native=True)
        self._line.addWidget(part.button)
        self.unfold(part.words)
        for spin, word in ((self.low, "from"), (self.high, "to")):
            spin.setAccessibleName(f"{field.title}: {word}")
            ignore_wheel(spin)
            spin.valueChanged.connect(self._changed)
            spin.refused.connect(self._on_refused)

    def _on_refused(self, text: str) -> None:
        self.set_fault(self.field.refusal(text))

    def set_value(self, value: Any) -> None:
        """Show a number or a distribution; others than uniform show the range they draw from."""
        low, high = (value, value) if isinstance(value, int | float) else value.support
        with QSignalBlocker(self.low), QSignalBlocker(self.high):
            for spin, bound in ((self.low, low), (self.high, high)):
                spin.setValue(float(bound))
        self.set_fault("")

    def _changed(self) -> None:
        low, high = self.low.value(), self.high.value()
        if low > high:
            self.set_fault(f"{self.field.title}: {low:g} must not exceed {high:g}.")
            return
        self.set_fault("")
        value: Any = low if low == high else {"law": "uniform", "low": low, "high": high}
        self.edited.emit(self.name, value)

    def reset(self) -> None:
        """Restore the default."""
        self.edited.emit(self.name, self.field.default)


__all__ = ["NumberRow", "RangeRow"]

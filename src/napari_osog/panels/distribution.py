"""The distribution that a number is drawn from, and how it is edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_osog.panels.field import centre
from napari_osog.panels.inputs import ignore_wheel, spin_for
from napari_osog.panels.widgets import LABEL_WIDTH, combo_box, small_button
from osog.scene import Distribution, Lognormal, Normal, Uniform

if TYPE_CHECKING:
    from napari_osog.panels.field import Field

_WIDTH = 76


def moved(value: Any, number: float) -> Any:
    """Return a distribution of the same form around another centre, or the number itself."""
    if isinstance(value, Normal):
        return {"law": "normal", "mean": number, "std": value.std}
    if isinstance(value, Lognormal):
        return {"law": "lognormal", "median": number, "sigma": value.sigma}
    if isinstance(value, Uniform):
        half = 0.5 * (value.high - value.low)
        return {"law": "uniform", "low": number - half, "high": number + half}
    return value.around(number) if isinstance(value, Distribution) else number


class Spread(QWidget):
    """The distribution of a number: fixed, normal, log-normal or uniform, and how wide it is."""

    edited = Signal(object)
    _FORMS = ("fixed", "normal", "lognormal", "uniform")
    _TITLES = ("One value", "Normal", "Lognormal", "Uniform")
    # A law that is not edited here; it moves with the number, and another form replaces it.
    _OTHER = len(_FORMS)

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field
        self._value: Any = field.default
        self.button = small_button("±", "Draw this number for each particle from a distribution")
        self.button.setFixedWidth(22)
        self.button.setCheckable(True)
        self.button.setAccessibleName(f"{field.title}: spread")
        line = QHBoxLayout(self)
        line.setContentsMargins(LABEL_WIDTH + 2, 0, 0, 2)
        line.setSpacing(2)
        self.form = combo_box(f"{field.title}: distribution", letters=5)
        self.form.addItems(self._TITLES)
        self.form.setMinimumWidth(60)
        self.width_ = spin_for(field)
        self.width_.setFixedWidth(_WIDTH)
        self.width_.setAccessibleName(f"{field.title}: width of the distribution")
        line.addWidget(self.form, 1)
        line.addWidget(self.width_)
        ignore_wheel(self.width_)
        self.hide()
        self.button.toggled.connect(self._on_button)
        self.form.currentIndexChanged.connect(lambda _: self._changed(fresh=True))
        self.width_.valueChanged.connect(lambda _: self._changed())

    def _on_button(self, on: bool) -> None:
        self.setVisible(on)
        if on and self.form.currentIndex() == 0:
            self.form.setCurrentIndex(1)
        elif not on and self.form.currentIndex() != 0:
            self.form.setCurrentIndex(0)

    def set_value(self, value: Any) -> None:
        """Show a number or its distribution."""
        self._value = value
        form = value.law if isinstance(value, Normal | Lognormal | Uniform) else "fixed"
        other = form == "fixed" and isinstance(value, Distribution)
        with QSignalBlocker(self.form), QSignalBlocker(self.width_), QSignalBlocker(self.button):
            self.form.removeItem(self._OTHER)
            if other:
                self.form.addItem(value.title)
            self.form.setCurrentIndex(self._OTHER if other else self._FORMS.index(form))
            self.button.setChecked(form != "fixed" or other)
            self.width_.setVisible(form != "fixed")
            if form == "normal":
                self._width(value.std * self.field.factor, relative=False)
            elif form == "lognormal":
                self._width(value.sigma * 100, relative=True)
            elif form == "uniform":
                self._width(0.5 * (value.high - value.low) * self.field.factor, relative=False)
        self.setVisible(form != "fixed" or other)

    def _width(self, shown: float, relative: bool) -> None:
        unit = self.field.unit if len(self.field.unit) <= 4 else ""
        self.width_.setSuffix(" %" if relative else f" {unit}".rstrip())
        self.width_.setPrefix("± " if self.form.currentIndex() == 3 else "σ ")
        self.width_.setSingleStep(1.0 if relative else self.field.step)
        self.width_.digits = 1 if relative else max(self.field.decimals, 2)
        self.width_.setValue(shown)

    def _changed(self, fresh: bool = False) -> None:
        if self.form.currentIndex() == self._OTHER:
            return
        form = self._FORMS[self.form.currentIndex()]
        middle = centre(self._value)
        if form == "fixed":
            self.edited.emit(middle)
            return
        share = 0.15
        if fresh:
            width = share * 100 if form == "lognormal" else share * abs(middle) * self.field.factor
        else:
            width = self.width_.value()
        width = max(width, 0.0)
        if form == "normal":
            value = {"law": form, "mean": middle, "std": width / self.field.factor}
        elif form == "lognormal":
            value = {"law": form, "median": middle, "sigma": width / 100}
        else:
            half = width / self.field.factor
            value = {"law": form, "low": middle - half, "high": middle + half}
        self.edited.emit(value)


__all__ = ["Spread", "moved"]

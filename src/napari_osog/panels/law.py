"""The law that a number is drawn from, and how it is edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from napari_osog.panels.field import centre
from napari_osog.panels.inputs import ignore_wheel, spin_for
from napari_osog.panels.row import LABEL_WIDTH
from osog.scene import Lognormal, Normal, Uniform

if TYPE_CHECKING:
    from napari_osog.panels.field import Field

_WIDTH = 76


def moved(value: Any, number: float) -> Any:
    """Return a law of the same form around another centre, or the number itself."""
    if isinstance(value, Normal):
        return {"law": "normal", "mean": number, "std": value.std}
    if isinstance(value, Lognormal):
        return {"law": "lognormal", "median": number, "sigma": value.sigma}
    if isinstance(value, Uniform):
        half = 0.5 * (value.high - value.low)
        return {"law": "uniform", "low": number - half, "high": number + half}
    return number


class Spread(QWidget):
    """The law of a number: fixed, normal, log-normal or uniform, and how wide it is."""

    edited = Signal(object)
    _LAWS = ("fixed", "normal", "lognormal", "uniform")
    _TITLES = ("One value", "Normal", "Lognormal", "Uniform")

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field
        self._value: Any = field.default
        self.button = QToolButton()
        self.button.setObjectName("osog_small")
        self.button.setText("±")
        self.button.setFixedWidth(22)
        self.button.setCheckable(True)
        self.button.setToolTip("Draw this number for each particle from a law")
        self.button.setAccessibleName(f"{field.title}: spread")
        line = QHBoxLayout(self)
        line.setContentsMargins(LABEL_WIDTH + 2, 0, 0, 2)
        line.setSpacing(2)
        self.law = QComboBox()
        self.law.addItems(self._TITLES)
        self.law.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.law.setMinimumContentsLength(5)
        self.law.setMinimumWidth(60)
        self.law.setAccessibleName(f"{field.title}: law")
        self.width_ = spin_for(field)
        self.width_.setFixedWidth(_WIDTH)
        self.width_.setAccessibleName(f"{field.title}: width of the law")
        line.addWidget(self.law, 1)
        line.addWidget(self.width_)
        for widget in (self.law, self.width_):
            ignore_wheel(widget)
        self.hide()
        self.button.toggled.connect(self._on_button)
        self.law.currentIndexChanged.connect(lambda _: self._changed(fresh=True))
        self.width_.valueChanged.connect(lambda _: self._changed())

    def _on_button(self, on: bool) -> None:
        self.setVisible(on)
        if on and self.law.currentIndex() == 0:
            self.law.setCurrentIndex(1)
        elif not on and self.law.currentIndex() != 0:
            self.law.setCurrentIndex(0)

    def set_value(self, value: Any) -> None:
        """Show a number or its law."""
        self._value = value
        law = value.law if isinstance(value, Normal | Lognormal | Uniform) else "fixed"
        with QSignalBlocker(self.law), QSignalBlocker(self.width_), QSignalBlocker(self.button):
            self.law.setCurrentIndex(self._LAWS.index(law))
            self.button.setChecked(law != "fixed")
            self.width_.setVisible(law != "fixed")
            if law == "normal":
                self._width(value.std * self.field.factor, relative=False)
            elif law == "lognormal":
                self._width(value.sigma * 100, relative=True)
            elif law == "uniform":
                self._width(0.5 * (value.high - value.low) * self.field.factor, relative=False)
        self.setVisible(law != "fixed")

    def _width(self, shown: float, relative: bool) -> None:
        unit = self.field.unit if len(self.field.unit) <= 4 else ""
        self.width_.setSuffix(" %" if relative else f" {unit}".rstrip())
        self.width_.setPrefix("± " if self.law.currentIndex() == 3 else "σ ")
        self.width_.setSingleStep(1.0 if relative else self.field.step)
        self.width_.digits = 1 if relative else max(self.field.decimals, 2)
        self.width_.setValue(shown)

    def _changed(self, fresh: bool = False) -> None:
        law = self._LAWS[self.law.currentIndex()]
        middle = centre(self._value)
        if law == "fixed":
            self.edited.emit(middle)
            return
        share = 0.15
        if fresh:
            width = share * 100 if law == "lognormal" else share * abs(middle) * self.field.factor
        else:
            width = self.width_.value()
        width = max(width, 0.0)
        if law == "normal":
            value = {"law": law, "mean": middle, "std": width / self.field.factor}
        elif law == "lognormal":
            value = {"law": law, "median": middle, "sigma": width / 100}
        else:
            half = width / self.field.factor
            value = {"law": law, "low": middle - half, "high": middle + half}
        self.edited.emit(value)


__all__ = ["Spread", "moved"]

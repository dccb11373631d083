"""Rows of a panel, made from the fields of the description models."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QDoubleSlider

from osog.scene import Lognormal, Normal, Uniform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from osog.scene import Description

LABEL_WIDTH = 110
SPIN_WIDTH = 80
_TICKS = 1000.0
_SINGULAR = {"Edges": "Edge", "Semi-axes": "Semi-axis"}
_UNITS = {"waves rms": "λ"}
_WORDS = {
    "poisson": "Independent",
    "non_overlapping": "Without overlap",
    "clustered": "In clusters",
    "lattice": "On a lattice",
    "isotropic": "Any direction",
    "planar": "In the image plane",
    "aligned": "Along one direction",
}


@dataclass(frozen=True)
class Field:
    """One field of a description model as a panel shows it.

    Attributes
    ----------
    name : str
        Dotted name in the scene, as in files and in Python.
    title, unit, help : str
    limits, slider : (float, float)
        Range of validity and range of the slider, in the unit that is shown.
    step : float
    log : bool
    default : float
    factor : float
        Shown value = value in the scene × factor.
    integer : bool
    """

    name: str
    title: str
    unit: str = ""
    help: str = ""
    limits: tuple[float, float] = (-1e12, 1e12)
    slider: tuple[float, float] = (0.0, 1.0)
    step: float = 0.01
    log: bool = False
    default: float = 0.0
    factor: float = 1.0
    integer: bool = False

    @property
    def decimals(self) -> int:
        """Digits after the point that the step asks for."""
        if self.integer:
            return 0
        smallest = self.slider[0] * 0.02 if self.log else self.step
        return int(min(max(math.ceil(-math.log10(max(smallest, 1e-6)) - 1e-9), 0), 5))


def field_of(
    model: type[Description], field: str, name: str, component: int | None = None
) -> Field:
    """Read title, unit, ranges and help of a model's field.

    Parameters
    ----------
    model : Description class
    field : str
        Name of the field in the model.
    name : str
        Dotted name of the number in the scene.
    component : int, optional
        Which entry, for fields that hold several numbers.
    """
    info = model.model_fields[field]
    extra: dict[str, Any] = (
        info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    )
    limits = tuple(float(v) for v in extra.get("limits", (-1e12, 1e12)))
    slider = tuple(float(v) for v in extra.get("slider", limits))
    default = info.get_default(call_default_factory=True)
    title = info.title or field
    if component is not None:
        default = default[component] if isinstance(default, tuple) else default
        title = singular(f"{title} {'abc'[component]}")
    made = Field(
        name=name,
        title=title,
        unit=_UNITS.get(str(extra.get("unit", "")), str(extra.get("unit", ""))),
        help=info.description or "",
        limits=limits,  # type: ignore[arg-type]
        slider=slider,  # type: ignore[arg-type]
        step=float(extra.get("step", (slider[1] - slider[0]) / 100)),
        log=bool(extra.get("log", False)) and slider[0] > 0,
        default=centre(default) if default is not None else 0.0,
        integer=info.annotation is int,
    )
    if field == "wavelength_um":
        return _scaled(made, 1000.0, "nm")
    return made


def singular(title: str) -> str:
    """Name one of several: "Edges a" is "Edge a"."""
    for many, one in _SINGULAR.items():
        title = title.replace(many, one)
    return title


def _scaled(field: Field, factor: float, unit: str) -> Field:
    return replace(
        field,
        unit=unit,
        factor=factor,
        limits=(field.limits[0] * factor, field.limits[1] * factor),
        slider=(field.slider[0] * factor, field.slider[1] * factor),
        step=field.step * factor,
        default=field.default * factor,
    )


def centre(value: Any) -> float:
    """Middle of a law, or the number itself."""
    return float(value) if isinstance(value, int | float) else float(value.centre)


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
    """

    digits = 2
    least = 2
    significant = 5

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
        whole = len(str(int(abs(value))))
        least = self.least if whole < self.significant else 0
        digits_shown = min(self.digits, self.decimals(), max(self.significant - whole, least))
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
        from qtpy.QtGui import QValidator

        bare = self._bare(text)
        try:
            float(bare)
        except ValueError:
            partial = all(c in "+-.eE0123456789" for c in bare)
            state = QValidator.State.Intermediate if partial else QValidator.State.Invalid
            return state, text, position
        return QValidator.State.Acceptable, text, position


class _Label(QLabel):
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
        The person changed the value; `value` is what belongs into the scene.
    pressed(), released()
        A drag begins or ends.
    freed(name, bool)
        "Free in fit" was ticked or unticked.
    """

    edited = Signal(str, object)
    pressed = Signal()
    released = Signal()
    freed = Signal(str, bool)

    def __init__(self, name: str, title: str, help: str = "") -> None:
        super().__init__()
        self.name = name
        self.free = False
        self.label = _Label(title)
        self.label.setFixedWidth(LABEL_WIDTH)
        wide = self.label.fontMetrics().horizontalAdvance(title) > LABEL_WIDTH - 4
        self.label.setWordWrap(wide)
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
        self._set_help(help)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(
            lambda where: self.menu().exec(self.mapToGlobal(where))
        )

    def _set_help(self, help: str) -> None:
        self.help = help
        free = "<p>○ Free in the fit</p>" if self.free else ""
        self.label.setToolTip(f"<p>{help}</p><p><tt>{self.name}</tt></p>{free}")

    def reset(self) -> None:
        """Restore the default; rows without one ignore it."""

    def set_fault(self, sentence: str) -> None:
        """Show a sentence under the row, or take it away with ""."""
        self._fault.setText(sentence)
        self._fault.setVisible(bool(sentence))

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
        copy = QAction("Copy name", menu)
        copy.triggered.connect(lambda: QApplication.clipboard().setText(self.name))
        menu.addAction(copy)
        return menu


class NumberRow(Row):
    """Label, slider, spin box with a unit, and optionally a law around the number.

    Parameters
    ----------
    field : Field
    lawful : bool
        Whether the number may be drawn from a law.
    fittable : bool
        Whether "Free in fit" is offered.
    """

    def __init__(self, field: Field, *, lawful: bool = False, fittable: bool = True) -> None:
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
        self.spin = _spin(field)
        self.spin.setAccessibleName(field.title)
        self.spin.setToolTip(self.label.toolTip())
        self._line.addWidget(self.slider, 1)
        self._line.addWidget(self.spin)
        for widget in (self.slider, self.spin):
            ignore_wheel(widget)
        self._range = field.slider
        self._set_slider_range()
        self._spread: _Spread | None = None
        if lawful:
            self._spread = _Spread(field)
            self._spread.edited.connect(self._on_spread)
            self._line.addWidget(self._spread.button)
            self._box.insertWidget(1, self._spread)
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderPressed.connect(self.pressed)
        self.slider.sliderReleased.connect(self.released)
        self.slider.stepped.connect(
            lambda steps: self.spin.setValue(self.spin.value() + steps * self.spin.singleStep())
        )
        self.spin.valueChanged.connect(self._on_spin)

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
        """Show a number or a law without telling anybody."""
        self.value = value
        shown = centre(value) * self.field.factor
        with QSignalBlocker(self.slider), QSignalBlocker(self.spin):
            self.spin.setValue(shown)
            self.slider.setValue(self._tick(shown))
        if self._spread is not None:
            self._spread.set_value(value)
        self.set_fault("")

    def _on_slider(self, tick: float) -> None:
        shown = self._from_tick(tick)
        with QSignalBlocker(self.spin):
            self.spin.setValue(shown)
        self._emit(shown)

    def _on_spin(self, shown: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(self._tick(shown))
        self._emit(shown)

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
        self.edited.emit(self.name, moved(self.value, number))

    def _on_spread(self, value: Any) -> None:
        self.edited.emit(self.name, value)

    def reset(self) -> None:
        """Restore the default."""
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
            self, "Slider range", f"{self.field.title}: from, to", text=f"{low:g}, {high:g}"
        )
        if accepted:
            self.set_slider_range(text)

    def set_slider_range(self, text: str) -> None:
        """Take a range such as "0, 5" for the slider; says below the row what is wrong with it."""
        try:
            low, high = (float(part) for part in text.replace(";", ",").split(","))
        except ValueError:
            self.set_fault("A slider range is two numbers, such as 0, 5.")
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


class _Spread(QWidget):
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
        line.setContentsMargins(LABEL_WIDTH + 6, 0, 0, 2)
        line.setSpacing(6)
        self.law = QComboBox()
        self.law.addItems(self._TITLES)
        self.law.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.law.setMinimumContentsLength(5)
        self.law.setMinimumWidth(60)
        self.law.setAccessibleName(f"{field.title}: law")
        self.width_ = _spin(field)
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


class RangeRow(Row):
    """Two numbers, from … to …; both equal is one number."""

    def __init__(self, field: Field) -> None:
        super().__init__(field.name, field.title, field.help)
        self.field = field
        self.low, self.high = _spin(field), _spin(field)
        to = QLabel("to")
        to.setFixedWidth(24)
        to.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._line.addWidget(self.low, 1)
        self._line.addWidget(to)
        self._line.addWidget(self.high, 1)
        for spin, word in ((self.low, "from"), (self.high, "to")):
            spin.setAccessibleName(f"{field.title}: {word}")
            spin.setMaximumWidth(16_777_215)
            spin.setMinimumWidth(56)
            ignore_wheel(spin)
            spin.valueChanged.connect(self._changed)

    def set_value(self, value: Any) -> None:
        """Show a number or a law; other laws show the range that they draw from."""
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
        self.combo = QComboBox()
        self.combo.setAccessibleName(title)
        self.combo.setToolTip(self.label.toolTip())
        self.combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.combo.setMinimumContentsLength(8)
        for value, words in choices:
            self.combo.addItem(words, value)
        ignore_wheel(self.combo)
        self._line.addWidget(self.combo, 1)
        self.combo.currentIndexChanged.connect(
            lambda _: self.edited.emit(self.name, self.combo.currentData())
        )

    def set_value(self, value: Any) -> None:
        """Show a choice; one that is not in the list leaves the box empty."""
        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(self.combo.findData(value))
        self.set_fault("")


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


def model_rows(
    model: Description,
    base: str,
    *,
    skip: Iterable[str] = (),
    only: Iterable[str] | None = None,
) -> list[Row]:
    """Make a row for each field of a model that a panel shows, in the model's order.

    Parameters
    ----------
    model : Description
        An instance: laws and tuples are seen in its values.
    base : str
        Dotted name of the model in the scene.
    skip, only : names of fields to leave out, or the only ones to take.
    """
    from typing import Literal, get_args, get_origin

    rows: list[Row] = []
    for field, info in type(model).model_fields.items():
        if field in skip or (only is not None and field not in only):
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        if "panel" not in extra or not extra["panel"]:
            continue
        name, help = f"{base}.{field}", info.description or ""
        fittable = bool(extra.get("shapes_image", True))
        value = getattr(model, field)
        lawful = _takes_a_law(info.annotation)
        if get_origin(info.annotation) is Literal:
            words = [
                (v, _WORDS.get(v, str(v).replace("_", " ").capitalize()))
                for v in get_args(info.annotation)
            ]
            rows.append(ChoiceRow(name, info.title or field, words, help))
        elif info.annotation is bool:
            rows.append(CheckRow(name, info.title or field, help))
        elif isinstance(value, tuple):
            rows += [
                NumberRow(
                    field_of(type(model), field, f"{name}[{k}]", k),
                    lawful=lawful,
                    fittable=fittable,
                )
                for k in range(len(value))
            ]
        elif "limits" in extra:
            rows.append(
                NumberRow(field_of(type(model), field, name), lawful=lawful, fittable=fittable)
            )
    return rows


def _takes_a_law(annotation: Any) -> bool:
    from typing import get_args

    if annotation is Uniform:
        return True
    return any(_takes_a_law(part) for part in get_args(annotation))


def _spin(field: Field) -> SpinBox:
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
    spin.setFixedWidth(SPIN_WIDTH)
    return spin


__all__ = [
    "LABEL_WIDTH",
    "SPIN_WIDTH",
    "CheckRow",
    "ChoiceRow",
    "Field",
    "NumberRow",
    "RangeRow",
    "Row",
    "RowGroup",
    "Section",
    "field_of",
    "ignore_wheel",
    "model_rows",
    "moved",
    "singular",
]

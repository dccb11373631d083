"""The form of a law: which one it is, and its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QFrame, QVBoxLayout, QWidget

from napari_osog.panels.field import centre
from napari_osog.panels.inputs import ignore_wheel, spin_for
from napari_osog.panels.law_lines import (
    BetweenLine,
    LawLine,
    ListLine,
    NameLine,
    NumberLine,
    ValuesLine,
    WordsLine,
    bare,
    in_unit,
)
from napari_osog.panels.law_start import starting
from napari_osog.panels.widgets import combo_box, side_by_side, small_button
from osog.scene import LAWS, Distribution

if TYPE_CHECKING:
    from napari_osog.panels.field import Field
    from napari_osog.panels.law_start import Others

_SHARED = ("law", "per", "follows", "correlation", "file", "column")
"""Parameters without a line of their own in the form."""
FREE = tuple(kind for kind, model in LAWS.items() if not model.linked)
"""Laws that hang on no other number."""
FIXED = "fixed"


class LawForm(QWidget):
    """Parameters of one law, as lines that are made from its fields.

    Parameters
    ----------
    kind : str
        One of ``LAWS``.
    field : Field
        The number that is drawn.
    others : Others
        Numbers that it may be made of.
    """

    changed = Signal()

    def __init__(self, kind: str, field: Field, others: Others) -> None:
        super().__init__()
        self.kind, self.field, self.others = kind, field, others
        self.middle = field.default / field.factor
        self.model = LAWS[kind]
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(3)
        self.lines: dict[str, LawLine] = {}
        fields = self.model.model_fields.items()
        # What a law shares with others of its family stands after what is its own.
        for name, info in sorted(fields, key=lambda each: each[0] == "between"):
            if name in _SHARED or (name == "weights" and "parts" in self.model.model_fields):
                continue
            title, help = info.title or name, info.description or ""
            of = bare(title, field) if name in self.model.pure else in_unit(title, field)
            line = self._line(name, info.annotation, title, of, help, others)
            if isinstance(line, NameLine):
                line.changed.connect(self._tie)
            line.changed.connect(self.changed)
            self.lines[name] = line
            box.addWidget(line)

    def _line(
        self,
        name: str,
        annotation: Any,
        title: str,
        field: Field,
        help: str,
        others: Others,
    ) -> LawLine:
        if annotation is float:
            return NumberLine(title, field, help)
        if annotation is str:
            return NameLine(title, others.names, help)
        if get_origin(annotation) is Literal:
            return WordsLine(title, get_args(annotation), help)
        if name == "between":
            return BetweenLine(title, field, help)
        if name == "values":
            return ValuesLine(title, field, help)
        if name == "parts":
            return PartsLine(title, field, others)
        if name in ("options", "weights"):
            whole = self.field.integer and name == "options"
            return ListLine(title, field, help, optional=name == "weights", whole=whole)
        return FreeLine(title, field, others, help)

    def _tie(self) -> None:
        """Let a share of another number begin with the factor that leaves the number as it is."""
        other = self.others.centre(str(self.lines["of"].value()))
        if other:
            self.lines["factor"].show_value(float(f"{self.middle / other:.4g}"))
            self.lines["plus"].show_value(0.0)

    def content(self) -> dict[str, Any] | None:
        """Content of the law as in a scene file; None while measured values are missing."""
        data: dict[str, Any] = {"law": self.kind}
        for name, line in self.lines.items():
            value = line.value()
            if value in (None, "") and self.model.model_fields[name].is_required():
                return None
            if value is not None:
                data[name] = value
            if isinstance(line, ValuesLine):
                data |= line.source
            if isinstance(line, PartsLine):
                data["weights"] = line.weights
        return data

    def show_defaults(self) -> None:
        """Show what a law begins with that waits for measured values, or for another number."""
        for name, line in self.lines.items():
            info = self.model.model_fields[name]
            missing = [] if isinstance(line, ListLine | ValuesLine) else ""
            line.show_value(missing if info.is_required() else info.get_default())

    def show_law(self, law: Distribution) -> None:
        """Show the parameters of a law of this kind."""
        for name, line in self.lines.items():
            if isinstance(line, BetweenLine):
                line.suggest(law.support)
            if isinstance(line, PartsLine):
                line.show_parts(law.parts, law.weights)  # type: ignore[attr-defined]
            else:
                line.show_value(getattr(law, name))
            if isinstance(line, ValuesLine):
                line.show_source(law.file, law.column)  # type: ignore[attr-defined]


class LawChoice(QWidget):
    """One value or one of several laws, with its parameters below.

    Signals
    -------
    changed()

    Parameters
    ----------
    field : Field
    kinds : sequence of str
        Laws to choose from.
    others : Others
        Numbers that a law may be made of.
    fixed : str
        Words for one value; "" where there must be a law.
    """

    changed = Signal()

    def __init__(
        self,
        field: Field,
        kinds: tuple[str, ...],
        others: Others,
        fixed: str = "One value",
    ) -> None:
        super().__init__()
        self.field, self.others = field, others
        self.kinds = ((FIXED,) if fixed else ()) + kinds
        self.combo = combo_box(f"{field.title}: law")
        self.combo.addItems([fixed if k == FIXED else LAWS[k].title for k in self.kinds])
        self.now: Any = field.default / field.factor
        self.form: LawForm | None = None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(3)
        self.combo.currentIndexChanged.connect(self._on_kind)

    @property
    def kind(self) -> str:
        """Law that is chosen, or "fixed"."""
        return self.kinds[self.combo.currentIndex()]

    def _on_kind(self, _: int) -> None:
        content = None
        if self.kind != FIXED:
            content = starting(self.kind, self.now, self.field, self.others)
        self._build(self.kind)
        if self.form is not None:
            self.form.middle = centre(self.now)
        if content is not None and self.form is not None:
            self.form.show_law(LAWS[self.kind].model_validate(content))
            self.changed.emit()
        elif self.kind == FIXED:
            self.changed.emit()
        elif self.form is not None:
            self.form.show_defaults()

    def _build(self, kind: str) -> None:
        if self.form is not None:
            self._box.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
            self.form = None
        if kind != FIXED:
            self.form = LawForm(kind, self.field, self.others)
            self.form.changed.connect(self.changed)
            self._box.addWidget(self.form)

    def show_value(self, value: Any) -> None:
        """Show a number or a law without telling anybody."""
        self.now = value
        kind = value.law if isinstance(value, Distribution) else FIXED
        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(self.kinds.index(kind))
        if kind == FIXED:
            self._build(kind)
            return
        if self.form is None or self.form.kind != kind:
            self._build(kind)
        assert self.form is not None
        self.form.middle = centre(value)
        self.form.show_law(value)

    def content(self) -> Any:
        """Content of the law; FIXED for one value, None while something is missing."""
        return FIXED if self.form is None else self.form.content()


class FreeLine(LawLine):
    """A number, or a law that it is drawn from in its turn."""

    def __init__(self, title: str, field: Field, others: Others, help: str = "") -> None:
        self.choice = LawChoice(field, FREE, others)
        self.spin = spin_for(field)
        self.spin.setAccessibleName(title)
        ignore_wheel(self.spin)
        super().__init__(title, self.choice.combo, self.spin, help=help)
        self.field = field
        self._inner = indented(self.choice)
        self._box.addWidget(self._inner)
        self._inner.hide()
        self.spin.valueChanged.connect(self._on_number)
        self.choice.changed.connect(self._on_choice)

    def _on_number(self, shown: float) -> None:
        self.choice.now = shown / self.field.factor
        self.changed.emit()

    def _on_choice(self) -> None:
        self._follow()
        self.changed.emit()

    def _follow(self) -> None:
        fixed = self.choice.kind == FIXED
        self.spin.setVisible(fixed)
        self._inner.setVisible(not fixed)

    def value(self) -> Any:
        """Number in the unit of the scene, or content of a law."""
        content = self.choice.content()
        return self.spin.value() / self.field.factor if content in (FIXED, None) else content

    def show_value(self, value: Any) -> None:
        """Show a number or a law."""
        middle = value.centre if isinstance(value, Distribution) else float(value)
        with QSignalBlocker(self.spin):
            self.spin.setValue(middle * self.field.factor)
        self.choice.show_value(value)
        self._follow()


class PartsLine(LawLine):
    """Laws of a mixture, each with its weight."""

    def __init__(self, title: str, field: Field, others: Others) -> None:
        super().__init__(title)
        self.field, self.others = field, others
        self.parts: list[tuple[LawChoice, Any, QWidget]] = []
        self.more = small_button("Add a part", "One more law of this mixture")
        self.more.clicked.connect(self._add)
        self.less = small_button("Remove the last", "Take the last law away")
        self.less.clicked.connect(self._remove)
        self._below = side_by_side(self.more, self.less)
        self._box.addWidget(self._below)

    def _append(self) -> tuple[LawChoice, Any, QWidget]:
        choice = LawChoice(self.field, FREE, self.others, fixed="")
        weight = spin_for(bare("Weight", self.field), letters=11)
        weight.setAccessibleName(f"Weight of part {len(self.parts) + 1}")
        weight.setPrefix("weight ")
        ignore_wheel(weight)
        weight.valueChanged.connect(self.changed)
        choice.changed.connect(self.changed)
        holder = QWidget()
        box = QVBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 2)
        box.setSpacing(3)
        box.addWidget(side_by_side(choice.combo, weight))
        box.addWidget(indented(choice))
        self._box.insertWidget(self._box.count() - 1, holder)
        made = (choice, weight, holder)
        self.parts.append(made)
        return made

    def _pop(self) -> None:
        _, _, holder = self.parts.pop()
        self._box.removeWidget(holder)
        holder.hide()
        holder.deleteLater()

    def _add(self) -> None:
        content = self.parts[-1][0].content()
        choice, weight, _ = self._append()
        choice.show_value(LAWS[content["law"]].model_validate(content))
        with QSignalBlocker(weight):
            weight.setValue(self.parts[-2][1].value())
        self._follow()
        self.changed.emit()

    def _remove(self) -> None:
        self._pop()
        self._follow()
        self.changed.emit()

    def _follow(self) -> None:
        self.less.setEnabled(len(self.parts) > 1)

    @property
    def weights(self) -> list[float]:
        """How often each part is drawn from, relative to the others."""
        return [float(weight.value()) for _, weight, _ in self.parts]

    def value(self) -> Any:
        """Content of the parts; None while one of them misses its values."""
        contents = [choice.content() for choice, _, _ in self.parts]
        return None if None in contents else contents

    def show_parts(self, parts: tuple[Distribution, ...], weights: Any) -> None:
        """Show laws and their weights."""
        while len(self.parts) > len(parts):
            self._pop()
        while len(self.parts) < len(parts):
            self._append()
        given = weights if weights is not None else [1.0] * len(parts)
        for (choice, weight, _), part, share in zip(self.parts, parts, given, strict=True):
            choice.show_value(part)
            with QSignalBlocker(weight):
                weight.setValue(float(share))
        self._follow()


def indented(widget: QWidget) -> QWidget:
    """Set a part of a form off from what it belongs to."""
    frame = QFrame()
    box = QVBoxLayout(frame)
    box.setContentsMargins(10, 0, 0, 2)
    box.addWidget(widget)
    return frame


__all__ = ["FIXED", "FREE", "FreeLine", "LawChoice", "LawForm", "PartsLine"]

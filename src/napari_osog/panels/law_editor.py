"""The law that a number is drawn from, edited below its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_osog.panels.field import centre
from napari_osog.panels.histogram import Histogram
from napari_osog.panels.inputs import ignore_wheel, spin_for
from napari_osog.panels.law_form import FIXED, FREE, LawChoice
from napari_osog.panels.law_lines import TITLE_LETTERS, bare
from napari_osog.panels.law_start import Others
from napari_osog.panels.numbers import number
from napari_osog.panels.titles import Title
from napari_osog.panels.widgets import (
    after,
    combo_box,
    fault,
    note,
    say,
    side_by_side,
    small_button,
)
from napari_osog.words import plain
from osog.scene import LAWS, Distribution, Scene, SceneError
from osog.scene.drawing import image_laws
from osog.scene.material import MATERIAL
from osog.scene.parameters import continuous

if TYPE_CHECKING:
    from napari_osog.panels.field import Field
    from napari_osog.panels.row import Row

_COLUMNS = ("shape", "material", "placement", "orientation")
"""Blocks of a population whose numbers differ from particle to particle."""
_DRAWS = 1000
_ALONE = "nothing"
_PER = (("particle", "Per particle"), ("image", "Per image"))


class LawEditor(QWidget):
    """One value or one of all laws, its parameters, and a histogram of what is drawn.

    Parameters
    ----------
    field : Field
    native : bool
        Whether the number belongs to each particle, so that it can differ between them.

    Signals
    -------
    edited(object)
        Content of a law, or a number that takes the law away.
    """

    page = "howto/let-everything-vary.md#in-the-window"

    edited = Signal(object)

    def __init__(self, field: Field, *, native: bool) -> None:
        super().__init__()
        self.field, self.native = field, native
        self.scene: Scene | None = None
        self.seed = 0
        steps = field.name.split(".")
        self.column = steps[0] == "populations" and steps[2] in _COLUMNS
        kinds = tuple(LAWS) if self.column or not native else FREE
        self.choice = LawChoice(field, kinds, Others(self._names, self._centre_of))
        self.per = combo_box(
            f"{field.title}: drawn", "One draw for the whole image, or one for each particle"
        )
        self.per.addItems([words for _, words in _PER])
        self.follows = combo_box(
            f"{field.title}: follows",
            "Another number with a law: both keep their laws, and large goes with large",
        )
        self.correlation = spin_for(bare("Correlation", field))
        self.correlation.setAccessibleName(f"{field.title}: correlation")
        self.correlation.setToolTip("Of the ranks, −1 to 1")
        ignore_wheel(self.correlation)
        self._linked = after(Title("Goes with", TITLE_LETTERS), self.follows, self.correlation)
        self.histogram = Histogram(
            f"{field.title} ({field.unit})" if field.unit else field.title, log=field.log
        )
        self.problem = fault()
        self.problem.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 2, 0, 6)
        box.setSpacing(3)
        first = (self.choice.combo, self.per) if native else (self.choice.combo,)
        for widget in (
            side_by_side(*first),
            self.choice,
            self._linked,
            self.histogram,
            self.problem,
        ):
            box.addWidget(widget)
        for widget in (self.per, self._linked, self.histogram):
            widget.hide()
        self.choice.changed.connect(self._emit)
        self.per.currentIndexChanged.connect(lambda _: self._emit())
        self.follows.currentIndexChanged.connect(lambda _: self._emit())
        self.correlation.valueChanged.connect(lambda _: self._emit())

    # --- showing -----------------------------------------------------------------------------

    def show_scene(self, scene: Scene, seed: int) -> None:
        """Show the law of the number in a scene, and what it draws."""
        if scene is self.scene and seed == self.seed:
            return
        self.scene, self.seed = scene, seed
        law = _law(scene, self.field.name)
        if law is not None and not law.numeric:
            return
        try:
            self.choice.show_value(law if law is not None else _stated(scene, self.field.name))
        except (SceneError, TypeError):
            return  # a number that is not there: none is stated
        with QSignalBlocker(self.per):
            self.per.setCurrentIndex(int(law is not None and law.per == "image"))
        self.per.setVisible(self.native and law is not None)
        self._show_link(law)
        self._draw(law)

    def _show_link(self, law: Distribution | None) -> None:
        names = self._leaders() if law is not None and not law.linked else []
        followed = law.follows if law is not None else None
        if followed is not None and followed not in names:
            names.append(followed)
        self._linked.setVisible(bool(names))
        with QSignalBlocker(self.follows), QSignalBlocker(self.correlation):
            self.follows.clear()
            self.follows.addItems([_ALONE, *names])
            self.follows.setCurrentText(followed or _ALONE)
            self.correlation.setValue(law.correlation if law is not None else 1.0)
        self.correlation.setVisible(followed is not None)

    def _draw(self, law: Distribution | None) -> None:
        self.histogram.setVisible(law is not None)
        if law is None or self.scene is None:
            say(self.problem, "")
            return
        try:
            drawn = self.scene.draws(self.field.name, _DRAWS, self.seed)
        except SceneError as error:
            self.histogram.hide()
            say(self.problem, plain(str(error)))
            return
        say(self.problem, "")
        self.histogram.show_draws(drawn * self.field.factor)

    # --- editing -----------------------------------------------------------------------------

    def content(self) -> Any:
        """Content of the law, the number where there is none; None while something is missing."""
        content = self.choice.content()
        if content is None:
            return None
        if content == FIXED:
            middle = centre(self.choice.now)
            return round(middle) if self.field.integer else middle
        if self.native and self.per.currentIndex() == 1:
            content["per"] = "image"
        leader = self.follows.currentText()
        if leader not in ("", _ALONE) and not LAWS[content["law"]].linked:
            content |= {"follows": leader, "correlation": self.correlation.value()}
        return content

    def _emit(self) -> None:
        content = self.content()
        if content is not None:
            self.edited.emit(content)

    # --- other numbers -----------------------------------------------------------------------

    def _names(self) -> list[str]:
        """Numbers that this one may be made of: those beside it first."""
        if self.scene is None:
            return []
        far = [
            parameter.name
            for parameter in continuous(self.scene)
            if not parameter.name.startswith(("populations.", "particles["))
        ]
        others = [*self._columns(), "grid.pixel_size_um", *far]
        return [name for name in others if name != self.field.name]

    def _columns(self) -> list[str]:
        """Other numbers of the same population that differ from particle to particle."""
        own = self._population()
        if self.scene is None or not own:
            return []
        population = next(p for p in self.scene.populations if own == f"populations.{p.name}")
        shape = [f if k is None else f"{f}[{k}]" for f, k in population.shape.columns()]
        material = [name for name in MATERIAL if getattr(population.material, name) is not None]
        blocks = {"shape": shape, "material": material}
        block, _, this = self._block()
        near = [name for name in blocks.pop(block, []) if name != this]
        return near + [name for names in blocks.values() for name in names]

    def _block(self) -> tuple[str, str, str]:
        """Block of the population in which the number stands, and its name there."""
        return self.field.name.split(".", 2)[2].partition(".")

    def _leaders(self) -> list[str]:
        """Numbers with laws that this one can go with."""
        if self.scene is None:
            return []
        own = self._population()
        each = self.native and self.per.currentIndex() == 0
        if each and not self.column:
            return []
        of_image = image_laws(self.scene)
        found = []
        for name, law in self.scene.laws_by_name().items():
            if name == self.field.name or law.linked or not law.numeric:
                continue
            if law.follows is not None:
                continue  # one that hangs on another number itself, perhaps on this one
            if each and name not in of_image:
                if name.startswith(f"{own}.") and name.split(".")[2] in _COLUMNS:
                    found.append(self._short(name))
            elif not each and name in of_image:
                found.append(name)
        return found

    def _population(self) -> str:
        steps = self.field.name.split(".")
        return ".".join(steps[:2]) if steps[0] == "populations" else ""

    def _short(self, name: str) -> str:
        """Name of a number of the same population, as files have it."""
        return name.split(".", 3)[3]

    def _centre_of(self, name: str) -> float | None:
        if self.scene is None:
            return None
        own = self._population()
        for full in (name, f"{own}.shape.{name}", f"{own}.material.{name}"):
            try:
                return _centre(self.scene, full)
            except (SceneError, TypeError, AttributeError, ValueError):
                continue
        return None


def _law(scene: Scene, name: str) -> Distribution | None:
    try:
        return scene.law(name)
    except SceneError:
        return None


def _stated(scene: Scene, name: str) -> Any:
    value = scene.get(name)
    if isinstance(value, list | tuple):
        return value[len(value) // 2]
    if value is None:
        raise TypeError(name)
    return value


def _centre(scene: Scene, name: str) -> float:
    value = scene.get(name)
    if isinstance(value, bool):
        raise TypeError(name)
    return centre(value)


class LawPart:
    """What a row has for its law: a button, a line of words, and the editor once it is asked for.

    Parameters
    ----------
    row : Row
    field : Field
    native : bool
        Whether the number belongs to each particle.
    """

    def __init__(self, row: Row, field: Field, *, native: bool) -> None:
        self.row, self.field, self.native = row, field, native
        self.editor: LawEditor | None = None
        self.button = small_button("±", "Let this number vary: choose what it is drawn from")
        self.button.setFixedWidth(22)
        self.button.setCheckable(True)
        self.button.setAccessibleName(f"{field.title}: let it vary")
        self.words = note()
        self.words.hide()
        self.law: Distribution | None = None
        self._scene: tuple[Scene, int] | None = None
        self.button.clicked.connect(self.toggle)

    @property
    def open(self) -> bool:
        """Whether the editor is seen."""
        return self.editor is not None and not self.editor.isHidden()

    def toggle(self) -> None:
        """Open the editor, or fold it."""
        if self.editor is None:
            self.editor = LawEditor(self.field, native=self.native)
            self.editor.edited.connect(self._on_edited)
            self.row.unfold(self.editor)
            self.editor.show()
            self._colour()
        else:
            self.editor.setVisible(self.editor.isHidden())
        if self.open and self._scene is not None:
            self.editor.show_scene(*self._scene)
        self._follow()

    def _colour(self) -> None:
        parent: Any = self.row.parentWidget()
        while parent is not None and not hasattr(parent, "colours"):
            parent = parent.parentWidget()
        if parent is not None and self.editor is not None:
            self.editor.histogram.set_colours(parent.colours()["text"])

    def _on_edited(self, content: Any) -> None:
        self.row.drawn.emit(self.row.name, content)

    def show_scene(self, scene: Scene, seed: int, law: Distribution | None) -> None:
        """Follow a scene."""
        self._scene = scene, seed
        self.law = law
        if self.open:
            assert self.editor is not None
            self.editor.show_scene(scene, seed)
        self._follow()

    def _follow(self) -> None:
        law = self.law
        self.button.setChecked(law is not None or self.open)
        say(self.words, "" if law is None or self.open else self.summary())

    def summary(self) -> str:
        """Say what the number is drawn from."""
        law = self.law
        if law is None or not law.known:
            return "" if law is None else law.title
        low, high = (number(bound * self.field.factor, 3) for bound in law.support)
        unit = f" {self.field.unit}" if self.field.unit else ""
        each = "each particle" if self.native and law.per != "image" else "each image"
        return f"± {law.title.lower()}, {low} to {high}{unit}, {each}"


__all__ = ["LawEditor", "LawPart"]

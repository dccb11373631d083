"""The result of a fit in words and numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from napari_osog.panels.numbers import number, rounded
from napari_osog.panels.section import Section
from napari_osog.panels.widgets import holder
from osog.scene import SceneError
from osog.scene.parameters import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from osog.fitting import FitResult
    from osog.scene import Scene

_ROWS = 60
_DOTTED = re.compile(
    r"(?:particles\[\d+\]|populations\.[^.:,;]+|microscope|medium|camera|background|grid)"
    r"(?:\.[a-z_]+(?:\[\d+\])?)+"
)
"""Names of parameters in sentences of the engine."""
_PARTICLE = re.compile(r"particles\[(\d+)\]\.")
_LONGEST = 40
"""Letters of a title that does not wrap."""


def title_of(scene: Scene, name: str) -> tuple[str, str, float]:
    """Return words, unit and factor of a parameter; particles are counted from 1."""
    try:
        parameter = describe(scene, name)
    except SceneError:
        return name, "", 1.0
    title = parameter.title
    visible = [p for p in scene.populations if p.visible]
    if name.startswith("particles["):
        several = sum(len(p.particles or ()) for p in visible) > 1
        if several:
            title = f"{int(name[10 : name.index(']')]) + 1}: {title}"
    elif name.startswith("populations.") and len(scene.populations) > 1:
        title = f"{_sentence_case(name.split('.')[1])} · {_lower(title)}"
    elif name == "medium.index":
        title = "Medium index"
    if name.endswith("wavelength_um"):
        return title, "nm", 1000.0
    return title, parameter.unit, 1.0


def group_of(scene: Scene, name: str) -> str:
    """Heading of the numbers of one particle: its population, and its number there, from 1.

    It is empty where there is one particle, and for numbers of no particle.
    """
    found = _PARTICLE.match(name)
    if found is None:
        return ""
    left = int(found[1])
    visible = [population for population in scene.populations if population.visible]
    if sum(len(population.particles or ()) for population in visible) < 2:
        return ""
    for population in visible:
        count = len(population.particles or ())
        if left < count:
            return f"{_sentence_case(population.name)} · {left + 1}"
        left -= count
    return ""


def _not_determined(scene: Scene, names: Sequence[str]) -> str:
    """Title of what is folded: the numbers by name where they are few."""
    titles = [title_of(scene, name)[0] for name in names]
    words = f"Not determined: {', '.join(map(_lower, titles))}"
    few = len(words) <= _LONGEST and not any(group_of(scene, name) for name in names)
    return words if few else f"{len(names)} numbers are not determined"


def in_words(scene: Scene, sentence: str) -> str:
    """Put the titles of parameters in place of their dotted names in a sentence.

    Parameters
    ----------
    scene : Scene
        That the names belong to.
    sentence : str
    """

    def worded(found: re.Match[str]) -> str:
        name = found[0]
        title, _, _ = title_of(scene, name)
        if title == name:
            return name
        particle, _, own = title.partition(": ")
        words = f"{_lower(own)} of particle {particle}" if own else _lower(title)
        return _sentence_case(words) if found.start() == 0 else words

    return _DOTTED.sub(worded, sentence)


def _lower(title: str) -> str:
    """Title inside a sentence; abbreviations stay as they are."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _sentence_case(words: str) -> str:
    return words[:1].upper() + words[1:]


def goodness(result: FitResult, unit: str) -> str:
    """Say in one line how well the model explains the image."""
    parts = [f"R² {result.r_squared:.3f}", f"residual {result.rms:.3g} {unit} rms".strip()]
    known = result.scene.camera is not None and result.scene.camera.noise
    if known and not result.scene.microscope.modality.measures_phase:
        parts.insert(0, f"χ² per pixel {result.chi2_per_pixel:.2f}")
    return ", ".join(parts)


class ResultView(QWidget):
    """Value ± σ, start and remark of every free parameter, and what to know about the fit.

    Attributes
    ----------
    folded : Section or None
        What the image does not determine, and why.
    """

    def __init__(self) -> None:
        super().__init__()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(6)
        self._content: QWidget | None = None
        self.folded: Section | None = None
        self.texts: list[str] = []

    def clear(self) -> None:
        """Show nothing."""
        if self._content is not None:
            self._box.removeWidget(self._content)
            self._content.hide()
            self._content.deleteLater()
            self._content = self.folded = None
        self.texts = []

    def show_result(
        self,
        result: FitResult,
        started: Mapping[str, float],
        *,
        unit: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        """Fill the table.

        Parameters
        ----------
        result : FitResult
        started : mapping of names to values
        unit : str
            Of the residual.
        notes : tuple of str
            What was decided on the way.
        """
        self.clear()
        content = self._content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        said: set[str] = set()
        names = list(result.values)
        known = [name for name in names if name not in result.undetermined]
        if known:
            column.addLayout(self._table(result, started, known, said))
        unknown = [name for name in names if name in result.undetermined]
        if unknown:
            self.folded = Section(_not_determined(result.scene, unknown), open=False, minor=True)
            self.folded.add(holder(self._table(result, started, unknown, said)))
            column.addWidget(self.folded)
        column.addWidget(self._label(goodness(result, unit), ""))
        varied = self._varied(result)
        if varied:
            column.addWidget(self._label(varied, "osog_note"))
        for words in notes:
            column.addWidget(self._label(words, "osog_note"))
        for words in result.warnings:
            if words not in said:
                column.addWidget(self._notice(in_words(result.scene, words)))
        self._box.addWidget(content)

    def _table(
        self,
        result: FitResult,
        started: Mapping[str, float],
        names: Sequence[str],
        said: set[str],
    ) -> QGridLayout:
        """Lay out numbers, those of one particle together where there are several."""
        grid = QGridLayout()
        grid.setContentsMargins(2, 2, 2, 2)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(3)
        for k, words in enumerate(("Parameter", "Value ± σ", "Start")):
            grid.addWidget(self._label(words, "osog_note"), 0, k)
        line, group = 1, ""
        for name in names[:_ROWS]:
            own = group_of(result.scene, name)
            if own != group and own:
                grid.addWidget(self._label(own, "osog_group"), line, 0, 1, 3)
                line += 1
            group = own
            line = self._add(grid, line, result, started, name, said)
        if len(names) > _ROWS:
            more = f"… and {len(names) - _ROWS} more; save the result to read them all."
            grid.addWidget(self._label(more, "osog_note"), line, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        return grid

    def _add(
        self,
        grid: QGridLayout,
        line: int,
        result: FitResult,
        started: Mapping[str, float],
        name: str,
        said: set[str],
    ) -> int:
        title, unit, factor = title_of(result.scene, name)
        if group_of(result.scene, name):
            title = title.partition(": ")[2] or title
        value, sigma = result.values[name] * factor, result.sigma[name] * factor
        words = result.undetermined.get(name, "")
        grid.addWidget(self._label(title, ""), line, 0)
        if words:
            shown = "not determined"
        else:
            text, spread = rounded(value, sigma)
            shown = f"{text} ± {spread}" if spread else f"{text}, σ unknown"
            shown = f"{shown} {unit}".strip()
        kind = "osog_note" if words else "osog_number"
        grid.addWidget(self._label(shown, kind, wrap=False), line, 1)
        start = started.get(name)
        text = "" if start is None else number(start * factor)
        grid.addWidget(self._label(text, "osog_note", wrap=False), line, 2)
        if words and words not in said:
            said.add(words)
            line += 1
            remark = self._label(in_words(result.scene, words), "osog_note")
            remark.setIndent(10)
            grid.addWidget(remark, line, 0, 1, 3)
        return line + 1

    @staticmethod
    def _varied(result: FitResult) -> str:
        """Optics that varied within their tolerance."""
        parts = []
        for name, (value, sigma) in result.nuisances.items():
            title, unit, factor = title_of(result.scene, name)
            text, spread = rounded(value * factor, sigma * factor)
            shown = f"{text} ± {spread}" if spread else text  # at its bound it has no spread
            parts.append(f"{title} {shown} {unit}".strip())
        return f"Varied within their tolerance: {'; '.join(parts)}." if parts else ""

    def _label(self, text: str, kind: str, *, wrap: bool = True) -> QLabel:
        label = QLabel(text)
        if kind:
            label.setObjectName(kind)
        label.setWordWrap(wrap)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.texts.append(text)
        return label

    def _notice(self, text: str) -> QFrame:
        frame = QFrame()
        frame.setObjectName("osog_notice")
        box = QVBoxLayout(frame)
        box.setContentsMargins(8, 4, 6, 4)
        box.addWidget(self._label(text, ""))
        return frame

    @property
    def text(self) -> str:
        """Everything that is shown, for the clipboard and for tests."""
        return "\n".join(self.texts)


def residual_unit(scene: Scene, linear: Any) -> str:
    """Unit of data − model: radians, counts, or grey levels of unknown scale."""
    if scene.microscope.modality.measures_phase:
        return "grey levels" if "gain" in str(linear) else "rad"
    return "counts" if scene.camera is not None else ""


__all__ = ["ResultView", "goodness", "group_of", "in_words", "residual_unit", "title_of"]

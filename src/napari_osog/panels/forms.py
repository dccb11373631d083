"""Small forms, made by magicgui: what a file does not say, and how a scene or a fit is saved.

A form here is an ordinary magicgui container, so that other plugins can add to it or use it alone.
"""

# Annotations are no plain strings here: magicgui makes widgets of them.
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui import magic_factory
from magicgui.widgets import Container, LineEdit, PushButton
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QAbstractButton, QVBoxLayout, QWidget

from napari_osog.micrographs import OPTICS, Optic
from napari_osog.panels.numbers import parsed
from napari_osog.panels.section import Section
from napari_osog.panels.widgets import fault, push_button, say, side_by_side
from osog.scene.parameters import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_osog.session import Session
    from osog.io import Known
    from osog.scene import Scene

SCENE_FILES = "Scene (*.osog.yaml *.yaml *.yml *.json)"
DRAWN, LISTED = "Drawn from the seed", "Listed one by one"
RESULT, TABLE, RUN = "Result", "Table of numbers", "Whole run"
PAGE = "Page for a lab book"
_SUFFIXES = {RESULT: ".json", TABLE: ".csv", RUN: ".osog-fit.json", PAGE: ".html"}
_REPORTS = "Report (*.json *.csv *.html)"
_SCENE, _REPORT = Path.home() / "scene.osog.yaml", Path.home() / "fit.json"


# --- what a file does not say -------------------------------------------------------------


def optics_form() -> Container[Any]:
    """Make a form with a line for each number of `OPTICS` that a user may know."""
    lines = [
        LineEdit(name=name, label=f"{optic.title[0].upper()}{optic.title[1:]}"
                 + (f" ({optic.unit})" if optic.unit else ""))
        for name, optic in OPTICS.items() if optic.asked
    ]  # fmt: skip
    use = PushButton(name="use", text="Use these")
    return Container(widgets=[*lines, use], labels=True)


def stated(text: str, optic: Optic, scene: "Scene") -> float:
    """Value of a number of the optics that a user typed, in the unit of the scene.

    Raises
    ------
    ValueError
        With one sentence, if it is no number, or none that a scene can have.
    """
    try:
        value = parsed(text) / optic.factor
    except ValueError:
        raise ValueError(f"'{text}' is no number.") from None
    low, high = describe(scene, optic.parameter).limits
    if not low <= value <= high:
        limits = f"{low * optic.factor:g} and {high * optic.factor:g} {optic.unit}".strip()
        raise ValueError(f"The {optic.title} must lie between {limits}.")
    return value


class MissingOptics(Section):
    """Asks for the numbers of a micrograph's optics that neither file nor layer states.

    Parameters
    ----------
    session : Session

    Signals
    -------
    stated()
        The user has stated some; they are in ``session.stated_optics``.
    """

    stated = Signal()

    def __init__(self, session: "Session") -> None:
        super().__init__("What its file does not say", open=False, minor=True)
        self.session = session
        self.form = optics_form()
        self.form["use"].changed.connect(self.take)
        self.problem = fault()
        self.add(_native(self.form))
        self.add(self.problem)
        self.problem.hide()
        self.hide()

    def ask(self, known: "Mapping[str, Known] | None") -> None:
        """Ask for all that is not known; None asks for nothing.

        Parameters
        ----------
        known : mapping of names to Known, or None
        """
        asked = (
            [] if known is None else [n for n, o in OPTICS.items() if o.asked and n not in known]
        )
        for name, optic in OPTICS.items():
            if not optic.asked:
                continue
            line = self.form[name]
            line.visible = name in asked
            line.value = ""
        self.follow()
        say(self.problem, "")
        self.setVisible(bool(asked))

    def follow(self) -> None:
        """Follow the scene with the numbers that are used as long as nobody knows better."""
        for name, optic in OPTICS.items():
            if optic.asked:
                used = optic.used(self.session.scene)
                words = f"unknown: {used * optic.factor:.5g} is used"
                self.form[name].native.setPlaceholderText(words)

    def take(self) -> None:
        """Take over what was typed; a line that is left empty stays unknown."""
        found: dict[str, float] = {}
        for name, optic in OPTICS.items():
            text = self.form[name].value.strip() if optic.asked else ""
            if not text:
                continue
            try:
                found[name] = stated(text, optic, self.session.scene)
            except ValueError as error:
                say(self.problem, str(error))
                return
        layer = self.session.target
        if layer is not None and found:
            self.session.stated_optics.setdefault(layer, {}).update(found)
            self.stated.emit()


# --- saving -------------------------------------------------------------------------------


def _free(path: Path, replace: bool) -> Path:
    """Return a path that may be written.

    Raises
    ------
    FileExistsError
        If a file would be lost.
    """
    if path.exists() and not replace:
        raise FileExistsError(0, "it exists already; tick Replace to write over it")
    return path


@magic_factory(
    call_button=False,
    path={"label": "File", "mode": "w", "filter": SCENE_FILES},
    particles={"label": "Particles", "choices": (DRAWN, LISTED)},
    replace={"text": "Replace a file of this name"},
    session={"bind": None, "visible": False},
)
def save_scene(
    session: Any,
    path: Path = _SCENE,
    particles: str = DRAWN,
    replace: bool = False,
) -> Path:
    """Write the scene of a session.

    Parameters
    ----------
    session : Session
    path : Path
        Its suffix chooses YAML or JSON.
    particles : str
        `DRAWN` keeps the rule by which particles are drawn, `LISTED` writes each of them.
    replace : bool
        Whether a file of this name may be lost.
    """
    scene = session.explicit_scene() if particles == LISTED else session.scene
    scene.save(_free(path, replace))
    return path


@magic_factory(
    call_button=False,
    content={"label": "Content", "choices": (RESULT, TABLE, PAGE, RUN)},
    path={"label": "File", "mode": "w", "filter": _REPORTS},
    replace={"text": "Replace a file of this name"},
    record={"bind": None, "visible": False},
)
def save_report(
    record: Any,
    content: str = RESULT,
    path: Path = _REPORT,
    replace: bool = False,
) -> Path:
    """Write what a fit has found.

    Parameters
    ----------
    record : Record
    content : str
        `RESULT` is JSON, `TABLE` is CSV, `PAGE` is HTML with pictures, and `RUN` can be opened
        again in the Fit panel.
    path : Path
    replace : bool
        Whether a file of this name may be lost.
    """
    from napari_osog.panels import fit_record

    write = {
        RESULT: record.result.to_json,
        TABLE: record.result.to_csv,
        PAGE: lambda where: record.result.to_html(where, str(record.target.get("name", "Fit"))),
        RUN: lambda where: fit_record.save(record, where),
    }
    write[content](_free(path, replace))
    return path


class SaveForm(QWidget):
    """A form for a file, with its two buttons and a line for what went wrong.

    Parameters
    ----------
    form : magicgui container
        Called without arguments; returns the path that it wrote.

    Signals
    -------
    saved(str)
        A path.
    """

    saved = Signal(str)

    def __init__(self, form: Any) -> None:
        super().__init__()
        self.form = form
        self.problem = fault()
        self.save_button = push_button("Save", "", self.save)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 2, 0, 4)
        box.setSpacing(4)
        box.addWidget(_native(form))
        box.addWidget(self.problem)
        box.addWidget(side_by_side(self.save_button, push_button("Cancel", "", self.hide)))
        self.problem.hide()
        self.hide()
        if hasattr(form, "content"):
            form.content.changed.connect(self._follow)

    def open(self) -> None:
        """Show the form."""
        say(self.problem, "")
        self.form.replace.value = False
        self.show()

    def _follow(self, content: str) -> None:
        """A path has the suffix of what is written."""
        path = Path(self.form.path.value)
        stem = path.name
        for suffix in sorted(_SUFFIXES.values(), key=len, reverse=True):
            stem = stem.removesuffix(suffix)
        self.form.path.value = path.with_name(stem + _SUFFIXES[content])

    def save(self) -> None:
        """Write; what goes wrong is said in the form, and nothing is lost."""
        name = Path(self.form.path.value).name
        try:
            path = self.form()
        except OSError as error:
            say(self.problem, f"{name} could not be written: {error.strerror or error}.")
            return
        self.hide()
        self.saved.emit(str(path))


def _native(form: Any) -> QWidget:
    """Qt's side of a form, in line with the rows of a panel."""
    native: QWidget = form.native
    for part in form:
        for own in (part, getattr(part, "line_edit", None)):  # a path is a line and a button
            if own is not None and not isinstance(own.native, QAbstractButton):
                own.native.setAccessibleName(part.label)
    layout = native.layout()
    if layout is not None:
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
    return native


__all__ = [
    "DRAWN",
    "LISTED",
    "PAGE",
    "RESULT",
    "RUN",
    "SCENE_FILES",
    "TABLE",
    "MissingOptics",
    "SaveForm",
    "optics_form",
    "save_report",
    "save_scene",
    "stated",
]

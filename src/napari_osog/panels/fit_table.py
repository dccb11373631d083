"""The table of parameters: which are free, their values and ranges, where they were read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QFont
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableView

from osog.scene import EMISSION, PARTIALLY_COHERENT
from osog.scene.parameters import Parameter, continuous, describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from osog.scene import Scene

FREE, NAME, VALUE, LOW, HIGH = range(5)
_HEADERS = ("Free", "Parameter", "Value", "From", "To")
_EACH = "particles[*]."
_FAR = 1e3
_OPTICS_SHOWN = ("focus_um", "numerical_aperture", "wavelength_um")


@dataclass(frozen=True)
class Entry:
    """One line of the table.

    Attributes
    ----------
    name : str
        Dotted name; ``particles[*].x_um`` is that number of every particle; "" is a heading.
    title, unit, help : str
    value : float or None
        In the unit of the scene; None where every particle has its own.
    limits : (float, float)
        What the scene allows.
    factor : float
        Shown = value × factor.
    common : bool
        Whether it is listed unless all are asked for.
    free : bool
    bounds : (float, float) or None
        The person's own range.
    default : (float, float)
        The range that holds otherwise.
    source : str
        Where the value was read.
    """

    name: str
    title: str
    unit: str = ""
    help: str = ""
    value: float | None = None
    limits: tuple[float, float] = (-1e12, 1e12)
    factor: float = 1.0
    common: bool = True
    free: bool = False
    bounds: tuple[float, float] | None = None
    default: tuple[float, float] = (-1e12, 1e12)
    source: str = ""

    @property
    def words(self) -> str:
        """Title, with its unit where that is short."""
        return f"{self.title} ({self.unit})" if 0 < len(self.unit) <= 4 else self.title

    def shown(self, value: float, digits: int = 5) -> str:
        """Text of a value, without its unit."""
        return number(value * self.factor, digits)


def number(value: float, digits: int = 5) -> str:
    """Write a number with a few digits, and without an exponent where it can be read so."""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-5 < abs(value) < 1e7:
        text = f"{value:.0f}" if abs(value) >= 1e5 else f"{value:.7f}".rstrip("0")
    return text.replace("-", "−")


def parsed(text: str) -> float:
    """Read a number as people type it: decimal comma, true minus, unit behind it.

    Raises
    ------
    ValueError
        If it is none.
    """
    bare = text.strip().replace("−", "-").replace(",", ".")
    while bare and not (bare[-1].isdigit() or bare[-1] == "."):
        bare = bare[:-1]
    return float(bare)


def entry_of(parameter: Parameter, **changes: Any) -> Entry:
    """Line of a parameter of the scene."""
    factor, unit = (1000.0, "nm") if parameter.name.endswith("wavelength_um") else (1.0, None)
    made = Entry(
        name=parameter.name,
        title=parameter.title,
        unit=parameter.unit if unit is None else unit,
        help=parameter.help,
        value=parameter.value,
        limits=parameter.limits,
        factor=factor,
    )
    return replace(made, **changes)


def entries(scene: Scene, single: bool) -> list[Entry]:
    """Lines for a scene, with headings.

    Parameters
    ----------
    scene : Scene
        With explicit particles where they are few.
    single : bool
        Whether exactly one particle is fitted; otherwise the particles share their lines.
    """
    kind = scene.microscope.modality.kind
    known = list(continuous(scene))
    known = [p for p in known if not _is_idle(p.name, scene)]
    body = [p for p in known if p.name.startswith("populations.")]
    several = sum(population.visible for population in scene.populations) > 1
    lines: list[Entry] = []
    if single:
        own = [p for p in known if p.name.startswith("particles[0].")]
        lines += _section("Particle", [entry_of(p, common=_is_common(p.name, kind)) for p in own])
    else:
        lines += _section("Every particle", _each(scene, kind))
    for population in scene.populations:
        if not population.visible:
            continue
        base = f"populations.{population.name}."
        mine = [
            entry_of(p, common=_is_common(p.name, kind)) for p in body if p.name.startswith(base)
        ]
        lines += _section(population.name if several else "Body", mine)
    optics = [p for p in known if p.name.startswith(("microscope.", "medium."))]
    optics.sort(key=lambda p: p.name.startswith("medium."))
    named = [
        entry_of(p, title="Medium index" if p.name == "medium.index" else p.title,
                 common=_is_common(p.name, kind))
        for p in optics
    ]  # fmt: skip
    lines += _section("Microscope", named)
    if kind != "phase":
        for title in ("Camera", "Background"):
            start = f"{title.lower()}."
            mine = [entry_of(p, common=False) for p in known if p.name.startswith(start)]
            lines += _section(title, mine)
    return lines


def _section(title: str, lines: list[Entry]) -> list[Entry]:
    if not lines:
        return []
    return [Entry("", title, common=any(line.common for line in lines)), *lines]


def _each(scene: Scene, kind: str) -> list[Entry]:
    """Numbers that every particle has for itself."""
    population = next((p for p in scene.populations if p.visible), None)
    if population is None:
        return []
    words = ["x_um", "y_um", "z_um"]
    if population.shape.kind != "sphere":
        words += [f"orientation_deg[{k}]" for k in range(3)]
    for field in ("radius_um", "length_um"):
        if hasattr(population.shape, field):
            words.append(field)
    lines = []
    for word in words:
        parameter = describe(scene, f"particles[0].{word}") if _has_one(scene) else None
        if parameter is None:
            continue
        title = f"Own {parameter.title.lower()}" if word in ("radius_um", "length_um") else ""
        lines.append(
            entry_of(
                parameter,
                name=f"{_EACH}{word}",
                title=title or parameter.title,
                value=None,
                common=not word.startswith(("radius", "length")) or _is_law(population, word),
            )
        )
    return lines


def _has_one(scene: Scene) -> bool:
    return any(p.visible and (p.particles is None or len(p.particles)) for p in scene.populations)


def _is_law(population: Any, word: str) -> bool:
    return not isinstance(getattr(population.shape, word), int | float)


def _is_idle(name: str, scene: Scene) -> bool:
    """Whether a number does nothing in this modality and light."""
    kind, last = scene.microscope.modality.kind, name.rsplit(".", 1)[-1]
    if last.startswith(("condenser_", "oblique_")):
        return kind not in PARTIALLY_COHERENT
    if last == "abbe_number" or ".chromatic." in name:
        return scene.microscope.spectrum.kind == "monochromatic"
    return last == "emission_per_um" and kind not in EMISSION


def _is_common(name: str, kind: str) -> bool:
    last = name.rsplit(".", 1)[-1]
    if ".aberrations." in name or last in ("absorption_per_um", "abbe_number"):
        return False
    if last == "emission_per_um":
        return kind in EMISSION
    if last == "index" and ".material." in name:
        return kind not in EMISSION
    if last == "birefringence":
        return kind == "polarized"
    if last == "orientation_deg[2]" or last.startswith("optic_axis"):
        return False
    if name.startswith("microscope.") and not name.startswith("microscope.modality."):
        return last in _OPTICS_SHOWN or (
            last == "condenser_numerical_aperture" and kind in PARTIALLY_COHERENT
        )
    return True


def suggested(scene: Scene, single: bool) -> set[str]:
    """Names that a first fit frees: where the particles are, and what they are."""
    kind = scene.microscope.modality.kind
    names = set()
    for entry in entries(scene, single):
        last = entry.name.rsplit(".", 1)[-1]
        if entry.name.startswith("particles["):
            if last in ("x_um", "y_um") or (last == "z_um" and kind != "phase"):
                names.add(entry.name)
            elif last in ("orientation_deg[0]", "orientation_deg[1]"):
                names.add(entry.name)
            elif last == "radius_um" and entry.common:
                names.add(entry.name)
        elif ".shape." in entry.name and last != "core_index":
            names.add(entry.name)
        elif entry.name.endswith(".material.index") and kind not in EMISSION:
            names.add(entry.name)
    return names


def default_bounds(scene: Scene, name: str, fallback: tuple[float, float]) -> tuple[float, float]:
    """Range in which the fit keeps a parameter when the person gives none."""
    from osog.fitting import FitError
    from osog.fitting.problem.parameters import free_parameters

    try:
        found = free_parameters(scene, (name,))
    except FitError:
        return fallback
    return float(found.low[0]), float(found.high[0])


class ParameterModel(QAbstractTableModel):
    """The lines of the table as Qt sees them; tells of edits and changes nothing by itself."""

    freed = Signal(str, bool)
    edited = Signal(str, float)
    bounded = Signal(str, object)
    refused = Signal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.all: list[Entry] = []
        self.lines: list[Entry] = []
        self.everything = False
        self.locked = False
        self.colours = {"note": "#a8adb5", "text": "#f0f1f2", "foreground": "#414851"}

    # --- content -----------------------------------------------------------------------------

    def show(self, lines: Iterable[Entry]) -> None:
        """Replace the lines."""
        new = list(lines)
        before = [line.name or line.title for line in self.lines]
        self.all = new
        shown = [line for line in new if self.everything or line.common or line.free]
        if [line.name or line.title for line in shown] == before:
            self.lines = shown
            last = self.index(max(len(shown) - 1, 0), HIGH)
            self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self.lines = shown
        self.endResetModel()

    def show_everything(self, on: bool) -> None:
        """List every parameter, or the common ones."""
        self.everything = on
        self.show(self.all)

    def entry(self, name: str) -> Entry | None:
        """Line of this name, listed or not."""
        return next((line for line in self.all if line.name == name), None)

    # --- Qt ----------------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Count the lines."""
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Free, parameter, value, from, to."""
        return 0 if parent is not None and parent.isValid() else 5

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        """Title of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        return None

    def flags(self, index: QModelIndex) -> Any:
        """Headings are plain; numbers can be edited unless a fit runs."""
        line = self.lines[index.row()]
        flags = Qt.ItemFlag.ItemIsEnabled
        if not line.name or self.locked:
            return flags
        flags |= Qt.ItemFlag.ItemIsSelectable
        if index.column() == FREE:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        elif index.column() == VALUE and line.value is not None:
            flags |= Qt.ItemFlag.ItemIsEditable
        elif index.column() in (LOW, HIGH) and line.free and _is_bounded(line):
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """What a cell shows."""
        line, column = self.lines[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self._text(line, column)
        if role == Qt.ItemDataRole.CheckStateRole and column == FREE and line.name:
            return Qt.CheckState.Checked if line.free else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (VALUE, LOW, HIGH):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole and line.name:
            return self._help(line, column)
        if role == Qt.ItemDataRole.FontRole and not line.name:
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.BackgroundRole and not line.name:
            return QBrush(QColor(self.colours["foreground"]))
        if role == Qt.ItemDataRole.ForegroundRole:
            dim = column in (LOW, HIGH) and (line.bounds is None or not line.free)
            dim = dim or (column == VALUE and line.value is None)
            return QBrush(QColor(self.colours["note" if dim else "text"]))
        return None

    def _text(self, line: Entry, column: int) -> str | None:
        if not line.name:
            return line.title if column == FREE else None
        if column == NAME:
            return line.words
        if column == VALUE:
            return "own" if line.value is None else line.shown(line.value)
        if column in (LOW, HIGH):
            if not line.free:
                return line.source if column == LOW else None
            low, high = line.bounds or line.default
            value = low if column == LOW else high
            if abs(value) >= _FAR:
                return "any"
            return line.shown(value, 5 if line.bounds is not None else 3)
        return None

    def _help(self, line: Entry, column: int) -> str:
        text = f"<p>{line.help}</p>" if line.help else ""
        if line.unit and line.unit not in line.words:
            text += f"<p>In {line.unit}.</p>"
        if line.source:
            text += f"<p>Read from: {line.source}</p>"
        if column in (LOW, HIGH) and line.free:
            text += "<p>The fit keeps the value in this range; empty the cell for the default.</p>"
        return f"{text}<p><tt>{line.name}</tt></p>"

    def setData(self, index: QModelIndex, value: Any, role: int = 2) -> bool:
        """Tell of an edit."""
        line, column = self.lines[index.row()], index.column()
        if role == Qt.ItemDataRole.CheckStateRole and column == FREE:
            self.freed.emit(line.name, Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        if role != Qt.ItemDataRole.EditRole or str(value) == (self._text(line, column) or ""):
            return False
        text = str(value).strip()
        if column in (LOW, HIGH) and text in ("", "any"):
            self.bounded.emit(line.name, None)
            return True
        try:
            typed = parsed(text) / line.factor
        except ValueError:
            self.refused.emit(f"{line.title}: '{text}' is not a number.")
            return False
        if column == VALUE:
            self.edited.emit(line.name, typed)
            return True
        low, high = line.bounds or line.default
        low, high = (typed, high) if column == LOW else (low, typed)
        problem = self.problem(line, low, high)
        if problem:
            self.refused.emit(problem)
            return False
        self.bounded.emit(line.name, (low, high))
        return True

    @staticmethod
    def problem(line: Entry, low: float, high: float) -> str:
        """Say what is wrong with a range; "" when nothing is."""
        unit = f" {line.unit}" if line.unit else ""
        if not low < high:
            return (
                f"{line.title}: the range from {line.shown(low)} to {line.shown(high)}{unit} is "
                "empty; the first must be the smaller."
            )
        if low < line.limits[0] or high > line.limits[1]:
            return (
                f"{line.title}: the range must lie within {line.shown(line.limits[0])} and "
                f"{line.shown(line.limits[1])}{unit}."
            )
        return ""


def _is_bounded(line: Entry) -> bool:
    """Positions of many particles have no common range."""
    return line.name not in (f"{_EACH}x_um", f"{_EACH}y_um")


class ParameterTable(QTableView):
    """The table, as tall as its lines: the panel scrolls, not the table."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setObjectName("osog_table")
        self.lines = ParameterModel(self)
        self.setModel(self.lines)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(18)
        self.verticalHeader().setDefaultSectionSize(22)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(30)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in ((FREE, 34), (VALUE, 56), (LOW, 50), (HIGH, 50)):
            self.setColumnWidth(column, width)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setAccessibleName("Parameters of the fit")
        self.lines.modelReset.connect(self._arrange)
        self.lines.dataChanged.connect(self._arrange)

    def _arrange(self) -> None:
        """Let headings, and sources of known numbers, run over several columns."""
        self.clearSpans()
        for row, line in enumerate(self.lines.lines):
            if not line.name:
                self.setSpan(row, FREE, 1, 5)
            elif not line.free and line.source:
                self.setSpan(row, LOW, 1, 2)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """All lines."""
        height = self.horizontalHeader().sizeHint().height() + 4
        height += sum(self.rowHeight(row) for row in range(self.lines.rowCount()))
        return QSize(300, height)

    def minimumSizeHint(self) -> QSize:
        """All lines."""
        return QSize(240, self.sizeHint().height())

    def wheelEvent(self, event: Any) -> None:
        """Let the wheel scroll the panel."""
        event.ignore()

    def lock(self, locked: bool) -> None:
        """Refuse edits while a fit runs."""
        self.lines.locked = locked
        self.viewport().update()


def sources(known: Mapping[str, Any], scene: Scene, names: Mapping[str, str]) -> dict[str, str]:
    """Words for where the numbers of the scene were read, by dotted name.

    Parameters
    ----------
    known : mapping
        As from `napari_osog.micrographs.optics`.
    scene : Scene
    names : mapping
        Keys of `known` → dotted names.
    """
    from osog.scene.parameters import get

    found = {}
    for key, entry in known.items():
        name = names.get(key)
        if name is None:
            continue
        used = float(get(scene, name))
        if abs(used - entry.value) <= 1e-6 * max(abs(used), 1e-12):
            found[name] = str(entry.source)
        else:
            found[name] = f"not the {number(entry.value)} of {entry.source}"
    return found


__all__ = [
    "Entry",
    "ParameterModel",
    "ParameterTable",
    "default_bounds",
    "entries",
    "entry_of",
    "number",
    "parsed",
    "sources",
    "suggested",
]

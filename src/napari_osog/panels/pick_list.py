"""Long lists to choose from by typing a part of a name: materials and instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QComboBox

from napari_osog.panels.row import ChoiceRow
from osog.scene import instruments, materials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from osog.scene.instruments import Instrument
    from osog.scene.materials import Substance

NONE = "Other"
"""Words for what has no name of the table."""
_MEDIA = ("gas", "liquid", "oil")
_UPPER = ("pbs", "pmma", "pdms", "dmso")


class PickRow(ChoiceRow):
    """A combo box that is searched by typing any part of a name; tooltips name the sources.

    Parameters
    ----------
    name, title : str
    choices : iterable of (value, words, source)
    help : str
    free : bool
        Whether a name that is not listed is passed on, such as ``water 37 °C``.
    """

    def __init__(
        self,
        name: str,
        title: str,
        choices: Iterable[tuple[Any, str, str]],
        help: str = "",
        *,
        free: bool = False,
    ) -> None:
        given = list(choices)
        super().__init__(name, title, [(value, words) for value, words, _ in given], help)
        self.free_text, self.help_text = free, help
        for index, (_, _, source) in enumerate(given):
            self.combo.setItemData(index, source, Qt.ItemDataRole.ToolTipRole)
        self.combo.setEditable(True)
        self.combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.combo.setMaxVisibleItems(20)
        completer, line = self.combo.completer(), self.combo.lineEdit()
        assert completer is not None and line is not None
        completer.setCompletionMode(completer.CompletionMode.PopupCompletion)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        line.editingFinished.connect(self._typed)
        line.textEdited.connect(self._dress)
        view = self.combo.view()
        if view is not None:  # names are longer than the panel is wide
            view.setMinimumWidth(view.sizeHintForColumn(0) + 30)
        self._shown: Any = None

    def set_value(self, value: Any) -> None:
        """Show a choice; a name that is not in the list joins it."""
        if value and value not in self.choices:
            with QSignalBlocker(self.combo):
                self.choices.append(value)
                self.combo.addItem(str(value), None)
                self.combo.setItemData(
                    len(self.choices) - 1, _source(value), Qt.ItemDataRole.ToolTipRole
                )
        super().set_value(value)
        self._shown = value
        index = self._index(value)
        source = self.combo.itemData(index, Qt.ItemDataRole.ToolTipRole) if index >= 0 else ""
        about = f"<p><b>{self.combo.itemText(index)}</b>. {source}</p>" if source else ""
        self.combo.setToolTip(f"<p>{self.help_text}</p>{about}")
        line = self.combo.lineEdit()
        if line is not None:
            line.setCursorPosition(0)

    def _dress(self) -> None:
        """Give the list of what was found the look of the window, which is not its parent."""
        completer, view, window = self.combo.completer(), self.combo.view(), self.combo.window()
        if completer is None or view is None or window is None:
            return
        popup = completer.popup()
        if popup is not None and popup.styleSheet() != window.styleSheet():
            popup.setStyleSheet(window.styleSheet())
            popup.setFont(self.combo.font())
            popup.setMinimumWidth(view.minimumWidth())

    def _typed(self) -> None:
        """Take what was typed: a line of the list, or a name of its own where that is allowed."""
        text = " ".join(self.combo.currentText().split())
        index = self.combo.findText(text, Qt.MatchFlag.MatchFixedString)
        if index >= 0:
            self.combo.setCurrentIndex(index)
        elif text and self.free_text:
            self.edited.emit(self.name, text)
        else:
            self.set_value(self._shown)


def material_row(name: str, title: str, help: str, none: Any, *, media: bool = False) -> PickRow:
    """Make the row of a material.

    Parameters
    ----------
    name, title, help : str
    none : Any
        Value of the line for an index of its own.
    media : bool
        Whether liquids and gases are listed alone.
    """
    rows = [
        row
        for row in materials.MATERIALS.values()
        if not media or row.family in _MEDIA or row.name == "cytoplasm"
    ]
    choices = [(row.name, material_words(row.name), _about(row)) for row in rows]
    return PickRow(name, title, [*choices, (none, NONE, "")], help, free=True)


def instrument_row(name: str, title: str, table: dict[str, Instrument], help: str) -> PickRow:
    """Make the row of an instrument."""
    choices = [(item.name, item.name, _about_item(item)) for item in table.values()]
    return PickRow(name, title, [(None, NONE, ""), *choices], help)


def objective_row(help: str) -> PickRow:
    """Make the row of the objective."""
    return instrument_row("microscope.objective", "Objective", instruments.objectives, help)


def condenser_row(help: str) -> PickRow:
    """Make the row of the condenser."""
    return instrument_row("microscope.condenser", "Condenser", instruments.condensers, help)


def light_row(help: str) -> PickRow:
    """Make the row of the light."""
    return instrument_row("microscope.light", "Light", instruments.lights, help)


def camera_row(help: str) -> PickRow:
    """Make the row of the camera's model."""
    return instrument_row("camera.model", "Model", instruments.cameras, help)


def material_words(material: str) -> str:
    """Name of a material as it is shown."""
    return material.upper() if material in _UPPER else f"{material[:1].upper()}{material[1:]}"


def _about(row: Substance) -> str:
    low, high = row.range_um
    reach = f"{low:g} µm" if low == high else f"{low:g}–{high:g} µm"
    return ". ".join(part for part in (row.source, row.note, reach) if part)


def _source(name: str) -> str:
    row = materials.known(name)
    return "" if row is None else _about(row)


def _about_item(item: Instrument) -> str:
    facts = ", ".join(f"{k.replace('_', ' ')} {v:g}" for k, v in item.facts.items())
    return ". ".join(part for part in (facts, item.note, item.source) if part)


__all__ = [
    "PickRow",
    "camera_row",
    "condenser_row",
    "light_row",
    "material_row",
    "material_words",
    "objective_row",
]

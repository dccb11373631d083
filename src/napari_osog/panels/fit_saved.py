"""The result of a fit: shown, saved, opened again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_osog.panels import fit_record
from napari_osog.panels.fit_result import ResultView, residual_unit
from napari_osog.panels.section import Section

if TYPE_CHECKING:
    from collections.abc import Callable


class ResultBox(QWidget):
    """Table of the result, and what can be done with it.

    Signals
    -------
    applied()
        The fitted numbers are wanted in the sliders.
    opened(Record)
        A saved run was read.
    said(str)
        A sentence for the person; "" takes it away.

    Attributes
    ----------
    record : Record or None
        The run on show.
    """

    applied = Signal()
    opened = Signal(object)
    said = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.record: fit_record.Record | None = None
        self.section = Section("Result")
        self.view = ResultView()
        self.section.add(self.view)
        line = QHBoxLayout()
        line.setContentsMargins(0, 2, 0, 0)
        line.setSpacing(6)
        self.apply_button = QPushButton("Apply to sliders")
        self.apply_button.setToolTip("Put the fitted numbers in place; Undo takes them back")
        self.apply_button.clicked.connect(self.applied)
        self.save_button = QToolButton()
        self.save_button.setObjectName("osog_menu")
        self.save_button.setText("Save…")
        self.save_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.save_button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        menu = QMenu(self.save_button)
        menu.addAction("Result as JSON…", self._ask_json)
        menu.addAction("Result as CSV table…", self._ask_csv)
        menu.addAction("Whole run…", self._ask_save)
        self.save_button.setMenu(menu)
        line.addWidget(self.apply_button, 1)
        line.addWidget(self.save_button, 1)
        holder = QWidget()
        holder.setLayout(line)
        self.section.add(holder)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.section)
        self.open_button = QPushButton("Open a saved run…")
        self.open_button.clicked.connect(self._ask_open)
        box.addWidget(self.open_button)
        self.section.hide()

    def show_record(self, record: fit_record.Record) -> None:
        """Show the result of a run."""
        self.record = record
        self.view.show_result(
            record.result,
            record.started,
            unit=residual_unit(record.scene, record.linear),
            notes=record.notes,
        )
        self.section.show()

    def lock(self, locked: bool) -> None:
        """Let nothing be changed while a fit runs."""
        for widget in (self.open_button, self.apply_button, self.save_button):
            widget.setEnabled(not locked)

    def export(self, path: str | Path) -> None:
        """Write the result: a CSV table for a name that ends in .csv, else JSON."""
        if self.record is None:
            return
        result = self.record.result
        write = result.to_csv if Path(path).suffix.lower() == ".csv" else result.to_json
        self._write(write, path)

    def save_run(self, path: str | Path) -> None:
        """Write the whole run: micrograph, start, free parameters, history and result."""
        record = self.record
        if record is not None:
            self._write(lambda where: fit_record.save(record, where), path)

    def _write(self, write: Callable[[Any], Any], path: str | Path) -> None:
        try:
            write(path)
        except OSError as error:
            self.said.emit(f"{Path(path).name} could not be written: {error.strerror or error}.")
            return
        self.said.emit("")
        from napari.utils.notifications import show_info

        show_info(f"Saved to {path}")

    def _ask_json(self) -> None:
        self._ask(self.export, "Save result", "fit.json", "JSON (*.json)")

    def _ask_csv(self) -> None:
        self._ask(self.export, "Save result", "fit.csv", "CSV table (*.csv)")

    def _ask_save(self) -> None:
        self._ask(self.save_run, "Save run", "run.osog-fit.json", "Fit run (*.osog-fit.json)")

    def _ask(self, then: Callable[[str], None], title: str, name: str, kinds: str) -> None:
        path, _ = QFileDialog.getSaveFileName(self, title, name, kinds)
        if path:
            then(path)

    def _ask_open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a saved run", "", "Fit run (*.osog-fit.json *.json)"
        )
        if path:
            self.open_run(path)

    def open_run(self, path: str | Path) -> None:
        """Read a run that was saved; `opened` hands it on."""
        try:
            record = fit_record.load(path)
        except fit_record.RecordError as error:
            self.said.emit(str(error))
            return
        except OSError as error:
            self.said.emit(f"{Path(path).name} could not be read: {error.strerror or error}.")
            return
        self.opened.emit(record)


__all__ = ["ResultBox"]

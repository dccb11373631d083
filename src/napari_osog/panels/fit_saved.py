"""The result of a fit: shown, saved, opened again."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from napari_osog.panels import fit_record
from napari_osog.panels.fit_result import ResultView, residual_unit
from napari_osog.panels.forms import SaveForm, save_report
from napari_osog.panels.section import Section
from napari_osog.panels.widgets import push_button, side_by_side
from napari_osog.words import told


class ResultBox(QWidget):
    """Table of the result, and what can be done with it.

    Signals
    -------
    applied()
        The fitted numbers are wanted in the sliders.
    opened(Record)
        A saved run was read.
    said(str)
        A sentence for the user; "" takes it away.

    Attributes
    ----------
    record : Record or None
        The run on show.
    """

    page = "fit.md#what-means"

    applied = Signal()
    opened = Signal(object)
    said = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.record: fit_record.Record | None = None
        self.section = Section("Result")
        self.view = ResultView()
        self.section.add(self.view)
        self.apply_button = push_button(
            "Apply to sliders",
            "Put the fitted numbers in place; Undo takes them back",
            self.applied,
        )
        self.save_form = SaveForm(save_report(record={"bind": lambda _: self.record}))
        self.save_form.saved.connect(lambda path: told(f"Saved to {path}"))
        self.save_button = push_button(
            "Save…", "Save the result, its table, or the whole run", self.save_form.open
        )
        self.section.add(side_by_side(self.apply_button, self.save_button, top=2))
        self.section.add(self.save_form)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.section)
        self.open_button = push_button("Open a saved run…", "", self._ask_open)
        box.addWidget(self.open_button)
        self.section.hide()

    def show_record(self, record: fit_record.Record) -> None:
        """Show the result of a run."""
        self.record = record
        name = str(record.target.get("name", ""))
        self.section.title = f"Result · {name}" if name else "Result"
        self.view.show_result(
            record.result,
            record.started,
            unit=residual_unit(record.scene, record.linear),
            notes=record.notes,
        )
        self.section.show()

    def clear(self) -> None:
        """Show no result."""
        self.record = None
        self.view.clear()
        self.section.hide()

    def lock(self, locked: bool) -> None:
        """Let nothing be changed while a fit runs."""
        for widget in (self.open_button, self.apply_button, self.save_button, self.save_form):
            widget.setEnabled(not locked)

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

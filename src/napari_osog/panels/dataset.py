"""The Dataset panel: labelled images by the thousand, from the scene of the sliders."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from napari_osog.layers.dataset_labels import show_labels, show_samples
from napari_osog.lifetimes import listen
from napari_osog.panels.dataset_job import PREVIEWED, Count, DatasetRequest, carry_out
from napari_osog.panels.inputs import ignore_wheel
from napari_osog.panels.panel import Panel
from napari_osog.panels.section import Section
from napari_osog.panels.widgets import (
    column,
    combo_box,
    fault,
    note,
    push_button,
    say,
    side_by_side,
    small_button,
    titled,
)
from napari_osog.words import told
from napari_osog.worker import Worker

if TYPE_CHECKING:
    from napari_osog.live_controller import LiveController
    from napari_osog.panels.dataset_job import DatasetOutcome
    from osog.datasets import LabelledFrame, LabelSettings
    from osog.datasets.formats.base import Format

_BOXES = {"Whole silhouette": "geometry", "Visible light": "visible"}
_ACCURACIES = {"As the scene says": None, "Draft (fastest)": "draft", "Standard": "standard",
               "Fine": "fine"}  # fmt: skip
_FIRST = ("yolo-obb",)
_MOST = 10_000_000


class Sheet(QLabel):
    """Grid of samples with their labels, as wide as the panel."""

    def __init__(self) -> None:
        super().__init__()
        self._whole: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Samples of the dataset with their labels")
        self.hide()

    def show_picture(self, picture: np.ndarray[Any, Any]) -> None:
        """Show an (h, w, 3) picture."""
        height, width, _ = picture.shape
        data = np.ascontiguousarray(picture).tobytes()
        image = QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self._whole = QPixmap.fromImage(image.copy())
        self.show()
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Keep the whole picture in view."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._whole is None or self.width() < 10:
            return
        shown = self._whole.scaledToWidth(self.width(), Qt.TransformationMode.SmoothTransformation)
        self.setPixmap(shown)
        self.setFixedHeight(shown.height())


class DatasetPanel(Panel):
    """Look at samples of a dataset, write it, or take the frame on show with its labels.

    Parameters
    ----------
    napari_viewer : napari viewer
    controller : LiveController, optional
        Another controller than that of the viewer; for tests.

    Attributes
    ----------
    running : str
        Kind of the request that is carried out, or "".
    """

    page = "howto/datasets.md#in-napari"

    def __init__(self, napari_viewer: Any, controller: LiveController | None = None) -> None:
        super().__init__(napari_viewer, controller)
        self.running = ""
        self._began = 0.0
        self._done = Count(0, 0)
        self._samples: tuple[LabelledFrame, ...] = ()
        self.worker = Worker(
            carry_out, "osog-dataset", lasting=False, listed_as="OSOG dataset", parent=self
        )
        self.worker.told.connect(self._on_count)
        self.worker.finished.connect(self._on_ended)
        self.body.addWidget(self._introduction())
        self.body.addWidget(self._labels_section())
        self.body.addWidget(self._preview_section())
        self.body.addWidget(self._write_section())
        self.body.addStretch(1)
        self._clock = QTimer(self)
        self._clock.setInterval(500)
        self._clock.timeout.connect(self._tell)
        listen(self, self.session.scene_changed, self._on_scene)
        self._on_scene(self.session.scene)
        self._lock()

    # --- how it is laid out ------------------------------------------------------------------

    def _introduction(self) -> QWidget:
        self.introduction = note()
        return self.introduction

    def _labels_section(self) -> Section:
        section = Section("Labels")
        self.box = combo_box(
            "Boxes",
            "Whole silhouette: around the body. Visible light: as far as the object's own light "
            "stands out, as a person would draw it.",
        )
        self.box.addItems(list(_BOXES))
        self.share = _spin(30, 0, 100, " %", "Objects with less inside the frame get no label")
        self.hidden = _spin(25, 0, 100, " %", "Objects of which less is visible count as difficult")
        section.add(titled("Boxes", self.box))
        section.add(titled("Least inside", self.share))
        section.add(titled("Difficult below", self.hidden))
        self.frame_button = push_button(
            "Labels of this frame as layers",
            "Masks and oriented boxes, with a table of what is true of each object",
            self.label_frame,
        )
        section.add(self.frame_button)
        return section

    def _preview_section(self) -> Section:
        section = Section("Look first")
        self.preview_button = push_button(
            f"Show {PREVIEWED} samples", "Draw the first samples with their labels", self.preview
        )
        self.sheet = Sheet()
        self.large_button = push_button(
            "See them large", "Put the samples beside the picture, as a layer", self.enlarge
        )
        self.large_button.hide()
        section.add(self.preview_button)
        section.add(self.sheet)
        section.add(self.large_button)
        return section

    def _write_section(self) -> Section:
        from osog.datasets import FORMATS

        section = Section("Write")
        self.count = _spin(100, 1, _MOST, "", "Number of images")
        self.seed = _spin(0, 0, 2**31 - 1, "", "Another seed, other images")
        section.add(titled("Images", self.count))
        section.add(titled("Seed", self.seed))
        self.folder = QLineEdit(str(_new_folder()))
        self.folder.setAccessibleName("Folder of the dataset")
        browse = small_button("…", "Choose a folder")
        browse.clicked.connect(self._browse)
        section.add(titled("Folder", self.folder, browse))
        self.accuracy = combo_box("Accuracy", "How finely light is propagated")
        self.accuracy.addItems(list(_ACCURACIES))
        section.add(titled("Accuracy", self.accuracy))
        self.formats: dict[str, QCheckBox] = {}
        holder, box = column(2)
        box.addWidget(note("Formats"))
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        for k, (name, kind) in enumerate(FORMATS.items()):
            tick = QCheckBox(name)
            tick.setToolTip(kind.title)
            missing = _missing(kind)
            if missing:
                tick.setToolTip(f"{kind.title}\n{missing}")
                tick.setEnabled(False)
            tick.setChecked(name in _FIRST)
            self.formats[name] = tick
            grid.addWidget(tick, k // 2, k % 2)
        box.addLayout(grid)
        section.add(holder)
        self.fault = fault()
        self.fault.hide()
        self.write_button = push_button(
            "Write dataset", "A folder that was begun is gone on with", self.write
        )
        self.stop_button = push_button(
            "Stop", "What is whole stays; write again to go on", self.stop
        )
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.status = note(style="", selectable=True)
        for widget in (
            self.fault,
            side_by_side(self.write_button, self.stop_button),
            self.bar,
            self.status,
        ):
            section.add(widget)
        self.bar.hide()
        self.status.hide()
        return section

    # --- what is asked for -------------------------------------------------------------------

    def settings(self) -> LabelSettings:
        """Settings of the labels as they stand in the panel."""
        from osog.datasets import LabelSettings, Rule

        rules: tuple[Rule, ...] = ()
        if self.hidden.value():
            below = {"visible_fraction": (None, self.hidden.value() / 100)}
            rules = (Rule(state="difficult", when=below),)
        return LabelSettings(
            box=_BOXES[self.box.currentText()],
            least_share_in_frame=self.share.value() / 100,
            rules=rules,
        )

    def preview(self) -> None:
        """Draw the first samples."""
        self._ask("preview")

    def enlarge(self) -> None:
        """Show the samples of the preview in the viewer."""
        if self.viewer is not None and self._samples:
            show_samples(self.viewer, self._samples)

    def label_frame(self) -> None:
        """Put the labels of the frame on show into layers."""
        self._ask("frame")

    def write(self) -> None:
        """Write the dataset, or go on with it."""
        self._ask("write")

    def stop(self) -> None:
        """End what runs; whole shards stay."""
        self.worker.cancel()
        self.status.setText("Stopping …")

    def _ask(self, kind: str) -> None:
        if self.running:
            return
        chosen = tuple(name for name, tick in self.formats.items() if tick.isChecked())
        if kind == "write" and not chosen:
            say(self.fault, "Tick a format.")
            return
        if kind == "write" and not self.folder.text().strip():
            say(self.fault, "Name a folder.")
            return
        say(self.fault, "")
        self.running, self._began = kind, time.monotonic()
        self._done = Count(0, self.count.value() if kind == "write" else PREVIEWED)
        device = self.session.device
        self.worker.submit(
            DatasetRequest(
                kind=kind,
                scene=self.session.scene,
                seed=self.session.seed if kind == "frame" else self.seed.value(),
                labels=self.settings(),
                device=device,
                # Labels do not change with the accuracy, and a preview should not keep one waiting.
                accuracy=_ACCURACIES[self.accuracy.currentText()] if kind == "write" else "draft",
                folder=Path(self.folder.text().strip()).expanduser(),
                count=self.count.value() if kind == "write" else PREVIEWED,
                formats=chosen,
            )
        )
        self._clock.start()
        self._lock()
        self._tell()

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the dataset", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    # --- what comes back ---------------------------------------------------------------------

    def _on_count(self, count: Count) -> None:
        self._done = count
        self._tell()

    def _on_ended(self, outcome: DatasetOutcome) -> None:
        kind, self.running = self.running, ""
        self._clock.stop()
        self._lock()
        say(self.fault, outcome.problem)
        if outcome.problem:
            self.status.setText("")
        elif outcome.stopped:
            whole = "; write again to go on from there" if kind == "write" else ""
            self.status.setText(f"Stopped at {self._done.done} of {self._done.total}{whole}.")
        elif kind == "preview":
            self._show_sheet(outcome.frames)
        elif kind == "frame":
            self._show_layers(outcome.frames[0])
        else:
            made = outcome.dataset
            images = made.count * made.recipe.views
            self.status.setText(f"{images} images are in {made.folder}.")
            told(f"Dataset written to {made.folder}")
        self.status.setVisible(bool(self.status.text()))

    def _show_sheet(self, frames: tuple[LabelledFrame, ...]) -> None:
        from osog.datasets.sheet import contact_sheet

        self._samples = frames
        self.sheet.show_picture(contact_sheet(frames, columns=3, side=240))
        self.large_button.setVisible(self.viewer is not None)
        objects = sum(len(frame.objects.in_state("counted")) for frame in frames)
        self.status.setText(
            f"{objects} counted objects in {len(frames)} samples; difficult ones are grey."
        )

    def _show_layers(self, frame: LabelledFrame) -> None:
        if self.viewer is not None:
            show_labels(self.viewer, frame)
        self.status.setText(f"{len(frame.objects)} objects are in two layers, masks and boxes.")

    def _on_scene(self, scene: Any) -> None:
        names = [p.name for p in scene.populations if p.labelled]
        words = "Every image is drawn anew from the scene of the Simulate panel"
        found = (
            f"; its classes are {', '.join(names)}." if names else ", in which nothing is labelled."
        )
        self.introduction.setText(words + found)

    def _lock(self) -> None:
        busy = bool(self.running)
        for button in (self.write_button, self.preview_button, self.frame_button):
            button.setEnabled(not busy)
        self.stop_button.setEnabled(busy)
        self.bar.setVisible(busy)

    def _tell(self) -> None:
        """Samples done, rate and time left."""
        if not self.running or self.worker.cancelled:
            return
        done, total = self._done.done, self._done.total
        with QSignalBlocker(self.bar):
            self.bar.setRange(0, total if done else 0)
            self.bar.setValue(done)
        passed = time.monotonic() - self._began
        words = self._done.words or f"{done} of {total}"
        if done and passed > 1:
            rate = done / passed
            words += f" · {rate:.2g} a second · {_duration((total - done) / rate)} left"
        self.status.setText(words if self.running != "frame" else "Labelling the frame …")
        self.status.show()


def _new_folder() -> Path:
    """Return a folder in the user's own that is not there yet."""
    names = ("osog-dataset", *(f"osog-dataset-{k}" for k in range(2, 1000)))
    folders = [Path.home() / name for name in names]
    return next((folder for folder in folders if not folder.exists()), folders[0])


def _missing(kind: Format) -> str:
    """What a format needs and has not got, in words."""
    from osog.datasets import DatasetError

    try:
        kind.check()
    except DatasetError as error:
        return str(error)
    return ""


def _spin(value: int, low: int, high: int, suffix: str, help: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setValue(value)
    spin.setSuffix(suffix)
    spin.setToolTip(help)
    spin.setAccessibleName(help)
    ignore_wheel(spin)
    return spin


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


__all__ = ["DatasetPanel"]

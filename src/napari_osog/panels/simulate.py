"""The Simulate panel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QApplication,
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_osog.fields import field_problem
from napari_osog.panels.camera import BackgroundSection, CameraSection
from napari_osog.panels.compare import CompareSection
from napari_osog.panels.explain import ExplainLine, Reasons
from napari_osog.panels.inputs import ignore_wheel
from napari_osog.panels.microscope import MicroscopeSection, modality_change, spectrum_change
from napari_osog.panels.panel import Panel, listen
from napari_osog.panels.row import Row
from napari_osog.panels.sample import SampleSection
from napari_osog.panels.section import RowGroup, Section
from napari_osog.panels.sequence import SequenceSection
from osog import presets
from osog.scene import IMMERSIONS, Scene, SceneError

if TYPE_CHECKING:
    from napari_osog.live import Notice, Picture
    from napari_osog.studio import Studio

_SHOWN = (
    ("image", "Image", "What the camera records"),
    ("phase", "Phase", "Phase of the field at the image plane, in radians"),
    ("amplitude", "Amplitude", "Modulus of the field at the image plane"),
    ("irradiance", "Before camera", "Light at the pixel centres, without pixels, noise and counts"),
)
_FIELDS = {
    "numerical_aperture": "NA",
    "condenser_numerical_aperture": "condenser NA",
    "immersion_index": "the immersion's index",
    "length_um": "length",
    "radius_um": "radius",
    "bit_depth": "bit depth",
    "offset_counts": "offset",
}
"""Names of fields in sentences about a scene, and the words of the panel for them."""


class SimulatePanel(Panel):
    """Describe a sample and a microscope, and watch the micrograph follow.

    Parameters
    ----------
    napari_viewer : napari viewer
    studio : Studio, optional
        Another studio than that of the viewer; for tests.
    """

    def __init__(self, napari_viewer: Any, studio: Studio | None = None) -> None:
        super().__init__(napari_viewer, studio)
        self._modalities: dict[str, Any] = {}
        self._spectra: dict[str, Any] = {}
        self.body.addWidget(self._header())
        self.microscope = MicroscopeSection()
        self.sample = SampleSection(self.session)
        self.camera = CameraSection()
        self.background = BackgroundSection()
        self.sequence = SequenceSection(self.studio)
        self.sections = (self.microscope, self.sample, self.camera, self.background, self.sequence)
        for section in self.sections:
            section.row_made.connect(self._adopt)
            self.body.addWidget(section)
        self.sample.failed.connect(self.session.say)
        self.camera.switched.connect(self._switch_camera)
        self.microscope.glass_switched.connect(self._switch_glass)
        self.body.addWidget(self._show_section())
        self.compare = CompareSection(self.studio)
        self.body.addWidget(self.compare)
        self.fit_button = QPushButton("Fit to this micrograph")
        self.fit_button.setToolTip("Open the Fit panel on the chosen micrograph")
        self.fit_button.clicked.connect(self.open_fit)
        self.body.addWidget(self.fit_button)
        self.body.addStretch(1)
        session = self.session
        for signal, slot in (
            (session.scene_changed, self._on_scene),
            (session.view_changed, self._on_view),
            (session.picture_changed, self._on_picture),
            (session.status_changed, self._on_status),
            (session.free_changed, self._on_free),
            (session.target_changed, self._on_target),
            (session.sliding_changed, self._on_sliding),
            (session.selected_changed, self._on_selected),
            (session.sequence_changed, self.sequence.show_progress),
        ):
            listen(self, signal, slot)
        self._on_scene(session.scene)
        self._on_view(session.view)
        self._on_target(session.target)
        self._on_status(session.status)
        self.apply_theme()
        if session.picture is not None:
            self._on_picture(session.picture)

    # --- header ------------------------------------------------------------------------------

    def _header(self) -> QWidget:
        holder = QWidget()
        box = QVBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(5)
        self.preset = QComboBox()
        self.preset.setAccessibleName("Preset")
        self.preset.setToolTip("A scene to start from; the scene before it comes back with Undo")
        self.preset.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.preset.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.preset.setMinimumContentsLength(12)
        self.preset.setPlaceholderText("Your own scene")
        for name in presets.names():
            self.preset.addItem(presets.title(name), name)
        ignore_wheel(self.preset)
        self.preset.activated.connect(self._on_preset)
        box.addWidget(self.preset)
        line = QHBoxLayout()
        line.setSpacing(4)
        self.undo_button, self.redo_button = QPushButton("Undo"), QPushButton("Redo")
        self.undo_button.clicked.connect(self.session.undo)
        self.redo_button.clicked.connect(self.session.redo)
        self.menu_button = QToolButton()
        self.menu_button.setObjectName("osog_menu")
        self.menu_button.setText("Scene…")
        self.menu_button.setToolTip("Save, load, copy or reset the scene")
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        menu = QMenu(self.menu_button)
        for words, slot in (
            ("Save scene…", self._ask_save),
            ("Load scene…", self._ask_load),
            ("Copy as Python", self.copy_python),
            ("Copy as YAML", self.copy_yaml),
            ("Edit the selected render", self.edit_render),
            ("Reset to the preset", self.reset),
        ):
            menu.addAction(words, slot)
        self.menu_button.setMenu(menu)
        for button in (self.undo_button, self.redo_button, self.menu_button):
            line.addWidget(button, 1)
        box.addLayout(line)
        self.explain_text = ExplainLine()
        self.explain_text.clicked.connect(self.explain)
        self.reasons: Reasons | None = None
        box.addWidget(self.explain_text)
        self.notices = QVBoxLayout()
        self.notices.setSpacing(3)
        box.addLayout(self.notices)
        self._noticed: Any = None
        return holder

    def _show_section(self) -> QWidget:
        section, session = Section("Show"), self.session
        self.shown = QButtonGroup(self)
        self.shown_buttons: dict[str, QRadioButton] = {}
        for pair in (_SHOWN[:2], _SHOWN[2:]):
            line = QHBoxLayout()
            line.setContentsMargins(0, 0, 0, 0)
            for name, title, help in pair:
                button = QRadioButton(title)
                button.setToolTip(help)
                button.clicked.connect(lambda _, name=name: session.set_view(shown=name))
                self.shown.addButton(button)
                self.shown_buttons[name] = button
                line.addWidget(button, 1)
            holder = QWidget()
            holder.setLayout(line)
            section.add(holder)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        self.layers_shown: dict[str, QCheckBox] = {}
        for name, title, help in (
            ("particles", "Particles", "One point per particle, coloured by depth; drag it"),
            ("outlines", "Outlines", "Silhouettes as projected, also when out of focus"),
            ("masks", "Masks", "Which particle each pixel belongs to"),
        ):
            line.addWidget(self._layer_box(name, title, help), 1)
        holder = QWidget()
        holder.setLayout(line)
        section.add(holder)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        title = QLabel("Field as layers")
        title.setToolTip("What lies behind the image: the field at the image plane")
        line.addWidget(title, 1)
        for name, words, help in (
            ("phase", "Phase", "Phase of the field in a layer of its own, in radians"),
            ("amplitude", "Amplitude", "Modulus of the field in a layer of its own"),
        ):
            line.addWidget(self._layer_box(name, words, help), 1)
        holder = QWidget()
        holder.setLayout(line)
        section.add(holder)
        self.field_note = QLabel()
        self.field_note.setObjectName("osog_note")
        self.field_note.setWordWrap(True)
        section.add(self.field_note)
        self.grip = QPushButton("Select and move particles")
        self.grip.setToolTip(
            "Click a point in the viewer to see its own numbers, drag it to move the particle"
        )
        self.grip.clicked.connect(self._grip)
        section.add(self.grip)
        return section

    def _layer_box(self, name: str, title: str, help: str) -> QCheckBox:
        box = QCheckBox(title)
        box.setToolTip(help)
        box.toggled.connect(lambda on: self.session.set_view(**{name: on}))
        self.layers_shown[name] = box
        return box

    # --- rows --------------------------------------------------------------------------------

    def _adopt(self, row: Row) -> None:
        row.edited.connect(self._edit)
        row.pressed.connect(self.session.hold)
        row.released.connect(self.session.release)
        row.freed.connect(self.session.set_free)
        row.set_free(row.name in self.session.free)

    def row(self, name: str) -> Row | None:
        """Row of this dotted name while the panel shows one."""
        for section in self.sections:
            for group in section.findChildren(RowGroup):
                if name in group.rows:
                    return group.rows[name]
        return None

    def _edit(self, name: str, value: Any) -> None:
        """Carry out an edit; what is wrong with it is said below its row, and nothing changes."""
        try:
            if name == "microscope.modality":
                self.session.set_scene(modality_change(self.session.scene, value, self._modalities))
            elif name == "microscope.spectrum":
                self.session.set_scene(spectrum_change(self.session.scene, value, self._spectra))
            elif name == "microscope.immersion_index" and value not in IMMERSIONS.values():
                return
            elif not self.sample.takes(name, value):
                self.session.change({name: value})
        except SceneError as error:
            row = self.row(name)
            if row is not None:
                row.set_fault(_plain(str(error)))

    def _switch_camera(self, on: bool) -> None:
        data = self.session.scene.model_dump()
        data["camera"] = self.camera.last.model_dump() if on else None
        self.session.set_scene(Scene.parse(data))

    def _switch_glass(self, on: bool) -> None:
        data = self.session.scene.model_dump()
        glass = self.microscope.last_glass.model_dump() if on else None
        data["microscope"]["cover_glass"] = glass
        self.session.set_scene(Scene.parse(data))

    # --- what the session says ---------------------------------------------------------------

    def _on_scene(self, scene: Scene) -> None:
        for section in self.sections:
            section.sync(scene)
        self.undo_button.setEnabled(self.session.can_undo)
        self.redo_button.setEnabled(self.session.can_redo)
        with QSignalBlocker(self.preset):
            self.preset.setCurrentIndex(self.preset.findData(self.session.preset))
        self.preset.setToolTip(
            f"{self.preset.currentText()}<br>A scene to start from; the scene before it comes back "
            "with Undo"
        )
        problem = field_problem(scene)
        for name in ("phase", "amplitude"):
            self.shown_buttons[name].setEnabled(not problem)
            self.layers_shown[name].setEnabled(not problem)
        self.field_note.setText(problem)
        self.field_note.setVisible(bool(problem))
        if problem and self.session.view.shown in ("phase", "amplitude"):
            self.session.set_view(shown="image")

    def _on_view(self, view: Any) -> None:
        self.shown_buttons[view.shown].setChecked(True)
        for name, box in self.layers_shown.items():
            with QSignalBlocker(box):
                box.setChecked(getattr(view, name))

    def _on_picture(self, picture: Picture) -> None:
        text = picture.explain.replace(" | ", " · ")
        if self.studio.fps >= 1:
            text += f", {self.studio.fps:.0f} fps"
        self.explain_text.setText(text)
        if not picture.request.preview:
            self._show_notices(picture.notices)
        self.undo_button.setEnabled(self.session.can_undo)

    def explain(self) -> None:
        """Open the reasons of the newest picture below the explain line."""
        picture = self.session.picture
        if picture is None:
            return
        if self.reasons is None:
            self.reasons = Reasons(self)
        self.reasons.open_below(self.explain_text, picture)

    def _on_status(self, status: str) -> None:
        picture = self.session.picture
        self._show_notices(picture.notices if picture is not None else ())

    def _on_free(self, free: frozenset[str]) -> None:
        for section in self.sections:
            for row in section.findChildren(Row):
                row.set_free(row.name in free)

    def _on_sliding(self, _: bool) -> None:
        self.undo_button.setEnabled(self.session.can_undo)
        self.redo_button.setEnabled(self.session.can_redo)

    def _on_selected(self, _: object) -> None:
        self.sample.sync_selected()

    def _grip(self) -> None:
        self.session.set_view(particles=True)
        self.studio.sink.grip_particles()

    def _on_preset(self, _: int) -> None:
        self.load_preset(self.preset.currentData())

    def _ask_save(self) -> None:
        self.save_scene()

    def _ask_load(self) -> None:
        self.load_scene()

    def _on_target(self, layer: Any) -> None:
        self.fit_button.setEnabled(layer is not None)

    def _show_notices(self, notices: tuple[Notice, ...]) -> None:
        status = self.session.status
        key = (status, tuple(notice.text for notice in notices))
        if key == self._noticed:
            return
        self._noticed = key
        while self.notices.count():
            item = self.notices.takeAt(0)
            item.widget().hide()
            item.widget().deleteLater()
        if status:
            self.notices.addWidget(_notice(status, "error"))
        for notice in notices:
            self.notices.addWidget(
                _notice(notice.text, "warning", notice.remedy_text, notice.remedy, self._remedy)
            )

    def _remedy(self) -> None:
        """Carry out the change that the pressed button offers."""
        try:
            self.session.change(self.sender().property("remedy"))
        except SceneError as error:
            self.session.say(_plain(str(error)))

    def apply_theme(self) -> None:
        """Take the colours of napari's theme, for the plot too."""
        super().apply_theme()
        if hasattr(self, "compare"):
            colours = self.colours()
            self.compare.plot.set_colours(colours["text"])
            self.microscope.plot.set_colours(colours["text"])

    # --- scenes ------------------------------------------------------------------------------

    def load_preset(self, name: str) -> None:
        """Put a preset in place; an unknown name is answered in words."""
        try:
            scene = presets.load(name)
        except SceneError as error:
            self.session.say(str(error))
            return
        self.session.set_scene(scene, seed=0, preset=name)

    def reset(self) -> None:
        """Return to the preset as it is in the package."""
        from napari_osog.studio import FIRST_PRESET

        self.load_preset(self.session.preset or FIRST_PRESET)

    def save_scene(self, path: str | Path | None = None) -> None:
        """Write the scene to a file; asks where when no path is given."""
        if path is None:
            path, _ = QFileDialog.getSaveFileName(
                self, "Save scene", "scene.osog.yaml", "Scene (*.osog.yaml *.yaml *.json)"
            )
        if not path:
            return
        try:
            self.session.scene.save(path)
        except OSError as error:
            self.session.say(f"The scene could not be saved: {error.strerror or error}.")
            return
        _toast(f"Scene saved to {path}")

    def load_scene(self, path: str | Path | None = None) -> None:
        """Read a scene from a file; asks which when no path is given."""
        if path is None:
            path, _ = QFileDialog.getOpenFileName(
                self, "Load scene", "", "Scene (*.yaml *.yml *.json)"
            )
        if not path:
            return
        try:
            scene = Scene.load(path)
        except SceneError as error:
            self.session.say(_of_file(path, str(error)))
            return
        except OSError as error:
            self.session.say(f"{Path(path).name} could not be read: {error.strerror or error}.")
            return
        self.session.set_scene(scene, preset="")

    def copy_yaml(self) -> None:
        """Put the scene on the clipboard as the text of a scene file."""
        QApplication.clipboard().setText(self.session.scene.to_yaml())

    def copy_python(self) -> None:
        """Put a script on the clipboard that renders the scene."""
        body = self.session.scene.to_yaml()
        QApplication.clipboard().setText(
            "import yaml\n\nimport osog\n\n"
            f'scene = osog.Scene.model_validate(yaml.safe_load("""\n{body}"""))\n'
            f"frame = osog.render(scene, seed={self.session.seed})\n"
            "image = frame.image.numpy()\n"
        )

    def edit_render(self) -> None:
        """Open the scene that a selected layer carries."""
        viewer = self.viewer
        layer = None if viewer is None else viewer.layers.selection.active
        try:
            scene, seed = carried_scene(layer)
        except SceneError as error:
            self.session.say(str(error))
            return
        self.session.set_scene(scene, seed=seed, preset="")

    def open_fit(self) -> None:
        """Open the Fit panel."""
        viewer = self.viewer
        if viewer is not None:
            viewer.window.add_plugin_dock_widget("napari-osog", "Fit")


def carried_scene(layer: Any) -> tuple[Scene, int]:
    """Return scene and seed of a render that a layer carries in its metadata.

    Raises
    ------
    SceneError
        If it carries none.
    """
    metadata = getattr(layer, "metadata", None)
    own = metadata.get("osog") if isinstance(metadata, dict) else None
    if not isinstance(own, dict) or "scene" not in own:
        name = "No layer is selected" if layer is None else f"'{layer.name}' carries no scene"
        raise SceneError(f"{name}; select a layer that was rendered here.")
    return Scene.parse(own["scene"]), int(own.get("seed", 0))


def _of_file(path: str | Path, message: str) -> str:
    """Sentence about a file that names it."""
    name = Path(path).name
    return message if message.startswith(name) else f"{name}: {message}"


def _plain(message: str) -> str:
    """First sentence of an error, without the path of the field: the row says where it is."""
    first = message.splitlines()[0]
    head, _, tail = first.partition(": ")
    sentence = tail if tail and " " not in head else first
    for field, words in _FIELDS.items():
        sentence = re.sub(rf"\b{field}\b( =)?", words, sentence)
    return sentence[0].upper() + sentence[1:]


def _notice(text: str, kind: str, words: str = "", remedy: Any = None, slot: Any = None) -> QFrame:
    frame = QFrame()
    frame.setObjectName("osog_notice")
    frame.setProperty("kind", kind)
    box = QVBoxLayout(frame)
    box.setContentsMargins(8, 4, 6, 4)
    box.setSpacing(4)
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    box.addWidget(label)
    if remedy:
        button = QPushButton(words or "Change it")
        button.setProperty("remedy", dict(remedy))
        button.clicked.connect(slot)
        box.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
    return frame


def _toast(text: str) -> None:
    from napari.utils.notifications import show_info

    show_info(text)


__all__ = ["SimulatePanel", "carried_scene"]

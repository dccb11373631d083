"""The head of the Simulate panel: preset, undo, the scene as a file, what was computed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_osog import engine
from napari_osog.lifetimes import listen
from napari_osog.panels.explain import ExplainLine, Reasons
from napari_osog.panels.forms import SCENE_FILES, SaveForm, save_scene
from napari_osog.panels.widgets import (
    busy_sign,
    combo_box,
    notice,
    push_button,
    side_by_side,
    small_button,
)
from napari_osog.problem import report
from napari_osog.words import copied, plain, told
from osog import presets
from osog.scene import Scene, SceneError

if TYPE_CHECKING:
    from napari_osog.live_controller import LiveController
    from napari_osog.pictures import Picture
    from osog.cautions import Caution


class SceneHeader(QWidget):
    """Preset, undo and redo, the menu of the scene, the explain line and the notices.

    Parameters
    ----------
    controller : LiveController
    """

    def __init__(self, controller: LiveController) -> None:
        super().__init__()
        self.controller = controller
        self.session = session = controller.session
        self.preset = combo_box("Preset", letters=12)
        self.preset.setPlaceholderText("Your own scene")
        for name in presets.names():
            self.preset.addItem(presets.title(name), name)
            words = "\n".join(presets.provenance(name).values())
            self.preset.setItemData(self.preset.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
        self.preset.activated.connect(lambda _: self.load_preset(self.preset.currentData()))
        self.undo_button = push_button("Undo", "", session.undo)
        self.redo_button = push_button("Redo", "", session.redo)
        self.save_form = SaveForm(save_scene(session={"bind": session}))
        self.save_form.saved.connect(lambda path: told(f"Scene saved to {path}"))
        self.explain_text = ExplainLine()
        self.explain_text.clicked.connect(self.explain)
        self.busy = busy_sign("The first picture is being made")
        self.reasons: Reasons | None = None
        self.notices = QVBoxLayout()
        self.notices.setSpacing(3)
        self._noticed: Any = None
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(5)
        box.addWidget(self.preset)
        box.addWidget(
            side_by_side(self.undo_button, self.redo_button, self._scene_menu(), spacing=4)
        )
        box.addWidget(self.save_form)
        box.addWidget(self.explain_text)
        box.addWidget(self.busy)
        if not engine.is_loaded():
            self.explain_text.setText("Loading the engine…")
        box.addLayout(self.notices)
        listen(self, session.events.asked, self._on_asked)

    def _scene_menu(self) -> QToolButton:
        button = small_button("Scene…", "Save, load, copy or reset the scene", style="osog_menu")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        menu = QMenu(button)
        for words, slot in (
            ("Save scene…", self.save_form.open),
            ("Load scene…", self._ask_load),
            ("Copy as Python", self.copy_python),
            ("Copy as YAML", self.copy_yaml),
            ("Edit the selected render", self._edit_render),
            ("Reset to the preset", self.reset),
            ("Report a problem", self.copy_problem),
        ):
            menu.addAction(words, slot)
        button.setMenu(menu)
        return button

    # --- what the session says ---------------------------------------------------------------

    def follow_history(self) -> None:
        """Offer to undo and redo where there is something to."""
        self.undo_button.setEnabled(self.session.history.can_undo)
        self.redo_button.setEnabled(self.session.history.can_redo)

    def follow_preset(self) -> None:
        """Show which preset the scene came from."""
        with QSignalBlocker(self.preset):
            self.preset.setCurrentIndex(self.preset.findData(self.session.preset))
        self.preset.setToolTip(
            f"{self.preset.currentText()}<br>A scene to start from; the scene before it comes back "
            "with Undo"
        )

    def show_picture(self, picture: Picture) -> None:
        """Say what was computed, and what to be wary of."""
        self.busy.hide()
        text = picture.explain.replace(" | ", " · ")
        if self.controller.fps >= 1:
            text += f", {self.controller.fps:.0f} fps"
        self.explain_text.setText(text)
        if not picture.request.preview:
            self._show_notices(picture.cautions)
        self.follow_history()

    def show_status(self) -> None:
        """Show the sentence of the session above the notices of the newest picture."""
        picture = self.session.picture
        if picture is None and self.session.status:  # it could not be rendered
            self.explain_text.setText("No picture yet")
        waits = self.session.asked is None and not self.session.status
        self.busy.setVisible(picture is None and waits)
        self._show_notices(picture.cautions if picture is not None else ())

    def _on_asked(self, layer: Any) -> None:
        """While a micrograph is asked about, no picture is being made."""
        if self.session.picture is None:
            words = "Loading the engine…" if not engine.is_loaded() else "Rendering…"
            self.explain_text.setText("No picture yet" if layer is not None else words)
        self.show_status()

    def explain(self) -> None:
        """Open the reasons of the newest picture below the explain line."""
        picture = self.session.picture
        if picture is None:
            return
        if self.reasons is None:
            self.reasons = Reasons(self)
        self.reasons.open_below(self.explain_text, picture)

    def _show_notices(self, cautions: tuple[Caution, ...]) -> None:
        status = self.session.status
        removed = self.session.render_removed
        key = (status, removed, tuple(each.text for each in cautions))
        if key == self._noticed:
            return
        self._noticed = key
        while (item := self.notices.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if removed:
            self.notices.addWidget(
                notice(
                    "The layer of the render was deleted.",
                    remedy={"request": True},
                    remedy_text="Show it again",
                    cure=lambda _: self.controller.request(),
                )
            )
        if status:
            self.notices.addWidget(notice(status, "error"))
        for each in cautions:
            self.notices.addWidget(
                notice(
                    each.text, remedy=each.remedy, remedy_text=each.remedy_text, cure=self._remedy
                )
            )

    def _remedy(self, change: dict[str, Any]) -> None:
        """Carry out the change that the pressed button offers."""
        try:
            self.session.change(change)
        except SceneError as error:
            self.session.status = plain(str(error))

    # --- scenes ------------------------------------------------------------------------------

    def load_preset(self, name: str) -> None:
        """Put a preset in place; an unknown name is answered in words."""
        try:
            scene = presets.load(name)
        except SceneError as error:
            self.session.status = str(error)
            return
        self.session.set_scene(scene, seed=0, preset=name)

    def reset(self) -> None:
        """Return to the preset as it is in the package."""
        from napari_osog.live_controller import FIRST_PRESET

        self.load_preset(self.session.preset or FIRST_PRESET)

    def _ask_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load scene", "", SCENE_FILES)
        if path:
            self.load_scene(path)

    def load_scene(self, path: str | Path) -> None:
        """Read a scene from a file; what is wrong with it is said in words."""
        name = Path(path).name
        try:
            scene = Scene.load(path)
        except SceneError as error:
            text = str(error)
            self.session.status = text if text.startswith(name) else f"{name}: {text}"
            return
        except OSError as error:
            self.session.status = f"{name} could not be read: {error.strerror or error}."
            return
        self.session.set_scene(scene, preset="")

    def copy_yaml(self) -> None:
        """Put the scene on the clipboard as the text of a scene file."""
        copied(self.session.scene.to_yaml())

    def copy_problem(self) -> None:
        """Put what a report of a problem needs on the clipboard: versions, last error, scene."""
        copied(report(self.session))
        told(
            "Versions, the last error and the scene are on the clipboard: paste them into a report"
        )

    def copy_python(self) -> None:
        """Put a script on the clipboard that renders the scene."""
        copied(
            "import yaml\n\nimport osog\n\n"
            f'scene = osog.Scene.model_validate(yaml.safe_load("""\n'
            f'{self.session.scene.to_yaml()}"""))\n'
            f"frame = osog.render(scene, seed={self.session.seed})\n"
            "image = frame.image.numpy()\n"
        )

    def _edit_render(self) -> None:
        viewer = self.controller.viewer_layers.registry.viewer
        self.edit_render(None if viewer is None else viewer.layers.selection.active)

    def edit_render(self, layer: Any) -> None:
        """Open the scene that a layer carries.

        Parameters
        ----------
        layer : napari layer or None
        """
        try:
            scene, seed = carried_scene(layer)
        except SceneError as error:
            self.session.status = str(error)
            return
        self.session.set_scene(scene, seed=seed, preset="")


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


__all__ = ["SceneHeader", "carried_scene"]

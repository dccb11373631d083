"""The Show section: what the image layer shows, and which layers lie over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QButtonGroup, QCheckBox, QLabel, QRadioButton

from napari_osog.fields import field_problem
from napari_osog.lifetimes import listen
from napari_osog.panels.section import Section
from napari_osog.panels.widgets import note, push_button, say, side_by_side

if TYPE_CHECKING:
    from napari_osog.live_controller import LiveController
    from osog.scene import Scene

_SHOWN = (
    ("image", "Image", "What the camera records"),
    ("phase", "Phase", "Phase of the field at the image plane, in radians"),
    ("amplitude", "Amplitude", "Modulus of the field at the image plane"),
    ("irradiance", "Before camera", "Light at the pixel centres, without pixels, noise and counts"),
)
_LAYERS = (
    ("particles", "Particles", "One point per particle, coloured by depth; drag it"),
    ("outlines", "Outlines", "Silhouettes as projected, also when out of focus"),
    ("masks", "Masks", "Which particle each pixel belongs to"),
)
_GRIP = "Select and move particles"
_FIELDS = (
    ("phase", "Phase", "Phase of the field in a layer of its own, in radians"),
    ("amplitude", "Amplitude", "Modulus of the field in a layer of its own"),
)


class ShowSection(Section):
    """Choices of the view.

    Parameters
    ----------
    controller : LiveController
    """

    page = "tour.md#3-move-a-particle"

    def __init__(self, controller: LiveController) -> None:
        super().__init__("Show")
        self.controller = controller
        self.view = controller.session.view
        self.group = QButtonGroup(self)
        self.shown: dict[str, QRadioButton] = {}
        self.layers: dict[str, QCheckBox] = {}
        for choices in (_SHOWN[:2], _SHOWN[2:]):
            self.add(side_by_side(*(self._radio(*choice) for choice in choices)))
        self.add(side_by_side(*(self._tick(*layer) for layer in _LAYERS)))
        title = QLabel("Field as layers")
        title.setToolTip("What lies behind the image: the field at the image plane")
        self.add(side_by_side(title, *(self._tick(*field) for field in _FIELDS)))
        self.field_note = note()
        self.add(self.field_note)
        self.grip = push_button(
            _GRIP,
            "Click a point in the viewer to see its own numbers, drag it to move the particle",
            self._grip,
        )
        self.grip.setCheckable(True)
        listen(self, controller.session.events.gripping, self._on_gripping)
        self._on_gripping(controller.session.gripping)
        self.add(self.grip)

    def _radio(self, name: str, title: str, help: str) -> QRadioButton:
        button = QRadioButton(title)
        button.setToolTip(help)
        button.clicked.connect(lambda: self._show(name))
        self.group.addButton(button)
        self.shown[name] = button
        return button

    def _show(self, name: str) -> None:
        self.view.update(shown=name)
        if self.controller.session.render_removed:
            self.controller.request()

    def _tick(self, name: str, title: str, help: str) -> QCheckBox:
        box = QCheckBox(title)
        box.setToolTip(help)
        box.toggled.connect(lambda on: self.view.update(**{name: on}))
        self.layers[name] = box
        return box

    def sync(self, scene: Scene) -> None:
        """Offer what a scene has; without a field behind its image that says why."""
        problem = field_problem(scene)
        for name in ("phase", "amplitude"):
            self.shown[name].setEnabled(not problem)
            self.layers[name].setEnabled(not problem)
        say(self.field_note, problem)
        if problem and self.view.shown in ("phase", "amplitude"):
            self.view.shown = "image"

    def follow_view(self) -> None:
        """Show what is chosen."""
        self.shown[self.view.shown].setChecked(True)
        for name, box in self.layers.items():
            with QSignalBlocker(box):
                box.setChecked(getattr(self.view, name))

    def _on_gripping(self, on: bool) -> None:
        self.grip.setChecked(on)
        self.grip.setText("Selecting particles: click to end" if on else _GRIP)

    def _grip(self) -> None:
        points = self.controller.viewer_layers.particles
        if self.controller.session.gripping:
            points.let_go()
            return
        self.grip.setChecked(False)  # until the points are there
        self.view.particles = True
        points.grip()


__all__ = ["ShowSection"]

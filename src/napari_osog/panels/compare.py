"""The comparison of a render with a micrograph: grid, overlays, line profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QButtonGroup, QGridLayout, QToolButton

from napari_osog.lifetimes import listen
from napari_osog.micrographs import OPTICS, SLIDERS, adopt, chosen, doubts, facts, known_optics
from napari_osog.panels.forms import MissingOptics
from napari_osog.panels.inputs import Slider, ignore_wheel
from napari_osog.panels.line_profile import LineProfile
from napari_osog.panels.micrograph_box import MicrographBox
from napari_osog.panels.section import Section
from napari_osog.panels.titles import Title
from napari_osog.panels.widgets import (
    after,
    fault,
    holder,
    note,
    push_button,
    say,
    small_button,
    titled,
    wide,
)
from napari_osog.plane_geometry import TRANSFORM, TargetError
from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_osog.live_controller import LiveController
    from osog.io import Known

_MODES = (
    ("off", "Off", "Show the render alone"),
    ("beside", "Beside", "Show the render to the right of the micrograph"),
    ("blend", "Blend", "Lay the render over the micrograph"),
    ("wipe", "Wipe", "Micrograph on the left of a line, render on its right"),
    ("checkerboard", "Tiles", "Micrograph and render in alternating tiles"),
    ("difference", "Difference", "Micrograph minus render after matching gain and offset"),
)
_MOST_TILES, _LEAST_TILES = 24, 2


class CompareSection(Section):
    """Chooses the micrograph, copies its grid, and lays the render over it.

    Parameters
    ----------
    controller : LiveController

    Attributes
    ----------
    known : dict of str to Known
        What is known of the micrograph's optics.
    """

    page = "tour.md#5-bring-your-own-micrograph"

    def __init__(self, controller: LiveController) -> None:
        super().__init__("Compare")
        self.controller = controller
        self.session = controller.session
        self.layers = controller.viewer_layers
        self.known: dict[str, Known] = {}
        self._why: Mapping[str, str] | None = None
        self._others: Sequence[str] = ()
        self._connected: Any = None
        self._add_micrograph()
        self._add_modes()
        self._add_amount()
        self.note, self.problem = note(), fault()
        self.add(self.note)
        self.add(self.problem)
        self.profile = LineProfile(controller)
        self.add(self.profile)
        self.chooser.relisted.connect(self._on_layers)
        for signal, slot in (
            (self.session.scene_changed, self._on_scene),
            (self.session.events.target, self._on_target),
            (self.session.view.events, self._on_view),
            (self.session.events.picture, self._on_picture),
        ):
            listen(self, signal, slot)
        self._on_target(self.session.target)
        self._on_view()

    # --- parts -------------------------------------------------------------------------------

    def _add_micrograph(self) -> None:
        self.chooser = MicrographBox(
            self.controller, "Image layer that is compared with, and fitted to"
        )
        self.add(titled("Micrograph", self.chooser))
        self.match_button = push_button(
            "Match its grid and optics",
            "Copy pixel size, frame, offset, rotation and units from the layer; NA, wavelength and "
            "indices from its file where it knows them",
            self.match_grid,
        )
        self.add(self.match_button)
        self.sources = note(selectable=True)
        self.add(self.sources)
        self.missing = MissingOptics(self.session)
        self.missing.stated.connect(self._on_stated)
        self.add(self.missing)

    def _add_modes(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 2, 0, 0)
        grid.setSpacing(2)
        self.modes = QButtonGroup(self)
        self.mode_buttons: dict[str, QToolButton] = {}
        for k, (mode, title, help) in enumerate(_MODES):
            button = wide(small_button(title, help, style="osog_mode"))
            button.setCheckable(True)
            button.clicked.connect(lambda _, mode=mode: self.choose_mode(mode))
            self.modes.addButton(button)
            self.mode_buttons[mode] = button
            grid.addWidget(button, k // 3, k % 3)
        self.add(holder(grid))

    def _add_amount(self) -> None:
        self.amount = Slider(Qt.Orientation.Horizontal)
        self.amount.setRange(0.0, 1.0)
        self.amount.setSingleStep(0.01)
        self.amount.stepped.connect(
            lambda steps: self.amount.setValue(self.amount.value() + 0.02 * steps)
        )
        ignore_wheel(self.amount)
        self.amount.valueChanged.connect(self._on_amount)
        self.amount_label = Title()
        self.amount_line = self.add(after(self.amount_label, self.amount))

    # --- the micrograph ----------------------------------------------------------------------

    def _on_layers(self) -> None:
        self.match_button.setEnabled(self.session.target is not None)
        self.profile.refresh()

    def _on_target(self, layer: Any) -> None:
        self._on_layers()
        self.problem.setText("")
        self._tell_known({})
        if self._connected is not None:
            self._connected.events.data.disconnect(self._on_target_data)
            self._connected = None
        if layer is None:
            self.profile.draw()
            return
        listen(self, layer.events.data, self._on_target_data)
        for name in TRANSFORM:
            listen(self, getattr(layer.events, name), self._on_moved)
        self._connected = layer
        self._look_at(layer)

    def _look_at(self, layer: Any) -> None:
        """Say what is known of a micrograph, or why it cannot be used."""
        try:
            self.layers.compared.target_plane()
            known = known_optics(layer, self.session)
        except TargetError as error:
            self.problem.setText(str(error))
            return
        self._tell_known(known, doubts(layer), facts(layer))

    def _on_moved(self, event: Any = None) -> None:
        """Take in another scale or transform of the layer."""
        layer = self.session.target
        if layer is not None and (event is None or event.source is layer):
            self.problem.setText("")
            self._tell_known({})
            self._look_at(layer)

    def _on_target_data(self, event: Any = None) -> None:
        self.layers.compared.refresh()
        self.profile.draw_soon()

    def _tell_known(
        self,
        known: dict[str, Known],
        why: Mapping[str, str] | None = None,
        others: Sequence[str] = (),
    ) -> None:
        """Say of every number where it is from, and ask for those that are unknown."""
        self.known, self._why, self._others = known, why, others
        self._show_sources()
        self.missing.ask(known if self.session.target is not None else None)

    def _show_sources(self) -> None:
        """Follow the scene too: what was typed is no longer a number that is merely assumed."""
        known, why, others, target = self.known, self._why, self._others, self.session.target
        moved = set() if target is None else chosen(self.session, target)
        words = []
        for name, optic in OPTICS.items():
            stated = known.get(name)
            if stated is not None:
                words.append(f"{optic.title} {optic.text(stated.value)} ({stated.source})")
            elif (self.known or why) and optic.asked:
                used = optic.text(optic.used(self.session.scene))
                if name in moved:
                    words.append(f"{optic.title} {used} ({SLIDERS})")
                    continue
                reason = f". {why[name]}" if why and name in why else ""
                words.append(f"<i>{optic.title} unknown: using {used}{reason}</i>")
        read_off = self.session.source("camera.background_electrons")
        camera = [f"camera {read_off}"] if read_off else []
        say(self.sources, "<br>".join([*words, *camera, *others]))

    def _on_scene(self, _: object) -> None:
        self._show_sources()
        self.missing.follow()

    def _on_stated(self) -> None:
        self.match_grid()

    def match_grid(self) -> None:
        """Render on the micrograph's grid: shape, pixel size, offset, rotation, units, optics."""
        session = self.session
        if session.target is None:
            self.problem.setText("Choose a micrograph first.")
            return
        try:
            self.layers.compared.target_plane()
            known = adopt(session, session.target)
        except (TargetError, SceneError) as error:
            say(self.problem, str(error))
            return
        self.problem.setText("")
        self._tell_known(known, doubts(session.target), facts(session.target))
        if session.view.compare == "off":
            self.choose_mode("beside")
        elif session.picture is not None:
            self.layers.apply_view()

    # --- overlays ----------------------------------------------------------------------------

    def choose_mode(self, mode: str) -> None:
        """Show the comparison of this name; see ``view.COMPARISONS``."""
        session = self.session
        if mode != "off" and session.target is None:
            if len(self.chooser.layers) == 1:
                session.set_target(self.chooser.layers[0])
            else:
                self.problem.setText("Choose a micrograph first.")
                self._on_view()
                return
        session.view.compare = mode
        self._on_view()

    def _on_amount(self, value: float) -> None:
        view = self.session.view
        if view.compare == "blend":
            view.opacity = float(value)
        elif view.compare == "wipe":
            view.wipe = float(value)
        elif view.compare == "checkerboard":
            view.tiles = round(_LEAST_TILES + (_MOST_TILES - _LEAST_TILES) * float(value))

    def _on_view(self) -> None:
        view = self.session.view
        self.mode_buttons[view.compare].setChecked(True)
        amounts = {
            "blend": ("Opacity", view.opacity),
            "wipe": ("Line at", view.wipe),
            "checkerboard": ("Tiles", (view.tiles - _LEAST_TILES) / (_MOST_TILES - _LEAST_TILES)),
        }
        self.amount_line.setVisible(view.compare in amounts)
        if view.compare in amounts:
            title, value = amounts[view.compare]
            self.amount_label.setText(title)
            self.amount.setAccessibleName(title)
            with QSignalBlocker(self.amount):
                self.amount.setValue(value)
        self._tell_match()

    def _on_picture(self, _: object) -> None:
        self._tell_match()

    def _tell_match(self) -> None:
        compared = self.layers.compared
        found = compared.match
        words = ""
        if self.session.view.compare not in ("off", "beside") and found is not None:
            words = (
                f"micrograph ≈ {found.gain:.4g} × render {found.offset:+.4g}; "
                f"residual {found.rms:.3g} rms, correlation {found.correlation:.3f}"
            )
        say(self.note, words)
        say(self.problem, compared.problem or self.problem.text())


__all__ = ["CompareSection"]

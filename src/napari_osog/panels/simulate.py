"""The Simulate panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_osog.docks import dock_of, open_panel
from napari_osog.lifetimes import listen, weakly
from napari_osog.panels.calibrate import CalibrateSection
from napari_osog.panels.camera import BackgroundSection, CameraSection
from napari_osog.panels.compare import CompareSection
from napari_osog.panels.edits import SceneEdits
from napari_osog.panels.header import SceneHeader
from napari_osog.panels.histogram import Histogram
from napari_osog.panels.microscope import MicroscopeSection
from napari_osog.panels.own_image import OwnImage
from napari_osog.panels.panel import Panel
from napari_osog.panels.sample import SampleSection
from napari_osog.panels.section import RowGroup
from napari_osog.panels.sequence import SequenceSection
from napari_osog.panels.show import ShowSection
from napari_osog.panels.tour import TourOffer, start_tour
from napari_osog.panels.widgets import push_button
from napari_osog.plane_geometry import TargetError
from napari_osog.volumes import with_layer_as_sample
from napari_osog.words import plain
from osog.scene import Scene, SceneError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_osog.live_controller import LiveController
    from napari_osog.panels.row import Row
    from napari_osog.pictures import Picture
    from osog.scene import Distribution


class SimulatePanel(Panel):
    """Describe a sample and a microscope, and watch the micrograph follow.

    Parameters
    ----------
    napari_viewer : napari viewer
    controller : LiveController, optional
        Another controller than that of the viewer; for tests.
    """

    def __init__(self, napari_viewer: Any, controller: LiveController | None = None) -> None:
        super().__init__(napari_viewer, controller)
        session = self.session
        self.edits = SceneEdits(session)
        self.header = SceneHeader(self.controller)
        self.header.tour_wanted.connect(self.start_tour)
        self.header.manual_wanted.connect(self.open_manual)
        self.offer = TourOffer()
        self.offer.taken.connect(self.start_tour)
        self.body.addWidget(self.offer)
        self.body.addWidget(self.header)
        self.own_image = OwnImage(self.controller)
        self.own_image.asked.connect(self._show_card)
        self.own_image.compare_pressed.connect(self.open_comparison)
        self.own_image.one_pressed.connect(self.fit_one)
        self.own_image.all_pressed.connect(self.find_all)
        self.own_image.crowd_pressed.connect(self.open_calibration)
        self.body.addWidget(self.own_image)
        self.microscope = MicroscopeSection()
        self.sample = SampleSection(session, self.edits)
        self.camera = CameraSection()
        self.background = BackgroundSection()
        self.sequence = SequenceSection(self.controller)
        self.sections = (self.microscope, self.sample, self.camera, self.background, self.sequence)
        self.groups: list[RowGroup] = []
        self._laws: tuple[Scene, Mapping[str, Distribution]] | None = None
        for section in self.sections:
            section.row_made.connect(self._connect_row)
            self.body.addWidget(section)
            self.groups += section.findChildren(RowGroup)
        for group in self.groups:
            group.followed.connect(self._dress)
        self.sample.failed.connect(self._on_failed)
        self.sample.layer_wanted.connect(self._use_selected_layer)
        self.camera.switched.connect(self._switch_camera)
        self.microscope.glass_switched.connect(self._switch_glass)
        self.show_section = ShowSection(self.controller)
        self.body.addWidget(self.show_section)
        self.compare = CompareSection(self.controller)
        self.body.addWidget(self.compare)
        self.fit_button = push_button(
            "Fit to this micrograph", "Open the Fit panel on the chosen micrograph", self.open_fit
        )
        self.body.addWidget(self.fit_button)
        self.calibrate = CalibrateSection(self.controller)
        self.body.addWidget(self.calibrate)
        self.body.addStretch(1)
        events = session.events
        for signal, slot in (
            (session.scene_changed, self._on_scene),
            (session.view.events, self._on_view),
            (events.picture, self._on_picture),
            (events.status, self._on_status),
            (events.render_removed, self._on_status),
            (events.free, self._on_free),
            (events.target, self._on_target),
            (events.sliding, self._on_sliding),
            (events.selected, self._on_selected),
            (events.sequence_status, self._on_sequence),
        ):
            listen(self, signal, slot)
        self._on_scene(session.scene)
        self._on_view()
        self._on_target(session.target)
        self.header.show_status()
        self.apply_theme()
        if session.picture is not None:
            self._on_picture(session.picture)

    # --- rows --------------------------------------------------------------------------------

    def _connect_row(self, row: Row) -> None:
        row.edited.connect(self._edit)
        row.pressed.connect(self.session.hold)
        row.released.connect(self.session.release)
        row.freed.connect(self.session.set_free)
        row.drawn.connect(self._draw_from)
        row.set_free(row.name in self.session.free)

    def row(self, name: str) -> Row | None:
        """Row of this dotted name while the panel shows one."""
        for group in sorted(self.groups, key=lambda group: group.waits):
            if name in group.rows:
                return group.rows[name]
        return None

    def _edit(self, name: str, value: Any) -> None:
        """Carry out an edit; what is wrong with it is said below its row, and nothing changes."""
        try:
            self.edits.carry_out(name, value)
        except SceneError as error:
            row = self.row(name)
            if row is not None:
                row.set_fault(plain(str(error)))

    def _draw_from(self, name: str, law: Any) -> None:
        """Let a number be drawn from a law; what is wrong with it is said below its row."""
        try:
            self.edits.draw_from(name, law)
        except SceneError as error:
            row = self.row(name)
            if row is not None:
                row.set_fault(plain(str(error)))

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
        self.show_section.sync(scene)
        self.header.follow_history()
        self.header.follow_preset()

    def _dress(self, group: RowGroup) -> None:
        """Let rows show what their numbers come from, and what they are drawn from."""
        session = self.session
        scene = session.scene
        if self._laws is None or self._laws[0] is not scene:
            self._laws = scene, scene.laws_by_name()
        for row in group.made.values():
            row.set_source(session.source(row.name))
            part = getattr(row, "part", None)
            if part is not None:
                part.show_scene(scene, session.seed, self._laws[1].get(row.name))

    def _on_view(self) -> None:
        self.show_section.follow_view()

    def _on_picture(self, picture: Picture) -> None:
        self.header.show_picture(picture)

    def _on_status(self, _: object) -> None:
        self.header.show_status()

    def _on_failed(self, sentence: str) -> None:
        self.session.status = sentence

    def _on_free(self, free: frozenset[str]) -> None:
        for group in self.groups:
            for row in group.made.values():
                if row.free != (row.name in free):
                    row.set_free(not row.free)

    def _on_sliding(self, _: bool) -> None:
        self.header.follow_history()

    def _on_selected(self, _: object) -> None:
        self.sample.sync_selected()

    def _on_sequence(self, words: str) -> None:
        self.sequence.show_progress(words)

    def _on_target(self, layer: Any) -> None:
        self.fit_button.setEnabled(layer is not None)

    def apply_theme(self) -> None:
        """Take the colours of napari's theme, for the plots too."""
        super().apply_theme()
        if hasattr(self, "compare"):
            text = self.colours()["text"]
            self.compare.profile.plot.set_colours(text)
            self.microscope.plot.set_colours(text)
            for histogram in self.findChildren(Histogram):
                histogram.set_colours(text)

    def _use_selected_layer(self) -> None:
        viewer = self.viewer
        self.use_as_sample(None if viewer is None else viewer.layers.selection.active)

    def use_as_sample(self, layer: Any) -> None:
        """Make a Labels or Image layer the sample; the layer itself stays as it is."""
        if layer is None:
            self.session.status = "Select a Labels or Image layer first; then use it as the sample."
            return
        try:
            scene, words = with_layer_as_sample(self.session.scene, layer)
        except (TargetError, SceneError) as error:
            self.session.status = plain(str(error))
            return
        self.session.population = scene.populations[0].name
        self.session.set_scene(scene)
        self.session.status = words

    def open_fit(self) -> Any:
        """Open the Fit panel, and return it."""
        viewer = self.viewer
        if viewer is None:
            return None
        from napari_osog.panels.fit import FitPanel

        return open_panel(viewer, FitPanel, "Fit")

    def start_tour(self) -> None:
        """Show the window in six steps."""
        start_tour(self)

    # --- with a micrograph of the user's own -------------------------------------------------

    def _show_card(self) -> None:
        """Bring what is asked of a micrograph into view."""
        dock = dock_of(self)
        if dock is not None:
            dock.show()
            dock.raise_()
        self.scroll_area.ensureWidgetVisible(self.own_image, 0, 0)

    def open_comparison(self) -> None:
        """Lay the render over the micrograph, with a line between them that can be dragged."""
        self.compare.choose_mode("wipe")
        self.compare.expand(animate=False)
        scroll, section = self.scroll_area, self.compare
        QTimer.singleShot(60, weakly(section, lambda s: scroll.ensureWidgetVisible(s, 0, 0)))

    def open_calibration(self) -> None:
        """Unfold what calibrates the scene to a crowd, and bring it into view."""
        self.calibrate.open()
        scroll, section = self.scroll_area, self.calibrate
        QTimer.singleShot(60, weakly(section, lambda s: scroll.ensureWidgetVisible(s, 0, 0)))

    def fit_one(self) -> None:
        """Let one particle of the micrograph be fitted, where the user clicks."""
        panel = self.open_fit()
        if panel is not None:
            panel.fit_one()

    def find_all(self) -> None:
        """Let every particle of the micrograph be looked for."""
        panel = self.open_fit()
        if panel is not None:
            panel.find_all()


__all__ = ["SimulatePanel"]

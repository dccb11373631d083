"""What hands do to the window in any order: points, layers, the 3-D display."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QObject

from napari_osog.docks import dock_of, open_panel
from napari_osog.panels.fit import FitPanel
from napari_osog.panels.panel import Panel
from osog.sample import sample

pytestmark = pytest.mark.viewer


def layer_of(panel, role):
    return panel.controller.viewer_layers.registry.layer(role)


def points_are_the_particles(panel):
    """Every point lies on its particle, in the same order."""
    scene = panel.session.scene
    positions = sample(scene, panel.session.seed).position.numpy()[:, 1::-1]
    points = layer_of(panel, "particles").data * scene.grid.pixel_size_um
    return points.shape == positions.shape and np.allclose(points, positions, atol=1e-4)


def test_points_follow_each_other_faster_than_pictures(opened):
    _, panel, _, wait = opened
    session, layer = panel.session, layer_of(panel, "particles")
    session.change({"populations.beads.material.index": 1.45})
    wait.settled()
    before = sample(session.scene, session.seed).position.numpy()
    for index in (0, 1):
        layer.selected_data = {index}
        layer.remove_selected()
    layer.add([[10.0, 20.0]])
    layer.add([[30.0, 40.0], [31.0, 60.0]])
    layer.selected_data = {4}
    layer.remove_selected()
    listed = session.scene.populations[0].particles
    kept = before[[1, 3, 4, 5], :2]
    assert np.allclose([(p.x_um, p.y_um) for p in listed[:4]], kept, atol=1e-4)
    assert np.allclose([(p.x_um, p.y_um) for p in listed[4:]], [(8.0, 6.0), (12.0, 6.2)])
    wait.settled()
    assert points_are_the_particles(panel)
    for _ in range(5):
        session.undo()
    wait.settled()
    assert points_are_the_particles(panel) and len(layer.data) == 6


def test_points_added_to_one_population_renumber_the_next(opened):
    _, panel, _, wait = opened
    session, layer = panel.session, layer_of(panel, "particles")
    beads = session.scene.populations[0]
    session.set_scene(
        session.scene.model_copy(
            update={"populations": (beads, beads.model_copy(update={"name": "more", "count": 3}))}
        )
    )
    wait.settled()
    session.population = "beads"
    layer.add([[10.0, 20.0]])
    layer.selected_data = {6}  # the first of the second population, before the picture comes
    layer.remove_selected()
    assert [len(p.particles) for p in session.scene.populations] == [7, 2]
    wait.settled()
    assert points_are_the_particles(panel)


def test_a_point_of_a_scene_that_is_gone_is_put_back(opened):
    _, panel, _, wait = opened
    session, layer = panel.session, layer_of(panel, "particles")
    panel.controller.live.pause()
    session.reseed(4)
    scene = session.scene
    layer.selected_data = {2}
    layer.remove_selected()
    layer.add([[1.0, 1.0]])
    layer.data = layer.data[:3]
    assert session.scene is scene and len(layer.data) == 6, "nobody knows whose points they were"
    panel.controller.live.resume()
    wait.settled()
    assert points_are_the_particles(panel)
    layer.data = np.array([[4.0, 4.0]])  # other points altogether
    assert session.scene is scene and len(layer.data) == 6
    layer.data = []
    wait.settled()
    assert session.scene.populations[0].particles == () and len(layer.data) == 0
    layer.add([[5.0, 6.0]])
    wait.settled()
    assert points_are_the_particles(panel) and len(layer.data) == 1
    session.undo()
    session.undo()
    wait.settled()
    assert points_are_the_particles(panel) and len(layer.data) == 6


def test_points_are_put_back_into_a_layer_that_nobody_sees(opened):
    """napari goes on listing points of a hidden layer by numbers that are gone."""
    _, panel, _, wait = opened
    session, layer = panel.session, layer_of(panel, "particles")
    layer.visible = False
    layer.data = []
    wait.settled()
    assert session.scene.populations[0].particles == ()
    layer.visible = False
    panel.controller.live.pause()
    session.reseed(4)
    layer.add([[5.0, 6.0]])
    assert len(layer.data) == 0
    panel.controller.live.resume()
    wait.settled()


def test_pasted_points_are_particles_too(opened):
    _, panel, _, wait = opened
    layer = layer_of(panel, "particles")
    layer.selected_data = {1, 4}
    layer._copy_data()
    layer._paste_data()
    wait.until(lambda: panel.session.scene.populations[0].particles is not None)
    assert len(panel.session.scene.populations[0].particles) == 8
    wait.settled()
    assert points_are_the_particles(panel)


def test_select_mode_outlives_new_pictures(opened):
    _, panel, _, wait = opened
    panel.show_section.grip.click()
    layer, session = layer_of(panel, "particles"), panel.session
    assert layer.mode == "select"
    for step in (
        lambda: session.reseed(5),
        lambda: session.undo(),
        lambda: session.change({"microscope.focus_um": 4.0}),
        lambda: panel.header.load_preset("beads-hologram"),
        lambda: session.undo(),
    ):
        step()
        wait.settled()
        assert layer.mode == "select" and panel.viewer.layers.selection.active is layer
    panel.show_section.layers["particles"].setChecked(False)
    panel.show_section.layers["particles"].setChecked(True)
    wait.settled()
    assert layer.visible and layer.mode == "select"


def test_buttons_follow_the_layers_that_are_selected_and_deleted(opened):
    viewer, panel, _, _ = opened
    button, layer = panel.show_section.grip, layer_of(panel, "particles")
    button.click()
    assert button.isChecked() and button.text().startswith("Selecting") and layer.mode == "select"
    button.click()
    assert not button.isChecked() and layer.mode == "pan_zoom"
    button.click()
    layer.mode = "pan_zoom"
    assert not button.isChecked()
    button.click()
    viewer.layers.selection.active = layer_of(panel, "image")
    assert not button.isChecked(), "the mouse acts on another layer"
    button.click()
    assert button.isChecked() and viewer.layers.selection.active == layer
    viewer.layers.remove(layer)
    assert not button.isChecked() and button.text() == "Select and move particles"
    # A deleted line unticks the profile.
    tick = panel.compare.profile.on
    tick.setChecked(True)
    viewer.layers.remove(layer_of(panel, "profile"))
    assert not tick.isChecked()
    tick.setChecked(True)
    assert layer_of(panel, "profile") is not None


def test_particles_that_have_no_room_while_one_is_selected(opened):
    _, panel, _, wait = opened
    layer_of(panel, "particles").selected_data = {2}
    assert not panel.sample.one.isHidden()
    panel.session.change({"populations.beads.placement": {"law": "non_overlapping"},
                          "populations.beads.shape.radius_um": 9.0,
                          "populations.beads.count": 40})  # fmt: skip
    assert panel.sample.one.isHidden()
    wait.until(lambda: "do not fit without overlap" in panel.session.status)
    panel.session.undo()
    wait.settled()
    assert points_are_the_particles(panel)


def test_rings_are_left_out_where_they_would_hide_the_image(opened):
    viewer, panel, _, wait = opened
    tick, session = panel.show_section.layers["particles"], panel.session
    assert tick.isChecked()
    session.change({"populations.beads.count": 120})
    wait.settled()
    wait.until(lambda: not tick.isChecked())
    assert not layer_of(panel, "particles").visible
    tick.setChecked(True)
    wait.until(lambda: layer_of(panel, "particles").visible)
    session.change({"microscope.focus_um": 4.0})
    wait.settled()
    assert tick.isChecked(), "what the user chose stays"
    session.change({"populations.beads.count": 6})
    wait.settled()
    viewer.add_image(np.random.default_rng(0).random((64, 80)), name="mine",
                     scale=(0.2, 0.2), units=("um", "um"))  # fmt: skip
    panel.compare.choose_mode("blend")
    assert not tick.isChecked() and not layer_of(panel, "particles").visible
    panel.compare.choose_mode("off")
    assert tick.isChecked()
    wait.until(lambda: layer_of(panel, "particles").visible)


def test_a_sample_without_particles_beside_the_fit_panel(opened):
    viewer, panel, _, wait = opened
    fit = FitPanel(viewer)
    viewer.window.add_dock_widget(fit, name="Fit")
    for count in (0, 1, 3, 0):
        panel.session.change({"populations.beads.count": count})
        wait.settled()
    beads = panel.session.scene.populations[0]
    rods = beads.model_copy(update={"name": "more", "count": 2})
    panel.session.set_scene(panel.session.scene.model_copy(update={"populations": (beads, rods)}))
    assert fit.table.lines.entry("particles[*].x_um") is not None
    fit.worker.stop()


def test_outlines_wait_for_the_plane(opened):
    viewer, panel, _, wait = opened
    tick = panel.show_section.layers["outlines"]
    viewer.dims.ndisplay = 3
    tick.setChecked(True)
    wait.settled()
    assert "2-D display" in panel.session.status
    viewer.dims.ndisplay = 2
    wait.until(lambda: layer_of(panel, "outlines") is not None)
    outlines = layer_of(panel, "outlines")
    assert len(outlines.data) == 6
    viewer.dims.ndisplay = 3
    panel.session.change({"populations.beads.count": 9})
    wait.settled()
    assert not outlines.visible and tick.isChecked()
    viewer.dims.ndisplay = 2
    wait.until(lambda: outlines.visible)
    assert len(outlines.data) == 9
    # What is drawn by hand is drawn in the plane.
    viewer.dims.ndisplay = 3
    panel.compare.profile.on.setChecked(True)
    assert viewer.dims.ndisplay == 2
    viewer.dims.ndisplay = 3
    panel.show_section.grip.click()
    assert viewer.dims.ndisplay == 2 and layer_of(panel, "particles").mode == "select"


def test_the_eye_and_the_bin_of_the_layer_list_are_the_ticks_of_the_panel(opened):
    viewer, panel, _, wait = opened
    ticks = panel.show_section.layers
    for role in ("outlines", "masks", "phase"):
        ticks[role].setChecked(True)
    wait.until(lambda: layer_of(panel, "phase") is not None)
    wait.settled()
    for role in ("particles", "outlines", "masks", "phase"):
        layer = layer_of(panel, role)
        layer.visible = False
        assert not ticks[role].isChecked()
        panel.session.change({"microscope.focus_um": panel.session.scene.microscope.focus_um + 1})
        wait.settled()
        assert not layer.visible, "what the user hides stays hidden"
        layer.visible = True
        assert ticks[role].isChecked()
        viewer.layers.remove(layer)
        assert not ticks[role].isChecked()
        ticks[role].setChecked(True)
        wait.until(lambda role=role: layer_of(panel, role) is not None)
    viewer.layers.remove(layer_of(panel, "particles"))
    panel.show_section.grip.click()
    wait.until(lambda: layer_of(panel, "particles") is not None)
    assert layer_of(panel, "particles").mode == "select"


def test_a_render_that_was_deleted_can_be_had_again(opened):
    viewer, panel, _, wait = opened

    def button():
        items = (panel.header.notices.itemAt(k) for k in range(panel.header.notices.count()))
        found = [b for item in items for b in item.widget().findChildren(_button())]
        return next((b for b in found if b.text() == "Show it again"), None)

    viewer.layers.clear()
    assert not any(tick.isChecked() for tick in panel.show_section.layers.values())
    assert panel.session.render_removed
    button().click()
    wait.until(lambda: layer_of(panel, "image") is not None)
    wait.settled()
    assert not panel.session.render_removed and button() is None
    # The one in colour is deleted, and the next render is grey.
    panel.session.change({"camera.colour": "rgb"})
    wait.settled()
    grey = layer_of(panel, "grey")
    viewer.layers.remove(layer_of(panel, "image"))
    panel.session.change({"camera.colour": "monochrome"})
    wait.settled()
    assert layer_of(panel, "image") is grey and grey.visible
    viewer.layers.remove(grey)
    panel.show_section.shown["image"].click()
    wait.until(lambda: layer_of(panel, "image") is not None)


def _button():
    from qtpy.QtWidgets import QPushButton

    return QPushButton


def test_no_panel_lies_under_its_scroll_bar(opened):
    viewer, panel, _, wait = opened
    open_panel(viewer, FitPanel, "Fit")
    sizes, presets = ((1089, 630), (1280, 800)), ("beads-hologram", "crystals-polarized")
    for size, preset in itertools.product(sizes, presets):
        viewer.window.resize(*size)
        panel.header.load_preset(preset)
        for each in list(panel.controller.panels):
            dock_of(each).raise_()
            wait.until(
                lambda each=each: (
                    each.isVisible() and each.content.width() <= each.scroll_area.viewport().width()
                )
            )
            assert each.content.minimumSizeHint().width() <= each.scroll_area.viewport().width()


def test_each_panel_is_docked_once_whoever_opens_it_and_they_share_a_place(opened):
    from napari._app_model import get_app_model
    from qtpy.QtWidgets import QDockWidget

    from napari_osog import commands

    viewer, panel, _, wait = opened
    window = panel.window()

    def ours():
        return sorted(
            type(each).__name__
            for dock in window.findChildren(QDockWidget)
            for each in dock.findChildren(Panel)
        )

    assert commands._simulate(viewer) is panel
    fit = open_panel(viewer, FitPanel, "Fit", front=False)
    wait.until(lambda: len(window.tabifiedDockWidgets(dock_of(panel))) == 1)
    wait.until(lambda: fit.visibleRegion().isEmpty() and not panel.visibleRegion().isEmpty())
    panel.open_fit()
    panel.open_fit()
    assert ours() == ["FitPanel", "SimulatePanel"]
    wait.until(fit.isVisible)
    run = get_app_model().commands.execute_command
    if "napari-osog.dataset" in get_app_model().commands:  # the plugin is installed
        for shown in (False, True):
            run("napari-osog.fit").result()
            assert ours() == ["FitPanel", "SimulatePanel"], "the menu finds what is open"
            assert fit.isVisible() is shown
        run("napari-osog.dataset").result()
        wait.until(lambda: len(window.tabifiedDockWidgets(dock_of(panel))) == 2)
    dock_of(fit).destroyOnClose()
    assert fit not in panel.controller.panels
    panel.open_fit()
    assert ours().count("FitPanel") == 1


def test_rows_are_styled_once_when_their_panel_is_docked(opened):
    viewer, *_ = opened

    class Styled(QObject):
        times = 0

        def eventFilter(self, watched, event):
            self.times += event.type() == QEvent.Type.StyleChange
            return False

    styled = Styled()

    class Watched(FitPanel):
        def __init__(self, napari_viewer):
            super().__init__(napari_viewer)
            styled.times = 0
            self.setting.target.installEventFilter(styled)

    panel = open_panel(viewer, Watched, "Fit")
    assert panel.content.isVisible() and panel.setting.target.isVisible()
    assert styled.times <= 2, "taken out and put in"


def test_a_panel_behind_another_takes_the_theme_when_it_is_seen(opened, qtbot):
    viewer, panel, _, _ = opened
    fit = open_panel(viewer, FitPanel, "Fit")
    behind, before = fit.colours(), fit.styleSheet()
    qtbot.waitUntil(lambda: not fit.visibleRegion().isEmpty())
    dock_of(panel).raise_()
    qtbot.waitUntil(lambda: fit.visibleRegion().isEmpty())
    viewer.theme = "light"
    qtbot.waitUntil(lambda: panel.colours()["note"] in panel.styleSheet())
    assert fit.colours() != behind and fit.styleSheet() == before
    dock_of(fit).raise_()
    qtbot.waitUntil(lambda: fit.styleSheet() != before)
    assert fit.colours()["note"] in fit.styleSheet()
    viewer.theme = "dark"

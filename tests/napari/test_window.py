"""The Simulate panel in a real window, with the engine."""

from __future__ import annotations

import gc
import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from osog.sample import sample
from osog.scene import Scene

pytestmark = pytest.mark.viewer


def render_threads():
    return [t for t in threading.enumerate() if t.name == "osog-render"]


def names(viewer):
    return [layer.name for layer in viewer.layers]


def mouse(kind, position, **extra):
    """A mouse event as napari hands it to layers."""
    from napari.utils._proxies import ReadOnlyWrapper

    event = SimpleNamespace(
        type=kind, position=tuple(position), pos=np.array(position), handled=False,
        view_direction=None, dims_displayed=[0, 1], dims_point=[0, 0], modifiers=(),
        is_dragging=kind != "mouse_press", **extra,
    )  # fmt: skip
    return ReadOnlyWrapper(event, exceptions=("handled",))


def drag_wipe(viewer, viewer_layers, start, end):
    from napari.utils.interactions import (
        mouse_move_callbacks,
        mouse_press_callbacks,
        mouse_release_callbacks,
    )

    layer, real = viewer_layers.registry.layer("compare"), viewer_layers.registry.viewer
    rows, columns = layer.data.shape
    places = [layer.data_to_world((rows / 2, share * columns - 0.5)) for share in (start, end)]
    mouse_press_callbacks(real, mouse("mouse_press", places[0]))
    mouse_move_callbacks(real, mouse("mouse_move", places[1]))
    mouse_release_callbacks(real, mouse("mouse_release", places[1]))


def test_images_outlines_and_masks_go_into_layers_that_are_reused(opened):
    viewer, panel, _, wait = opened
    layer = panel.controller.viewer_layers.registry.layer("image")
    assert layer.name == "OSOG" and layer.data.dtype == np.float32
    assert layer.data.shape == (64, 80) and layer.scale.tolist() == [0.2, 0.2]
    assert [str(u) for u in layer.units] == ["micrometer", "micrometer"]
    before, array, limits = layer.data.copy(), layer.data, layer.contrast_limits
    panel.row("microscope.focus_um").slider.setValue(700)
    wait.settled()
    assert panel.controller.viewer_layers.registry.layer("image") is layer and layer.data is array
    assert not np.array_equal(layer.data, before)
    assert layer.contrast_limits == limits, "contrast limits stay where they are"
    wait.until(
        lambda: (
            "scene" in layer.metadata["osog"]
            and Scene.parse(layer.metadata["osog"]["scene"]) == panel.session.scene
        )
    )
    panel.session.change({"grid.shape": (40, 48)})
    wait.settled()
    assert panel.controller.viewer_layers.registry.layer("image") is layer and layer.data.shape == (
        40,
        48,
    )
    assert names(viewer) == ["OSOG", "OSOG particles"]
    panel.show_section.layers["outlines"].setChecked(True)
    panel.show_section.layers["masks"].setChecked(True)
    viewer_layers = panel.controller.viewer_layers
    wait.until(
        lambda: (
            viewer_layers.registry.layer("outlines") is not None
            and viewer_layers.registry.layer("masks") is not None
        )
    )
    wait.settled()
    masks, outlines = (
        viewer_layers.registry.layer("masks"),
        viewer_layers.registry.layer("outlines"),
    )
    image = panel.session.picture.instances
    assert np.array_equal(masks.data, image) and masks.scale.tolist() == [0.2, 0.2]
    position = sample(panel.session.scene, panel.session.seed).position.numpy()
    centres = np.array([(shape.max(0) + shape.min(0)) / 2 for shape in outlines.data]) * 0.2
    for centre in centres:
        assert np.abs(position[:, 1::-1] - centre).sum(axis=1).min() < 0.1
    panel.show_section.layers["outlines"].setChecked(False)
    assert not outlines.visible and viewer_layers.registry.layer("outlines") is outlines


def test_layers_that_the_user_renames_or_deletes(opened):
    viewer, panel, _, wait = opened
    viewer_layers = panel.controller.viewer_layers
    mine = viewer.add_image(np.random.default_rng(0).random((64, 80)), name="mine")
    kept = mine.data.copy()
    viewer_layers.registry.layer("image").name = "renamed"
    panel.session.change({"microscope.focus_um": 3.0})
    wait.settled()
    assert names(viewer).count("OSOG") == 0, "a renamed layer goes on being used"
    for _ in range(3):
        panel.session.change({"microscope.focus_um": panel.session.scene.microscope.focus_um + 1})
        viewer.layers.remove("renamed" if "renamed" in names(viewer) else "OSOG")
        wait.settled()
        wait.until(lambda: viewer_layers.registry.layer("image") is not None)
    viewer.layers.remove("OSOG particles")
    panel.session.change({"microscope.focus_um": -1.0})
    wait.settled()
    assert sorted(names(viewer)) == ["OSOG", "mine"]
    panel.show_section.layers["particles"].setChecked(True)
    wait.settled()
    assert sorted(names(viewer)) == ["OSOG", "OSOG particles", "mine"]
    assert np.array_equal(mine.data, kept)
    viewer.layers.clear()
    panel.session.change({"microscope.focus_um": -2.0})
    wait.settled()
    assert viewer_layers.registry.layer("image") is not None


def test_points_are_dragged_added_and_deleted_as_particles(opened):
    from napari.utils.interactions import (
        mouse_move_callbacks,
        mouse_press_callbacks,
        mouse_release_callbacks,
    )

    viewer, panel, _, wait = opened
    layer = panel.controller.viewer_layers.registry.layer("particles")
    session = panel.session
    start = layer.data_to_world(layer.data[0])
    before = sample(session.scene, session.seed).position.numpy()
    layer.mode = "select"
    mouse_press_callbacks(layer, mouse("mouse_press", start))
    seen = []
    session.scene_changed.connect(lambda scene: seen.append(scene))
    for step in np.linspace(0.2, 2.0, 5):
        mouse_move_callbacks(layer, mouse("mouse_move", (start[0] + step, start[1] + step)))
    assert len(seen) == 5, "the particle follows the hand, not only its release"
    assert session.sliding
    mouse_release_callbacks(layer, mouse("mouse_release", (start[0] + 2, start[1] + 2)))
    assert not session.sliding
    wait.settled()
    after = sample(session.scene, session.seed).position.numpy()
    assert np.allclose(after[0, :2] - before[0, :2], 2.0, atol=1e-4)
    assert np.allclose(after[1:], before[1:], atol=1e-5)
    assert np.allclose(layer.data[0] * 0.2, after[0, 1::-1], atol=1e-4)
    session.undo()
    wait.settled()
    assert np.allclose(sample(session.scene, session.seed).position.numpy(), before, atol=1e-5)
    assert np.allclose(layer.data[0] * 0.2, before[0, 1::-1], atol=1e-4)
    layer.add(np.array([[10.0, 20.0]]))
    wait.settled()
    particles = panel.session.scene.populations[0].particles
    assert len(particles) == 7
    assert (particles[-1].x_um, particles[-1].y_um) == pytest.approx((4.0, 2.0))
    panel.show_section.grip.click()
    assert viewer.layers.selection.active.name == "OSOG particles"
    layer.selected_data = {3}
    assert panel.session.selected == 3 and not panel.sample.one.isHidden()
    layer.selected_data = {0, 2}
    assert panel.session.selected is None
    layer.remove_selected()
    wait.settled()
    assert len(panel.session.scene.populations[0].particles) == 5
    assert len(layer.data) == 5


def test_a_micrograph_is_overlaid_on_its_own_grid(opened):
    viewer, panel, _, wait = opened
    rng = np.random.default_rng(2)
    mine = viewer.add_image(
        rng.random((50, 60)).astype(np.float32), name="mine", scale=(0.15, 0.15),
        translate=(3, 4), rotate=20, units=("um", "um"),
    )  # fmt: skip
    kept = mine.data.copy()
    panel.compare.chooser.setCurrentText("mine")
    panel.compare.match_button.click()
    wait.settled()
    viewer_layers = panel.controller.viewer_layers
    image = viewer_layers.registry.layer("image")
    panel.compare.choose_mode("blend")
    assert panel.session.scene.grid.shape == (50, 60)
    assert panel.session.scene.grid.pixel_size_um == pytest.approx(0.15)
    for name in ("scale", "translate", "rotate"):
        assert np.allclose(getattr(image, name), getattr(mine, name)), name
    assert image.units == mine.units and image.opacity == 0.5
    assert "unknown: using" in panel.compare.sources.text()
    assert "pixel size 0.15 µm (from the layer's scale in µm)" in panel.compare.sources.text()
    for mode in ("wipe", "checkerboard", "difference"):
        panel.compare.choose_mode(mode)
        assert viewer_layers.registry.layer("compare").visible and not image.visible
    found = viewer_layers.compared.match
    panel.compare.choose_mode("wipe")
    drag_wipe(viewer, viewer_layers, 0.5, 0.25)
    assert panel.session.view.wipe == pytest.approx(0.25, abs=0.01)
    assert panel.compare.amount.value() == pytest.approx(0.25, abs=0.01)
    drag_wipe(viewer, viewer_layers, 0.8, 0.9)
    assert panel.session.view.wipe == pytest.approx(0.25, abs=0.01), "nobody gripped the line"
    assert viewer.camera.mouse_pan
    panel.compare.choose_mode("difference")
    model = found.gain * image.data + found.offset
    assert np.allclose(viewer_layers.registry.layer("compare").data, mine.data - model, atol=1e-4)
    panel.compare.choose_mode("beside")
    shift = np.subtract(mine.data_to_world((0, 1.03 * 60)), mine.data_to_world((0, 0)))
    assert np.allclose(image.translate, np.array(mine.translate) + shift)
    panel.compare.choose_mode("off")
    assert image.visible and not viewer_layers.registry.layer("compare").visible
    assert np.array_equal(mine.data, kept) and mine.scale.tolist() == [0.15, 0.15]
    assert names(viewer).index("OSOG") > names(viewer).index("mine")
    # Removing it takes the comparison away.
    panel.compare.choose_mode("difference")
    panel.session.change({"microscope.focus_um": 4.0})
    viewer.layers.remove("mine")
    wait.settled()
    assert panel.session.target is None and panel.session.view.compare == "off"
    assert image.visible and not viewer_layers.registry.layer("compare").visible
    assert panel.compare.chooser.currentText().startswith("none")


def test_a_layer_whose_scale_is_corrected_is_looked_at_again(opened):
    viewer, panel, _, wait = opened
    mine = viewer.add_image(np.random.default_rng(2).random((50, 60)), name="mine")
    panel.compare.chooser.setCurrentText("mine")
    assert "pixel size" not in panel.compare.sources.text()
    mine.scale = (0.065, 0.065)
    assert "scale of 0.065 has no unit of length" in panel.compare.sources.text()
    mine.units = ("um", "um")
    assert "pixel size 0.065 µm (from the layer's scale in µm)" in panel.compare.sources.text()
    mine.affine = [[2, 0, 0], [0, 2, 0], [0, 0, 1]]
    panel.compare.match_button.click()
    wait.settled()
    assert panel.session.scene.grid.pixel_size_um == pytest.approx(0.13)
    mine.affine = [[1, 0.5, 0], [0, 1, 0], [0, 0, 1]]
    panel.compare.match_button.click()
    assert "only square pixels can be rendered" in panel.compare.problem.text()
    assert panel.session.scene.grid.pixel_size_um == pytest.approx(0.13)


UNUSABLE = (
    (np.full((64, 80), np.nan), {"contrast_limits": (0, 1)}, "holds no numbers"),
    (np.zeros((64, 80, 3), np.uint8), {"rgb": True}, "is a colour image"),
    (np.zeros((1, 1)), {"contrast_limits": (0, 1)}, "only 1 × 1 pixels"),
)


def test_a_micrograph_that_cannot_be_used_is_answered_in_one_sentence(opened):
    viewer, panel, _, _ = opened
    before = panel.session.scene
    for data, options, words in UNUSABLE:
        viewer.add_image(data, name=words, **options)
        panel.compare.chooser.setCurrentText(words)
        assert words in panel.compare.problem.text()
        panel.compare.match_button.click()
        for mode in ("blend", "wipe", "checkerboard", "difference"):
            panel.compare.choose_mode(mode)
            assert words in panel.compare.problem.text()
            assert "\n" not in panel.compare.problem.text()
        assert panel.session.scene is before
        assert panel.controller.viewer_layers.registry.layer("image").visible


def test_what_a_file_does_not_say_can_be_stated(opened):
    viewer, panel, _, wait = opened
    mine = viewer.add_image(np.random.default_rng(3).random((40, 50)), name="mine")
    panel.compare.chooser.setCurrentText("mine")
    form, missing = panel.compare.missing.form, panel.compare.missing
    assert not missing.isHidden() and not missing.isExpanded(), "asked for, but in nobody's way"
    missing.expand()
    form["numerical_aperture"].value = "abc"
    form["use"].native.click()
    assert missing.problem.text() == "'abc' is no number."
    form["numerical_aperture"].value = "7"
    form["use"].native.click()
    assert "The NA must lie between" in missing.problem.text()
    assert panel.session.scene.grid.shape == (64, 80), "nothing is taken over before all is right"
    form["numerical_aperture"].value = "0,4"
    form["pixel_size_um"].value = "0.15 µm"
    form["wavelength_um"].value = "633"
    form["use"].native.click()
    wait.settled()
    scene = panel.session.scene
    assert scene.grid.shape == (40, 50) and scene.grid.pixel_size_um == pytest.approx(0.15)
    assert scene.microscope.numerical_aperture == 0.4
    assert scene.microscope.wavelength_um == pytest.approx(0.633)
    words = panel.compare.sources.text()
    assert "NA 0.4 (entered by hand)" in words and "medium index unknown" in words
    assert mine.scale.tolist() == [0.15, 0.15], "the layer gets its µm"
    assert [str(unit) for unit in mine.units] == ["micrometer", "micrometer"]
    assert mine.metadata == {}, "nothing else of it changes"
    panel.compare.chooser.setCurrentIndex(0)
    assert missing.isHidden()
    panel.compare.chooser.setCurrentText("mine")
    assert "entered by hand" in panel.compare.sources.text(), "known as long as the layer"


def test_what_was_typed_is_no_longer_assumed(opened):
    viewer, panel, _, _ = opened
    image = np.random.default_rng(3).random((40, 50))
    viewer.add_image(image, name="mine", scale=(0.2, 0.2), units=("um", "um"))
    panel.compare.chooser.setCurrentText("mine")
    assert "NA unknown: using 0.5" in panel.compare.sources.text()
    panel.compare.missing.form["wavelength_um"].value = "63"  # not yet taken over
    panel.row("microscope.numerical_aperture").spin.setValue(0.4)
    words = panel.compare.sources.text()
    assert "NA 0.4 (from the sliders)" in words and "NA unknown" not in words
    assert "medium index unknown: using 1.333" in words
    form = panel.compare.missing.form
    assert form["wavelength_um"].value == "63"
    assert form["numerical_aperture"].native.placeholderText() == "unknown: 0.4 is used"
    panel.session.undo()
    assert "NA unknown: using 0.5" in panel.compare.sources.text()


def test_the_profile_follows_a_line_and_reads_both_images(opened):
    viewer, panel, _, wait = opened
    picture = panel.session.picture.image
    viewer.add_image(3 * picture + 5, name="twin", scale=(0.2, 0.2), units=("um", "um"))
    panel.compare.chooser.setCurrentText("twin")
    panel.compare.match_button.click()
    panel.compare.choose_mode("wipe")
    wait.settled()
    panel.compare.profile.on.setChecked(True)
    line = panel.controller.viewer_layers.registry.layer("profile")
    line.data = [np.array([[20.0, 5.0], [20.0, 45.0]])]
    panel.compare.profile.draw()
    curves = panel.compare.profile.plot.curves
    x, y = curves["micrograph"].getData()
    assert len(x) == 41 and np.allclose(y, 3 * picture[20, 5:46] + 5, rtol=1e-4)
    assert np.allclose(curves["OSOG, matched"].getData()[1], y, rtol=1e-3)


@pytest.mark.parametrize("way", ["x button", "viewer"])
def test_closing_while_it_renders_leaves_no_thread(opened, qtbot, way):
    viewer, panel, dock, wait = opened
    assert render_threads()
    for k in range(5):
        panel.session.change({"microscope.focus_um": 4.0 + k})
    if way == "x button":
        dock.destroyOnClose()
    else:
        viewer.close()
    qtbot.waitUntil(lambda: not render_threads(), timeout=5000)
    controller = wait.controller
    controller.session.change({"microscope.focus_um": 1.0})  # nobody is left to hear of it
    qtbot.wait(50)
    assert not render_threads()


def test_a_panel_that_was_closed_is_freed_and_opens_again(make_napari_viewer_proxy, qtbot):
    from napari_osog.live_controller import LiveController
    from napari_osog.panels.simulate import SimulatePanel

    from .conftest import Waiting, small_scene

    viewer = make_napari_viewer_proxy()
    controller = LiveController.of(viewer)
    controller.session.set_scene(small_scene(), preset="")
    wait = Waiting(qtbot, controller)
    refs = []

    def once():
        panel = SimulatePanel(viewer)
        refs.append(weakref.ref(panel))
        dock = viewer.window.add_dock_widget(panel, name="Simulate")
        viewer.window._qt_window.show()
        wait.settled()
        dock.destroyOnClose()

    once()
    qtbot.wait(50)
    gc.collect()
    assert refs[0]() is None, "the closed panel is still held"
    once()
    assert names(viewer) == ["OSOG", "OSOG particles"], "the layers are found again"
    qtbot.waitUntil(lambda: not render_threads(), timeout=5000)


def test_a_preference_reaches_a_window_that_is_open(make_napari_viewer_proxy, monkeypatch):
    from napari.settings import get_plugin_settings

    from napari_osog.live_controller import LiveController

    controller = LiveController.of(make_napari_viewer_proxy())
    render = get_plugin_settings("napari-osog").render
    before = render.max_fps
    try:
        render.max_fps = 12
        assert controller.live.max_rate == 12
    finally:
        render.max_fps = before


def test_layer_menu_commands_choose_a_target_and_edit_a_render(opened, monkeypatch):
    from napari_osog import commands
    from napari_osog.reader import rendered_layer

    from .conftest import small_scene

    viewer, panel, _, _ = opened
    monkeypatch.setattr(commands, "_simulate", lambda viewer: panel)
    layer = viewer.add_image(np.random.default_rng(0).random((30, 40)), name="mine",
                             scale=(0.2, 0.2), units=("um", "um"))  # fmt: skip
    commands.use_as_target(viewer)
    assert panel.session.target.name == "mine" and panel.session.scene.grid.shape == (30, 40)
    viewer.layers.selection.active = viewer.layers["OSOG particles"]
    commands.use_as_target(viewer)
    assert "Select an image layer first" in panel.session.status
    assert layer in viewer.layers
    # A render is edited again from its layer.
    data, options, _ = rendered_layer(small_scene(), "old render", seed=5)
    viewer.add_image(data, **options)
    panel.session.change({"microscope.focus_um": -7.0})
    viewer.layers.selection.active = viewer.layers["old render"]
    commands.edit_render(viewer)
    assert panel.session.scene == small_scene() and panel.session.seed == 5
    viewer.layers.selection.active = viewer.layers["OSOG particles"]
    commands.edit_render(viewer)
    assert "carries no scene" in panel.session.status

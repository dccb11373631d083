"""The Simulate panel with real widgets, a fake renderer and no viewer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from qtpy.QtWidgets import QApplication, QLabel, QMenu, QPushButton

import osog
from napari_osog.panels.fit_parameters import FitParameters
from napari_osog.panels.forms import LISTED
from napari_osog.panels.simulate import SimulatePanel
from napari_osog.pictures import Failure
from osog import presets
from osog.cautions import Caution
from osog.sample import sample
from osog.scene import SHAPES, Scene
from osog.scene.materials.metals import metal_numbers


@pytest.fixture
def panel(qtbot, controller):
    made = SimulatePanel(None, controller)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: controller.session.picture is not None, timeout=5000)
    return made


def row(panel, name):
    found = panel.row(name)
    assert found is not None, f"no row {name}"
    return found


def settled(qtbot, panel):
    """Wait for the picture of the scene as it is now."""
    qtbot.waitUntil(
        lambda: panel.controller.viewer_layers.shown[-1].request.scene is panel.session.scene,
        timeout=5000,
    )
    return panel.controller.viewer_layers.shown[-1]


def sentences(panel):
    found = []
    for k in range(panel.header.notices.count()):
        found += [
            label.text() for label in panel.header.notices.itemAt(k).widget().findChildren(QLabel)
        ]
    return found


def test_a_slider_that_moves_changes_the_picture(qtbot, panel):
    row(panel, "microscope.focus_um").slider.setValue(600)
    picture = settled(qtbot, panel)
    assert picture.image[1, 1] == np.float32(4.0)
    assert "Fake" in panel.header.explain_text.text()


def test_one_drag_is_one_undo_step(qtbot, panel):
    focus = row(panel, "microscope.focus_um")
    focus.slider.sliderPressed.emit()
    for tick in range(510, 600, 10):
        focus.slider.setValue(tick)
    focus.slider.sliderReleased.emit()
    assert panel.session.scene.microscope.focus_um == pytest.approx(3.6)
    panel.header.undo_button.click()
    assert panel.session.scene.microscope.focus_um == 0.0
    assert row(panel, "microscope.focus_um").spin.value() == 0.0
    assert not panel.header.undo_button.isEnabled()
    panel.header.redo_button.click()
    assert panel.session.scene.microscope.focus_um == pytest.approx(3.6)


def slow_once(qtbot, panel, renderer):
    """Let one full render of a new draw take long; those after it are quick."""
    renderer.seconds = 0.2
    panel.sample.draw.click()
    qtbot.waitUntil(
        lambda: panel.controller.viewer_layers.shown[-1].request.seed == panel.session.seed,
        timeout=5000,
    )
    renderer.seconds = 0.0


def test_a_slow_render_is_a_preview_during_the_drag_and_full_afterwards(qtbot, panel, renderer):
    slow_once(qtbot, panel, renderer)
    radius = row(panel, "populations.beads.shape.radius_um")
    radius.slider.sliderPressed.emit()
    radius.slider.setValue(700)
    assert settled(qtbot, panel).request.preview
    radius.slider.sliderReleased.emit()
    qtbot.waitUntil(
        lambda: not panel.controller.viewer_layers.shown[-1].request.preview, timeout=5000
    )
    assert [call[2] for call in renderer.calls[-2:]] == ["draft", None]


@pytest.mark.parametrize(("draft_seconds", "preview"), [(0.0, True), (0.4, False)])
def test_previews_that_are_no_quicker_than_the_picture_are_left_out(
    qtbot, panel, renderer, draft_seconds, preview
):
    slow_once(qtbot, panel, renderer)
    renderer.draft_seconds = draft_seconds
    radius = row(panel, "populations.beads.shape.radius_um")
    radius.slider.sliderPressed.emit()
    for place in (600, 700, 800):
        radius.slider.setValue(place)
        last = settled(qtbot, panel)
    assert last.request.preview is preview
    radius.slider.sliderReleased.emit()


def test_a_hand_that_holds_still_sees_the_full_image(qtbot, panel, renderer):
    slow_once(qtbot, panel, renderer)
    radius = row(panel, "populations.beads.shape.radius_um")
    radius.slider.sliderPressed.emit()
    radius.slider.setValue(700)
    assert settled(qtbot, panel).request.preview
    qtbot.waitUntil(
        lambda: not panel.controller.viewer_layers.shown[-1].request.preview, timeout=5000
    )
    radius.slider.sliderReleased.emit()


def test_the_focus_is_never_a_preview_while_the_light_is_known(qtbot, panel, renderer):
    slow_once(qtbot, panel, renderer)
    focus = row(panel, "microscope.focus_um")
    focus.slider.sliderPressed.emit()
    focus.slider.setValue(700)
    assert not settled(qtbot, panel).request.preview
    focus.slider.sliderReleased.emit()


def test_an_aperture_above_the_immersion_is_answered_below_its_row(qtbot, panel):
    aperture = row(panel, "microscope.numerical_aperture")
    aperture.spin.setValue(1.2)
    assert aperture.fault.startswith("NA 1.2 needs an immersion index above it")
    assert panel.session.scene.microscope.numerical_aperture == 0.5
    immersion = row(panel, "microscope.immersion_index")
    immersion.choose(1.518)
    row(panel, "microscope.numerical_aperture").spin.setValue(1.2)
    assert panel.session.scene.microscope.numerical_aperture == 1.2
    assert not row(panel, "microscope.numerical_aperture").fault


def test_each_modality_shows_its_own_controls_and_remembers_them(qtbot, panel):
    modality = row(panel, "microscope.modality")
    modality.choose("dic")
    row(panel, "microscope.modality.shear_um").spin.setValue(0.77)
    names = set(panel.microscope.lens.rows)
    assert "microscope.condenser_numerical_aperture" in names
    modality = row(panel, "microscope.modality")
    modality.choose("hologram")
    names = set(panel.microscope.lens.rows)
    assert not names & {"microscope.modality.shear_um", "microscope.condenser_numerical_aperture"}
    modality = row(panel, "microscope.modality")
    modality.choose("dic")
    assert panel.session.scene.microscope.modality.shear_um == 0.77


def test_a_hidden_panel_does_no_work(qtbot, panel, renderer):
    panel.hide()
    qtbot.wait(50)
    number = len(renderer.calls)
    panel.session.change({"microscope.focus_um": 5.0})
    qtbot.wait(80)
    assert len(renderer.calls) == number
    panel.show()
    assert settled(qtbot, panel).image[1, 1] == 5.0


def test_an_unknown_preset_lists_the_known_ones(panel):
    panel.header.load_preset("nonsense")
    assert "'nonsense' is not a preset" in panel.session.status
    assert "lysozyme-dic" in sentences(panel)[0]


def test_every_preset_can_be_chosen(qtbot, panel):
    for name in presets.names():
        panel.header.load_preset(name)
        assert panel.header.preset.currentText() == presets.title(name)
        assert panel.session.scene == presets.load(name)


@pytest.mark.parametrize(
    "content", ["{{{", "microscope: {numerical_aperture: 7}", "[1, 2]", "\x00\x01", ""]
)
def test_a_corrupt_scene_file_is_one_sentence_and_changes_nothing(panel, tmp_path, content):
    path = tmp_path / "broken.osog.yaml"
    path.write_text(content)
    before = panel.session.scene
    panel.header.load_scene(path)
    assert panel.session.scene is before
    assert "broken.osog.yaml" in panel.session.status


def test_a_file_that_is_no_text_is_one_sentence(panel, tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_bytes(b"\xff\xfe\x00\x80")
    panel.header.load_scene(path)
    assert panel.session.status == "broken.yaml is not a text file."
    panel.header.load_scene(tmp_path / "absent.yaml")
    assert "absent.yaml" in panel.session.status


def test_save_and_load_bring_the_same_scene_back(panel, tmp_path):
    path = tmp_path / "scene.osog.yaml"
    saved = panel.session.scene
    form = save_as(panel, path)
    panel.session.change({"microscope.focus_um": 5.0})
    panel.header.load_scene(path)
    assert panel.session.scene == saved and form.isHidden()


def save_as(panel, path, **choices):
    """Save the scene as a user does: by the menu, the form, and its button."""
    menu = panel.header.findChild(QMenu)
    next(action for action in menu.actions() if action.text() == "Save scene…").trigger()
    form = panel.header.save_form
    assert not form.isHidden()
    form.form.path.value = path
    for name, value in choices.items():
        form.form[name].value = value
    form.save_button.click()
    return form


def test_a_file_is_written_over_only_when_that_is_ticked(panel, tmp_path):
    path = tmp_path / "scene.osog.yaml"
    path.write_text("mine")
    form = save_as(panel, path)
    assert "exists already" in form.problem.text() and path.read_text() == "mine"
    save_as(panel, path, replace=True)
    assert Scene.load(path) == panel.session.scene
    form = save_as(panel, tmp_path / "missing" / "scene.yaml")
    assert "could not be written" in form.problem.text() and not form.isHidden()


def test_particles_are_saved_as_they_are_drawn_or_one_by_one(panel, tmp_path):
    save_as(panel, tmp_path / "drawn.yaml")
    assert Scene.load(tmp_path / "drawn.yaml").populations[0].particles is None
    save_as(panel, tmp_path / "listed.yaml", particles=LISTED)
    listed = Scene.load(tmp_path / "listed.yaml")
    assert len(listed.populations[0].particles) == 5
    seed = panel.session.seed
    drawn = sample(panel.session.scene, seed).position
    assert (sample(listed, seed).position == drawn).all()


def test_a_report_of_a_problem_has_the_scene_the_versions_and_the_last_error(
    qtbot, panel, renderer
):
    renderer.fails = ZeroDivisionError("sphere of no radius")
    panel.session.change({"microscope.focus_um": 1.5})
    qtbot.waitUntil(lambda: "could not be rendered" in panel.session.status, timeout=5000)
    panel.header.copy_problem()
    text = QApplication.clipboard().text()
    assert f"osog {osog.__version__}" in text and "python 3" in text
    assert "ZeroDivisionError: sphere of no radius" in text and "Traceback" in text
    assert panel.session.status in text
    scene = text.partition("```yaml\n")[2].partition("```")[0]
    assert Scene.model_validate(yaml.safe_load(scene)) == panel.session.scene


def test_the_copied_script_renders_the_scene(panel):
    panel.header.copy_python()
    text = QApplication.clipboard().text()
    assert "osog.render(scene, seed=3)" in text
    body = text.split('"""')[1]
    import yaml

    assert Scene.model_validate(yaml.safe_load(body)) == panel.session.scene
    panel.header.copy_yaml()
    assert QApplication.clipboard().text() == panel.session.scene.to_yaml()


def test_populations_are_added_copied_hidden_and_removed(panel):
    def names():
        return [p.name for p in panel.session.scene.populations]

    panel.sample.buttons["add"].click()
    assert names() == ["beads", "particles"] and panel.session.population == "particles"
    panel.sample.buttons["copy"].click()
    assert names() == ["beads", "particles", "particles 2"]
    panel.sample.buttons["hide"].click()
    assert not panel.session.scene.populations[2].visible
    panel.sample.buttons["remove"].click()
    assert names() == ["beads", "particles"]
    panel.header.undo_button.click()
    assert names() == ["beads", "particles", "particles 2"]
    for _ in range(3):
        panel.sample.buttons["remove"].click()
    assert names() == []


def test_every_shape_can_be_chosen_and_its_own_sizes_appear(qtbot, panel):
    for kind in SHAPES:
        shape = row(panel, "populations.beads.shape")
        shape.choose(kind)
        assert panel.session.scene.populations[0].shape.kind == kind
        sizes = [n for n in panel.sample.rows.rows if ".shape." in n and n.endswith(("um", "]"))]
        assert sizes
        assert not panel.session.status and settled(qtbot, panel)


def test_a_shape_change_keeps_particles_where_they_were_put(panel):
    panel.session.move_particles({1: (2.0, 3.0)})
    assert not panel.sample.listed.isHidden()
    shape = row(panel, "populations.beads.shape")
    shape.choose("box")
    particles = panel.session.scene.populations[0].particles
    assert len(particles) == 5 and particles[1].x_um == 2.0
    panel.sample.again.click()
    assert panel.session.scene.populations[0].count == 5
    assert panel.session.scene.populations[0].particles is None


def test_the_selected_particle_shows_its_own_numbers(qtbot, panel):
    before = sample(panel.session.scene, 3)
    panel.session.selected = 2
    assert not panel.sample.one.isHidden()
    depth = row(panel, "particles[2].x_um")
    assert depth.spin.value() == pytest.approx(float(before.position[2, 0]), abs=1e-5)
    row(panel, "particles[2].radius_um").spin.setValue(1.25)
    after = sample(panel.session.scene, 3)
    assert after.size[2, 0] == 1.25 and (after.size[[0, 1, 3, 4]] == 0.5).all()
    assert (after.position == before.position).all()
    row(panel, "particles[2].radius_um").spin.setValue(-1)
    assert "must lie between" in row(panel, "particles[2].radius_um").fault
    panel.session.selected = None
    assert panel.sample.one.isHidden()


def test_a_known_material_sets_the_index_and_a_number_unsets_the_name(panel):
    material = row(panel, "populations.beads.material.name")
    material.choose("silica")
    assert panel.session.scene.populations[0].material.index == pytest.approx(1.46, abs=0.01)
    row(panel, "populations.beads.material.index").spin.setValue(1.46)
    assert panel.session.scene.populations[0].material.name is None


def test_a_metal_brings_index_and_absorption_and_takes_them_along(panel):
    material = row(panel, "populations.beads.material.name")
    material.choose("gold")
    wavelength = panel.session.scene.microscope.wavelength_um
    gold = panel.session.scene.populations[0].material
    assert gold.absorption_per_um == metal_numbers("gold", wavelength)["absorption_per_um"]
    row(panel, "microscope.wavelength_um").spin.setValue(650)
    assert panel.session.scene.populations[0].material.index == metal_numbers("gold", 0.65)["index"]
    row(panel, "populations.beads.material.name").choose("silica")
    assert panel.session.scene.populations[0].material.absorption_per_um == 0


def test_the_camera_can_be_taken_away_and_comes_back_as_it_was(panel):
    row(panel, "camera.read_noise_electrons").spin.setValue(9.0)
    panel.camera.on.box.setChecked(False)
    assert panel.session.scene.camera is None
    panel.camera.on.box.setChecked(True)
    assert panel.session.scene.camera.read_noise_electrons == 9.0


def test_new_draw_takes_the_next_seed(qtbot, panel):
    panel.sample.draw.click()
    assert panel.session.seed == 4 and panel.sample.seed.value() == 4
    qtbot.waitUntil(
        lambda: panel.controller.viewer_layers.shown[-1].request.seed == 4, timeout=5000
    )


def test_a_warning_is_text_with_its_remedy_as_a_button(qtbot, panel, renderer):
    renderer.warnings = [Caution("Pixels are too large.", {"grid.pixel_size_um": 0.1}, "Shrink")]
    panel.session.change({"microscope.focus_um": 1.0})
    settled(qtbot, panel)
    qtbot.waitUntil(lambda: sentences(panel) == ["Pixels are too large."], timeout=3000)
    button = panel.header.notices.itemAt(0).widget().findChild(QPushButton)
    assert button.text() == "Shrink"
    button.click()
    assert panel.session.scene.grid.pixel_size_um == 0.1


def test_a_failed_render_is_said_and_the_next_one_takes_it_away(qtbot, panel, renderer):
    renderer.fails = ZeroDivisionError("division by zero")
    panel.session.change({"microscope.focus_um": 1.0})
    qtbot.waitUntil(lambda: bool(panel.session.status), timeout=5000)
    assert "could not be rendered" in sentences(panel)[0]
    renderer.fails = None
    panel.session.change({"microscope.focus_um": 2.0})
    settled(qtbot, panel)
    assert panel.session.status == "" and sentences(panel) == []


def test_phase_and_light_before_the_camera_can_be_shown(qtbot, panel):
    modality = row(panel, "microscope.modality")
    modality.choose("hologram")
    panel.show_section.shown["irradiance"].click()
    qtbot.waitUntil(lambda: panel.controller.viewer_layers.shown[-1].request.shown == "irradiance")
    assert panel.controller.viewer_layers.shown[-1].image[1, 1] == 100.0
    panel.show_section.shown["phase"].click()
    qtbot.waitUntil(lambda: panel.controller.viewer_layers.shown[-1].request.shown == "phase")
    assert panel.controller.viewer_layers.shown[-1].image[1, 1] == 0.0
    modality = row(panel, "microscope.modality")
    modality.choose("fluorescence")
    assert not panel.show_section.shown["phase"].isEnabled()
    assert panel.session.view.shown == "image"


def test_what_is_free_in_a_fit_is_marked_in_its_row(panel):
    panel.session.set_free("microscope.focus_um", True)
    assert row(panel, "microscope.focus_um").free
    panel.session.set_free("microscope.focus_um", False)
    assert not row(panel, "microscope.focus_um").free


def test_a_deleted_panel_leaves_no_thread_and_no_exception(qtbot, controller):
    panel = SimulatePanel(None, controller)
    panel.show()
    qtbot.waitUntil(lambda: controller.session.picture is not None, timeout=5000)
    assert controller.live.running
    panel.hide()
    panel.deleteLater()
    qtbot.waitUntil(lambda: not controller.live.running, timeout=3000)
    controller.session.change({"microscope.focus_um": 1.0})


def test_the_panel_is_narrow_enough_for_a_laptop(panel):
    bar = panel.scroll_area.verticalScrollBar().sizeHint().width()
    assert panel.minimumWidth() - bar <= 340, "rows and margins; none lies under the scroll bar"


def test_a_scene_without_a_field_is_shown_as_its_image_and_old_errors_are_dropped(
    qtbot, controller, renderer
):
    controller.enter(1)
    session, live = controller.session, controller.live
    session.change({"microscope.modality": {"kind": "hologram"}})
    session.view.update(shown="phase")
    qtbot.waitUntil(lambda: not live.busy, timeout=5000)
    assert controller.viewer_layers.shown[-1].request.shown == "phase"
    old = controller.viewer_layers.shown[-1].request
    session.change({"microscope.modality": {"kind": "fluorescence"}})
    qtbot.waitUntil(lambda: not live.busy, timeout=5000)
    last = controller.viewer_layers.shown[-1].request
    assert last.shown == "image" and last.scene is session.scene
    controller.live.finished.emit(Failure(old, "too late"))
    assert session.status == ""
    controller.live.finished.emit(Failure(last, "in time"))
    assert session.status == "in time"


_EXIT = """
import gc
from conftest import FakeRenderer, FakeLayers, a_scene
from qtpy.QtWidgets import QApplication
from napari_osog.panels.forms import LISTED
from napari_osog.panels.simulate import SimulatePanel
from napari_osog.session import Session
from napari_osog.live_controller import LiveController

app = QApplication([])
gc.disable()  # all that goes, goes when the interpreter ends, in an order of its own


def open_a_panel():
    renderer = FakeRenderer()
    controller = LiveController(None, lambda device: renderer, FakeLayers(), Session(a_scene()))
    panel = SimulatePanel(None, controller)
    panel.loop, controller.loop = panel, controller
    panel.show()


open_a_panel()
print("done")
"""


def test_a_panel_that_is_open_when_python_ends_ends_quietly():
    here = Path(__file__).parent
    ended = subprocess.run(
        [sys.executable, "-c", _EXIT], cwd=here, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0 and ended.stdout.strip() == "done", ended.stderr
    assert "Error" not in ended.stderr


def test_rows_that_nobody_sees_are_made_when_they_are_unfolded_or_asked_for(qtbot, controller):
    panel = SimulatePanel(None, controller)
    qtbot.addWidget(panel)
    motion, rows = panel.sample.motion, panel.sample.motion_rows
    assert rows.waits and not rows.made and panel.microscope.lens.made
    panel.session.change({"populations.beads.motion.diffusion_um2_per_s": 0.25})
    assert rows.waits, "a change of the scene makes none"
    motion.expand(animate=False)
    name = "populations.beads.motion.diffusion_um2_per_s"
    assert rows.made[name].shown == 0.25
    motion.collapse(animate=False)
    panel.session.change({name: 0.5})
    assert rows.made[name].shown == 0.5, "once made they follow"
    assert panel.camera.groups["noise"][0].waits
    panel.session.set_free("camera.read_noise_electrons", True)
    row = panel.row("camera.read_noise_electrons")
    assert (
        row is not None
        and row.free
        and row.shown == panel.session.scene.camera.read_noise_electrons
    )


def test_names_that_become_free_together_are_told_once(controller):
    told = []
    controller.session.events.free.connect(told.append)
    parameters = FitParameters(controller.session)
    parameters.free_alone({"microscope.focus_um", "medium.index", "particles[0].x_um"})
    assert len(told) == 1 and len(controller.session.free) == 3

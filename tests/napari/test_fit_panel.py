"""The Fit panel in a real window: a run, its end by every way there is, and bad input."""

from __future__ import annotations

import gc
import json
import threading
import time
import weakref

import numpy as np
import pytest
import torch
from qtpy.QtCore import Qt

import osog
from napari_osog.live_controller import LiveController
from napari_osog.panels.fit import FitPanel
from napari_osog.panels.fit_table import FREE, HIGH, LOW, VALUE
from napari_osog.panels.forms import PAGE, RESULT, RUN, TABLE
from osog.fitting import FitProgress
from osog.sample import sample
from osog.scene import Scene

from .test_fit_parts import a_result, beads, listing, phase_scene
from .test_window import mouse

pytestmark = pytest.mark.viewer

TRUTH = {"x_um": 4.6, "y_um": 5.1}


def micrograph() -> np.ndarray:
    noise = torch.Generator().manual_seed(1)
    image = osog.forward(phase_scene(**TRUTH))
    return (image + 0.01 * torch.randn(image.shape, generator=noise, dtype=image.dtype)).numpy()


class SlowFit:
    """Stands in for the engine: one step every few milliseconds until it is told to stop."""

    def __init__(self, steps: int = 10_000, pause_s: float = 0.003) -> None:
        self.steps, self.pause_s = steps, pause_s
        self.threads: set[str] = set()
        self.asked: list[dict] = []
        self.image: np.ndarray | None = None
        self.taken = 0

    def __call__(self, image, scene, names, *, callback, **options):
        self.asked.append({"names": names, "scene": scene, **options})
        self.image = image
        stopped = False
        for k in range(self.steps):
            self.threads.add(threading.current_thread().name)
            self.taken = k + 1
            shape = image.shape if options["region"] is None else _shape(options["region"])
            progress = FitProgress(
                "fit", k + 1, {}, 1.0, 1.0 / (k + 1), np.full(shape, 0.1), np.zeros(shape), 0.0
            )
            if callback(progress):
                stopped = True
                break
            time.sleep(self.pause_s)
        region = options["region"] or (0, image.shape[0], 0, image.shape[1])
        return a_result(
            scene, stopped=stopped, residual=np.full(_shape(region), 0.1), region=region
        )


def _shape(region):
    return region[1] - region[0], region[3] - region[2]


def fit_threads():
    return [thread for thread in threading.enumerate() if thread.name == "osog-fit"]


class Bench:
    """A viewer with the Fit panel and a micrograph in it."""

    def __init__(self, viewer, qtbot, image, fit=None, scene=None, **kwargs):
        self.viewer, self.qtbot = viewer, qtbot
        self.controller = LiveController.of(viewer)
        self.controller.session.set_scene(scene or phase_scene(), preset="")
        self.panel = FitPanel(viewer, fit=fit)
        self.dock = viewer.window.add_dock_widget(self.panel, name="Fit")
        viewer.window._qt_window.show()
        if image is not None:
            options = {"scale": (0.2, 0.2), "units": ("um", "um"), "name": "micrograph"} | kwargs
            self.layer = viewer.add_image(image, **options)

    def until(self, condition, timeout=20000):
        self.qtbot.waitUntil(condition, timeout=timeout)

    def run(self):
        self.panel.run_box.run_button.click()
        assert self.panel.state == "running", self.panel.run_box.fault.text()

    def tick(self, name, on):
        """Free a parameter in the table, or hold it."""
        state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        self._set(name, FREE, state, Qt.ItemDataRole.CheckStateRole)

    def type(self, name, column, text):
        """Type into a cell of the table."""
        self._set(name, column, text, Qt.ItemDataRole.EditRole)

    def _set(self, name, column, value, role):
        lines = self.panel.table.lines
        row = [line.name for line in lines.lines].index(name)
        lines.setData(lines.index(row, column), value, role)

    def save(self, content, path):
        """Save by the form below the result."""
        form = self.panel.ending.save_form
        self.panel.ending.save_button.click()
        form.form.content.value = content
        form.form.path.value = path
        form.form.replace.value = True
        form.save_button.click()
        return form

    def ended(self):
        self.until(lambda: self.panel.state != "running")

    def threads_gone(self):
        self.until(lambda: not fit_threads(), timeout=10000)


@pytest.fixture
def bench(make_napari_viewer_proxy, qtbot):
    made: list[Bench] = []

    def make(image=None, **options):
        made.append(Bench(make_napari_viewer_proxy(), qtbot, image, **options))
        return made[-1]

    yield make
    for each in made:
        each.controller.live.stop()


def test_a_run_goes_from_its_setting_to_the_result_and_back(bench, tmp_path):
    image = micrograph()
    on = bench(image.copy())
    panel, session = on.panel, on.controller.session
    assert panel.setting.target.currentText() == "micrograph", "the only image is taken"
    assert panel.table.lines.entry("particles[0].x_um").free
    on.run()
    assert not panel.run_box.run_button.isEnabled() and panel.run_box.stop_button.isEnabled()
    on.ended()
    assert panel.state == "result" and panel.run_box.fault.text() == ""
    result = panel.ending.record.result
    for axis in "xy":
        name = f"particles[0].{axis}_um"
        assert abs(result.values[name] - TRUTH[f"{axis}_um"]) < 5 * result.sigma[name]
    assert "±" in panel.ending.view.text and "Finished" in panel.run_box.status.text()
    compared = on.controller.viewer_layers.registry.layer("compare")
    assert compared.visible
    np.testing.assert_allclose(compared.data, result.residual, atol=1e-5)
    np.testing.assert_array_equal(on.layer.data, image)
    assert session.scene == phase_scene(), "nothing moves before it is applied"
    panel.ending.apply_button.click()
    assert session.scene.populations[0].particles[0].x_um == pytest.approx(
        result.values["particles[0].x_um"]
    )
    session.undo()
    assert session.scene == phase_scene()
    on.type("particles[0].x_um", LOW, "2")
    on.type("particles[0].x_um", HIGH, "8")
    on.tick("populations.cell.material.index", False)
    on.run()
    on.ended()
    assert on.controller.viewer_layers.registry.layer("compare") is compared, "one layer, reused"
    assert "populations.cell.material.index" not in panel.ending.record.result.values
    assert panel.table.lines.entry("particles[0].x_um").bounds == (2.0, 8.0)
    on.save(RESULT, tmp_path / "fit.json")
    on.save(TABLE, tmp_path / "fit.csv")
    on.save(PAGE, tmp_path / "fit.html")
    values = json.loads((tmp_path / "fit.json").read_text())["values"]
    assert values == pytest.approx(panel.ending.record.result.values)
    assert (tmp_path / "fit.csv").read_text().startswith("name,value,sigma,unit")
    saved = panel.ending.record
    assert on.save(RUN, tmp_path / "run.json").isHidden()
    panel.parameters.free_alone({"particles[0].x_um"})
    session.change({"populations.cell.shape.radius_um": 1.0})
    panel.ending.open_run(tmp_path / "run.json")
    assert session.scene == saved.scene and session.free == set(saved.free)
    assert panel.ending.record.result.values == saved.result.values
    assert panel.run_box.fault.text() == "", "it was made on this very micrograph"
    failed = on.save(RESULT, tmp_path / "missing" / "fit.json")
    assert "could not be written" in failed.problem.text() and not failed.isHidden()
    assert panel.ending.record is not None


def test_an_unknown_grey_scale_leaves_the_index_undetermined_in_words(bench):
    image = (200 * micrograph() + 20).astype(np.uint8)
    on = bench(image)
    assert on.panel.parameters.greys.currentData() == "unknown"
    on.run()
    on.ended()
    result = on.panel.ending.record.result
    name = "populations.cell.material.index"
    assert name in result.undetermined
    assert (
        "not determined" in on.panel.ending.view.text and "grey scale" in on.panel.ending.view.text
    )
    assert result.values["populations.cell.shape.radius_um"] == pytest.approx(2.0, abs=0.1)


def test_the_callback_runs_in_the_worker_and_hands_its_steps_over(bench):
    fit = SlowFit(steps=300)
    on = bench(micrograph(), fit=fit)
    told: list[object] = []
    threads: set[str] = set()
    on.panel.worker.told.connect(told.append)
    on.panel.worker.told.connect(lambda _: threads.add(threading.current_thread().name))
    on.run()
    on.ended()
    assert fit.threads == {"osog-fit"} and threads == {threading.main_thread().name}
    assert told and told[-1].progress is not None
    assert on.panel.run_box.steps == 1, "the curve ends with the history of the result"
    on.threads_gone()


def test_stop_keeps_the_best(bench):
    on = bench(micrograph(), fit=SlowFit())
    on.run()
    on.until(lambda: on.panel.run_box.steps > 0)
    on.panel.run_box.stop_button.click()
    assert "Stopping" in on.panel.run_box.status.text()
    on.ended()
    assert on.panel.state == "result" and on.panel.ending.record.result.stopped
    assert "best so far is kept" in on.panel.run_box.status.text()
    on.threads_gone()


@pytest.mark.parametrize("way", ["stop", "close"])
def test_the_search_for_particles_ends_within_a_second(bench, way):
    data = beads(5).to_dict()
    data["grid"]["shape"] = (700, 700)
    scene = Scene.parse(data)
    on = bench(osog.forward(scene).numpy(), scene=scene)
    on.panel.setting.start = "detect"
    on.run()
    on.qtbot.wait(400)
    assert fit_threads() and "Looking for particles" in on.panel.run_box.status.text()
    before = time.process_time()  # another process may hold the machine
    if way == "stop":
        on.panel.run_box.stop_button.click()
        on.ended()
        assert "cancelled before its first step" in on.panel.run_box.fault.text()
    else:
        on.viewer.close()
    on.threads_gone()
    assert time.process_time() - before < 1.5, "a search to its end takes ten times as long"


def test_a_region_is_fitted_alone_and_the_rest_shows_nothing(bench):
    fit = SlowFit(steps=20)
    on = bench(micrograph(), fit=fit)
    on.panel.setting.draw_region()
    on.panel.run_box.run_button.click()
    assert "holds no shape" in on.panel.run_box.fault.text()
    shapes = on.panel.setting.shapes[0]
    shapes.add_rectangles(np.array([[8, 10], [8, 39], [35, 39], [35, 10]]))
    on.run()
    on.ended()
    assert fit.asked[0]["region"] == (8, 36, 10, 40)
    shown = on.controller.viewer_layers.registry.layer("compare").data
    assert np.isfinite(shown[8:36, 10:40]).all() and np.isnan(shown[:8]).all()


def test_points_and_sliders_start_where_they_are(bench):
    fit = SlowFit(steps=2)
    scene = listing(beads(), [(3.0, 4.0), (9.0, 9.0)])
    image = osog.forward(scene).numpy()
    on = bench(image, fit=fit, scene=scene)
    on.panel.setting.start = "points"
    on.panel.run_box.run_button.click()
    assert "no Points layer" in on.panel.run_box.fault.text()
    on.panel.setting.add_points()
    on.panel.setting.points[0].add([[20.0, 30.0]])
    on.run()
    on.ended()
    particle = fit.asked[0]["scene"].populations[0].particles[0]
    assert (particle.x_um, particle.y_um) == pytest.approx((6.0, 4.0))
    assert "particles[0].x_um" in fit.asked[0]["names"]
    on.panel.setting.start = "sliders"
    on.run()
    on.ended()
    assert {"particles[0].x_um", "particles[1].x_um"} <= set(fit.asked[1]["names"])


def test_removing_the_micrograph_ends_the_fit_and_keeps_its_best(bench):
    on = bench(micrograph(), fit=SlowFit())
    on.run()
    on.until(lambda: on.panel.run_box.steps > 0)
    on.viewer.layers.remove(on.layer)
    on.ended()
    assert on.panel.state == "result" and on.panel.ending.record is not None
    assert "'micrograph' was removed while it was fitted" in on.panel.run_box.fault.text()
    assert on.panel.setting.target.currentText().startswith("none")
    on.threads_gone()


def test_a_click_on_a_particle_makes_the_region_and_runs(bench):
    from napari.utils.interactions import mouse_press_callbacks, mouse_release_callbacks

    fit = SlowFit(steps=3)
    crowd = beads(4)
    on = bench(osog.forward(crowd).numpy(), fit=fit, scene=crowd)
    panel, session = on.panel, on.controller.session
    real = on.controller.viewer_layers.registry.viewer
    where = sample(crowd, 0).position[0].tolist()

    def click(position):
        mouse_press_callbacks(real, mouse("mouse_press", position))
        mouse_release_callbacks(real, mouse("mouse_release", position))

    on.until(lambda: session.picture is not None)
    panel.fit_one()
    assert panel.setting.pick_button.isChecked() and session.view.compare == "beside"
    click((100.0, 100.0))
    assert "beside the micrograph" in panel.run_box.fault.text()
    click((where[1], where[0]))
    assert panel.state == "running", panel.run_box.fault.text()
    on.ended()
    (population,) = session.scene.populations
    (particle,) = population.particles
    assert (particle.x_um, particle.y_um) == pytest.approx(where[:2], abs=0.2)
    assert fit.asked[0]["start"] == "detect" and fit.asked[0]["region"] is not None
    assert "particles[0].x_um" in fit.asked[0]["names"]
    assert not panel.setting.pick_button.isChecked()
    shapes, callbacks = len(panel.setting.shapes), len(real.mouse_drag_callbacks)
    panel.setting.pick_button.click()
    click((where[1], where[0]))
    assert panel.state == "result", "a click for a region runs nothing"
    assert len(panel.setting.shapes) == shapes, "the square is used again"
    assert len(real.mouse_drag_callbacks) == callbacks


def test_the_fit_works_on_a_copy(bench):
    image = micrograph()
    fit = SlowFit()
    on = bench(image.copy(), fit=fit)
    on.run()
    on.until(lambda: fit.image is not None)
    assert not np.shares_memory(on.panel.request.image, on.layer.data)
    fit.image[:] = 7.0
    on.layer.data = np.zeros_like(image)
    assert np.all(fit.image == 7.0) and np.all(on.layer.data == 0.0)
    on.panel.stop()
    on.ended()


def test_closing_the_window_while_it_fits_leaves_no_thread(bench):
    on = bench(micrograph(), fit=SlowFit())
    on.run()
    on.until(lambda: on.panel.run_box.steps > 0)
    assert fit_threads()
    on.viewer.close()
    on.threads_gone()


def test_closing_the_panel_with_x_while_it_fits_leaves_no_thread_and_no_panel(bench):
    fit = SlowFit()
    on = bench(micrograph(), fit=fit)
    on.run()
    on.until(lambda: on.panel.run_box.steps > 0)
    gone = weakref.ref(on.panel)
    on.dock.destroyOnClose()
    on.threads_gone()
    on.panel = on.dock = None

    def freed():
        gc.collect()
        return gone() is None

    on.until(freed)


# --- bad input -----------------------------------------------------------------------------------


UNFIT = {
    "nothing but NaN": (np.full((48, 48), np.nan), {}, "holds no numbers, only NaN or infinity."),
    "a colour image": (np.zeros((48, 48, 3), np.uint8), {"rgb": True}, "is a colour image"),
    "one pixel": (np.ones((1, 1)), {}, "is only 1 × 1 pixels"),
    "a constant": (np.ones((48, 48)), {}, "is 1 everywhere, so it shows nothing."),
    "another grid": (np.random.default_rng(0).random((40, 40)), {}, "Match the grid first."),
}


def test_images_that_cannot_be_fitted_are_refused_in_one_sentence(bench):
    fit = SlowFit()
    on = bench(None, fit=fit)
    on.panel.run_box.run_button.click()
    assert "Choose a micrograph first" in on.panel.run_box.fault.text()
    for name, (image, options, words) in UNFIT.items():
        layer = on.viewer.add_image(image.copy(), name=name, scale=(0.2, 0.2), **options)
        on.panel.setting.target.setCurrentIndex(on.panel.setting.target.findText(name))
        on.panel.run_box.run_button.click()
        said = on.panel.run_box.fault.text()
        assert words in said and "\n" not in said, f"{name}: {said}"
        assert on.panel.state == "editing" and not fit.asked and not fit_threads()
        np.testing.assert_array_equal(np.asarray(layer.data), image)


def test_find_all_is_asked_for_in_the_panel_too(bench, monkeypatch):
    panel = bench(micrograph(), fit=SlowFit(steps=2)).panel
    asked = []
    monkeypatch.setattr(panel.worker, "submit", asked.append)
    panel.setting.draw_region()
    panel.run_box.all_button.click()
    (request,) = asked
    assert request.every and request.region is None and request.start == "detect"
    assert panel.state == "running" and not panel.run_box.all_button.isEnabled()
    panel._set_state("editing")
    assert panel.run_box.all_button.isEnabled()


def test_settings_that_cannot_be_fitted_are_refused_in_one_sentence(bench):
    fit = SlowFit(steps=2)
    on = bench(micrograph(), fit=fit)
    panel = on.panel
    for line in list(panel.table.lines.all):
        if line.free:
            on.tick(line.name, False)
    panel.run_box.run_button.click()
    assert (
        panel.run_box.fault.text() == "Nothing is free: tick at least one parameter in the table."
    )
    on.tick("particles[0].x_um", True)
    on.type("particles[0].x_um", LOW, "5")
    on.type("particles[0].x_um", HIGH, "9")
    panel.run_box.run_button.click()
    assert panel.run_box.fault.text().startswith(
        "x: the value 4.8 lies outside its range from 5 to 9 µm"
    )
    on.type("microscope.numerical_aperture", VALUE, "1.2")
    assert "needs an immersion index above it" in panel.run_box.fault.text()
    on.type("populations.cell.shape.radius_um", VALUE, "-1")
    assert "radius_um = -1" in panel.run_box.fault.text()
    assert on.controller.session.scene == phase_scene() and not fit.asked
    on.type("particles[0].x_um", LOW, "")
    on.run()
    on.ended()
    assert fit.asked[0]["names"] == ("particles[0].x_um",)


def test_matching_the_grid_takes_it_from_the_micrograph(bench):
    image = osog.forward(listing(beads(), [(5.0, 6.0)])).numpy()
    on = bench(image, fit=SlowFit(steps=2))
    assert "48 × 48 pixels and the micrograph 96 × 96" in on.panel.run_box.mismatch_text.text()
    on.panel.run_box.match_button.click()
    assert on.controller.session.scene.grid.shape == (96, 96)
    assert on.panel.run_box.mismatch.isHidden()
    on.run()
    on.ended()


def test_a_stack_is_fitted_in_the_frame_that_is_shown(bench):
    fit = SlowFit(steps=2)
    stack = np.stack([micrograph() + k for k in range(4)])
    on = bench(stack, fit=fit, scale=(1, 0.2, 0.2), units=("um", "um", "um"))
    on.viewer.dims.set_current_step(0, 2)
    assert "Frame 3 of 4" in on.panel.setting.frame_note.text()
    on.run()
    on.ended()
    np.testing.assert_allclose(fit.image, stack[2])


def test_a_change_of_the_sample_brings_the_table_that_belongs_to_it(bench):
    on = bench(micrograph())
    session, panel = on.controller.session, on.panel
    session.set_scene(beads(), preset="")
    assert panel.table.lines.entry("particles[*].x_um").free
    assert panel.table.lines.entry("particles[0].x_um") is None
    data = phase_scene().to_dict()
    data["microscope"]["modality"] = {"kind": "hologram"}
    session.set_scene(Scene.parse(data), preset="")
    assert panel.table.lines.entry("particles[0].z_um").free
    assert panel.parameters.greys_line.isHidden()
    on.tick("particles[0].z_um", False)
    session.set_scene(phase_scene(), preset="")
    assert not panel.table.lines.entry("particles[0].z_um").free
    assert panel.table.lines.entry("particles[0].x_um").free


@pytest.mark.micrographs
def test_a_real_cell_is_fitted_from_a_start_a_fifth_off(bench, micrographs):
    import tifffile

    phase = tifffile.imread(micrographs / "qpi" / "hologram_cell_phase.tif")
    scene = Scene.parse(
        {
            "grid": {"shape": list(phase.shape), "pixel_size_um": 0.107},
            "medium": {"index": 1.335},
            "populations": [
                {
                    "name": "cell",
                    "shape": {"kind": "sphere", "radius_um": 0.8 * 6.78},
                    "material": {"index": 1.335 + 0.8 * 0.0335},
                    "particles": [{"x_um": 110 * 0.107, "y_um": 95 * 0.107}],
                }
            ],
            "microscope": {
                "modality": {"kind": "phase"},
                "wavelength_um": 0.633,
                "numerical_aperture": 0.5,
            },
        }
    )
    on = bench(phase, scene=scene, scale=(0.107, 0.107), name="cell")
    assert on.panel.parameters.greys.currentData() == "known"
    on.run()
    on.until(lambda: on.panel.state != "running", timeout=60000)
    values = on.panel.ending.record.result.values
    assert values["particles[0].x_um"] / 0.107 == pytest.approx(105.0, abs=1)
    assert values["particles[0].y_um"] / 0.107 == pytest.approx(100.3, abs=1)
    assert values["populations.cell.shape.radius_um"] == pytest.approx(6.78, abs=0.15)
    assert values["populations.cell.material.index"] == pytest.approx(1.3685, abs=0.0015)


def test_a_result_goes_with_its_micrograph(bench):
    on = bench(micrograph(), fit=SlowFit(steps=2))
    panel = on.panel
    on.run()
    on.ended()
    assert panel.ending.section.title == "Result · micrograph"
    on.layer.scale = (0.21, 0.21)
    assert panel.state == "result", "the same micrograph, looked at again"
    twin = on.viewer.add_image(on.layer.data.copy(), name="twin")
    panel.session.set_target(twin)
    assert panel.ending.record is not None, "the same pixels"
    other = on.viewer.add_image(on.layer.data[::-1].copy(), name="other")
    panel.session.set_target(other)
    assert panel.state == "editing" and panel.ending.record is None
    assert panel.ending.section.isHidden() and panel.run_box.curve.isHidden()
    assert panel.run_box.status.text() == ""


def test_only_numbers_of_what_is_looked_for_can_be_free(bench):
    data = beads(3).to_dict()
    more = {**data["populations"][0], "name": "dust", "count": 2}
    data["populations"].append(more)
    fit = SlowFit(steps=1)
    scene = Scene.parse(data)
    on = bench(osog.forward(scene).numpy(), fit=fit, scene=scene)
    lines = on.panel.table.lines
    first, second = (f"populations.{p.name}.shape.radius_um" for p in scene.populations)
    assert lines.entry(first) is not None and lines.entry(second) is not None
    on.tick(second, True)
    on.panel.setting.start = "points"
    assert lines.entry(first) is not None and lines.entry(second) is None
    on.panel.setting.add_points()
    on.panel.setting.points[0].add([[20.0, 30.0]])
    on.run()
    on.ended()
    assert not [name for name in fit.asked[0]["names"] if ".dust." in name]
    on.panel.setting.start = "sliders"
    assert lines.entry(second) is not None

"""Random hands on the real window: nothing raises, nothing of the user's is lost.

``make monkey`` plays the long game; OSOG_MONKEY_ACTIONS and OSOG_MONKEY_SEEDS say how long.
"""

from __future__ import annotations

import collections
import hashlib
import os
import random
import sys
import threading
import time
import traceback
from contextlib import suppress

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QtMsgType, qInstallMessageHandler
from qtpy.QtWidgets import QApplication

from napari_osog.docks import dock_of, open_panel
from napari_osog.live_controller import LiveController
from napari_osog.panels.fit import FitPanel
from napari_osog.panels.number import NumberRow
from napari_osog.panels.row import CheckRow, ChoiceRow
from napari_osog.panels.simulate import SimulatePanel
from napari_osog.view import COMPARISONS, SHOWN
from osog import presets
from osog.scene.modalities import MODALITIES

from .conftest import small_scene
from .test_window import mouse

pytestmark = pytest.mark.viewer

ACTIONS = int(os.environ.get("OSOG_MONKEY_ACTIONS", "60"))
SEEDS = int(os.environ.get("OSOG_MONKEY_SEEDS", "1"))
SLOW = ("grid.", "source_points", "series.", ".scattering", "numerics.", "focus_planes")
"""Rows whose numbers would only make every picture slow."""
MOST = 30.0
"""Largest number of particles that a row is set to."""


class Monkey:
    """One pair of random hands; remembers what they did, and every complaint."""

    def __init__(self, viewer, seed, folder):
        self.viewer, self.random, self.folder = viewer, random.Random(seed), folder
        self.controller = LiveController.of(viewer)
        self.session = self.controller.session
        self.session.set_scene(small_scene(), preset="")
        self.done = collections.deque(maxlen=25)
        self.complaints = []
        self.longest = (0.0, "")
        self.app = QApplication.instance()
        viewer.window._qt_window.show()
        noise = np.random.default_rng(seed)
        options = {"scale": (0.2, 0.2), "units": ("um", "um")}
        self.mine = [
            viewer.add_image(noise.random((64, 80), np.float32), name="mine", **options),
            viewer.add_points(noise.random((5, 2)) * 60, name="my points", **options),
            viewer.add_shapes([noise.random((4, 2)) * 60], name="my shape", **options),
            viewer.add_labels(noise.integers(0, 4, (64, 80)), name="my labels", **options),
        ]
        self.before = [fingerprint(layer) for layer in self.mine]
        self.sim()
        self.actions = [(weight, getattr(self, name)) for name, weight in WEIGHTS.items()]

    # --- running -----------------------------------------------------------------------------

    def play(self, actions):
        """Do so many things, and stop at the first complaint."""
        weights, methods = zip(*self.actions, strict=True)
        for number in range(actions):
            act = self.random.choices(methods, weights)[0]
            self.done.append(f"{number} {act.__name__}")
            began = time.thread_time()
            try:
                act()
            except Exception:
                self.complaints.append(traceback.format_exc())
            self.breathe(self.random.choice((0, 0, 0.01, 0.05, 0.2)))
            took = time.thread_time() - began
            self.longest = max(self.longest, (took, self.done[-1]))
            if number % 40 == 39:
                self.check_mine()
            if self.complaints:
                break
        self.check_mine()
        return number + 1

    def breathe(self, seconds):
        end = time.monotonic() + seconds
        while True:
            self.app.processEvents()
            if time.monotonic() >= end:
                return
            time.sleep(0.002)

    def say(self, what):
        self.done[-1] += f" {what}"

    def check_mine(self):
        for layer, before in zip(self.mine, self.before, strict=True):
            if not any(layer == other for other in self.viewer.layers):
                self.complaints.append(f"{layer.name} is gone")
            elif fingerprint(layer) != before:
                self.complaints.append(f"{layer.name} was changed")

    # --- where things are ----------------------------------------------------------------------

    def panel(self, kind):
        return next((p for p in self.controller.panels if isinstance(p, kind)), None)

    def sim(self):
        return self.panel(SimulatePanel) or open_panel(self.viewer, SimulatePanel, "Simulate")

    def fit(self):
        return self.panel(FitPanel) or open_panel(self.viewer, FitPanel, "Fit")

    def ours(self):
        known = self.controller.viewer_layers.registry
        return [layer for layer in self.viewer.layers if known.owns(layer)]

    def points(self):
        return self.controller.viewer_layers.registry.layer("particles")

    def rows(self, kind):
        found = [r for r in self.sim().findChildren(kind) if r.isVisibleTo(self.sim())]
        return [r for r in found if r.isEnabled() and not any(s in r.name for s in SLOW)]

    # --- rows and scenes ---------------------------------------------------------------------

    def number(self):
        rows = self.rows(NumberRow)
        if not rows:
            return
        row = self.random.choice(rows)
        low, high = row.spin.minimum(), row.spin.maximum()
        if row.name.endswith(("count", "density_per_mm2")):
            high = min(high, MOST)
        near = row.spin.value() * self.random.uniform(0.5, 1.5)
        value = self.random.choice((self.random.uniform(low, high), near, near, low, high))
        if "radius" in row.name or "length" in row.name or "z_um" in row.name:
            value = near
        self.say(f"{row.name} = {value}")
        row.spin.setValue(type(row.spin.value())(min(max(value, low), high)))

    def drag(self):
        rows = self.rows(NumberRow)
        if not rows:
            return
        row = self.random.choice(rows)
        if row.name.endswith(("count", "density_per_mm2")) or "radius" in row.name:
            return
        self.say(row.name)
        row.slider.sliderPressed.emit()
        for _ in range(4):
            row.slider.setValue(row.slider.value() + self.random.uniform(-30, 30))
            self.breathe(0.01)
        row.slider.sliderReleased.emit()

    def choice(self):
        rows = self.rows(ChoiceRow)
        if rows:
            row = self.random.choice(rows)
            index = self.random.randrange(max(row.combo.count(), 1))
            self.say(f"{row.name} {row.combo.itemText(index)}")
            row.combo.setCurrentIndex(index)

    def tick(self):
        rows = self.rows(CheckRow)
        if rows:
            row = self.random.choice(rows)
            self.say(row.name)
            row.box.setChecked(not row.box.isChecked())

    def preset(self):
        name = self.random.choice(presets.names())
        self.say(name)
        self.sim().header.load_preset(name)
        self.shrink()

    def shrink(self):
        with suppress(ValueError):
            self.session.change({"grid.shape": (64, 80), "numerics.accuracy": "draft"})
        for population in self.session.scene.populations:
            if population.count is not None and population.visible:
                with suppress(ValueError):
                    self.session.change({f"populations.{population.name}.count": 5})

    def modality(self):
        row = self.sim().row("microscope.modality")
        if row is not None:
            kind = self.random.choice(list(MODALITIES))
            self.say(kind)
            row.choose(kind)

    def small(self):
        self.session.set_scene(small_scene(), preset="")

    def undo(self):
        for _ in range(self.random.choice((1, 1, 3))):
            self.sim().header.undo_button.click()

    def redo(self):
        self.sim().header.redo_button.click()

    def draw(self):
        self.sim().sample.draw.click()

    def population(self):
        sample = self.sim().sample
        name = self.random.choice(("add", "copy", "remove", "hide"))
        if len(self.session.scene.populations) > 3:
            name = "remove"
        self.say(name)
        getattr(sample, f"{name}_population")()

    def save_and_load(self):
        header = self.sim().header
        path = self.folder / "scene.yaml"
        self.session.scene.save(path)
        header.load_scene(path)
        header.copy_yaml()
        header.copy_python()
        header.edit_render(self.viewer.layers.selection.active)

    # --- view ----------------------------------------------------------------------------------

    def show(self):
        section = self.sim().show_section
        name = self.random.choice(list(section.layers))
        self.say(name)
        section.layers[name].setChecked(not section.layers[name].isChecked())

    def shown(self):
        name = self.random.choice(SHOWN)
        self.say(name)
        self.sim().show_section.shown[name].click()

    def grip(self):
        self.sim().show_section.grip.click()

    def compare(self):
        mode = self.random.choice(COMPARISONS)
        self.say(mode)
        self.sim().compare.choose_mode(mode)

    def amount(self):
        self.sim().compare.amount.setValue(self.random.random())

    def target(self):
        chooser = self.sim().compare.chooser
        chooser.setCurrentIndex(self.random.randrange(chooser.count()))

    def match(self):
        self.sim().compare.match_button.click()
        self.shrink()

    def profile(self):
        tick = self.sim().compare.profile.on
        tick.setChecked(not tick.isChecked())

    def three(self):
        self.viewer.dims.ndisplay = 5 - self.viewer.dims.ndisplay

    def grid(self):
        self.viewer.grid.enabled = not self.viewer.grid.enabled

    def theme(self):
        self.viewer.theme = "light" if self.viewer.theme == "dark" else "dark"

    def camera(self):
        self.viewer.camera.zoom *= self.random.uniform(0.5, 2.0)
        if self.random.random() < 0.3:
            self.viewer.reset_view()

    def stack(self):
        self.sim().sequence.stack_button.click()

    # --- layers ----------------------------------------------------------------------------------

    def delete(self):
        gone = [la for la in self.viewer.layers if not any(la == my for my in self.mine)]
        if gone:
            chosen = self.random.sample(gone, self.random.choice((1, 1, 1, len(gone))))
            self.say([layer.name for layer in chosen])
            for layer in chosen:
                self.viewer.layers.remove(layer)

    def duplicate(self):
        from napari.layers._layer_actions import _duplicate_layer

        if self.viewer.layers and len(self.viewer.layers) < 14:
            layer = self.random.choice(list(self.viewer.layers))
            self.say(layer.name)
            layers = getattr(self.viewer.layers, "__wrapped__", self.viewer.layers)
            layers.selection = {getattr(layer, "__wrapped__", layer)}
            _duplicate_layer(layers)

    def rename(self):
        layer = self.random.choice(list(self.viewer.layers))
        layer.name = self.random.choice(("OSOG", "a", layer.name))

    def reorder(self):
        count = len(self.viewer.layers)
        self.viewer.layers.move(self.random.randrange(count), self.random.randrange(count + 1))

    def eye(self):
        layer = self.random.choice(list(self.viewer.layers))
        self.say(layer.name)
        layer.visible = not layer.visible

    def select(self):
        self.viewer.layers.selection.active = self.random.choice(list(self.viewer.layers))

    # --- points ----------------------------------------------------------------------------------

    def add_point(self):
        layer = self.points()
        if layer is not None and len(layer.data) < 60:
            many = self.random.choice((1, 1, 3))
            layer.add([[self.random.uniform(-5, 70), self.random.uniform(-5, 85)]] * many)

    def remove_points(self):
        layer = self.points()
        if layer is not None and len(layer.data):
            many = min(self.random.choice((1, 1, 2, 50)), len(layer.data))
            layer.selected_data = set(self.random.sample(range(len(layer.data)), many))
            layer.remove_selected()

    def select_point(self):
        layer = self.points()
        if layer is not None and len(layer.data):
            layer.selected_data = {self.random.randrange(len(layer.data))}

    def set_points(self):
        layer = self.points()
        if layer is not None:
            kept = self.random.randrange(len(layer.data) + 1)
            layer.data = np.array(layer.data[:kept]) + self.random.choice((0, 1))

    def paste(self):
        layer = self.points()
        if layer is not None and 0 < len(layer.data) < 60:
            layer.selected_data = {0}
            layer._copy_data()
            layer._paste_data()

    def drag_point(self):
        from napari.utils.interactions import (
            mouse_move_callbacks,
            mouse_press_callbacks,
            mouse_release_callbacks,
        )

        layer = self.points()
        if layer is None or not len(layer.data) or not layer.visible or self.viewer.dims.ndim != 2:
            return
        self.viewer.dims.ndisplay = 2
        layer.mode = self.random.choice(("select", "select", "add"))
        place = np.array(layer.data_to_world(self.random.choice(list(layer.data))))
        mouse_press_callbacks(layer, mouse("mouse_press", place))
        for _ in range(self.random.randrange(4)):
            place = place + self.random.uniform(-1, 1)
            mouse_move_callbacks(layer, mouse("mouse_move", place))
            self.breathe(self.random.choice((0, 0.02)))
        mouse_release_callbacks(layer, mouse("mouse_release", place))

    # --- docks and fits --------------------------------------------------------------------------

    def dock(self):
        panel = self.random.choice(list(self.controller.panels))
        dock = dock_of(panel)
        what = self.random.choice(("hide", "show", "raise_", "destroyOnClose"))
        self.say(f"{type(panel).__name__} {what}")
        getattr(dock, what)()

    def open(self):
        self.random.choice((self.sim, self.fit))()

    def start_fit(self):
        panel = self.fit()
        panel.setting.start = self.random.choice(("sliders", "detect", "points"))
        self.say(panel.setting.start)
        panel.run_box.run_button.click()

    def stop_fit(self):
        panel = self.fit()
        panel.run_box.stop_button.click()
        if panel.ending.record is not None and self.random.random() < 0.5:
            panel.ending.apply_button.click()

    # --- a micrograph of one's own ---------------------------------------------------------------

    def open_file(self):
        if len(self.viewer.layers) > 12:
            return
        shape = self.random.choice(((64, 80), (40, 50), (3, 40, 50), (40, 50, 3), (6, 6)))
        self.say(shape)
        path = self.folder / f"{self.random.randrange(5)}.tif"
        pixels = np.random.default_rng(len(shape)).integers(0, 255, shape).astype(np.uint8)
        tifffile.imwrite(path, pixels, photometric="rgb" if shape[-1] == 3 else "minisblack")
        self.viewer.open(path)

    def answer(self):
        card, sim = self.sim().own_image, self.sim()
        what = self.random.choice(("type", "type", "show", "show", "grey", "leave", "go"))
        self.say(what)
        if what == "type":
            card.lines["pixel_size_um"].setText(self.random.choice(("0.2", "0,1", "x", "")))
            card.modality.choose(self.random.choice(card.modality.choices))
        elif what == "show" and card.isVisible():
            card.show_button.click()
            self.shrink()
        elif what == "grey" and not card.grey_button.isHidden():
            card.grey_button.click()
        elif what == "leave":
            card.close_button.click()
        elif what == "go":
            self.random.choice((sim.open_comparison, sim.fit_one, sim.find_all))()

    def click(self):
        from napari.utils.interactions import mouse_press_callbacks, mouse_release_callbacks

        real = self.controller.viewer_layers.registry.viewer
        place = tuple(self.random.uniform(-2, 15) for _ in range(real.dims.ndim))
        mouse_press_callbacks(real, mouse("mouse_press", place))
        mouse_release_callbacks(real, mouse("mouse_release", place))


WEIGHTS = {
    "number": 10, "drag": 6, "choice": 6, "tick": 3, "preset": 2, "modality": 3, "small": 2,
    "undo": 8, "redo": 3, "draw": 3, "population": 4, "save_and_load": 1,
    "show": 6, "shown": 3, "grip": 3, "compare": 6, "amount": 2, "target": 3, "match": 2,
    "profile": 2, "three": 2, "grid": 1, "theme": 1, "camera": 2, "stack": 1,
    "delete": 5, "duplicate": 3, "rename": 2, "reorder": 3, "eye": 4, "select": 3,
    "add_point": 5, "remove_points": 5, "select_point": 3, "set_points": 2, "paste": 2,
    "drag_point": 5, "dock": 4, "open": 2, "start_fit": 2, "stop_fit": 2,
    "open_file": 2, "answer": 6, "click": 2,
}  # fmt: skip


def fingerprint(layer):
    """Content and place of a layer of the user; name, order and eye are the user's to change."""
    data = layer.data if isinstance(layer.data, list) else [layer.data]
    made = hashlib.sha256()
    for array in data:
        made.update(np.ascontiguousarray(array).tobytes())
    place = [np.round(np.asarray(v, float), 9).tolist() for v in (layer.scale, layer.translate)]
    return made.hexdigest(), place, [str(unit) for unit in layer.units], dict(layer.metadata)


def memory_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def our_threads():
    return sorted(t.name for t in threading.enumerate() if t.name.startswith("osog-"))


@pytest.mark.timeout(0 if ACTIONS > 100 else 300)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_hands_find_nothing_that_raises_or_is_lost(
    make_napari_viewer, tmp_path, seed, monkeypatch, capsys
):
    monkey = Monkey(make_napari_viewer(), seed, tmp_path)
    monkey.breathe(0.5)

    def raised(kind, value, trace):
        monkey.complaints.append("".join(traceback.format_exception(kind, value, trace)))

    def warned(kind, context, message):
        if kind != QtMsgType.QtDebugMsg and kind != QtMsgType.QtInfoMsg:
            monkey.complaints.append(f"Qt: {message}")

    monkeypatch.setattr(sys, "excepthook", raised)
    before = qInstallMessageHandler(warned)
    try:
        warm = monkey.play(min(ACTIONS, 300))
        memory = memory_mb()
        done = warm + (
            monkey.play(ACTIONS - warm) if ACTIONS > warm and not monkey.complaints else 0
        )
        grown = memory_mb() - memory
    finally:
        qInstallMessageHandler(before)
    story = "\n".join([f"seed {seed}, after {done} actions:", *monkey.done, *monkey.complaints])
    with capsys.disabled():  # seen at once, not at the end of the last seed
        if monkey.complaints:
            print(f"\n{story}", flush=True)
        elif ACTIONS > 200:
            longest = "{:.1f} s of CPU in {}".format(*monkey.longest)
            print(
                f"\nseed {seed}: {done} actions, {grown:+.0f} MB after warm-up; longest {longest}"
            )
    assert not monkey.complaints, story
    monkey.viewer.close()
    monkey.breathe(0.2)
    end = time.monotonic() + 5.0
    while our_threads() and time.monotonic() < end:
        monkey.breathe(0.05)
    assert our_threads() == []

"""What random hands do in the window: rows, scenes, the view, layers and points."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QCheckBox, QPushButton

from napari_osog.panels.number import NumberRow
from napari_osog.panels.row import CheckRow, ChoiceRow
from napari_osog.view import COMPARISONS, SHOWN
from osog import presets
from osog.scene.modalities import MODALITIES

from .conftest import small_scene
from .monkey import SLOW, Hands
from .test_window import mouse

MOST = 30.0
"""Largest number of particles that a row is set to."""
KEYS = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left,
        Qt.Key.Key_Right, Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_Return)  # fmt: skip


class HandsOnTheWindow(Hands):
    """Rows and scenes, what is shown, layers, points."""

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

    def tick_any(self):
        """Tick or untick any box of any panel."""
        self.any_of(QCheckBox, lambda box: box.setChecked(not box.isChecked()))

    def press(self):
        """Press any button of any panel."""
        self.any_of(QPushButton, lambda button: button.click())
        self.shrink()

    def any_of(self, kind, do):
        panel = self.random.choice(list(self.controller.panels))
        found = [w for w in panel.findChildren(kind) if w.isEnabled() and w.isVisible()]
        if found:
            widget = self.random.choice(found)
            self.say(f"{type(panel).__name__} {widget.accessibleName() or widget.text()}")
            do(widget)

    def key(self):
        """Type a key where the focus is, if that is in a panel of ours."""
        focus = QApplication.focusWidget()
        if focus is None or not any(panel.isAncestorOf(focus) for panel in self.controller.panels):
            rows = self.rows(NumberRow)
            if not rows:
                return
            focus = self.random.choice(rows).spin
            if self.allows(focus.parent()):
                focus.setFocus()
        for _ in range(self.random.choice((1, 1, 4))):
            name = self.random.choice(KEYS)
            now = QApplication.focusWidget()
            if now is None or not any(panel.isAncestorOf(now) for panel in self.controller.panels):
                return
            row = next((r for r in self.rows(NumberRow) if r.isAncestorOf(now)), None)
            steps = name in (Qt.Key.Key_Up, Qt.Key.Key_Right)
            if row is not None and steps and not self.allows(row):
                continue
            self.say(f"{name.name} in {now.accessibleName() or type(now).__name__}")
            QTest.keyClick(now, name)

    @staticmethod
    def allows(row):
        """Whether any number of a row leaves pictures quick."""
        words = ("count", "density_per_mm2", "radius", "length", *SLOW)
        return not any(word in getattr(row, "name", "") for word in words)

    # --- laws ----------------------------------------------------------------------------------

    def law(self):
        """Open or fold the editor of a law, choose another law, change its numbers."""
        rows = [r for r in self.rows(NumberRow) if r.part is not None]
        opened = [r for r in rows if r.part.open]
        what = self.random.choice(("open", "kind", "kind", "number", "per", "follows"))
        if what == "open" or not opened:
            rows = [r for r in rows if not r.name.endswith(("count", "density_per_mm2"))]
            if rows:
                row = self.random.choice(rows)
                self.say(row.name)
                row.part.button.click()
            return
        row = self.random.choice(opened)
        editor = row.part.editor
        self.say(f"{what} of {row.name}")
        if what == "number":
            spins = [s for s in editor.findChildren(QAbstractSpinBox) if s.isVisible()]
            if spins:
                spin = self.random.choice(spins)
                spin.setValue(type(spin.value())(spin.value() * self.random.uniform(0.5, 1.3)))
            return
        combos = {"kind": editor.choice.combo, "per": editor.per, "follows": editor.follows}
        combo = combos[what]
        if combo.count():
            index = self.random.randrange(combo.count())
            self.say(combo.itemText(index))
            combo.setCurrentIndex(index)

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

    def sequence(self):
        """Render a small stack or series, or stop one."""
        section = self.sim().sequence
        what = self.random.choice(("stack", "series", "frames", "planes", "stop"))
        self.say(what)
        if what == "frames":
            self.session.change({"series.frames": self.random.choice((1, 2, 3))})
        elif what == "planes":
            planes = section.planes
            planes.first.setValue(self.random.choice((-2.0, 0.0)))
            planes.last.setValue(self.random.choice((-2.0, 2.0)))
            planes.step_box.setValue(self.random.choice((0.0, 1.0, 2.0)))
        elif what == "stop":
            section.stop_button.click()
        elif what == "series" or len(self.planes()) < 6:
            getattr(section, f"{what}_button").click()

    def planes(self):
        with suppress(ValueError):
            return self.sim().sequence.planes.planes()
        return ()

    # --- layers ----------------------------------------------------------------------------------

    def delete(self):
        gone = [la for la in self.viewer.layers if not any(la == my for my in self.mine)]
        if gone:
            chosen = self.random.sample(gone, self.random.choice((1, 1, 1, len(gone))))
            self.say([layer.name for layer in chosen])
            for layer in chosen:
                self.begin_turn()  # napari collects garbage after each
                self.viewer.layers.remove(layer)

    def duplicate(self):
        from napari.layers._layer_actions import _duplicate_layer

        if self.viewer.layers and len(self.viewer.layers) < 14:
            layer = self.random.choice(list(self.viewer.layers))
            flat = layer.ndim == 2 and getattr(layer, "rgb", False)
            if flat and not layer.visible and self.viewer.dims.ndisplay == 3:
                return  # napari 0.9.2 cannot show such a layer by itself, with no plugin at all
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

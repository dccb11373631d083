"""Longer things that random hands begin and end: docks, fits, datasets, micrographs."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import tifffile
from qtpy.QtCore import Qt

from napari_osog.docks import dock_of
from napari_osog.panels import fit_record
from napari_osog.panels.fit_table import FREE

from .monkey_hands import HandsOnTheWindow
from .test_window import mouse

SHAPES = ((64, 80), (40, 50), (3, 40, 50), (40, 50, 3), (6, 6))
"""Of micrographs: as the render, smaller, a stack, in colour, too small."""


class Monkey(HandsOnTheWindow):
    """Everything that `WEIGHTS` names."""

    # --- docks and fits ------------------------------------------------------------------------

    def dock(self):
        panel = self.random.choice(list(self.controller.panels))
        what = self.random.choice(("hide", "show", "raise_", "destroyOnClose"))
        self.say(f"{type(panel).__name__} {what}")
        getattr(dock_of(panel), what)()

    def open(self):
        self.random.choice((self.sim, self.sim, self.fit, self.fit, self.dataset))()

    def start_fit(self):
        panel = self.fit()
        panel.setting.start = self.random.choice(("sliders", "detect", "points"))
        every = self.random.random() < 0.2
        self.say(f"{panel.setting.start}{', every particle' * every}")
        panel.find_all() if every else panel.run_box.run_button.click()

    def stop_fit(self):
        panel = self.fit()
        panel.run_box.stop_button.click()
        if panel.ending.record is not None and self.random.random() < 0.5:
            panel.ending.apply_button.click()

    def fit_setting(self):
        panel = self.fit()
        setting, lines = panel.setting, panel.table.lines
        what = self.random.choice(("free", "free", "region", "draw", "points", "pick", "match"))
        self.say(what)
        if what == "free" and lines.rowCount():
            index = lines.index(self.random.randrange(lines.rowCount()), FREE)
            if lines.flags(index) & Qt.ItemFlag.ItemIsUserCheckable:
                state = self.random.choice((Qt.CheckState.Checked, Qt.CheckState.Unchecked))
                lines.setData(index, state, Qt.ItemDataRole.CheckStateRole)
        elif what == "region" and setting.region.isEnabled():
            setting.region.setCurrentIndex(self.random.randrange(setting.region.count()))
        elif what == "draw" and len(self.viewer.layers) < 14:
            setting.draw_button.click()
        elif what == "points" and len(self.viewer.layers) < 14:
            setting.new_points.click()
        elif what == "pick":
            setting.pick_button.click()
        elif what == "match":
            panel.run_box.match_button.click()
            self.shrink()

    def saved_fit(self):
        panel = self.fit()
        path = self.folder / "run.osog-fit.json"
        if panel.ending.record is not None:
            fit_record.save(panel.ending.record, path)
        if path.exists() and panel.state != "running":
            panel.ending.open_run(path)
            self.shrink()

    # --- datasets ------------------------------------------------------------------------------

    def start_dataset(self):
        panel = self.dataset()
        what = self.random.choice(("preview", "write", "label_frame"))
        self.say(what)
        format = self.random.choice(list(panel.formats.values()))
        if format.isEnabled():
            format.setChecked(not format.isChecked())
        button = {"preview": panel.preview_button, "write": panel.write_button}
        button.get(what, panel.frame_button).click()

    def stop_dataset(self):
        self.dataset().stop_button.click()

    # --- a micrograph of one's own ---------------------------------------------------------------

    def open_file(self):
        if len(self.viewer.layers) > 12:
            return
        shape = self.random.choice(SHAPES)
        self.say(shape)
        path = self.folder / f"{'x'.join(map(str, shape))}.tif"
        pixels = np.random.default_rng(sum(shape)).integers(0, 255, shape).astype(np.uint8)
        self.written[str(path)] = pixels
        tifffile.imwrite(path, pixels, photometric="rgb" if shape[-1] == 3 else "minisblack")
        self.viewer.open(path)

    def answer(self):
        card, sim = self.sim().own_image, self.sim()
        what = self.random.choice(("type", "type", "pick", "show", "show", "grey", "leave", "go"))
        self.say(what)
        if what == "type":
            card.lines["pixel_size_um"].setText(self.random.choice(("0.2", "0,1", "x", "")))
            card.modality.choose(self.random.choice(card.modality.choices))
        elif what == "pick":
            combo = self.random.choice(list(card.picks.values())).combo
            combo.setCurrentIndex(self.random.randrange(combo.count()))
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

    def osog_file(self):
        """Open a scene file with the reader, as one that is dropped on the window."""
        if len(self.viewer.layers) > 12:
            return
        path = self.folder / "dropped.osog.yaml"
        with suppress(ValueError):
            self.session.scene.save(path)
            self.viewer.open(path, plugin="napari-osog")


WEIGHTS = {
    "number": 10, "drag": 6, "choice": 6, "tick": 3, "preset": 2, "modality": 3, "small": 2,
    "undo": 8, "redo": 3, "draw": 3, "population": 4, "save_and_load": 1, "law": 6,
    "tick_any": 4, "press": 4, "key": 4,
    "show": 6, "shown": 3, "grip": 3, "compare": 6, "amount": 2, "target": 3, "match": 2,
    "profile": 2, "three": 2, "grid": 1, "theme": 1, "camera": 2, "sequence": 4,
    "delete": 5, "duplicate": 3, "rename": 2, "reorder": 3, "eye": 4, "select": 3,
    "add_point": 5, "remove_points": 5, "select_point": 3, "set_points": 2, "paste": 2,
    "drag_point": 5, "dock": 4, "open": 2, "start_fit": 2, "stop_fit": 2, "fit_setting": 4,
    "saved_fit": 1, "start_dataset": 2, "stop_dataset": 2,
    "open_file": 2, "answer": 6, "click": 2, "osog_file": 1,
}  # fmt: skip
"""How often each thing is done."""

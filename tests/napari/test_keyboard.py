"""The panels without a mouse, and for eyes that need contrast and large letters."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractButton, QApplication, QLabel

from helpers import reading
from napari_osog.docks import open_panel
from napari_osog.panels.dataset import DatasetPanel
from napari_osog.panels.fit import FitPanel
from napari_osog.panels.fit_lines import ParameterLine
from napari_osog.panels.plot import Plot
from napari_osog.panels.section import Section
from osog.scene import Scene

pytestmark = pytest.mark.viewer

MIXED = {
    "law": "mixture",
    "weights": [1, 2],
    "parts": [
        {"law": "uniform", "low": 0.5, "high": 1.0},
        {"law": "normal", "mean": 0.8, "std": 0.05, "between": [0.7, 1.1]},
    ],
}


@pytest.fixture
def all_open(docked):
    """Every panel with all its parts unfolded, and a micrograph that is asked about."""
    viewer, panel = docked
    scene = panel.session.scene
    data = scene.model_dump()
    data["populations"][0]["shape"] = {"kind": "polyhedron", "size_um": [2, 1, 1]}
    data["populations"][0]["surface"] = {"bevel_um": 0.1}
    data["populations"][0]["inclusions"] = [{"number": 2, "radius_um": 0.1}]
    data["populations"][0]["material"]["index"] = {"law": "normal", "mean": 1.4, "std": 0.01}
    panel.session.set_scene(Scene.parse(data), preset="")
    index = panel.row("populations.beads.material.index")
    index.part.toggle()
    index.drawn.emit(index.name, {**MIXED, "parts": [
        {"law": "uniform", "low": 1.4, "high": 1.5},
        {"law": "normal", "mean": 1.42, "std": 0.005, "between": [1.4, 1.45]},
    ]})  # fmt: skip
    mine = viewer.add_image(np.random.default_rng(0).random((40, 50)), name="mine")
    panel.own_image.ask(mine)
    fit = open_panel(viewer, FitPanel, "Fit")
    fit.setting.start = "points"
    fit.table.lines.show([ParameterLine("microscope.focus_um", "Focus", "µm", value=1.0)])
    data = open_panel(viewer, DatasetPanel, "Dataset")
    panels = (panel, fit, data)
    panel.header.save_form.open()
    fit.ending.save_form.open()
    fit.ending.section.show()
    for each in panels:
        for section in each.findChildren(Section):
            section.expand(animate=False)
    panel.compare.profile.on.setChecked(True)
    panel.compare.choose_mode("blend")
    panel.row("microscope.focus_um").set_fault("Focus must lie between -1000 and 1000 µm.")
    panel.session.status = "Something is not as it should be."
    fit.run_box.say("There is no particle.")
    fit.run_box.show_mismatch("The scene has 64 × 80 pixels and the micrograph 40 × 50.")
    fit.run_box.curve.show()
    viewer.window._qt_window.setUpdatesEnabled(False)  # to draw it all takes most of the time
    return viewer, panels


def shown(panel):
    """Bring a panel to the front, laid out."""
    open_panel(panel.viewer, type(panel), "")
    for _ in range(5):
        QApplication.processEvents()
    return panel


def test_panels_are_for_keyboards_and_for_tired_eyes(all_open):
    """One window for all of it: to open everything takes longer than to look at it."""
    every_stop_has_a_name_and_tab_goes_as_one_reads(*all_open)
    letters_stand_out_from_their_ground_in_both_themes(*all_open)
    nothing_is_cut_when_letters_grow(*all_open)


def every_stop_has_a_name_and_tab_goes_as_one_reads(_, panels):
    for panel in panels:
        shown(panel)
        nameless = [w for w in reading.stops(panel, hidden=True) if not reading.spoken(w)]
        assert not nameless, [(type(w), w.parentWidget()) for w in nameless]
        wanted = reading.stops(panel)
        walked = walk(panel)
        assert set(walked) == set(wanted) and len(walked) == len(wanted)
        for first, second in itertools.pairwise(walked):
            names = reading.spoken(first), reading.spoken(second)
            assert reading.follows(first, second, panel.content), names
        buttons = [b for b in panel.findChildren(QAbstractButton)
                   if b.isVisible() and b.isEnabled() and b.window() is panel.window()
                   and b.objectName() != "qt_toolbar_ext_button"]  # fmt: skip
        for button in buttons:
            group = button.group()
            near = button if group is None or not group.exclusive() else group.checkedButton()
            assert near in walked, reading.spoken(button)
            assert pressed_by_space(button), reading.spoken(button)


def walk(panel):
    """Widgets that Tab comes to from the first one on, until it leaves the panel."""
    window = panel.window()
    first = min(reading.stops(panel), key=lambda w: reading.box(w, panel.content)[1::-1])
    first.setFocus()
    walked = [window.focusWidget()]
    for _ in range(1000):
        press(window.focusWidget(), Qt.Key.Key_Tab)
        now = window.focusWidget()
        if not panel.isAncestorOf(now) or now is walked[0]:
            break
        assert panel.ring.widget() is now and panel.ring.isVisible()
        assert not now.visibleRegion().isEmpty(), reading.spoken(now)
        walked.append(now)
    walked[-1].setFocus()
    if len(walked) > 1:
        press(walked[-1], Qt.Key.Key_Backtab)
        assert window.focusWidget() is walked[-2]
    return walked


def press(widget, key):
    """Press a key without drawing the window again, which takes most of the time."""
    QApplication.sendEvent(
        widget, QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
    )


def pressed_by_space(button):
    button.blockSignals(True)
    try:
        press(button, Qt.Key.Key_Space)
        return button.isDown()
    finally:
        button.setDown(False)
        button.blockSignals(False)


def letters_stand_out_from_their_ground_in_both_themes(viewer, panels):
    for theme in ("dark", "light"):
        viewer.theme = theme
        looked_at = {}
        for panel in panels:
            shown(panel)
            for widget in panel.findChildren(QLabel) + panel.findChildren(QAbstractButton):
                if (
                    widget.isVisible()
                    and widget.isEnabled()
                    and reading.plain(widget.text()).strip()
                ):
                    checked = isinstance(widget, QAbstractButton) and widget.isChecked()
                    parent = widget.parentWidget()
                    key = (type(widget).__name__, widget.objectName(), checked,
                           parent.objectName(), parent.property("kind"))  # fmt: skip
                    looked_at.setdefault(key, widget)
            for plot in panel.findChildren(Plot):
                ground = np.array(panel.palette().window().color().getRgb()[:3])
                for side in ("bottom", "left"):
                    letters = plot.getPlotItem().getAxis(side).textPen().color().getRgb()[:3]
                    assert reading.contrast(letters, ground) >= 4.5
        assert len(looked_at) > 15
        low = {k: round(reading.shown_contrast(w), 2) for k, w in looked_at.items()}
        assert not {k: v for k, v in low.items() if v < 4.5}, theme


def nothing_is_cut_when_letters_grow(viewer, panels):
    from napari.settings import get_settings

    for size in (9, 18):
        get_settings().appearance.font_size = size
        for panel in panels:
            shown(panel)
            assert not reading.cut(panel), size
            assert panel.content.width() <= panel.scroll_area.viewport().width()

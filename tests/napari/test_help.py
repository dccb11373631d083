"""The tour and the manual in a real window."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QApplication, QShortcut

from napari_osog.docks import dock_of, open_panel, window_of
from napari_osog.manual.places import place_of
from napari_osog.manual.window import ManualWindow
from napari_osog.panels import tour as tours
from napari_osog.panels.fit import FitPanel
from napari_osog.panels.fit_lines import ParameterLine
from napari_osog.panels.row import Row
from napari_osog.panels.tour import STEPS, Tour, TourOffer, start_tour

pytestmark = pytest.mark.viewer


def settle():
    for _ in range(4):
        QApplication.processEvents()


def gone(window):
    """Whether no tour is left once Qt has deleted what waits for it."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return not window.findChildren(Tour) and window.findChild(Tour) is None


def test_the_tour_points_at_real_widgets_and_survives_docks_that_close(docked):
    viewer, panel = docked
    window, dock = viewer.window._qt_window, dock_of(panel)
    settle()
    tour = start_tour(panel)
    assert start_tour(panel) is tour, "one at a time"
    for number, step in enumerate(STEPS):
        settle()
        tour.follow()
        assert step.title in tour.title.text() and f"{number + 1} of 6" in tour.count.text()
        target = tour.target
        assert target is not None and target.isVisible() and tour.ring.isVisible(), step.title
        assert not target.visibleRegion().isEmpty(), step.title
        assert window.rect().contains(tour.geometry())
        covered = tour.geometry().intersected(tour.ring.geometry())
        assert covered.isEmpty() or target is window.centralWidget(), step.title
        assert window.focusWidget() is tour.next_button
        if number == 0:  # its row is made again
            panel.row("microscope.modality").choose("brightfield")
            settle()
            tour.follow()
            assert tour.target is panel.row("microscope.focus_um")
        if number == 4:
            fit = next(p for p in panel.controller.panels if isinstance(p, FitPanel))
            closed = dock_of(fit)
            viewer.window.remove_dock_widget(closed)
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            settle()
            tour.follow()
            assert tour.target is None and tour.isVisible() and not tour.ring.isVisible()
        if number < 5:
            tour.next_button.click()
    tour.back_button.click()
    settle()
    tour.follow()
    assert tour.target is not None, "the Fit panel is opened again"
    escape = [s for s in tour.findChildren(QShortcut) if s.key() == QKeySequence(Qt.Key.Key_Escape)]
    escape[0].activated.emit()
    assert gone(window)

    panel.header.tour_wanted.emit()
    (tour,) = window.findChildren(Tour)
    viewer.window.remove_dock_widget(dock)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    settle()
    tour.follow()
    assert tour.target is None and tour.isVisible()
    tour.next_button.click()
    settle()
    tour.follow()
    assert tour.target is not None, "the Simulate panel is opened again"
    tour.leave()
    assert gone(window)


def test_the_tour_is_offered_once(monkeypatch, qtbot):
    kept = {tours.OFFERED: True}
    monkeypatch.setattr(tours, "setting", kept.get)
    monkeypatch.setattr(tours, "keep", kept.__setitem__)
    first, second = TourOffer(), TourOffer()
    qtbot.addWidget(first)
    qtbot.addWidget(second)
    assert not first.isHidden() and second.isHidden() and kept == {tours.OFFERED: False}
    with qtbot.waitSignal(first.taken):
        first.take_button.click()
    assert first.isHidden()


def test_every_row_opens_its_section_and_the_manual_goes_on_from_there(docked):
    viewer, panel = docked
    keys = [s for s in panel.findChildren(QShortcut)
            if s.key() == QKeySequence(QKeySequence.StandardKey.HelpContents)]  # fmt: skip
    assert keys[0].context() == Qt.ShortcutContext.WidgetWithChildrenShortcut
    row = panel.row("microscope.focus_um")
    row.slider.setFocus()
    keys[0].activated.emit()
    window = window_of(panel)
    manual = window.findChild(ManualWindow)
    assert manual.isVisible() and manual.link == "scene.md#microscope"
    assert manual.text.textCursor().selectedText() == "focus_um"
    assert "Height of the plane in focus" in manual.text.toPlainText()
    scene, seen = panel.session.scene, set()
    rows = [row for group in panel.groups for row in group.rows.values()]
    for each in {*rows, *panel.findChildren(Row)}:
        link = place_of(scene, each.name)
        if link in seen:
            continue
        seen.add(link)
        actions = {action.text(): action for action in each.menu().actions()}
        assert "F1" in each.label.toolTip()
        actions["What is this? (F1)"].trigger()
        assert manual.link == link and manual.text.toPlainText(), each.name
    assert len(seen) > 12
    panel.explain(panel.compare.match_button)
    assert manual.link == panel.compare.page
    panel.explain(panel.compare.mode_buttons["wipe"])
    place = manual.text.verticalScrollBar().value()
    assert place > 0, "the heading, not the top of the page"
    manual.follow("fit.md#stopping")
    assert manual.link == "fit.md#stopping"
    manual.back_button.click()
    assert manual.link == panel.compare.page
    manual.first()
    assert manual.link == "index.md" and "Five-minute tour" in manual.text.toPlainText()
    manual.words.setText("Glossary")
    manual.find_words()
    assert manual.text.textCursor().selectedText() == "Glossary"
    for page in ("scene.md", "tables.md", "cli.md", "contributing.md", "api/optics.md"):
        manual.open(page)
        assert "{{" not in manual.text.toPlainText(), page
    fit = open_panel(viewer, FitPanel, "Fit")
    fit.table.lines.show([ParameterLine("particles[*].x_um", "x", "µm", value=1.0)])
    fit.table.setCurrentIndex(fit.table.lines.index(0, 1))
    fit.explain(fit.table)
    assert manual.link == "scene.md#particle"
    assert window.findChildren(ManualWindow) == [manual]

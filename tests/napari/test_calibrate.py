"""Calibration to a crowd in real windows, and the modality that the picture itself tells."""

from __future__ import annotations

import time

import numpy as np
import pytest
import tifffile

import osog
from napari_osog.panels import calibrate_job
from napari_osog.panels.fit import FitPanel
from osog.scene import Scene

COUNT, RADIUS = "populations.beads.count", "populations.beads.shape.radius_um"
BRIEF = {"pilot": 16, "steps": 1, "renders": 2}


def crowd(viewer, session):
    """Add a micrograph of 8 beads to the viewer, and choose it."""
    session.change({"grid.shape": (128, 96)})
    scene = session.scene.updated({COUNT: 8, RADIUS: 0.5})
    image = osog.render(scene, "cpu", seed=7).image.numpy()
    viewer.add_image(image, name="crowd", scale=(0.2, 0.2), units=("um", "um"))
    layer = viewer.layers["crowd"]
    session.set_target(layer)
    return layer


def slopes(turn_deg=30.0, side=192):
    """Slope of Gaussian bumps along a direction, in grey levels: the simplest DIC."""
    y, x = np.mgrid[:side, :side].astype(float)
    turn, picture = np.deg2rad(turn_deg), np.full((side, side), 100.0)
    for cy, cx in np.random.default_rng(0).uniform(0, side, (40, 2)):
        bump = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 50.0)
        picture -= 8 * ((x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)) * bump
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.mark.viewer
def test_a_crowd_is_calibrated_applied_undone_and_saved(opened, monkeypatch, tmp_path):
    viewer, panel, _, wait = opened
    monkeypatch.setitem(calibrate_job.EFFORTS, "Quick", BRIEF)
    session, section = panel.session, panel.calibrate
    assert not section.isExpanded(), "it is folded, and costs nothing, until it is wanted"
    assert not section.start_button.isEnabled(), "there is no micrograph yet"
    crowd(viewer, session)
    panel.open_calibration()
    wait.until(lambda: bool(section.lines.lines))
    lines = {line.entry.name: line for line in section.lines.lines}
    assert lines[COUNT].tick.isChecked() and lines[RADIUS].tick.isChecked()
    assert not lines["background.haze"].tick.isChecked()
    for name, line in lines.items():
        line.tick.setChecked(name in (COUNT, RADIUS))
    lines[COUNT].low.setText("many")
    section.start_button.click()
    assert "'many' to" in section.problem.text() and section.outcome is None
    lines[COUNT].low.setText("2")
    lines[COUNT].high.setText("50")
    section.tile.setValue(64)
    assert section.tile.value() == 96, "in smaller ones noise is not measured"
    before = session.scene
    section.start_button.click()
    assert section.problem.isHidden() and section.stop_button.isEnabled()
    assert not section.lines.isEnabled()
    wait.qtbot.waitUntil(lambda: section.outcome is not None, timeout=240000)
    found = section.outcome.result
    assert found is not None and not found.stopped, section.outcome.problem
    assert session.scene is before, "the sliders stay until it is applied"
    assert "→" in section.distances.text() and "Finished" in section.status.text()
    assert not section.pair.isHidden() and section.pair.pixmap().width() > 100
    assert "number in the frame" in section.values.text()
    section.apply_button.click()
    after = session.scene
    assert after.grid == before.grid and after is not before
    share = 128 * 96 / (96 * 96)
    assert after.get(COUNT) == round(found.values[COUNT] * share)
    assert after.get(RADIUS) == pytest.approx(found.values[RADIUS])
    section.save(str(tmp_path / "mine.osog.yaml"))
    assert Scene.load(tmp_path / "mine.osog.yaml") == after
    session.undo()
    assert session.scene == before


@pytest.mark.viewer
def test_a_calibration_stops_at_once(opened):
    viewer, panel, _, wait = opened
    crowd(viewer, panel.session)
    section = panel.calibrate
    panel.open_calibration()
    wait.until(lambda: bool(section.lines.lines))
    section.tile.setValue(64)
    assert section.tile.value() == 96, "in smaller ones noise is not measured"
    section.effort.setCurrentIndex(1)
    section.start_button.click()
    wait.until(lambda: "picture" in section.status.text())
    began = time.monotonic()
    section.stop_button.click()
    wait.until(lambda: section.outcome is not None)
    assert time.monotonic() - began < 3.0, "1 s on a machine that does nothing else"
    assert section.outcome.result.stopped and "Stopped early" in section.status.text()
    assert section.start_button.isEnabled() and section.lines.isEnabled()


@pytest.mark.viewer
def test_the_card_guesses_the_modality_and_can_be_overruled(opened, tmp_path):
    viewer, panel, _, wait = opened
    card = panel.own_image
    tifffile.imwrite(tmp_path / "relief.tif", slopes())
    viewer.open(tmp_path / "relief.tif")
    wait.until(lambda: card.modality.combo.currentIndex() >= 0)
    assert card.modality.choices[card.modality.combo.currentIndex()] == "dic"
    assert "Guessed from the picture: DIC" in card.why.text() and "along" in card.why.text()
    card.modality.choose("brightfield")
    card.modality.combo.activated.emit(card.modality.combo.currentIndex())
    assert card.why.isHidden()


@pytest.mark.viewer
def test_fit_doubts_a_scene_of_another_modality(opened):
    viewer, panel, _, wait = opened
    fit = FitPanel(viewer)
    viewer.window.add_dock_widget(fit, name="Fit")
    session = panel.session
    viewer.add_image(slopes(), name="relief", scale=(0.2, 0.2), units=("um", "um"))
    session.set_target(viewer.layers["relief"])
    wait.until(lambda: not fit.hint.isHidden())
    assert "looks like DIC" in fit.hint.words.text()
    before = session.scene
    fit.hint.use_button.click()
    modality = session.scene.microscope.modality
    assert modality.kind == "dic" and modality.azimuth_deg == pytest.approx(30.0, abs=12.0)
    assert fit.hint.isHidden()
    session.undo()
    assert session.scene == before and not fit.hint.isHidden()

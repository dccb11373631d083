"""The explain line, its reasons, and the pupil."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt

import osog.rendering  # noqa: F401  # the pupil waits until the engine is loaded
from napari_osog.panels.pupil_thumbnail import PupilSection, pupil_colours
from napari_osog.panels.simulate import SimulatePanel
from napari_osog.pictures import ModelInUse
from osog.cautions import Caution
from osog.exit_wave.sampling.source_error import LightInUse
from osog.scene import Scene


@pytest.fixture
def panel(qtbot, controller):
    made = SimulatePanel(None, controller)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: controller.session.picture is not None, timeout=5000)
    return made


def test_a_click_on_the_explain_line_opens_the_reasons(qtbot, panel):
    panel.session.picture = replace(
        panel.session.picture,
        models=(ModelInUse("beads", "mie", 0.13, "slabs are 9 % off (Δn 0.26)"),),
        cautions=(Caution("Pixels of <1 µm> undersample."),),
        light=LightInUse(24, 796, 208, 0.4),
        accuracy="standard",
    )
    qtbot.mouseClick(panel.header.explain_text, Qt.MouseButton.LeftButton)
    assert panel.header.reasons is not None and panel.header.reasons.isVisible()
    text = panel.header.reasons.text.text()
    assert "<b>beads</b>: Lorenz–Mie, error about 0.1 %" in text
    assert "Chosen because slabs are 9 % off (Δn 0.26)." in text
    assert "796 points of light" in text and "computed for 24" in text
    assert "contrasts are off" not in text
    assert "&lt;1 µm&gt;" in text
    panel.header.reasons.hide()
    qtbot.keyClick(panel.header.explain_text, Qt.Key.Key_Return)
    assert panel.header.reasons.isVisible()
    panel.header.reasons.hide()


def test_an_emission_has_no_field_error(qtbot, panel):
    panel.row("microscope.modality").choose("confocal")
    qtbot.waitUntil(lambda: panel.session.picture.request.scene is panel.session.scene)
    panel.header.explain()
    assert "particles emit" in panel.header.reasons.text.text()
    panel.header.reasons.hide()


def drawn(section):
    """Outer radius of the pupil on show, as a share of the picture, and the curve's end."""
    x, _ = section.transfer.curves["one"].getData()
    alpha = section.pupil.image.image[..., 3]
    return (alpha > 128).mean(), section.pupil.image.boundingRect().width(), float(x[-1])


def test_the_pupil_follows_the_aperture_and_rests_while_folded(qtbot):
    section = PupilSection()
    qtbot.addWidget(section)
    section.show()
    scene = Scene.parse({"microscope": {"modality": {"kind": "fluorescence"}}})
    section.show_scene(scene)
    qtbot.wait(80)
    assert section.transfer.curves["one"].getData()[0] is None, "folded: nothing is computed"
    section.expand()
    qtbot.waitUntil(lambda: section.transfer.curves["one"].getData()[0] is not None)
    assert drawn(section)[2] == pytest.approx(2 * 0.5 / 0.55)
    section.show_scene(scene.updated({"microscope.numerical_aperture": 0.25}))
    qtbot.waitUntil(lambda: drawn(section)[2] == pytest.approx(2 * 0.25 / 0.55))
    low, high = section.pupil.getViewBox().viewRange()[1]
    assert max(abs(low), abs(high)) == pytest.approx(0.25 * 1.05, rel=0.3)
    assert "550 nm" not in section.transfer_note.text()
    assert "1100 nm" in section.transfer_note.text()


def test_the_light_of_the_condenser_is_drawn_into_the_pupil(qtbot):
    section = PupilSection()
    qtbot.addWidget(section)
    section.expand()
    section.show_scene(Scene.parse({"microscope": {"condenser_numerical_aperture": 0.3}}))
    section.draw()
    x, y = section.pupil.light[1].getData()
    assert np.hypot(x, y) == pytest.approx(np.full(len(x), 0.3))
    section.show_scene(Scene.parse({"microscope": {"modality": {"kind": "hologram"}}}))
    section.draw()
    assert len(section.pupil.light[1].getData()[0] or ()) == 0
    assert list(section.pupil.point.getData()[0]) == [0.0]


def test_colours_of_a_pupil_are_grey_red_and_blue_by_phase():
    colours = pupil_colours(np.array([[1, np.exp(0.999j * np.pi)], [np.exp(-0.999j * np.pi), 0]]))
    grey, red, blue, dark = colours.reshape(4, 4).astype(int)
    assert np.ptp(grey[:3]) < 10 and grey[3] == 255
    assert red[0] > red[2] + 100 and blue[2] > blue[0] + 100
    assert dark[3] == 0

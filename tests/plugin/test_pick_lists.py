"""Materials and instruments chosen from lists, each as one step that can be undone."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

from napari_osog.panels.pick_list import PickRow
from napari_osog.panels.simulate import SimulatePanel
from osog.scene import Camera, Population, Scene, materials


@pytest.fixture
def panel(qtbot, controller):
    made = SimulatePanel(None, controller)
    qtbot.addWidget(made)
    scene = Scene(populations=(Population(name="beads", count=3),), camera=Camera())
    made.session.set_scene(scene)
    return made


def row(panel: SimulatePanel, name: str) -> PickRow:
    found = panel.row(name)
    assert isinstance(found, PickRow)
    return found


def test_every_material_is_listed_with_its_source(panel):
    known = row(panel, "populations.beads.material.name")
    assert set(materials.names()) <= set(known.choices)
    place = known.choices.index("calcite")
    assert "Ghosh" in known.combo.itemData(place, Qt.ItemDataRole.ToolTipRole)
    known.choose("calcite")
    assert "Ghosh" in known.combo.toolTip()
    assert panel.session.scene.populations[0].material.birefringence < -0.1


def test_a_name_is_found_by_a_part_of_it_and_one_with_a_number_is_typed(panel):
    medium = row(panel, "medium.name")
    completer = medium.combo.completer()
    completer.setCompletionPrefix("mersion")
    assert completer.currentCompletion() == "Immersion oil"
    line = medium.combo.lineEdit()
    line.setText("Water 37 °C")
    line.editingFinished.emit()
    assert panel.session.scene.medium.name == "water 37 °c"
    assert medium.combo.currentText() == "water 37 °c" and "IAPWS" in medium.combo.toolTip()
    line.setText("beer")
    line.editingFinished.emit()
    assert "'beer' is not known" in medium.fault
    assert panel.session.scene.medium.name == "water 37 °c"


def test_an_objective_fills_its_fields_in_one_step(panel):
    before = panel.session.scene
    row(panel, "camera.model").choose("Thorlabs CS505MU")
    with_camera = panel.session.scene
    assert with_camera.camera.full_well_electrons == 10650
    row(panel, "microscope.objective").choose("Evident UPLXAPO60XO")
    optics = panel.session.scene.microscope
    assert (optics.numerical_aperture, optics.immersion_index) == (1.42, 1.518)
    assert panel.session.scene.grid.pixel_size_um == pytest.approx(3.45 / 60)
    panel.session.undo()
    assert panel.session.scene == with_camera
    panel.session.undo()
    assert panel.session.scene == before


def test_a_number_of_its_own_takes_the_instrument_away(panel):
    row(panel, "microscope.objective").choose("Evident UPLXAPO20X")
    panel.row("microscope.numerical_aperture").spin.setValue(0.6)
    assert panel.session.scene.microscope.objective is None
    assert row(panel, "microscope.objective").combo.currentText() == "Other"


def test_a_light_sets_wavelength_and_spectrum(panel):
    row(panel, "microscope.light").choose("filter 525/50")
    optics = panel.session.scene.microscope
    assert (optics.wavelength_um, optics.spectrum.kind) == (0.525, "led")


def test_colours_leave_with_the_colour_camera(panel):
    row(panel, "camera.model").choose("Thorlabs CS505CU")
    panel.row("camera.white_balance[0]").spin.setValue(1.7)
    panel.row("camera.colour").choose("monochrome")
    assert panel.session.scene.camera.white_balance == (1.0, 1.0, 1.0)
    assert panel.row("camera.white_balance[0]") is None

"""Surfaces and inclusions in the Sample section."""

from __future__ import annotations

import pytest

from napari_osog.panels.simulate import SimulatePanel
from osog.sample import sample
from osog.scene import SHAPES, Normal, Scene

BASE = "populations.blocks"
SCENE = {
    "grid": {"shape": [32, 32], "pixel_size_um": 0.2},
    "populations": [
        {
            "name": "blocks",
            "count": 2,
            "shape": {"kind": "box", "size_um": [6.0, 3.0, 2.0]},
            "material": {"index": 1.4},
        }
    ],
}


@pytest.fixture
def panel(qtbot, controller):
    controller.session.set_scene(Scene.parse(SCENE))
    made = SimulatePanel(None, controller)
    qtbot.addWidget(made)
    made.show()
    return made


def population(panel):
    return panel.session.scene.populations[0]


def test_a_surface_comes_with_its_first_number_and_goes_with_the_button(panel):
    assert population(panel).surface is None and panel.sample.smooth.isHidden()
    panel.row(f"{BASE}.surface.striations").spin.setValue(6)
    assert population(panel).surface.striations == 6
    panel.row(f"{BASE}.surface.bevel_um").spin.setValue(0.2)
    assert (population(panel).surface.bevel_um, population(panel).surface.striations) == (0.2, 6)
    panel.sample.smooth.click()
    assert population(panel).surface is None
    assert panel.row(f"{BASE}.surface.striations").spin.value() == 0
    panel.session.undo()
    assert population(panel).surface.striations == 6


def test_a_number_of_a_surface_may_begin_with_a_law(panel):
    part = panel.row(f"{BASE}.surface.taper").part
    part.button.click()
    part.editor.choice.combo.setCurrentIndex(part.editor.choice.kinds.index("uniform"))
    law = panel.session.scene.law(f"{BASE}.surface.taper")
    assert law is not None and law.law == "uniform" and law.low >= 0
    assert not part.editor.histogram.isHidden()


def test_inclusions_are_added_edited_and_removed(panel):
    panel.sample.add_inclusions()
    panel.sample.add_inclusions()
    first = population(panel).inclusions[0]
    assert first.radius_um == pytest.approx(0.2) and first.index == pytest.approx(1.43)
    sample(panel.session.scene, 0)  # they fit into the bodies
    panel.row(f"{BASE}.inclusions[1].number").spin.setValue(9)
    panel.row(f"{BASE}.inclusions[1].index").given.setChecked(False)
    assert panel.row(f"{BASE}.inclusions[1].index").spin.text() == "medium"
    assert (population(panel).inclusions[1].number, population(panel).inclusions[1].index) == (
        9,
        None,
    )
    panel.row(f"{BASE}.inclusions[0]").remove.click()
    assert [group.number for group in population(panel).inclusions] == [9]
    panel.session.undo()
    assert len(population(panel).inclusions) == 2


def test_inclusions_may_be_drawn_from_laws(panel):
    panel.sample.add_inclusions()
    panel.edits.draw_from(f"{BASE}.inclusions[0].radius_um", Normal(mean=0.2, std=0.02))
    assert panel.session.scene.law(f"{BASE}.inclusions[0].radius_um").std == 0.02
    assert panel.row(f"{BASE}.inclusions[0].radius_um").part.words.text().startswith("± normal")


def test_only_bodies_that_can_carry_them_show_them(panel):
    panel.row(f"{BASE}.surface.bevel_um").spin.setValue(0.1)
    panel.sample.add_inclusions()
    for kind in SHAPES:
        if kind in ("volume", "mesh"):
            continue  # these need an array of their own
        panel.edits.carry_out(f"{BASE}.shape", kind)
        shape = population(panel).shape
        assert shape.kind == kind
        assert (population(panel).surface is not None) == shape.faceted
        assert bool(population(panel).inclusions) == shape.holds_inclusions
        assert panel.sample.surface.isHidden() != shape.faceted
        assert panel.sample.inclusions.isHidden() != shape.holds_inclusions
    panel.edits.carry_out(f"{BASE}.shape", "box")  # brings both back
    assert population(panel).surface.bevel_um == 0.1 and len(population(panel).inclusions) == 1

"""What numbers are drawn from, edited below their rows."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_osog.panels.edits import SceneEdits
from napari_osog.panels.population_rows import body_rows
from napari_osog.panels.rows import model_rows
from napari_osog.panels.simulate import SimulatePanel
from napari_osog.session import Session
from napari_osog.words import plain
from osog.scene import LAWS, Scene, SceneError, Table
from osog.scene.law import Distribution

SCENE = {
    "grid": {"shape": [32, 32], "pixel_size_um": 0.2},
    "microscope": {"numerical_aperture": 0.5, "wavelength_um": 0.55},
    "camera": {},
    "populations": [
        {
            "name": "rods",
            "count": 5,
            "shape": {"kind": "rod", "length_um": 6.0, "radius_um": 0.5},
            "material": {"index": 1.4},
        }
    ],
}
LENGTH = "populations.rods.shape.length_um"
RADIUS = "populations.rods.shape.radius_um"


class Desk:
    """Rows of a few numbers with a session of their own, without the rest of the panel."""

    def __init__(self, qtbot):
        self.qtbot, self.session, self.rows = qtbot, Session(Scene.parse(SCENE)), {}
        self.edits = SceneEdits(self.session)
        self.session.scene_changed.connect(self.follow)

    def row(self, name):
        if name not in self.rows:
            base, _, field = name.rpartition(".")
            model = self.session.scene.get(base)
            if field in ("z_um", "count"):
                (row,) = [
                    row
                    for row in body_rows(self.session.scene, self.session.scene.populations[0])
                    if row.name == name
                ]
            else:
                (row,) = model_rows(model, base, only=(field,))
            self.qtbot.addWidget(row)
            row.drawn.connect(self.draw_from)
            row.show()
            self.rows[name] = row
            self.follow(self.session.scene)
        return self.rows[name]

    def draw_from(self, name, law):
        self.rows[name].set_fault("")
        try:
            self.edits.draw_from(name, law)
        except SceneError as error:
            self.rows[name].set_fault(plain(str(error)))

    def follow(self, scene):
        for name, row in self.rows.items():
            row.part.show_scene(scene, 0, scene.laws_by_name().get(name))


@pytest.fixture
def panel(qtbot):
    return Desk(qtbot)


def editor(panel, name):
    row = panel.row(name)
    assert row is not None, f"no row {name}"
    if not row.part.open:
        row.part.button.click()
    return row.part.editor


def choose(panel, name, kind):
    opened = editor(panel, name)
    opened.choice.combo.setCurrentIndex(opened.choice.kinds.index(kind))
    return opened


@pytest.mark.parametrize("name", [LENGTH, "microscope.focus_um", "populations.rods.count"])
@pytest.mark.parametrize("kind", [kind for kind in LAWS if kind != "table"])
def test_every_law_is_chosen_drawn_and_taken_away(panel, name, kind):
    if kind == "poisson" and name == LENGTH:
        pytest.skip("a length is never 0")
    before = panel.session.scene
    opened = choose(panel, name, kind)
    law = panel.session.scene.law(name)
    assert isinstance(law, Distribution) and law.law == kind, panel.row(name).fault
    low, high = law.support
    edges, counts = opened.histogram.edges, opened.histogram.counts
    assert counts.sum() == 1000
    assert edges[0] >= low - 0.51 and edges[-1] <= high + 0.51
    # The form says just what the scene says.
    assert law.model_validate(opened.content()).model_dump() == law.model_dump()
    panel.session.undo()
    assert panel.session.scene == before
    assert opened.choice.kind == "fixed" and opened.histogram.isHidden()


def test_numbers_of_the_form_reach_the_scene_in_its_own_unit(panel):
    name = "microscope.wavelength_um"
    opened = choose(panel, name, "normal")
    opened.choice.form.lines["std"].spin.setValue(5.0)
    law = panel.session.scene.law(name)
    assert (law.mean, law.std) == pytest.approx((0.55, 0.005))
    edges = opened.histogram.edges
    assert 525 < edges[0] < 545 and 555 < edges[-1] < 575  # nm
    between = opened.choice.form.lines["between"]
    between.given.setChecked(True)
    between.low.setValue(548)
    assert panel.session.scene.law(name).between[0] == pytest.approx(0.548)
    assert panel.row(name).part.summary() == "± normal, 548 to 570 nm, each image"


def test_a_law_that_cannot_be_is_answered_below_the_row_and_changes_nothing(panel):
    opened = choose(panel, LENGTH, "uniform")
    before = panel.session.scene
    opened.choice.form.lines["low"].spin.setValue(90.0)
    assert "must not exceed" in panel.row(LENGTH).fault
    assert panel.session.scene is before
    opened.choice.form.lines["high"].spin.setValue(95.0)
    assert panel.row(LENGTH).fault == ""
    assert panel.session.scene.law(LENGTH).support == (90.0, 95.0)


def test_a_number_of_each_particle_may_be_one_for_the_image(panel):
    opened = choose(panel, LENGTH, "lognormal")
    assert panel.session.scene.law(LENGTH).per is None
    opened.per.setCurrentIndex(1)
    assert panel.session.scene.law(LENGTH).per == "image"
    panel.row(LENGTH).part.button.click()
    assert panel.row(LENGTH).part.words.text().endswith("each image")
    assert not editor(panel, "microscope.focus_um").per.isVisible()


def test_sizes_go_with_each_other_or_are_shares_of_each_other(panel):
    choose(panel, LENGTH, "lognormal")
    opened = choose(panel, RADIUS, "normal")
    opened.follows.setCurrentText("length_um")
    opened.correlation.setValue(0.9)
    scene = panel.session.scene
    assert (scene.law(RADIUS).follows, scene.law(RADIUS).correlation) == ("length_um", 0.9)
    lengths, radii = scene.draws(LENGTH), scene.draws(RADIUS)
    assert np.corrcoef(lengths, radii)[0, 1] > 0.8
    choose(panel, RADIUS, "multiple")
    law = panel.session.scene.law(RADIUS)
    assert law.of == "length_um" and law.factor * 6.0 == pytest.approx(0.5, rel=1e-3)
    opened.choice.form.lines["factor"].choice.combo.setCurrentIndex(1)  # a law in the law
    assert isinstance(panel.session.scene.law(RADIUS).factor, Distribution)


def test_a_mixture_takes_further_parts_and_weights(panel):
    parts = choose(panel, LENGTH, "mixture").choice.form.lines["parts"]
    parts.more.click()
    parts.parts[2][1].setValue(3.0)
    law = panel.session.scene.law(LENGTH)
    assert len(law.parts) == 3 and law.weights == pytest.approx((0.8, 0.2, 3.0))
    parts.less.click()
    assert len(panel.session.scene.law(LENGTH).parts) == 2


def paste(panel, name, text):
    line = choose(panel, name, "table").choice.form.lines["values"]
    clipboard = QApplication.clipboard()
    for _ in range(20):  # an X server may take the selection back right after it was given
        clipboard.setText(text)
        QApplication.processEvents()
        if clipboard.text() == text:
            break
    line.paste.click()
    return line


def test_measured_sizes_are_pasted_and_saved_with_the_scene(panel, tmp_path):
    before = panel.session.scene
    opened = choose(panel, LENGTH, "table")
    assert panel.session.scene is before  # there are no values yet
    line = paste(panel, LENGTH, "5.5\n6.5\n9\n")
    assert opened.histogram.isVisible()
    assert panel.session.scene.law(LENGTH).values == (5.5, 6.5, 9.0)
    assert line.told.text() == "3 measured values, 5.5 to 9 µm"
    path = tmp_path / "sizes.osog.yaml"
    panel.session.scene.save(path)
    assert Scene.load(path).law(LENGTH) == panel.session.scene.law(LENGTH)


def test_a_pasted_table_offers_its_columns(panel):
    line = paste(panel, LENGTH, " \tArea\tLength\n1\t3.5\t6,5\n2\t4.5\t8,5\n3\t1.0\t9,0\n")
    assert [line.column.itemText(k) for k in range(3)] == ["0", "Area", "Length"]
    assert line.column.currentText() == "Length"
    assert panel.session.scene.law(LENGTH).values == (6.5, 8.5, 9.0)
    line.column.setCurrentIndex(1)
    assert panel.session.scene.law(LENGTH).values == (3.5, 4.5, 1.0)


def test_measured_sizes_come_from_a_file_too(panel, tmp_path):
    path = tmp_path / "needles.csv"
    path.write_text("width,length\n0.5,6.0\n0.6,8.0\n")
    line = choose(panel, LENGTH, "table").choice.form.lines["values"]
    line.take_file(str(path))
    law = panel.session.scene.law(LENGTH)
    assert law == Table(values=(6.0, 8.0), file="needles.csv", column="length")
    assert line.told.text().endswith("from needles.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There are no numbers in an empty text."),
        ("hello", "There are no numbers in 'hello'; copy one number a line, or a table."),
        ("1\n2\nx\n4", "'x' in line 3 is not a number."),
        ("1,5\n2,5", "'1,5' can be one number or two; write decimal points"),
        ("1e999", "There are no numbers in '1e999'"),
    ],
)
def test_a_text_without_sizes_is_refused_in_one_sentence(panel, text, words):
    before = panel.session.scene
    line = paste(panel, LENGTH, text)
    assert line.problem.text().startswith(words)
    assert panel.session.scene is before


def test_sizes_that_a_field_cannot_have_are_refused_below_its_row(panel):
    before = panel.session.scene
    paste(panel, LENGTH, "5\n-3")
    assert "must lie between" in panel.row(LENGTH).fault
    assert panel.session.scene is before


def test_the_panel_hears_of_laws_and_takes_them_back(qtbot, controller):
    controller.session.set_scene(Scene.parse(SCENE))
    panel = SimulatePanel(None, controller)
    qtbot.addWidget(panel)
    panel.show()
    before = panel.session.scene
    for name in (LENGTH, "microscope.numerical_aperture", "camera.offset_counts"):
        opened = choose(panel, name, "uniform")
        assert panel.session.scene.law(name).law == "uniform"
        opened.choice.form.lines["low"].spin.setValue(1e6)
        assert "must not exceed" in panel.row(name).fault
    for _ in range(3):
        panel.session.undo()
    assert panel.session.scene == before
    assert opened.choice.kind == "fixed"


def test_angles_of_each_particle_go_with_its_size(qtbot):
    desk = Desk(qtbot)
    desk.session.change({"populations.rods.orientation.law": "angles"})
    name = "populations.rods.orientation.azimuth_deg"
    choose(desk, LENGTH, "lognormal")
    opened = choose(desk, name, "normal")
    opened.follows.setCurrentText("length_um")
    assert desk.session.scene.law(name).follows == "length_um"
    azimuth, length = (desk.session.scene.draws(each) for each in (name, LENGTH))
    assert np.corrcoef(np.argsort(np.argsort(azimuth)), np.argsort(np.argsort(length)))[0, 1] > 0.99


def test_depth_has_an_editor_as_other_numbers_have(panel):
    name = "populations.rods.placement.z_um"
    choose(panel, name, "normal")
    assert panel.session.scene.law(name).law == "normal"

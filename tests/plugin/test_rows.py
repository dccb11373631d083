"""Rows: sliders, spin boxes, laws, and what is answered when a number cannot be."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_osog.panels.field import field_of
from napari_osog.panels.number import NumberRow, RangeRow
from napari_osog.panels.rows import model_rows
from osog.scene import DIC, Camera, Lognormal, Microscope, Placement, Sphere, Table, Uniform


def row_for(qtbot, model, field, name, **options):
    row = NumberRow(field_of(model, field, name), **options)
    qtbot.addWidget(row)
    row.heard = []
    row.edited.connect(lambda name, value: row.heard.append((name, value)))
    return row


def test_words_unit_range_and_step_come_from_the_model():
    field = field_of(DIC, "shear_um", "microscope.modality.shear_um")
    assert (field.title, field.unit, field.limits, field.slider) == (
        "Shear", "µm", (0.0, 5.0), (0.0, 1.0),
    )  # fmt: skip
    assert field.step == 0.01 and field.default == 0.3 and "relief" in field.help


def test_a_slider_moves_the_value_and_the_spin_box(qtbot):
    row = row_for(qtbot, Microscope, "focus_um", "microscope.focus_um")
    row.set_value(0.0)
    row.slider.setValue(750)
    assert row.heard == [("microscope.focus_um", 10.0)] and row.spin.value() == 10.0


def test_typing_may_go_beyond_the_slider_but_not_beyond_what_is_valid(qtbot):
    row = row_for(qtbot, Microscope, "focus_um", "microscope.focus_um")
    row.spin.setValue(300.0)
    assert row.heard[-1] == ("microscope.focus_um", 300.0) and not row.fault
    row.spin.setValue(2000.0)
    assert len(row.heard) == 1
    assert row.fault == "Focus must lie between -1000 and 1000 µm."


def test_the_wavelength_is_shown_in_nanometres(qtbot):
    row = row_for(qtbot, Microscope, "wavelength_um", "microscope.wavelength_um")
    row.set_value(0.633)
    assert row.spin.text() == "633 nm"
    row.spin.setValue(488)
    assert row.heard == [("microscope.wavelength_um", pytest.approx(0.488))]


def test_a_logarithmic_slider_has_the_geometric_mean_in_its_middle(qtbot):
    row = row_for(qtbot, Sphere, "radius_um", "r", law="particle")
    row.slider.setValue(500)
    assert row.heard[-1][1] == pytest.approx((0.05 * 20) ** 0.5, rel=1e-2)


def test_a_double_click_on_the_label_restores_the_default(qtbot):
    row = row_for(qtbot, Microscope, "numerical_aperture", "microscope.numerical_aperture")
    row.set_value(0.9)
    qtbot.mouseDClick(row.label, Qt.MouseButton.LeftButton)
    assert row.heard == [("microscope.numerical_aperture", 0.5)]


def test_the_wheel_never_changes_a_value(qtbot):
    row = row_for(qtbot, Microscope, "focus_um", "microscope.focus_um")
    row.show()
    for widget in (row.slider, row.spin):
        event = QWheelEvent(
            QPointF(5, 5), QPointF(5, 5), QPoint(0, 120), QPoint(0, 120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)
        assert not event.isAccepted()
    assert row.heard == []


@pytest.mark.parametrize(
    ("modifier", "step"),
    [
        (Qt.KeyboardModifier.NoModifier, 0.05),
        (Qt.KeyboardModifier.ShiftModifier, 0.5),
    ],
)
def test_arrow_keys_step_and_shift_steps_ten_times_as_far(qtbot, monkeypatch, modifier, step):
    row = row_for(qtbot, Microscope, "focus_um", "microscope.focus_um")
    row.set_value(1.0)
    monkeypatch.setattr(QApplication, "keyboardModifiers", staticmethod(lambda: modifier))
    qtbot.keyClick(row.slider, Qt.Key.Key_Right)
    assert row.heard[-1][1] == pytest.approx(1.0 + step)


def test_the_centre_of_a_law_moves_and_its_width_stays(qtbot):
    row = row_for(qtbot, Sphere, "radius_um", "r", law="particle")
    row.set_value(Lognormal(median=1.0, sigma=0.2, per="image"))
    row.spin.setValue(2.0)
    assert row.heard == [("r", Lognormal(median=2.0, sigma=0.2, per="image"))]


def test_measured_values_are_not_moved_by_a_slider(qtbot):
    row = row_for(qtbot, Sphere, "radius_um", "r", law="particle")
    row.set_value(Table(values=(1.0, 2.0, 3.0)))
    row.spin.setValue(5.0)
    assert row.heard == [] and row.fault.startswith("Measured values cannot be moved as a whole")


def test_the_slider_range_can_be_set_and_nonsense_is_answered(qtbot):
    row = row_for(qtbot, Microscope, "focus_um", "microscope.focus_um")
    row.set_value(0.0)
    row.set_slider_range("-2, 2")
    row.slider.setValue(1000)
    assert row.heard[-1][1] == 2.0
    row.set_slider_range("abc")
    assert row.fault == "A slider range is two numbers, such as 0; 5, and not 'abc'."
    row.set_slider_range("5, 1")
    assert "between -1000 and 1000" in row.fault
    row.set_slider_range("0,2; 0,9")
    assert row.fault == ""
    row.slider.setValue(0)
    assert row.heard[-1][1] == 0.2
    row.set_slider_range("0; inf")
    assert "two numbers" in row.fault


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "1e12", "-", "1_000", "1,2,3", ""])
def test_what_is_no_number_leaves_the_old_one_and_is_answered(qtbot, text):
    row = row_for(qtbot, Microscope, "focus_um", "microscope.focus_um")
    row.set_value(3.0)
    row.spin.lineEdit().setText(text)
    row.spin.interpretText()
    assert row.spin.value() == 3.0 and row.spin.text().startswith("3")
    assert row.heard == []
    if text:
        assert f"'{text.replace(',', '.')}' is no number between -1000 and 1000" in row.fault
    row.spin.setValue(4.0)
    assert row.fault == ""


def test_a_range_of_depths_refuses_what_is_no_number(qtbot):
    row = RangeRow(field_of(Placement, "z_um", "z"))
    qtbot.addWidget(row)
    row.high.lineEdit().setText("nan")
    row.high.interpretText()
    assert row.high.value() == 0.0 and "'nan' is no number" in row.fault


def test_numbers_may_have_a_decimal_comma_and_a_unit(qtbot):
    row = row_for(qtbot, Microscope, "focus_um", "microscope.focus_um")
    row.spin.lineEdit().setText("−2,5 µm")
    row.spin.interpretText()
    assert row.heard[-1][1] == -2.5


def test_a_range_of_depths(qtbot):
    row = RangeRow(field_of(Placement, "z_um", "z"))
    qtbot.addWidget(row)
    heard = []
    row.edited.connect(lambda name, value: heard.append(value))
    row.set_value(Uniform(low=-2, high=3))
    assert (row.low.value(), row.high.value()) == (-2, 3)
    row.high.setValue(-2)
    row.high.setValue(-5)
    assert heard == [-2.0] and "must not exceed" in row.fault


def test_every_field_that_a_panel_shows_has_a_row_with_a_tooltip(qtbot):
    for model, base in ((Camera(), "camera"), (Microscope(), "microscope"), (DIC(), "m")):
        rows = model_rows(model, base)
        assert rows
        for row in rows:
            qtbot.addWidget(row)
            assert row.help.endswith("."), row.name
            assert row.name in row.label.toolTip()


def test_a_number_that_may_be_missing_has_a_box_and_words_for_its_absence(qtbot):
    row = row_for(qtbot, Camera, "jpeg_quality", "camera.jpeg_quality")
    row.set_value(None)
    assert row.spin.text() == "off" and not row.slider.isEnabled()
    row.given.click()
    assert row.heard == [("camera.jpeg_quality", 75)] and row.spin.text() == "75"
    row.set_value(40)
    assert row.given.isChecked() and row.spin.text() == "40"
    row.reset()
    assert row.heard[-1] == ("camera.jpeg_quality", None) and row.spin.text() == "off"


def test_copy_name_puts_the_dotted_name_on_the_clipboard(qtbot):
    row = row_for(qtbot, Microscope, "focus_um", "microscope.focus_um")
    freed = []
    row.freed.connect(lambda name, on: freed.append((name, on)))
    actions = {action.text(): action for action in row.menu().actions()}
    actions["Copy name"].trigger()
    assert QApplication.clipboard().text() == "microscope.focus_um"
    actions["Free in fit"].trigger()
    assert freed == [("microscope.focus_um", True)]

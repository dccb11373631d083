"""Every modality in the Simulate panel: its own rows, and a picture by the engine."""

from __future__ import annotations

import numpy as np
import pytest

from napari_osog.fields import field_problem
from napari_osog.live_controller import LiveController
from napari_osog.panels.camera import CAMERA_GROUPS
from napari_osog.panels.simulate import SimulatePanel
from napari_osog.pictures import Failure, Request, picture_worker
from napari_osog.session import Session
from osog import presets
from osog.exit_wave.sampling import source_count
from osog.exit_wave.sampling.accuracy import ACCURACIES
from osog.scene import (
    MODALITIES,
    MODALITY_TITLES,
    SPECTRUM_TITLES,
    Camera,
    Grid,
    Material,
    Population,
    Scene,
    Sphere,
)
from osog.scene.parameters import replaced

_OWN = {
    "brightfield": set(),
    "phase_contrast": {"polarity", "ring_radius", "ring_width", "absorption", "retardation_deg"},
    "dic": {"shear_um", "azimuth_deg", "bias_retardance_deg", "extinction"},
    "darkfield": {"inner_numerical_aperture", "outer_numerical_aperture"},
    "polarized": {
        "polarizer_deg", "analyzer_deg", "circular", "compensator_nm", "compensator_azimuth_deg",
        "extinction",
    },
    "hologram": {"scattered_amplitude"},
    "off_axis_hologram": {"carrier_per_um", "carrier_azimuth_deg", "reference_amplitude"},
    "phase": set(),
    "shadowgraph": {"divergence_mrad"},
    "fluorescence": {"background"},
    "confocal": {"excitation_wavelength_um", "pinhole_airy_units", "background"},
    "light_sheet": {
        "waist_um", "sheet_offset_um", "waist_position", "excitation_wavelength_um", "background",
    },
    "reflection": {
        "field", "interface_um", "glass_index", "illumination_numerical_aperture",
    },
    "iscat": {"interface_um", "glass_index", "reference_transmission"},
}  # fmt: skip


def small_scene(**camera) -> Scene:
    return Scene(
        grid=Grid(shape=(24, 28), pixel_size_um=0.25),
        populations=(
            Population(
                name="beads", shape=Sphere(radius_um=0.6), material=Material(index=1.4), count=2
            ),
        ),
        camera=Camera(**camera),
    )


@pytest.fixture
def panel(qtbot, controller):
    made = SimulatePanel(None, controller)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: controller.session.picture is not None, timeout=5000)
    return made


@pytest.fixture(scope="module")
def engine(qapp):
    """The real engine in this very thread."""
    made = picture_worker(synchronous=True)
    made.pictures = []
    made.finished.connect(made.pictures.append)
    yield made
    made.stop()


def choose(panel, name, value):
    panel.row(name).choose(value)


def test_every_modality_is_on_the_list_and_brings_its_own_rows_alone(panel):
    assert set(_OWN) == set(MODALITY_TITLES)
    for kind, own in _OWN.items():
        choose(panel, "microscope.modality", kind)
        assert panel.session.scene.microscope.modality.kind == kind
        base = "microscope.modality."
        rows = {n.removeprefix(base) for n in panel.microscope.lens.rows if n.startswith(base)}
        assert rows == own, kind
        condenser = "microscope.condenser_numerical_aperture" in panel.microscope.lens.rows
        assert condenser == (MODALITIES[kind].condenser), kind
        stop = panel.row("microscope.condenser_stop")
        assert (stop is not None) == (MODALITIES[kind].condenser), kind
        preview = kind in {"brightfield", "phase_contrast", "dic", "shadowgraph"}
        assert (panel.row("numerics.partial_coherence") is not None) == preview, kind
        assert panel.microscope.parts["condenser"].isHidden() == (stop is None and not preview)
        emission = panel.row("populations.beads.material.emission_per_um") is not None
        assert emission == (MODALITIES[kind].wave == "emission"), kind
        vectorial = panel.row("microscope.pupil.vectorial")
        assert (vectorial is not None) == (MODALITIES[kind].vectorial), kind
        axis = panel.row("populations.beads.material.optic_axis")
        assert (axis is not None) == (kind == "polarized"), kind
        assert not panel.row("microscope.modality").fault


@pytest.mark.parametrize("kind", list(MODALITY_TITLES))
def test_every_modality_gives_a_picture(engine, kind):
    modality = {"kind": kind}
    if kind == "darkfield":
        modality |= {"inner_numerical_aperture": 0.7, "outer_numerical_aperture": 0.85}
    split = 0.05 if kind == "polarized" else 0.0  # crossed polars show nothing else
    scene = replaced(
        small_scene(),
        {"microscope.modality": modality, "populations.beads.material.birefringence": split},
    )
    engine.submit(Request(scene, seed=1, fields=() if field_problem(scene) else ("phase",)))
    picture = engine.pictures[-1]
    assert not isinstance(picture, Failure)
    assert picture.image.shape == (24, 28) and np.isfinite(picture.image).all()
    assert np.ptp(picture.image) > 0
    assert ("phase" in picture.fields) == (not field_problem(scene)), "the words are true"


def test_a_spectrum_brings_its_numbers_and_chromatic_aberration(panel):
    assert panel.microscope.parts["chromatic"].isHidden()
    numbers = {"monochromatic": None, "led": "bandwidth_nm", "white_led": "blue_share",
               "halogen": "temperature_k"}  # fmt: skip
    assert set(numbers) == set(SPECTRUM_TITLES)
    for kind, number in numbers.items():
        choose(panel, "microscope.spectrum", kind)
        rows = {n for n in panel.microscope.lens.rows if n.startswith("microscope.spectrum.")}
        assert rows == ({f"microscope.spectrum.{number}"} if number else set())
        assert panel.microscope.parts["chromatic"].isHidden() == (kind == "monochromatic")
    panel.row("microscope.spectrum.temperature_k").spin.setValue(2800)
    choose(panel, "microscope.spectrum", "led")
    choose(panel, "microscope.spectrum", "halogen")
    assert panel.session.scene.microscope.spectrum.temperature_k == 2800, "remembered"
    choose(panel, "microscope.modality", "phase")
    assert panel.session.scene.microscope.spectrum.kind == "monochromatic"
    assert panel.row("microscope.spectrum") is None, "a phase is measured at one wavelength"


def test_what_a_modality_cannot_have_comes_back_with_the_next_one(panel):
    choose(panel, "microscope.spectrum", "halogen")
    panel.row("microscope.spectrum.temperature_k").spin.setValue(2800)
    panel.row("microscope.pupil.vectorial").box.setChecked(True)
    before = panel.session.scene.microscope
    for kind in ("phase", "dic", "brightfield"):
        choose(panel, "microscope.modality", kind)
        optics = panel.session.scene.microscope
        assert optics.modality.kind == kind
        assert optics.spectrum.kind == ("monochromatic" if kind == "phase" else "halogen")
        assert optics.pupil.vectorial == (kind == "brightfield")
    assert optics == before


def test_a_condenser_too_steep_for_the_medium_does_not_lock_the_panel(panel):
    panel.session.change(
        {"medium.index": 1.518, "microscope.condenser_numerical_aperture": 1.2,
         "microscope.oblique_numerical_aperture": 0.3}
    )  # fmt: skip
    choose(panel, "microscope.modality", "hologram")
    panel.session.change({"medium.index": 1.333})
    choose(panel, "microscope.modality", "dic")
    optics = panel.session.scene.microscope
    assert optics.modality.kind == "dic"
    assert 1.25 < optics.condenser_in_use <= 0.95 * 1.333
    assert optics.oblique_numerical_aperture == pytest.approx(0.253), "both by the same share"
    panel.session.change({"medium.index": 1.518})
    steep = {"kind": "darkfield", "inner_numerical_aperture": 1.2, "outer_numerical_aperture": 1.4}
    panel.session.change({"microscope.modality": steep})
    choose(panel, "microscope.modality", "hologram")
    panel.session.change({"medium.index": 1.333})
    choose(panel, "microscope.modality", "darkfield")
    assert panel.session.scene.microscope.modality.kind == "darkfield"
    assert panel.session.scene.microscope.condenser_in_use < 1.333


def test_what_is_seldom_used_is_folded_and_every_number_of_the_camera_has_its_place(panel):
    parts = [*panel.microscope.parts.values(), panel.microscope.plot]
    parts += [part for _, part in panel.camera.groups.values() if part is not None]
    parts += [part for _, part in panel.background.groups.values() if part is not None]
    assert not any(part.isExpanded() for part in parts)
    shown = {
        name
        for name, info in Camera.model_fields.items()
        if info.json_schema_extra.get("panel", False)
    }
    placed = [name for _, fields in CAMERA_GROUPS.values() for name in fields]
    assert sorted(placed) == sorted(shown)
    panel.session.change({"camera.colour": "rgb"})  # which has colours to balance
    for name in placed:
        assert any(panel.row(f"camera.{name}{k}") is not None for k in ("", "[0]")), name


def test_an_exposure_in_photons_has_rows_that_act(panel):
    exposure = "camera.background_electrons"
    photons, efficiency = "camera.background_photons", "camera.quantum_efficiency"
    assert panel.row(exposure) is not None
    assert panel.row(photons) is None and panel.row(efficiency) is None
    panel.session.change({photons: 5000.0, efficiency: 0.8})
    assert panel.row(exposure) is None
    assert panel.row(photons).spin.value() == 5000 and panel.row(efficiency).spin.value() == 0.8
    field = panel.row(photons).field
    assert field.log and field.slider == (10.0, 1e5) and field.empty == "in electrons"
    assert field.step == pytest.approx(1000, rel=0.01)
    panel.row(photons).spin.setValue(1234.0)
    panel.row(efficiency).spin.setValue(0.55)
    camera = panel.session.scene.camera
    assert camera.background_photons == 1234.0 and camera.quantum_efficiency == 0.55
    panel.row(photons).given.setChecked(False)
    assert panel.session.scene.camera.background_photons is None
    assert panel.row(exposure) is not None and panel.row(photons) is None


def test_a_cover_glass_is_put_in_with_a_tick_and_comes_back_as_it_was(panel):
    panel.microscope.glass.box.setChecked(True)
    panel.row("microscope.cover_glass.depth_um").spin.setValue(30.0)
    panel.microscope.glass.box.setChecked(False)
    assert panel.session.scene.microscope.cover_glass is None
    panel.microscope.glass.box.setChecked(True)
    assert panel.session.scene.microscope.cover_glass.depth_um == 30.0


def test_exact_spheres_are_offered_for_spheres_only(panel):
    name = "populations.beads.scattering"
    choose(panel, name, "mie")
    assert panel.session.scene.populations[0].scattering == "mie"
    choose(panel, "populations.beads.shape", "coated_sphere")
    assert panel.session.scene.populations[0].scattering == "mie"
    choose(panel, "populations.beads.shape", "rod")
    assert panel.session.scene.populations[0].scattering == "auto"
    assert panel.row(name).choices == ["auto", "slabs", "projection"]
    choose(panel, "microscope.modality", "confocal")
    assert panel.row(name) is None, "what emits does not scatter"


def test_the_optic_axis_is_chosen_by_name_or_by_its_components(panel):
    choose(panel, "microscope.modality", "polarized")
    name = "populations.beads.material.optic_axis"
    choose(panel, name, (0.0, 0.0, 1.0))
    assert panel.session.scene.populations[0].material.optic_axis == (0.0, 0.0, 1.0)
    assert panel.row(name).combo.currentText() == "Along the third axis"
    choose(panel, name, None)
    panel.row(f"{name}[2]").spin.setValue(0.5)
    assert panel.session.scene.populations[0].material.optic_axis[2] == 0.5
    assert panel.row(name).combo.currentText() == "Another direction"


def test_every_preset_shows_its_rows_without_a_fault(panel):
    for name in presets.names():
        panel.header.load_preset(name)
        for section in panel.sections:
            for group in section.findChildren(type(panel.microscope.lens)):
                assert not [r.name for r in group.rows.values() if r.fault], name


def test_an_image_with_too_few_source_points_is_refined_at_rest(qtbot, controller, monkeypatch):
    # As if time allowed no more exit waves at once than usual.
    monkeypatch.setattr(source_count, "_FIELD_SAMPLES", dict.fromkeys(ACCURACIES, 1.0))
    scene = replaced(
        small_scene(),
        {
            "microscope.condenser_numerical_aperture": 0.4,
            "microscope.focus_um": 9.0,
            "populations[0].count": 6,
            "populations[0].placement.z_um": {"law": "uniform", "low": -9.0, "high": 9.0},
            "numerics.accuracy": "standard",
        },
    )
    controller = LiveController(
        None, viewer_layers=type(controller.viewer_layers)(), session=Session(scene)
    )
    try:
        controller.enter(1)
        shown = controller.viewer_layers.shown
        qtbot.waitUntil(lambda: len(shown) >= 3, timeout=60000)
        points = [picture.light.exit_waves for picture in shown]
        errors = [picture.light.error_percent for picture in shown]
        assert points[0] == 34 and points[1] > 100 and points[2] > 400
        assert errors[0] > 4 * errors[1] > 20 * errors[2]
        assert f"{points[-1]} source points" in shown[-1].explain
        assert "points stand for the light" in "".join(c.text for c in shown[0].cautions)
        assert not np.array_equal(shown[0].image, shown[-1].image)
        number = len(shown)
        qtbot.wait(400)
        assert len(shown) == number, "that is enough"
    finally:
        controller.stop(1)


def test_a_stack_and_a_series_are_rendered_beside_the_live_image(qtbot, panel):
    viewer_layers = panel.controller.viewer_layers
    planes = panel.sequence.planes
    planes.first.setValue(-2.0)
    planes.last.setValue(2.0)
    planes.step_box.setValue(0.5)
    assert planes.count.text() == "9 planes"
    before = panel.session.scene
    panel.sequence.stack_button.click()
    qtbot.waitUntil(lambda: len(viewer_layers.sequences) == 1, timeout=5000)
    request = viewer_layers.sequences[0].request
    assert request.whole and request.rendered.microscope.focus_um == tuple(np.arange(-2, 2.1, 0.5))
    assert panel.session.scene is before, "the live image keeps its one plane"
    panel.row("series.frames").spin.setValue(5)
    panel.sequence.series_button.click()
    qtbot.waitUntil(lambda: len(viewer_layers.sequences) == 2, timeout=5000)
    request = viewer_layers.sequences[1].request
    assert request.rendered.series.frames == 5
    assert request.rendered.microscope.focus_um == before.microscope.focus_um
    assert panel.controller.live.running and panel.controller.stack_renderer.running
    planes.step_box.setValue(0.0)
    assert "must be above 0" in planes.fault


def test_a_stack_that_comes_after_its_scene_has_changed_does_not_cover_the_image(
    qtbot, panel, renderer
):
    viewer_layers, session = panel.controller.viewer_layers, panel.session
    panel.sequence.stack_button.click()
    qtbot.waitUntil(lambda: len(viewer_layers.sequences) == 1, timeout=5000)
    assert viewer_layers.sequence_visible
    for number, change in enumerate(
        (lambda: session.change({"microscope.focus_um": 9.0}), lambda: session.reseed(8)), 2
    ):
        renderer.seconds = 0.2
        panel.sequence.stack_button.click()
        change()
        renderer.seconds = 0.0
        qtbot.waitUntil(lambda n=number: len(viewer_layers.sequences) == n, timeout=5000)
        assert not viewer_layers.sequence_visible


def test_a_scene_with_a_stack_is_shown_by_its_middle_plane(qtbot, panel, renderer):
    panel.session.set_scene(replaced(panel.session.scene, {"microscope.focus_um": [-1.0, 1.5, 7]}))
    qtbot.waitUntil(lambda: renderer.calls[-1][0].microscope.focus_um == 1.5, timeout=5000)
    assert panel.row("microscope.focus_um").spin.value() == 1.5
    assert panel.sequence.planes.planes() == (-1.0, 1.5, 7.0)
    assert "uneven" in panel.sequence.planes.count.text()
    assert panel.session.scene.microscope.focus_um == (-1.0, 1.5, 7.0), "nothing is lost"
    panel.row("microscope.focus_um").spin.setValue(2.0)
    assert panel.session.scene.microscope.focus_um == 2.0


def test_where_there_is_no_field_the_panel_says_why(panel):
    choose(panel, "microscope.modality", "hologram")
    assert (
        panel.show_section.layers["phase"].isEnabled() and panel.show_section.field_note.isHidden()
    )
    panel.show_section.layers["phase"].setChecked(True)
    assert panel.session.view.phase
    choose(panel, "microscope.modality", "darkfield")
    assert not panel.show_section.layers["phase"].isEnabled()
    assert "many directions" in panel.show_section.field_note.text()


@pytest.mark.parametrize(
    ("kind", "name", "value", "same"),
    [
        ("darkfield", "inner_numerical_aperture", 0.65, False),
        ("phase_contrast", "ring_width", 0.2, False),
        ("polarized", "polarizer_deg", 30.0, False),
        ("polarized", "analyzer_deg", 30.0, True),
        ("dic", "shear_um", 0.5, True),
        ("confocal", "pinhole_airy_units", 2.0, True),
    ],
)
def test_a_drag_knows_whether_the_light_through_the_sample_stays(engine, kind, name, value, same):
    scene = replaced(small_scene(), {"microscope.modality": {"kind": kind}})
    engine.submit(Request(scene, seed=1))
    changed = replaced(scene, {f"microscope.modality.{name}": value})
    assert engine.pictures[-1].wave_inputs.same_for(changed, 1) == same


def test_a_panel_that_is_deleted_ends_the_stack_that_it_renders(qtbot, controller, renderer):
    panel = SimulatePanel(None, controller)
    panel.show()
    qtbot.waitUntil(lambda: controller.session.picture is not None, timeout=5000)
    renderer.seconds = 30.0
    panel.sequence.stack_button.click()
    qtbot.waitUntil(lambda: controller.stack_renderer.busy, timeout=5000)
    assert "Rendering 21 planes" in panel.sequence.status.text()
    panel.hide()
    panel.deleteLater()
    qtbot.waitUntil(
        lambda: not controller.stack_renderer.running and not controller.live.running, timeout=5000
    )
    assert controller.viewer_layers.sequences == []


def test_a_stack_that_takes_too_long_can_be_stopped(qtbot, panel, renderer):
    renderer.seconds = 30.0
    panel.sequence.stack_button.click()
    assert not panel.sequence.stack_button.isEnabled()
    panel.sequence.stop_button.click()
    assert not panel.controller.stack_renderer.running and panel.sequence.stack_button.isEnabled()
    renderer.seconds = 0.0
    panel.sequence.stack_button.click()
    qtbot.waitUntil(lambda: len(panel.controller.viewer_layers.sequences) == 1, timeout=5000)


def test_one_oblique_wave_has_a_phase_and_an_open_condenser_has_none(engine):
    oblique = replaced(small_scene(), {"microscope.oblique_numerical_aperture": 0.2})
    assert not field_problem(oblique)
    engine.submit(Request(oblique, seed=1, fields=("phase",)))
    assert "phase" in engine.pictures[-1].fields
    open_ = replaced(oblique, {"microscope.condenser_numerical_aperture": 0.2})
    assert "set the condenser NA to 0" in field_problem(open_)

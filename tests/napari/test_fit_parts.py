"""What the Fit panel is made of, without a window: table, request, work, result, record."""

from __future__ import annotations

import dataclasses
import json
import time

import numpy as np
import pytest
import torch
from napari.layers import Image, Points, Shapes
from qtpy.QtCore import Qt

import osog
from napari_osog.clicked import Clicked, clicked_at, region_around, with_one_particle
from napari_osog.panels import fit_lines, fit_record, fit_trial
from napari_osog.panels.fit_inputs import region_of, scale_is_known, starts_of
from napari_osog.panels.fit_request import FitRequest, Refusal, expanded, prepared
from napari_osog.panels.fit_result import ResultView, in_words, title_of
from napari_osog.panels.fit_table import HIGH, LOW, NAME, VALUE, ParameterTable
from napari_osog.panels.fit_trial import FitJob, carry_out
from napari_osog.panels.numbers import number, parsed, parsed_range, rounded
from napari_osog.plane_geometry import TargetError
from napari_osog.worker import Worker
from osog.fitting import FitProgress, FitResult
from osog.scene import SHAPES, Scene
from osog.scene.parameters import get


def phase_scene(**particle) -> Scene:
    where = {"x_um": 4.8, "y_um": 4.8, "z_um": 0.0} | particle
    return Scene.parse(
        {
            "grid": {"shape": [48, 48], "pixel_size_um": 0.2},
            "medium": {"index": 1.335},
            "populations": [
                {
                    "name": "cell",
                    "shape": {"kind": "sphere", "radius_um": 2.0},
                    "material": {"index": 1.36},
                    "particles": [where],
                }
            ],
            "microscope": {
                "modality": {"kind": "phase"},
                "wavelength_um": 0.633,
                "numerical_aperture": 0.5,
            },
        }
    )


def beads(count: int = 3) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [96, 96], "pixel_size_um": 0.2},
            "populations": [
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 1.5},
                    "material": {"index": 1.37},
                    "count": count,
                }
            ],
            "microscope": {"modality": {"kind": "phase"}, "numerical_aperture": 0.5},
        }
    )


def listing(scene: Scene, places) -> Scene:
    """Scene with particles at these places (x, y) in µm instead of drawn ones."""
    data = scene.to_dict()
    data["populations"][0].pop("count")
    data["populations"][0]["particles"] = [{"x_um": x, "y_um": y} for x, y in places]
    return Scene.parse(data)


def a_result(scene: Scene, **changes) -> FitResult:
    names = ("particles[0].x_um", "populations.cell.shape.radius_um")
    made = FitResult(
        values={names[0]: 4.8123, names[1]: 2.0123},
        sigma={names[0]: 0.0123, names[1]: 0.3},
        units=dict.fromkeys(names, "µm"),
        undetermined={},
        names=names,
        covariance=np.diag([0.0123**2, 0.09]),
        nuisances={"microscope.numerical_aperture": (0.501, 0.01)},
        linear={"offset": 0.1},
        scene=scene,
        model=np.zeros((48, 48)),
        residual=np.zeros((48, 48)),
        region=(0, 48, 0, 48),
        history=[{"stage": "fit", "iteration": 1, "chi2_per_pixel": 1.0, "rms": 0.5, "values": {}}],
        warnings=["Noise estimated from the residual."],
        success=True,
        chi2_per_pixel=1.0,
        r_squared=0.98,
        rms=0.1,
        stopped=False,
        tests={"whiteness": float("nan")},
        renders=12,
        elapsed_s=1.5,
    )
    return dataclasses.replace(made, **changes)


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "sigma", "shown"),
    [
        (6.9885, 0.052, ("6.99", "0.05")),
        (6.9884, 0.0123, ("6.988", "0.012")),
        (-0.00004, 0.03, ("0.00", "0.03")),
        (1234.5, 96.0, ("1230", "100")),
        (1.36851, 0.00096, ("1.3685", "0.0010")),
        (-12.345, 1.7, ("−12.3", "1.7")),
        (3.25, float("inf"), ("3.25", "")),
        (3.25, 0.0, ("3.25", "")),
    ],
)
def test_values_are_rounded_to_their_deviation(value, sigma, shown):
    assert rounded(value, sigma) == shown


def test_numbers_are_written_and_read_as_people_do():
    assert number(0.000107) == "0.000107"
    assert number(-2.5) == "−2.5"
    assert parsed(" −2,5 µm") == -2.5
    assert parsed("1,234") == 1.234
    for text in ("abc", "nan", "inf", "1e400", "1_000", "1.234,5", ""):
        with pytest.raises(ValueError):
            parsed(text)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("0, 5", (0, 5)),
        ("0,5", (0, 5)),
        ("0; 5", (0, 5)),
        ("0 5", (0, 5)),
        ("0-5", (0, 5)),
        ("-5 -2", (-5, -2)),
        ("-5--2", (-5, -2)),
        ("−5 – −2", (-5, -2)),
        ("-2, 2", (-2, 2)),
        ("-2,2", (-2, 2)),
        ("0,2; 0,9", (0.2, 0.9)),
        ("0,2;0,9", (0.2, 0.9)),
        ("0,2, 0,9", (0.2, 0.9)),
        ("0,2,0,9", (0.2, 0.9)),
        ("0.2,0.9", (0.2, 0.9)),
        ("0,2 0,9", (0.2, 0.9)),
        ("0,2 – 0,9", (0.2, 0.9)),
        ("0,2-0,9", (0.2, 0.9)),
        ("0.2..0.9", (0.2, 0.9)),
        ("0.2 … 0.9", (0.2, 0.9)),
        ("0,2 to 0,9", (0.2, 0.9)),
        ("0.2 µm to 0.9 µm", (0.2, 0.9)),
        ("0,2 µm – 0,9 µm", (0.2, 0.9)),
        ("0.2 µm 0.9 µm", (0.2, 0.9)),
        ("[0.2, 0.9]", (0.2, 0.9)),
        ("1e-3 - 1e3", (1e-3, 1e3)),
        ("1e-3; 1e+3", (1e-3, 1e3)),
        (".5 | 1.", (0.5, 1)),
    ],
)
def test_ranges_are_read_as_people_write_them(text, pair):
    assert parsed_range(text) == pytest.approx(pair)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "0,2,9",
        "1 2 3",
        "0; nan",
        "0; inf",
        "1;2;3",
        "0.2.3",
        "a; b",
        "0.2,0,9",
        "1,000.5; 2,000.5",
    ],
)
def test_what_is_no_range_or_more_than_one_is_refused(text):
    with pytest.raises(ValueError):
        parsed_range(text)


# --- the table -----------------------------------------------------------------------------------


def test_one_particle_has_a_line_for_each_of_its_numbers():
    lines = {line.name: line for line in fit_lines.lines_for(phase_scene(), True)}
    assert lines["particles[0].x_um"].words == "x (µm)"
    assert lines["microscope.wavelength_um"].words == "Wavelength (nm)"
    assert lines["microscope.wavelength_um"].shown(0.633) == "633"
    assert not lines["microscope.aberrations.spherical"].common
    assert "microscope.condenser_numerical_aperture" not in lines
    assert "populations.cell.material.emission_per_um" not in lines


def test_many_particles_share_their_lines():
    names = [line.name for line in fit_lines.lines_for(beads(), False)]
    assert "particles[*].x_um" in names
    assert "populations.beads.shape.radius_um" in names
    assert not [name for name in names if name.startswith("particles[0]")]


@pytest.mark.parametrize("kind", list(SHAPES))
def test_every_shape_offers_its_own_sizes_to_each_particle(kind):
    data = beads().model_dump()
    data["populations"][0]["shape"] = {"kind": kind}
    scene = Scene.parse(data)
    names = [line.name for line in fit_lines.lines_for(scene, False)]
    shape = scene.populations[0].shape
    sizes = [
        field
        for field, place in shape.columns()
        if place is None and getattr(shape, field) is not None
    ]
    assert {f"particles[*].{field}" for field in sizes} <= set(names)
    turns = "particles[*].orientation_deg[0]" in names
    assert turns != SHAPES[kind].isotropic


def test_the_first_choice_is_where_and_what_the_sphere_is():
    body = {"populations.cell.shape.radius_um", "populations.cell.material.index"}
    place = {"particles[0].x_um", "particles[0].y_um"}
    assert fit_lines.suggested(phase_scene(), True) == body | place
    data = phase_scene().model_dump()
    data["microscope"]["modality"] = {"kind": "hologram"}
    hologram = Scene.parse(data)
    assert fit_lines.suggested(hologram, True) == body | place | {"particles[0].z_um"}
    data["microscope"]["modality"] = {"kind": "fluorescence"}
    assert "populations.cell.material.index" not in fit_lines.suggested(Scene.parse(data), True)


@pytest.fixture
def table(qtbot):
    made = ParameterTable()
    qtbot.addWidget(made)
    scene = phase_scene()
    lines = [
        dataclasses.replace(
            line,
            free=line.name == "populations.cell.shape.radius_um",
            default=(0.5, 8.0),
            source="OME-XML" if line.name == "microscope.wavelength_um" else "",
        )
        for line in fit_lines.lines_for(scene, True)
    ]
    made.lines.show(lines)
    return made


def cell_of(table, name, column):
    row = next(k for k, line in enumerate(table.lines.lines) if line.name == name)
    return table.lines.index(row, column)


def test_edits_are_told_in_the_units_of_the_scene(table, qtbot):
    index = cell_of(table, "microscope.wavelength_um", VALUE)
    with qtbot.waitSignal(table.lines.edited) as told:
        assert table.lines.setData(index, "550 nm")
    assert told.args == ["microscope.wavelength_um", pytest.approx(0.55)]
    index = cell_of(table, "populations.cell.shape.radius_um", HIGH)
    with qtbot.waitSignal(table.lines.bounded) as told:
        assert table.lines.setData(index, "3")
    assert told.args == ["populations.cell.shape.radius_um", (0.5, 3.0)]


@pytest.mark.parametrize(
    ("column", "typed", "words"),
    [
        (VALUE, "abc", "Radius: 'abc' is not a number."),
        (HIGH, "0.2", "Radius: the range from 0.5 to 0.2 µm is empty; the first must be the"),
        (LOW, "-1", "Radius: the range must lie within 0.005 and 2000 µm."),
    ],
)
def test_what_cannot_be_is_refused_in_words(table, qtbot, column, typed, words):
    index = cell_of(table, "populations.cell.shape.radius_um", column)
    with qtbot.waitSignal(table.lines.refused) as told:
        assert not table.lines.setData(index, typed)
    assert told.args[0].startswith(words)


def test_the_table_shows_sources_and_locks_while_a_fit_runs(table):
    source = cell_of(table, "microscope.wavelength_um", LOW)
    assert table.lines.data(source) == "OME-XML"
    value = cell_of(table, "microscope.wavelength_um", VALUE)
    assert table.lines.flags(value) & Qt.ItemFlag.ItemIsEditable
    table.lock(True)
    assert not table.lines.flags(value) & Qt.ItemFlag.ItemIsEditable
    assert table.lines.data(cell_of(table, "microscope.wavelength_um", NAME)) == "Wavelength (nm)"


# --- layers --------------------------------------------------------------------------------------


def test_a_region_is_the_box_of_the_last_shape_in_pixels_of_the_micrograph():
    target = Image(np.zeros((60, 80)), scale=(0.5, 0.5), translate=(10, 20))
    shapes = Shapes(
        [np.array([[15, 25], [15, 35], [25, 35], [25, 25]])], shape_type="rectangle", name="box"
    )
    assert region_of(shapes, target, (60, 80)) == (10, 31, 10, 31)


def test_regions_that_hold_nothing_are_refused():
    target = Image(np.zeros((60, 80)))
    with pytest.raises(TargetError, match="holds no shape"):
        region_of(Shapes(name="empty"), target, (60, 80))
    beside = Shapes([np.array([[5, 200], [5, 260], [50, 260], [50, 200]])], shape_type="rectangle")
    with pytest.raises(TargetError, match="covers 46 × 0 pixels"):
        region_of(beside, target, (60, 80))


def test_points_outside_of_the_micrograph_start_nothing():
    target = Image(np.zeros((60, 80)), scale=(2, 2))
    assert starts_of(Points([[20, 30], [999, 5]]), target, (60, 80)) == [(10.0, 15.0)]
    with pytest.raises(TargetError, match="lies in the micrograph"):
        starts_of(Points([[999, 5]]), target, (60, 80))
    with pytest.raises(TargetError, match="holds no point"):
        starts_of(Points(ndim=2), target, (60, 80))


@pytest.mark.parametrize(
    ("known", "image"),
    [
        (True, np.zeros((9, 9), np.float32)),
        (True, np.linspace(0, 3, 81).reshape(9, 9)),
        (False, np.arange(81, dtype=np.uint8).reshape(9, 9)),
        (False, np.arange(81, dtype=np.float32).reshape(9, 9)),
        (False, np.arange(81, dtype=np.float32).reshape(9, 9) / 255),
    ],
)
def test_grey_levels_are_radians_only_where_they_can_be(known, image):
    assert scale_is_known(Image(image), image.astype(float)) == known


def test_a_layer_may_say_that_its_grey_levels_are_no_radians():
    image = np.linspace(0, 3, 81).reshape(9, 9)
    stated = Image(image, metadata={"osog": {"grey_scale": "unknown"}})
    assert not scale_is_known(stated, image)


# --- requests ------------------------------------------------------------------------------------


def a_request(scene: Scene, **changes) -> FitRequest:
    image = np.zeros(scene.grid.shape)
    return dataclasses.replace(FitRequest(image=image, scene=scene), **changes)


def test_each_particle_gets_its_own_name_and_those_outside_of_the_region_are_held():
    request = a_request(
        listing(beads(), [(2, 2), (15, 15)]),
        free=("particles[*].x_um", "microscope.focus_um"),
        region=(50, 96, 50, 96),
        bounds={"particles[*].x_um": (0.0, 19.0)},
    )
    names, bounds = expanded(request, prepared(request)[0])
    assert names == ("particles[1].x_um", "microscope.focus_um")
    assert bounds == {"particles[1].x_um": (0.0, 19.0)}


def test_requests_that_cannot_be_carried_out_say_why():
    with pytest.raises(Refusal, match="Nothing is free"):
        expanded(a_request(phase_scene()), phase_scene())
    with pytest.raises(Refusal, match="holds no particles"):
        prepared(a_request(Scene()))
    with pytest.raises(Refusal, match="holds no particles"):
        prepared(a_request(beads(0)))
    (population,) = beads().populations
    hidden = population.model_copy(update={"visible": False})
    for scene in (Scene(), beads().model_copy(update={"populations": (hidden,)})):
        outcome = carry_out(a_request(scene, every=True), lambda p: False)
        assert outcome.problem.startswith("The sample holds no particles")


def test_points_become_particles_of_the_population():
    request = a_request(beads(), start="points", points=((10.0, 20.0), (30.0, 40.0)))
    scene, start, _ = prepared(request)
    listed = scene.populations[0].particles
    assert start == "scene"
    assert [(p.x_um, p.y_um) for p in listed] == [(4.0, 2.0), (8.0, 6.0)]


def test_particles_are_found_and_share_size_and_index():
    scene = beads()
    places = [(5.0, 5.0), (13.0, 6.0), (8.0, 14.0)]
    image = osog.forward(listing(scene, places)).numpy()
    request = a_request(scene, image=image, start="detect", free=("particles[*].x_um",))
    found, start, notes = prepared(request)
    listed = found.populations[0].particles
    assert start == "scene"
    assert notes == ("3 particles found.",)
    assert sorted((round(p.x_um), round(p.y_um)) for p in listed) == sorted(
        (round(x), round(y)) for x, y in places
    )
    assert all(p.radius_um is None and p.index is None for p in listed)


PLACES = [(5.0, 5.0), (13.0, 9.0)]


@pytest.mark.parametrize("every", [False, True], ids=["too many numbers", "find all"])
def test_a_crowd_is_fitted_particle_by_particle(monkeypatch, tmp_path, every):
    truth = listing(beads(), PLACES)
    noise = np.random.default_rng(0).normal(0, 0.01, (96, 96))
    image = osog.forward(truth).numpy() + noise
    image[2, 3] = np.nan
    near = listing(beads(), [(x + 0.2, y - 0.1) for x, y in PLACES])
    hidden = near.populations[0].model_copy(update={"name": "others", "visible": False})
    near = near.model_copy(update={"populations": (near.populations[0], hidden)})
    monkeypatch.setattr(fit_trial, "MOST_NUMBERS", 4)
    free = ("particles[*].x_um", "particles[*].y_um", "microscope.focus_um",
            "populations.beads.shape.radius_um")  # fmt: skip
    told = []
    request = a_request(near, image=image, free=free, every=every, linear="auto")
    outcome = carry_out(request, lambda p: False, tell=told.append)
    result = outcome.result
    assert result is not None, outcome.problem
    found = sorted(
        (result.values[f"particles[{k}].x_um"], result.values[f"particles[{k}].y_um"])
        for k in range(2)
    )
    assert np.allclose(found, sorted(PLACES), atol=0.02)
    assert result.values["particles[0].radius_um"] == pytest.approx(1.5, abs=0.03)
    assert result.units["particles[1].radius_um"] == "µm" and result.r_squared > 0.97
    assert told and told[0].startswith("Fit of all particles, step 1")
    assert outcome.notes[0] == "2 particles, each with numbers of its own."
    assert ("Held: microscope.focus_um." in outcome.notes) is not every
    assert [p.visible for p in result.scene.populations] == [True, False]
    record = fit_record.record_of(outcome, {"name": "crowd"})
    fit_record.save(record, tmp_path / "run.json")
    assert fit_record.load(tmp_path / "run.json").result.values == result.values
    result.to_html(tmp_path / "page.html", "crowd")
    result.to_csv(tmp_path / "table.csv")


def test_a_crowd_that_is_stopped_keeps_what_was_fitted():
    image = osog.forward(listing(beads(), PLACES)).numpy()
    told = []
    request = a_request(beads(), image=image, every=True)
    outcome = carry_out(request, lambda p: False, tell=told.append, stopping=lambda: len(told) > 0)
    assert outcome.result.stopped and len(told) == 1
    nothing = carry_out(request, lambda p: False, tell=told.append, stopping=lambda: True)
    assert nothing.result is None and nothing.problem == "", "cancelled before it found any"


# --- a particle by a click -----------------------------------------------------------------------


def a_disc(row=30.0, column=50.0, radius=7.0, shape=(120, 140)):
    y, x = np.indices(shape)
    image = 10.0 + 5.0 * (np.hypot(y - row, x - column) < radius)
    return image + np.random.default_rng(2).normal(0, 0.3, shape)


def test_a_click_finds_what_stands_out_and_how_large_it_is():
    found = clicked_at(a_disc(), 33.0, 47.0)
    assert (found.row, found.column) == pytest.approx((30, 50), abs=0.5)
    assert found.radius_px == pytest.approx(7.5, abs=1.0)
    assert clicked_at(a_disc(), 90.0, 100.0) is None, "nothing is there"
    assert clicked_at(a_disc(radius=300.0), 33.0, 47.0) is None, "it fills the picture"
    large = np.kron(a_disc(48.0, 60.0, 30.0), np.ones((4, 4)))  # it reaches beyond a quarter
    found = clicked_at(large, 190.0, 250.0)
    assert (found.row, found.column) == pytest.approx((193.5, 241.5), abs=2.0)
    assert found.radius_px == pytest.approx(120.0, rel=0.15)
    assert clicked_at(large, 440.0, 500.0) is None
    hole = a_disc()
    hole[30, 50] = np.nan
    assert clicked_at(hole, 30.0, 50.0).radius_px == pytest.approx(7.5, abs=1.0)


def test_the_clicked_particle_is_the_only_one_and_a_sphere_takes_its_size():
    scene = beads(5)
    others = scene.populations[0].model_copy(update={"name": "others"})
    scene = scene.model_copy(update={"populations": (others, scene.populations[0])})
    found = Clicked(30.0, 50.0, 7.0)
    one = with_one_particle(scene, 1, found)
    assert [p.visible for p in one.populations] == [False, True]
    (particle,) = one.populations[1].particles
    assert (particle.x_um, particle.y_um) == pytest.approx((10.0, 6.0))
    assert one.populations[1].shape.radius_um == pytest.approx(1.4)
    y0, y1, x0, x1 = region_around(found, one)
    assert y0 == pytest.approx(30 - (x1 - 50)) and 40 < y1 - y0 < 60
    assert y1 - y0 == pytest.approx(x1 - x0)
    y0, _, _, x1 = region_around(Clicked(5.0, 93.0, 7.0), one)
    assert (y0, x1) == (0, 95), "cut at the frame"


def test_pixels_without_a_number_are_left_out_and_it_is_said():
    scene = phase_scene()
    image = osog.forward(scene).numpy()
    image[3, 4] = np.nan
    asked = {}

    def fit(data, scene, names, **options):
        asked.update(options, data=data)
        return a_result(scene)

    outcome = carry_out(
        a_request(scene, image=image, free=("particles[0].x_um",)), lambda p: False, fit
    )
    assert outcome.notes == ("1 pixel that holds no number was left out.",)
    assert not asked["mask"][3, 4] and asked["mask"].sum() == image.size - 1
    assert np.isfinite(asked["data"]).all()
    assert outcome.started == {"particles[0].x_um": 4.8}


def test_whatever_breaks_in_the_engine_comes_back_as_a_sentence():
    def fit(*_, **__):
        raise RuntimeError("CUDA out of memory. Tried to allocate")

    outcome = carry_out(a_request(phase_scene(), free=("particles[0].x_um",)), lambda p: False, fit)
    assert outcome.result is None
    assert outcome.problem == "Not enough memory for this fit: choose a smaller region."


def test_the_screen_is_told_at_most_ten_times_a_second(qtbot):
    def fit(image, scene, names, *, callback, **_):
        for k in range(150):
            zero = np.zeros((2, 2))
            assert not callback(FitProgress("fit", k, {}, 1.0, 1.0, zero, zero, 0.0))
            time.sleep(0.002)
        return a_result(scene)

    worker, told = Worker(FitJob(fit), "osog-fit", lasting=False), []
    worker.told.connect(told.append)
    begun = time.monotonic()
    with qtbot.waitSignal(worker.finished, timeout=10000) as ended:
        worker.submit(a_request(phase_scene(), free=("particles[0].x_um",)))
    seconds = time.monotonic() - begun
    assert ended.args[0].result is not None and not worker.busy
    assert 3 <= len(told) <= 10 * seconds + 2
    assert told[-1].progress is not None and len(told[-1].history) > len(told)
    qtbot.waitUntil(lambda: not worker.running, timeout=5000)


# --- result and record ---------------------------------------------------------------------------


def test_the_result_says_what_is_known_and_what_is_not(qtbot):
    view = ResultView()
    qtbot.addWidget(view)
    scene = phase_scene()
    name = "populations.cell.shape.radius_um"
    words = "The size cannot be told."
    result = a_result(scene, undetermined={name: words}, warnings=["Look here.", words])
    view.show_result(result, {"particles[0].x_um": 4.0}, unit="rad", notes=("Two were found.",))
    assert "4.812 ± 0.012 µm" in view.texts
    assert "not determined" in view.texts
    assert not [text for text in view.texts if "2.0" in text], "a number with a false deviation"
    assert view.texts.count(words) == 1
    assert view.folded.title == "Not determined: radius" and not view.folded.isExpanded()
    assert {"Look here.", "Two were found."} <= set(view.texts)
    assert any("Objective NA 0.501 ± 0.010" in text for text in view.texts)
    ended = {"microscope.numerical_aperture": (0.54, 0.0)}
    view.show_result(a_result(scene, nuisances=ended), {})
    assert any("Objective NA 0.54." in text for text in view.texts), "it ended at its bound"


def test_numbers_of_several_particles_stand_below_its_own_heading(qtbot):
    view = ResultView()
    qtbot.addWidget(view)
    scene = listing(beads(), PLACES)
    names = [f"particles[{k}].{axis}_um" for k in range(2) for axis in "xy"]
    numbers = dict.fromkeys(names, 1.0)
    view.show_result(a_result(scene, values=numbers, sigma=numbers), {})
    assert view.texts[3:6:2] == ["Beads · 1", "1.0 ± 1.0 µm"] and view.texts[4] == "x"
    assert "Beads · 2" in view.texts and view.folded is None
    unknown = dict.fromkeys(names, "No.")
    view.show_result(a_result(scene, values=numbers, sigma=numbers, undetermined=unknown), {})
    assert view.folded.title == "4 numbers are not determined"


def test_titles_name_the_particle_where_there_are_several():
    assert title_of(listing(beads(), [(2, 2), (5, 5)]), "particles[1].x_um") == ("2: x", "µm", 1.0)
    assert title_of(phase_scene(), "microscope.wavelength_um") == ("Wavelength", "nm", 1000.0)


def a_record() -> fit_record.Record:
    scene = phase_scene()
    return fit_record.Record(
        target={"name": "cell", "sha256": "00", "path": None, "shape": [48, 48], "frame": None},
        scene=scene,
        seed=3,
        free=("particles[0].x_um", "populations.cell.shape.radius_um"),
        bounds={"particles[0].x_um": (1.0, 9.0)},
        start="detect",
        region=(1, 40, 2, 41),
        linear="auto",
        optics="exact",
        started={"particles[0].x_um": 4.8},
        notes=("One.",),
        result=a_result(scene, sigma={"particles[0].x_um": np.inf}),
        version="1",
    )


def test_a_saved_run_comes_back_whole(tmp_path):
    record = a_record()
    fit_record.save(record, tmp_path / "run.json")
    again = fit_record.load(tmp_path / "run.json")
    for field in dataclasses.fields(record):
        if field.name != "result":
            assert getattr(again, field.name) == getattr(record, field.name), field.name
    assert again.result.values == record.result.values
    assert again.result.sigma == {"particles[0].x_um": np.inf}
    assert again.result.scene == record.result.scene
    assert np.isnan(again.result.tests["whiteness"])
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "is not JSON"),
        ("[1, 2]", "is not a saved fit run"),
        ('{"kind": "osog-fit-run"}', "a part of it is missing"),
    ],
)
def test_files_that_are_no_run_are_refused_in_words(tmp_path, text, words):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(fit_record.RecordError, match=words):
        fit_record.load(tmp_path / "run.json")


def test_a_run_whose_scene_is_not_valid_is_refused_in_words(tmp_path):
    fit_record.save(a_record(), tmp_path / "run.json")
    data = json.loads((tmp_path / "run.json").read_text())
    data["scene"]["microscope"]["numerical_aperture"] = 3
    (tmp_path / "run.json").write_text(json.dumps(data))
    with pytest.raises(fit_record.RecordError, match="numerical_aperture"):
        fit_record.load(tmp_path / "run.json")


def test_a_fit_of_the_engine_recovers_what_was_rendered():
    truth = phase_scene(x_um=4.6, y_um=5.1)
    noise = torch.Generator().manual_seed(1)
    image = osog.forward(truth)
    image = image + 0.01 * torch.randn(image.shape, generator=noise, dtype=image.dtype)
    request = a_request(
        phase_scene(),
        image=image.numpy(),
        free=tuple(sorted(fit_lines.suggested(phase_scene(), True))),
    )
    outcome = carry_out(request, lambda progress: False)
    assert outcome.problem == ""
    for name, sigma in outcome.result.sigma.items():
        assert abs(outcome.result.values[name] - get(truth, name)) < 5 * sigma, name


def test_sentences_of_the_engine_are_told_in_the_titles_of_the_window():
    data = beads(2).to_dict()
    data["populations"][0]["name"] = "large ones"
    data["populations"].append({**data["populations"][0], "name": "dust", "visible": False})
    scene = Scene.parse(data)
    scene = listing(scene, [(2, 2), (5, 5)])
    told = in_words(
        scene,
        "populations.large ones.material.index has no effect on this image; fix it. "
        "particles[1].x_um, microscope.numerical_aperture and microscope.focus_um trade off.",
    )
    assert told == (
        "Large ones · index has no effect on this image; fix it. "
        "x of particle 2, objective NA and focus trade off."
    )
    assert in_words(scene, "free = ('x.y',) is no number.") == "free = ('x.y',) is no number."
    titles = {title_of(scene, f"populations.{p.name}.material.index")[0] for p in scene.populations}
    assert len(titles) == 2, "each says whose it is, also of what was left out"

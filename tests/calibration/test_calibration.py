"""Calibration by statistics: known crowds are found, bad input is refused in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

import osog
from osog.calibration import CalibrationStep, on_frame_of, suggested, tiled
from osog.calibration.moments import Matching
from osog.calibration.simulation import Simulation
from osog.calibration.summary import Summary
from osog.calibration.unknowns import Unknowns
from osog.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

COUNT, RADIUS = "populations.beads.count", "populations.beads.shape.radius_um.median"
FREE = {COUNT: (4.0, 60.0), RADIUS: (0.25, 1.0)}
SMALL = {"pilot": 32, "steps": 2, "renders": 3}


def crowd(count: int, radius_um: float, side: int = 96, **changes: object) -> osog.Scene:
    """Beads of about one size in brightfield, at all depths within a few µm."""
    scene = osog.Scene.parse(
        {
            "grid": {"shape": [side, side], "pixel_size_um": 0.12},
            "populations": [
                {
                    "name": "beads",
                    "shape": {
                        "kind": "sphere",
                        "radius_um": {"law": "lognormal", "median": radius_um, "sigma": 0.1},
                    },
                    "material": {"index": 1.37},
                    "count": count,
                    "placement": {"z_um": {"law": "normal", "mean": 0.0, "std": 1.5}},
                }
            ],
            "microscope": {"modality": {"kind": "brightfield"}, "numerical_aperture": 0.8},
            "camera": {"background_electrons": 4000, "gain_electrons_per_count": 40},
        }
    )
    return scene.updated(changes)


@pytest.fixture(scope="module")
def micrograph() -> np.ndarray:
    """Four tiles of a crowd of 20 beads of 0.55 µm each."""
    image: np.ndarray = osog.render(crowd(80, 0.55, 192), "cpu", seed=5).image.numpy()
    return image


def test_number_and_size_of_a_crowd_are_found(micrograph: np.ndarray) -> None:
    found = osog.calibrate(micrograph, crowd(6, 0.9), FREE, **SMALL)  # type: ignore[arg-type]
    assert 12 <= found.values[COUNT] <= 32
    assert found.values[RADIUS] == pytest.approx(0.55, rel=0.15)
    assert isinstance(found.values[COUNT], int)
    assert found.misfit < 3.0
    assert found.distances["histogram"] < found.start_distances["histogram"]
    assert found.scene.updated({COUNT: 6, RADIUS: 0.9}) == crowd(6, 0.9)
    assert found.renders <= 32 + 24 + 3 * (2 * 3 + 3) + 8
    json.dumps(found.to_dict())


def test_a_stop_keeps_the_start(micrograph: np.ndarray) -> None:
    found = osog.calibrate(
        micrograph, crowd(6, 0.9), FREE, callback=lambda done, total, word: done >= 10
    )
    assert found.stopped
    assert found.renders < 20
    assert found.values[COUNT] == 6


def test_a_dark_field_has_a_contrast_too() -> None:
    dark = {"microscope.modality": {"kind": "fluorescence"}, "camera": None}
    image = osog.render(crowd(40, 0.5, 192, **dark), "cpu", seed=3).image.numpy()
    tiles = [image[:96, :96], image[96:, 96:]]
    summary = Summary.suited_to(tiles, 0.12, 0.0)
    assert not summary.bright
    assert np.isfinite(summary(tiles[0])).all()


def test_a_summary_turns_with_its_azimuth(micrograph: np.ndarray) -> None:
    tile = micrograph[:96, :96] * (1 + 0.2 * np.sin(np.arange(96) * 0.8))
    upright, turned = Summary(0.12, 0.0)(tile), Summary(0.12, 90.0)(np.rot90(tile, -1))
    assert upright.shape == (76,)
    # Frequencies on the border of two sectors may change sides.
    assert np.median(np.abs(upright - turned)) < 0.02
    other = Summary(0.12, 0.0)(np.rot90(tile, -1))
    assert np.abs(upright - other)[:52].max() > 1.0


def test_unknowns_keep_their_ranges() -> None:
    unknowns = Unknowns.of(crowd(6, 0.9), FREE)
    assert list(unknowns.logarithmic) == [True, True]
    assert unknowns.values(np.array([0.0, 1.0])) == {COUNT: 4, RADIUS: 1.0}
    assert unknowns.values(np.array([0.5, 0.5]))[RADIUS] == pytest.approx(0.5)
    place = unknowns.place({COUNT: 15, RADIUS: 0.7})
    assert unknowns.values(place)[RADIUS] == pytest.approx(0.7)
    step = np.array([0.0, 1e-4])
    change = unknowns.values(place + step)[RADIUS] - unknowns.values(place)[RADIUS]
    assert unknowns.deviations(place, step)[RADIUS] == pytest.approx(change, rel=1e-3)


@pytest.mark.parametrize(
    ("free", "words"),
    [
        ({}, "free names no number"),
        ({COUNT: (5, 5)}, "5 … 5, is empty"),
        ({COUNT: (-3, 5)}, "count"),
        ({"populations.beads.shape.radius_um": (0.1, 1)}, "radius_um.median"),
        ({"populations.rods.count": (1, 5)}, "rods"),
        ({"microscope.modality.kind": (1, 5)}, "kind"),
    ],
)
def test_free_numbers_that_cannot_be_are_refused(
    free: dict[str, tuple[float, float]], words: str, micrograph: np.ndarray
) -> None:
    with pytest.raises(osog.FitError, match=words):
        osog.calibrate(micrograph, crowd(6, 0.9), free)


def test_a_small_image_and_odd_options_are_refused(micrograph: np.ndarray) -> None:
    with pytest.raises(osog.FitError, match=r"50 × 96 px is smaller than grid\.shape = 96 × 96"):
        osog.calibrate(micrograph[:50, :96], crowd(6, 0.9), FREE)
    with pytest.raises(osog.FitError, match="steps = 0 must lie within 1 … 50"):
        osog.calibrate(micrograph, crowd(6, 0.9), FREE, steps=0)


def test_the_command_writes_the_scene(tmp_path: Path, micrograph: np.ndarray) -> None:
    np.save(tmp_path / "beads.npy", micrograph)
    crowd(6, 0.9).save(tmp_path / "scene.yaml")
    arguments = [
        "calibrate", str(tmp_path / "beads.npy"), str(tmp_path / "scene.yaml"), "--free",
        f"{COUNT}=4:60", "--pilot", "16", "--steps", "1", "--renders", "2", "--out",
        str(tmp_path / "new" / "mine.yaml"), "--sheet", str(tmp_path / "mine.png"), "--json",
    ]  # fmt: skip
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    scene = osog.Scene.load(tmp_path / "new" / "mine.yaml")
    assert scene.populations[0].count == answer["values"][COUNT]
    assert (tmp_path / "mine.png").stat().st_size > 10_000
    refused = CliRunner().invoke(app, [*arguments[:4], f"{COUNT}=4", *arguments[5:]])
    assert refused.exit_code != 0
    assert "NAME=LOW:HIGH" in refused.output + str(refused.exception)


def test_a_difference_moves_a_whole_number_by_a_whole_one() -> None:
    unknowns = Unknowns.of(crowd(20, 0.6), {COUNT: (2.0, 40.0), RADIUS: (0.5, 1.0)})
    for count, step in ((2, 0.06), (3, 0.06), (39, -0.06), (40, -0.06), (2, -0.06)):
        u = unknowns.place({COUNT: count, RADIUS: 0.75})
        there, moved = unknowns.stepped(u, 0, step)
        after = unknowns.values(there)[COUNT]
        assert abs(after - count) >= 1
        expected = unknowns.place({COUNT: after, RADIUS: 0.75})[0] - u[0]
        assert moved == pytest.approx(expected, abs=1e-12)
        assert there[1] == u[1]
    there, moved = unknowns.stepped(u, 1, 0.06)
    assert moved == 0.06
    assert there[1] == pytest.approx(0.56)


def test_slopes_of_few_particles_are_those_of_whole_ones() -> None:
    unknowns = Unknowns.of(crowd(20, 0.6), {COUNT: (2.0, 40.0), RADIUS: (0.5, 1.0)})

    def simulated(u: np.ndarray, seed: int, count: int) -> np.ndarray:
        values = unknowns.values(u)
        noise = np.random.default_rng(seed).normal(0, 0.01, (count, 3))
        exact = [np.log(values[COUNT]), values[RADIUS], values[RADIUS] * values[COUNT] / 10]
        return np.array(exact) + noise

    truth = unknowns.place({COUNT: 4, RADIUS: 0.7})
    target = simulated(truth, 99, 4)
    matching = Matching(simulated, target, 4, unknowns.stepped)
    start = unknowns.place({COUNT: 2, RADIUS: 0.75})
    found = matching.matched(start, matching.weighed(start, 0, 24), 1)
    assert unknowns.values(found.u)[COUNT] in (3, 4, 5)
    assert found.sigma[0] < 0.2  # a slope of 0 would leave the prior's, 0.44


def test_an_answer_is_never_worse_than_the_start() -> None:
    """Steps that lead away, such as those of a slope of the wrong sign, are not taken."""

    def simulated(u: np.ndarray, seed: int, count: int) -> np.ndarray:
        noise = np.random.default_rng(seed).normal(0, 0.01, (count, 5))
        return np.outer(np.ones(count), np.abs(u[0] - 0.3) * np.arange(1, 6)) + noise

    def stepped(u: np.ndarray, i: int, step: float) -> tuple[np.ndarray, float]:
        return u + step * (np.arange(len(u)) == i), -step  # the wrong sign

    matching = Matching(simulated, np.zeros((4, 5)), 4, stepped)
    seed = matching.weighed(np.array([0.6]), 0, 24)
    found = matching.matched(np.array([0.6]), seed, 3, [np.array([0.32])])
    assert found.u[0] == pytest.approx(0.32)


def test_a_crowd_on_a_tile_has_its_density() -> None:
    scene = crowd(80, 0.5, 192)
    tile = tiled(scene, 96)
    assert tile.grid.shape == (96, 96)
    assert tile.get(COUNT) == 20
    back = on_frame_of(scene, tile, {COUNT: 10, RADIUS: 0.7})
    assert back == scene.updated({COUNT: 40, RADIUS: 0.7})
    one = [{"x_um": 1.0, "y_um": 1.0}]
    listed = scene.updated({"populations.beads.count": None, "populations.beads.particles": one})
    assert tiled(listed, 96).get(COUNT) == 1


def test_what_is_suggested_can_be_calibrated() -> None:
    scene = crowd(20, 0.5)
    found = {each.name: each for each in suggested(scene)}
    assert found[COUNT].chosen and found[COUNT].high == 80
    clear = scene.updated({"populations.beads.placement": {"law": "non_overlapping"}})
    assert suggested(clear)[0].high == 30, "four times as many might not fit"
    assert found[RADIUS].low < 0.5 < found[RADIUS].high
    assert "populations.beads.material.index" in found
    assert not found["background.haze"].chosen
    Unknowns.of(scene, {name: (each.low, each.high) for name, each in found.items()})
    needles = {each.name for each in suggested(osog.presets.load("protein-needles-dic"))}
    assert "microscope.modality.bias_retardance_deg" in needles
    assert "populations.tufts.shape.semi_axes_um[1].median" in needles


def test_directions_of_light_are_held_to_their_limit() -> None:
    """Far out of focus an open condenser asks for more directions than a picture can afford."""
    far = {
        "microscope.condenser_numerical_aperture": 0.6,
        "populations.beads.placement.z_um.std": 20.0,
    }
    scene = crowd(3, 0.5, 96, **far)
    unknowns = Unknowns.of(scene, {COUNT: (1, 5)})
    few = Simulation(scene, unknowns, Summary(0.12), "draft", "cpu", lambda n: None, 6)
    place = np.array([0.5])
    assert few._with_few_directions(few.scene(place), 0).microscope.source_points == 6
    assert few.scene(place).microscope.source_points == scene.microscope.source_points
    stated = scene.updated({"microscope.source_points": 30})
    assert few._with_few_directions(stated, 0) == stated


def test_steps_are_told_with_their_pictures(micrograph: np.ndarray) -> None:
    steps: list[CalibrationStep] = []
    osog.calibrate(
        micrograph, crowd(6, 0.9), {COUNT: (4, 60)}, pilot=16, steps=1, renders=2,
        on_step=steps.append,
    )  # fmt: skip
    assert [step.word for step in steps] == ["start", "start", "pilot", "matching", "end"]
    assert all(step.picture.shape == step.micrograph.shape == (96, 96) for step in steps)
    assert steps[1].distances["histogram"] > 0

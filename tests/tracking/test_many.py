"""All particles of one micrograph."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

import osog
from helpers.beads import FIELDS, scene_of
from osog import FitError, fit_many
from osog.tracking.patch import Patches

BEADS = (
    (1.9, 2.1, 0.3, 0.45, 1.44),
    (5.4, 2.4, -0.8, 0.55, 1.42),
    (3.5, 5.5, 0.0, 0.5, 1.46),
)


@pytest.fixture(scope="module")
def image():
    return osog.render(scene_of(*BEADS), device="cpu", seed=4).image.numpy()


@pytest.fixture(scope="module")
def table(image):
    return fit_many(image, scene_of())


def _pulls(table, beads):
    out = []
    for bead in beads:
        row = min(table.rows, key=lambda r: np.hypot(r["x_um"] - bead[0], r["y_um"] - bead[1]))
        sigma = [row[f"{name}_sigma"] for name in FIELDS]
        out.append(np.divide([row[name] - v for name, v in zip(FIELDS, bead, strict=True)], sigma))
    return np.array(out)


def test_overlapping_beads_are_found_with_honest_intervals(table):
    """Their rings overlap: without subtraction of the neighbours errors are tens of sigma."""
    assert len(table) == 3
    assert np.abs(_pulls(table, BEADS)).max() < 5
    assert all(row["converged"] and row["chi2_per_pixel"] < 1.15 for row in table.rows)
    assert table.residual.std() < 1.15 * np.sqrt(4000 + 9) / 5


def test_columns_are_those_of_trackpy(table):
    (first, *_) = csv.DictReader(io.StringIO(table.to_csv()))
    row = table.rows[0]
    assert float(first["x"]) == pytest.approx(row["x_um"] / 0.1)
    assert float(first["y"]) == pytest.approx(row["y_um"] / 0.1)
    assert first["frame"] == "0"
    assert {"particle", "z_um", "radius_um_sigma", "chi2_per_pixel"} <= set(first)
    assert {row["particle"] for row in table.rows} == {0, 1, 2}
    (population,) = table.scene.populations
    assert [p.x_um for p in population.particles] == [row["x_um"] for row in table.rows]


def test_what_the_start_missed_is_found_in_data_minus_model(image, table):
    given = table.scene.populations[0].particles[:2]
    again = fit_many(image, scene_of(), start=given, rounds=1)
    assert len(again) == 3
    assert np.abs(_pulls(again, BEADS)).max() < 6


def test_two_starts_on_one_bead_become_one():
    """The first takes all of the light; what is left for the second is noise."""
    small = {"grid": {"shape": [44, 46], "pixel_size_um": 0.1}}
    scene = scene_of((2.2, 2.1, 0.3, 0.45, 1.44), **small)
    image = osog.render(scene, device="cpu", seed=4).image.numpy()
    (bead,) = scene.populations[0].particles
    beside = bead.model_copy(update={"x_um": 2.3, "z_um": 0.4})
    again = fit_many(image, scene_of(**small), start=(bead, beside), rounds=0, rescue=0)
    assert len(again) == 1
    assert len(again.failures) == 1
    assert again.rows[0]["x_um"] == pytest.approx(2.2, abs=5 * again.rows[0]["x_um_sigma"])


def test_the_failure_of_one_stops_nothing(image, table, monkeypatch):
    given = table.scene.populations[0].particles
    right = Patches._fitted

    def failing(self, spot, *rest):
        if spot.number == 1:
            raise RuntimeError("no memory left")
        return right(self, spot, *rest)

    monkeypatch.setattr(Patches, "_fitted", failing)
    again = fit_many(image, scene_of(), start=given, rounds=0, rescue=0)
    assert [row["particle"] for row in again.rows] == [0, 2]
    assert "no memory left" in again.failures[0]


def test_a_callback_stops_and_keeps_what_there_is(image, table):
    given = table.scene.populations[0].particles
    again = fit_many(image, scene_of(), start=given, callback=lambda made, total, word: made == 1)
    assert len(again) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rounds": 11}, "rounds = 11 must lie within 0 … 10"),
        ({"population": "rods"}, "no such population"),
        ({"free": ("length_um",)}, "free names 'length_um'"),
        ({"free": ()}, "leaves nothing to fit"),
    ],
)
def test_what_cannot_be_used_is_named(image, options, words):
    with pytest.raises(FitError, match=words):
        fit_many(image, scene_of(), **options)


def test_luminous_particles_keep_brightnesses_of_their_own():
    """In fluorescence light adds: a bead beside one three times as bright is fitted rightly."""
    optics = {"modality": {"kind": "fluorescence"}, "wavelength_um": 0.532,
              "numerical_aperture": 0.8, "focus_um": 0.0}  # fmt: skip
    pair = ((2.5, 3.0, 0.0, 0.45, 1.44), (4.4, 3.2, 0.0, 0.5, 1.44))
    lights = [osog.forward(scene_of(bead, microscope=optics, camera=None)).numpy() for bead in pair]
    noise = np.random.default_rng(0).normal(0, 0.01 * lights[0].max(), lights[0].shape)
    image = 3 * lights[0] + lights[1] + noise
    scene = scene_of(*pair, microscope=optics, camera=None)
    start = [bead.model_copy(update={"radius_um": 0.47}) for bead in scene.populations[0].particles]
    found = fit_many(image, scene, ("x_um", "y_um", "radius_um"), start=start, rounds=0)
    sizes = [row["radius_um"] for row in found.rows]
    assert sizes == pytest.approx([0.45, 0.5], abs=0.01)

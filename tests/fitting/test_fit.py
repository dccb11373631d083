"""Fits with the engine: starts, intervals, words, masks, regions and reports."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
import torch

from osog import FitError, fit, forward, render
from osog.scene.parameters import get, replaced

NAMES = (
    "microscope.focus_um",
    "particles[0].radius_um",
    "particles[0].index",
    "particles[0].x_um",
    "particles[0].y_um",
)
OFF = dict(zip(NAMES, (2.3, 0.42, 1.385, 2.1, 1.9), strict=True))


def _truth(scene):
    return {name: float(get(scene, name)) for name in NAMES}


def _counts(scene, seed=1):
    return render(scene, device="cpu", seed=seed).image.numpy()


@pytest.fixture
def bead(sphere_scene):
    scene = sphere_scene()
    return scene, _counts(scene), replaced(scene, OFF)


def _pulls(result, truth):
    return np.array([(result.values[n] - truth[n]) / result.sigma[n] for n in result.values])


def test_sphere_from_a_start_that_is_off(bead):
    scene, image, start = bead
    result = fit(image, start, NAMES)
    assert result.success
    assert 0.9 < result.chi2_per_pixel < 1.1
    assert np.all(np.abs(_pulls(result, _truth(scene))) < 4)
    assert result.values["particles[0].radius_um"] == pytest.approx(0.5, abs=0.03)
    assert get(result.scene, "particles[0].radius_um") == result.values["particles[0].radius_um"]
    np.testing.assert_allclose(result.model + result.residual, image)
    assert result.covariance.shape == (5, 5)
    np.testing.assert_allclose(np.sqrt(np.diag(result.covariance)), list(result.sigma.values()))


def test_model_is_the_image_of_the_fitted_scene(bead):
    """The scene that comes back renders to the model, gain and slopes apart."""
    _, image, start = bead
    result = fit(image, start, NAMES, linear="none")
    again = forward(result.scene).numpy()
    assert np.abs(again - result.model).max() < 0.003 * result.model.mean()


def test_intervals_cover_over_noise(sphere_scene):
    scene = sphere_scene()
    truth = _truth(scene)
    inside = []
    for seed in range(24):
        result = fit(_counts(scene, seed), scene, NAMES, optics="exact", start="scene")
        inside.append(np.abs(_pulls(result, truth)) < 1.96)
    assert 0.87 <= np.mean(inside) <= 0.99


def test_intervals_hold_although_the_optics_are_not_as_stated(sphere_scene):
    """With nominal optics taken as exact they do not."""
    rng = np.random.default_rng(5)
    nominal = sphere_scene()
    truth = _truth(nominal)
    free, fixed = [], []
    for seed in range(5):
        real = replaced(
            nominal,
            {
                "microscope.aberrations.spherical": 0.02 * rng.normal(),
                "microscope.aberrations.astigmatism_0": 0.02 * rng.normal(),
                "microscope.numerical_aperture": 0.6 * (1 + 0.02 * rng.normal()),
            },
        )
        image = _counts(real, seed)
        free.append(np.abs(_pulls(fit(image, nominal, NAMES), truth)) < 2.5)
        exact = fit(image, nominal, NAMES, optics="exact", start="scene")
        fixed.append(np.abs(_pulls(exact, truth)) < 2.5)
    assert np.mean(free) > 0.9
    assert np.mean(fixed) < 0.75


def test_blind_start_finds_the_particle(bead):
    scene, image, start = bead
    lost = replaced(start, {"particles[0].x_um": 0.6, "particles[0].y_um": 3.2})
    bounds = {
        "microscope.focus_um": (-4.0, 4.0),
        "particles[0].radius_um": (0.25, 1.0),
        "particles[0].index": (1.35, 1.5),
    }
    truth = _truth(scene)
    alone = fit(image, lost, NAMES, bounds, start="scene", optics="exact")
    assert not alone.success
    result = fit(image, lost, NAMES, bounds, start="detect", optics="exact")
    assert result.success
    assert np.all(np.abs(_pulls(result, truth)) < 4.5)
    # The default tries the scene's own start first and then searches.
    assert fit(image, lost, NAMES, bounds, optics="exact").success


def test_exact_image_gives_exact_values(sphere_scene):
    scene = sphere_scene(camera=None)
    image = forward(scene)
    result = fit(image, replaced(scene, OFF), NAMES, optics="exact")
    assert result.success
    for name, value in _truth(scene).items():
        assert result.values[name] == pytest.approx(value, abs=1e-4)
    assert any("Noise estimated" in w for w in result.warnings)


def test_callback_sees_every_step_and_stops(bead):
    _, image, start = bead
    seen = []

    def stop_at_three(progress):
        seen.append(progress)
        return len(seen) == 3

    result = fit(image, start, NAMES, callback=stop_at_three)
    assert len(seen) == 3
    assert result.stopped
    assert not result.success
    assert "stopped early" in result.warnings[0]
    assert [h["iteration"] for h in result.history] == [1, 2, 3]
    assert seen[-1].chi2_per_pixel < seen[0].chi2_per_pixel
    assert seen[-1].residual.shape == image.shape
    np.testing.assert_allclose(result.model, seen[-1].model)
    assert set(result.sigma) == set(NAMES)


def test_masked_and_saturated_pixels_do_not_count(bead):
    scene, image, start = bead
    spoilt, mask = image.copy(), np.ones(image.shape, bool)
    spoilt[2:6, 30:38], mask[2:6, 30:38] = np.nan, False
    spoilt[33:36, 4:7] = 4095.0
    result = fit(spoilt, start, NAMES, mask=mask, optics="exact")
    assert result.success
    assert np.all(np.abs(_pulls(result, _truth(scene))) < 4.5)


def test_region_keeps_the_coordinates_of_the_frame(sphere_scene):
    block = {"grid": {"shape": [64, 72], "pixel_size_um": 0.1}}
    scene = replaced(sphere_scene(**block), {"particles[0].x_um": 4.31, "particles[0].y_um": 2.77})
    image = _counts(scene)
    start = replaced(scene, {"particles[0].x_um": 4.2, "particles[0].y_um": 2.9})
    result = fit(image, start, NAMES, region=(9, 47, 24, 62), optics="exact")
    assert result.success
    assert result.model.shape == (38, 38)
    assert result.region == (9, 47, 24, 62)
    assert np.all(np.abs(_pulls(result, _truth(scene))) < 4.5)
    assert result.scene.grid.shape == (64, 72)


def test_particles_drawn_by_chance_can_be_fitted(sphere_scene):
    population = {
        "name": "beads",
        "shape": {"kind": "sphere", "radius_um": 0.5},
        "material": {"index": 1.40},
        "count": 1,
    }
    scene = sphere_scene(populations=[population])
    image = _counts(scene, 3)
    names = ("populations.beads.shape.radius_um", "particles[0].x_um")
    start = replaced(scene, {names[0]: 0.45})
    result = fit(image, start, names, seed=3, optics="exact")
    assert result.success
    assert result.values[names[0]] == pytest.approx(0.5, abs=5 * result.sigma[names[0]])


def test_two_particles_at_once(sphere_scene):
    listed = [{"x_um": 1.2, "y_um": 1.3, "z_um": 0.3}, {"x_um": 2.9, "y_um": 2.6, "z_um": -0.4}]
    population = {
        "name": "beads",
        "shape": {"kind": "sphere", "radius_um": 0.4},
        "material": {"index": 1.40},
        "particles": listed,
    }
    scene = sphere_scene(populations=[population])
    names = tuple(f"particles[{i}].{f}_um" for i in (0, 1) for f in "xyz")
    moved = dict(zip(names, (1.3, 1.2, 0.5, 2.8, 2.7, -0.2), strict=True))
    result = fit(_counts(scene), replaced(scene, moved), names)
    assert result.success
    for name in names:
        assert result.values[name] == pytest.approx(get(scene, name), abs=5 * result.sigma[name])


def test_prior_decides_what_the_image_does_not(bead):
    """Focus and depth act through their difference only: one needs a prior."""
    scene, image, _ = bead
    start = replaced(scene, {"microscope.focus_um": 2.2})
    names = ("microscope.focus_um", "particles[0].z_um")
    both = fit(image, start, names, optics="exact", start="scene")
    assert "difference" in both.undetermined["microscope.focus_um"]
    assert both.values["microscope.focus_um"] == 2.2
    assert both.values["particles[0].z_um"] == pytest.approx(
        0.2, abs=5 * both.sigma["particles[0].z_um"]
    )
    held = fit(
        image, start, names, optics="exact", start="scene",
        priors={"particles[0].z_um": (0.0, 0.01)},
    )  # fmt: skip
    assert held.values["particles[0].z_um"] == pytest.approx(0.0, abs=0.005)
    assert held.sigma["particles[0].z_um"] == pytest.approx(0.01, rel=0.1)
    assert not held.undetermined
    assert any("stated tolerance" in w for w in held.warnings)


def test_nuisances_stay_within_their_priors(bead):
    _, image, start = bead
    result = fit(image, start, NAMES)
    assert set(result.nuisances) == {
        "microscope.numerical_aperture",
        "microscope.aberrations.astigmatism_0",
        "microscope.aberrations.astigmatism_45",
        "microscope.aberrations.spherical",
    }
    for name, (value, sigma) in result.nuisances.items():
        nominal = get(start, name)
        assert abs(value - nominal) < 4 * 0.02
        assert 0 < sigma < 0.021
    assert set(result.values) == set(NAMES)
    exact = fit(image, start, NAMES, optics="exact")
    assert not exact.nuisances
    assert result.sigma["microscope.focus_um"] > 1.2 * exact.sigma["microscope.focus_um"]


def test_a_tiny_sphere_has_no_size_and_index_of_its_own(sphere_scene):
    scene = replaced(sphere_scene(), {"particles[0].radius_um": 0.13, "particles[0].index": 1.45})
    # With other noise the flat valley of R³ Δn may lead to the limit of the index.
    result = fit(_counts(scene, seed=2), scene, NAMES, optics="exact", start="scene")
    words = result.undetermined["particles[0].radius_um"]
    assert "cannot be separated" in words
    assert "is known to" in words
    assert "particles[0].x_um" not in result.undetermined


def test_the_twin_above_focus_is_told(bead):
    _, image, start = bead
    result = fit(image, start, NAMES, optics="exact")
    assert any("lighter one below it" in w for w in result.warnings)
    # Fixed index: no twin.
    known = fit(image, start, NAMES[:2], optics="exact", start="scene")
    assert not any("lighter one below it" in w for w in known.warnings)


def test_a_wrong_model_is_not_called_a_good_fit(bead):
    _, image, start = bead
    fixed = replaced(start, {"particles[0].radius_um": 0.9})
    names = ("microscope.focus_um", "particles[0].x_um", "particles[0].y_um")
    result = fit(image, fixed, names)
    assert not result.success
    assert any(w.startswith("No good fit found") for w in result.warnings)


PLACE = ("microscope.focus_um", "particles[0].x_um", "particles[0].y_um")


@pytest.mark.parametrize(("name", "wrong", "way"), [
    ("particles[0].index", 1.36, "higher"),
    ("particles[0].index", 1.47, "lower"),
    ("particles[0].radius_um", 0.7, "lower"),
])  # fmt: skip
def test_the_number_that_was_held_wrong_is_named_with_its_direction(bead, name, wrong, way):
    truth, image, _ = bead
    result = fit(image, replaced(truth, {name: wrong}), PLACE, start="scene", optics="exact")
    words = next(w for w in result.warnings if w.startswith("No good fit found"))
    assert f"Free {name} next: a {way} value than {wrong:g}" in words


def test_what_no_number_explains_is_said_to_be_so(bead):
    truth, image, _ = bead
    stripes = image + 0.2 * image.mean() * (np.arange(40) % 4 < 2)
    result = fit(stripes, truth, PLACE, start="scene", optics="exact")
    said = " ".join(result.warnings)
    assert "No number that was held explains what is left" in said and "pixel size (0.1 µm)" in said
    quiet = fit(stripes, truth, PLACE, start="scene", optics="exact", advice=False)
    assert quiet.values == result.values and quiet.sigma == result.sigma
    assert "what is left" not in " ".join(quiet.warnings)
    good = fit(image, truth, PLACE, start="scene", optics="exact")
    assert not any("what is left" in words for words in good.warnings)


def test_bound_that_is_reached_is_told(bead):
    _, image, start = bead
    bounds = {"particles[0].radius_um": (0.3, 0.45)}
    result = fit(image, start, NAMES, bounds, start="scene", optics="exact")
    assert "ended at its limit 0.45" in result.undetermined["particles[0].radius_um"]
    assert result.to_dict()["sigma"]["particles[0].radius_um"] is None


def test_grey_scale_of_unknown_size_leaves_the_geometry(sphere_scene):
    block = {
        "camera": None,
        "microscope": {"modality": {"kind": "phase"}, "numerical_aperture": 0.8},
    }
    scene = sphere_scene(**block)
    rng = np.random.default_rng(0)
    grey = 60 + 40 * forward(scene).numpy() + rng.normal(0, 0.5, (40, 40))
    names = NAMES[1:]
    start = replaced(scene, {n: OFF[n] for n in names})
    scaled = fit(grey, start, names, linear="gain+offset")
    assert "grey scale" in scaled.undetermined["particles[0].index"]
    assert np.isinf(scaled.sigma["particles[0].index"])
    assert scaled.values["particles[0].index"] == OFF["particles[0].index"]
    assert scaled.values["particles[0].radius_um"] == pytest.approx(0.5, abs=0.02)
    # Whole numbers are grey levels, not radians.
    whole = fit(np.round(grey).astype(np.uint8), start, names)
    assert "particles[0].index" in whole.undetermined
    radians = fit((grey - 60) / 40, start, names)
    assert radians.values["particles[0].index"] == pytest.approx(1.40, abs=0.01)
    assert not radians.undetermined


@pytest.mark.parametrize("kind", ["dic", "hologram", "fluorescence"])
def test_other_modalities(sphere_scene, kind):
    microscope = {
        "modality": {"kind": kind},
        "wavelength_um": 0.532,
        "numerical_aperture": 0.6,
        "focus_um": 1.0,
    }
    scene = sphere_scene(microscope=microscope)
    if kind == "fluorescence":
        names = ("microscope.focus_um", "particles[0].x_um", "particles[0].y_um")
        scene = replaced(scene, {"camera.offset_counts": 100.0})
    else:
        names = NAMES
    moved = {"microscope.focus_um": 1.2, "particles[0].x_um": 2.05, "particles[0].y_um": 1.95}
    result = fit(_counts(scene), replaced(scene, moved), names)
    assert result.success, result.warnings
    for name in names:
        assert result.values[name] == pytest.approx(get(scene, name), abs=5 * result.sigma[name])


def test_report_is_plain_and_complete(bead, tmp_path):
    _, image, start = bead
    result = fit(image, start, NAMES, optics="exact")
    data = json.loads(result.to_json(tmp_path / "fit.json"))
    assert data == json.loads((tmp_path / "fit.json").read_text())
    assert data["values"] == result.values
    assert data["covariance"]["names"] == list(NAMES)
    assert data["scene"]["microscope"]["focus_um"] == result.values["microscope.focus_um"]
    rows = list(csv.DictReader(io.StringIO(result.to_csv(tmp_path / "fit.csv"))))
    assert {r["name"] for r in rows} == {*NAMES, "gain", "slope_x", "slope_y"}
    first = next(r for r in rows if r["name"] == "microscope.focus_um")
    assert float(first["value"]) == result.values["microscope.focus_um"]
    assert first["unit"] == "µm"
    assert "±" in str(result)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fit.csv", "fit.json"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda i: np.where(i == i.max(), np.nan, i), "not finite"),
            (lambda i: np.stack([i] * 3, -1), "colour image"),
            (lambda i: np.stack([i] * 5), "3 dimensions"),
            (lambda i: i[:1, :1], "at least 4 × 4"),
            (lambda i: i[:, :30], r"\(40, 30\), but scene.grid.shape is \(40, 40\)"),
            (lambda i: i + 1j, "real numbers"),
        ],
    )
    def test_image(self, bead, change, words):
        _, image, start = bead
        with pytest.raises(FitError, match=words):
            fit(change(image), start, NAMES)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"free": ()}, "leaves nothing to fit"),
            ({"free": ("microscope.fokus_um",)}, "fokus_um.*does not exist"),
            ({"free": ("particles[3].x_um",)}, "only 1 particles"),
            ({"free": (NAMES[0], NAMES[0])}, "twice"),
            ({"bounds": {NAMES[0]: (3.0, 5.0)}}, "exclude the start 2.3"),
            ({"bounds": {NAMES[0]: (5.0, 3.0)}}, "low must be below high"),
            ({"bounds": {NAMES[1]: (-1.0, 3.0)}}, "must lie within 0.005"),
            ({"bounds": {"medium.index": (1.0, 2.0)}}, "is not free"),
            ({"mask": np.zeros((40, 40), bool)}, "mask leaves no pixel"),
            ({"mask": np.ones((4, 4), bool)}, "mask has shape"),
            ({"region": (5, 5, 0, 40)}, "must hold pixels"),
            ({"region": (0, 50, 0, 40)}, "lie within"),
            ({"region": (1, 2)}, "four integers"),
            ({"priors": {"microscope.fokus_um": (1, 2)}}, "does not exist"),
            ({"priors": {NAMES[0]: (1.0, 0.0)}}, "sd must be above 0"),
            ({"linear": "gain+tilt"}, "'tilt' is not one of"),
            ({"start": "magic"}, "start = 'magic' must be one of"),
            ({"optics": "perfect"}, "optics = 'perfect' must be"),
            ({"max_iterations": 0}, "max_iterations = 0"),
        ],
    )
    def test_arguments(self, bead, arguments, words):
        _, image, start = bead
        free = arguments.pop("free", NAMES)
        with pytest.raises(FitError, match=words) as caught:
            fit(image, start, free, **arguments)
        assert "\n" not in str(caught.value)

    def test_tensor_and_integers_are_images_too(self, bead):
        _, image, start = bead
        whole = torch.as_tensor(image.astype(np.int32))
        result = fit(whole, start, NAMES[3:], optics="exact", start="scene")
        assert result.model.dtype == np.float64

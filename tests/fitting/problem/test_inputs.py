"""What a fit is given: pixels that do not count touch nothing, and grey levels are told."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from osog import FitError, Scene, fit, render
from osog.fitting.problem.inputs import checked_image, checked_mask
from osog.fitting.problem.setup import fit_setup
from osog.fitting.problem.weights import noise_sigma
from osog.fitting.starts.binning import binned
from osog.fitting.starts.border_plane import border_plane
from osog.io import read_micrograph, write_image
from osog.sensor import camera_sigma

FREE = ("particles[0].x_um", "particles[0].radius_um")
HIDDEN = np.zeros((48, 48), bool)
HIDDEN[10:16, 26:31] = True


def _scene(kind="hologram", camera=True):
    return Scene.parse(
        {
            "grid": {"shape": [48, 48], "pixel_size_um": 0.1},
            "medium": {"index": 1.333},
            "populations": [
                {
                    "name": "p",
                    "shape": {"kind": "sphere", "radius_um": 0.5},
                    "material": {"index": 1.42},
                    "particles": [{"x_um": 2.35, "y_um": 2.4, "z_um": 0.0}],
                }
            ],
            "microscope": {
                "modality": {"kind": kind},
                "wavelength_um": 0.55,
                "numerical_aperture": 0.6,
                "focus_um": 1.0,
            },
            **({"camera": {"background_electrons": 8000}} if camera else {}),
        }
    )


def _setup(image, scene, mask=None):
    return fit_setup(
        image, scene, FREE, None, mask, seed=0, priors=None, optics="exact", linear="auto",
        region=None, max_iterations=5, device="cpu",
    )  # fmt: skip


@pytest.fixture(scope="module")
def scene():
    return _scene()


@pytest.fixture(scope="module")
def picture(scene):
    return render(scene, device="cpu", seed=1).image.numpy()


@pytest.mark.parametrize("rubbish", [40.0, np.nan, 1e9, -np.inf])
def test_a_masked_array_is_fitted_like_its_mask(scene, picture, rubbish):
    spoilt = np.where(HIDDEN, rubbish, picture)
    masked = fit(np.ma.array(spoilt, mask=HIDDEN), scene, FREE, start="scene", optics="exact")
    stated = fit(picture, scene, FREE, mask=~HIDDEN, start="scene", optics="exact")
    for name in FREE:
        assert masked.values[name] == pytest.approx(stated.values[name], abs=1e-9)
        assert masked.sigma[name] == pytest.approx(stated.sigma[name], rel=1e-6)


def test_masked_array_and_mask_add_up(scene, picture):
    other = HIDDEN[::-1]
    found = checked_image(np.ma.array(picture, mask=HIDDEN), scene, ~other)
    assert np.array_equal(found.counted, ~(HIDDEN | other))


def test_pixels_that_do_not_count_touch_no_weight_and_no_choice_of_terms(scene, picture):
    spoilt = np.where(HIDDEN, 1e9, picture)
    one, two = _setup(picture, scene, ~HIDDEN), _setup(spoilt, scene, ~HIDDEN)
    assert np.array_equal(one.weights, two.weights)
    bare = _scene(camera=False)
    flat = np.where(np.arange(48)[:, None] < 30, 900.0, 1.0) * np.ones((48, 48))
    assert _setup(flat, bare, flat < 2).linear.text == "none"


def test_noise_of_a_pixel_comes_from_its_neighbours_that_count(scene, picture):
    spoilt = np.where(HIDDEN, 0.0, picture)
    sigma = camera_sigma(spoilt, scene.camera, ~HIDDEN)
    assert sigma[~HIDDEN] == pytest.approx(camera_sigma(picture, scene.camera)[~HIDDEN], rel=0.05)
    noise = np.random.default_rng(0).normal(0, 1, (60, 60))
    counted = np.arange(60)[:, None] < 25
    half = np.where(counted, noise, 0.0)
    assert noise_sigma(half, counted & np.ones((60, 60), bool)) == pytest.approx(1.0, rel=0.1)


def test_bins_are_means_of_the_pixels_that_count():
    image = np.where(HIDDEN, 1e6, 3.0)
    means, used = binned(image, 4, ~HIDDEN)
    assert np.all(means[used] == 3.0)
    assert used.mean() > 0.9


def test_the_background_is_taken_inside_where_the_border_does_not_count():
    used = np.zeros((48, 48), bool)
    used[8:-8, 8:-8] = True
    assert border_plane(np.where(used, 5.0, 999.0), used) == pytest.approx(5.0)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: torch.tensor(a, requires_grad=True),
        lambda a: torch.tensor(a).bfloat16(),
        lambda a: a.tolist(),
        lambda a: a.astype(">f4"),
        lambda a: a.astype(np.float16),
    ],
    ids=["gradient", "bfloat16", "list", "big endian", "half"],
)
def test_images_of_any_form_begin_a_fit(change, picture, scene):
    light = change(picture / 1024)
    assert np.allclose(_setup(light, scene).data, picture / 1024, rtol=5e-3)


def test_a_micrograph_is_its_image(scene, picture, tmp_path):
    write_image(tmp_path / "a.tif", picture)
    micrograph = read_micrograph(tmp_path / "a.tif")
    assert np.array_equal(_setup(micrograph, scene).data, picture)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.ma.masked_all((48, 48)), "no pixel"),
        ([[1, 2], [3]], "no array of numbers"),
        (np.ones((48, 48)) * 1j, "complex"),
        (np.full((48, 48), np.nan), "not finite"),
    ],
)
def test_images_without_numbers_are_refused_in_a_sentence(image, words, scene):
    with pytest.raises(FitError, match=words):
        checked_image(image, scene)


def test_masks_are_taken_in_any_form_and_checked():
    flags = ~HIDDEN
    for mask in (flags, flags.tolist(), torch.tensor(flags), 255 * flags.astype(np.uint8),
                 np.ma.array(np.ones((48, 48)), mask=HIDDEN)):  # fmt: skip
        assert np.array_equal(checked_mask(mask, (48, 48)), flags)
    with pytest.raises(FitError, match="mask holds numbers that are not finite"):
        checked_mask(np.where(HIDDEN, np.nan, 1.0), (48, 48))
    with pytest.raises(FitError, match="mask holds complex"):
        checked_mask(flags * 1j, (48, 48))


@pytest.mark.parametrize("name", ["p.tif", "p.npy"])
def test_phase_of_unknown_scale_is_known_from_array_and_file(name, tmp_path):
    scene = _scene("phase", camera=False)
    phase = render(scene, device="cpu").image.numpy()
    grey = np.round((phase - phase.min()) / np.ptp(phase) * 200 + 20).astype(np.uint8)
    if name.endswith("npy"):
        np.save(tmp_path / name, grey)
    else:
        write_image(tmp_path / name, grey)
    read = read_micrograph(tmp_path / name).image
    assert _setup(grey, scene).linear.text == "gain+offset+slopes"
    assert _setup(read, scene).linear.text == "gain+offset+slopes"
    assert _setup(phase, scene).linear.text == "offset+slopes"

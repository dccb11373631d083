from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
import torch

from osog.sample import Values
from osog.scene import Camera, Scene, SceneError
from osog.sensor import expected_counts, expose, noisy

NUMBERS = {
    "background_electrons": 800.0,
    "full_well_electrons": 1500.0,
    "gain_electrons_per_count": 4.0,
    "offset_counts": 10.0,
    "bit_depth": 12,
}


def scene(**camera: Any) -> Scene:
    return Scene.parse({"camera": {**NUMBERS, **camera}})


def values(**camera: Any) -> Values:
    return Values(scene(**camera), dtype=torch.float64)


def light(*levels: float) -> torch.Tensor:
    return torch.tensor([levels], dtype=torch.float64)


def test_expected_counts() -> None:
    counts = expected_counts(light(0.0, 1.0, 1.5, 3.0, -0.1), values())
    torch.testing.assert_close(counts, light(10.0, 210.0, 310.0, 385.0, 10.0))


def test_white_level_clips_expected_counts() -> None:
    counts = expected_counts(light(0.5, 1.2), values(bit_depth=8, gain_electrons_per_count=2.0))
    torch.testing.assert_close(counts, light(210.0, 255.0))


def test_photons_replace_electrons() -> None:
    counts = expected_counts(light(1.0), values(background_photons=1000.0, quantum_efficiency=0.5))
    torch.testing.assert_close(counts, light(135.0))


def test_a_scene_without_camera_is_refused() -> None:
    with pytest.raises(ValueError, match="camera = null"):
        expected_counts(light(1.0), Values(Scene.parse({})))


@pytest.mark.parametrize("photons", [False, True])
def test_gradients(photons: bool) -> None:
    own = {"background_photons": 1000.0, "quantum_efficiency": 0.6} if photons else {}
    described = scene(**own)
    names = ["gain_electrons_per_count", "offset_counts", "full_well_electrons"]
    names += list(own) or ["background_electrons"]
    start = [getattr(described.camera, name) for name in names]

    def run(irradiance: torch.Tensor, *numbers: torch.Tensor) -> torch.Tensor:
        given = {f"camera.{n}": v for n, v in zip(names, numbers, strict=True)}
        return expected_counts(irradiance, Values(described, given, dtype=torch.float64))

    inputs = [light(0.2, 0.9, 1.4, 4.0), *(torch.tensor(v).double() for v in start)]
    for tensor in inputs:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(run, inputs, eps=1e-5, atol=1e-6)


def test_same_seed_same_bits() -> None:
    camera = Camera.model_validate(NUMBERS)
    image = torch.rand(32, 32)
    first = expose(image, camera, seed=3)
    torch.manual_seed(99)  # the global state plays no part
    assert torch.equal(first, expose(image, camera, seed=3))
    assert not torch.equal(first, expose(image, camera, seed=4))
    state = torch.get_rng_state()
    expose(image, camera, seed=3)
    assert torch.equal(state, torch.get_rng_state())


def test_counts_are_whole_and_within_the_converter() -> None:
    camera = Camera.model_validate({**NUMBERS, "bit_depth": 8, "read_noise_electrons": 300.0})
    counts = expose(torch.rand(64, 64) * 2, camera, seed=0)
    assert counts.dtype == torch.float32
    assert torch.equal(counts, counts.round())
    assert float(counts.min()) == 0.0
    assert float(counts.max()) == 255.0


def test_without_noise_the_picture_is_the_rounded_expectation() -> None:
    camera = Camera.model_validate({**NUMBERS, "noise": False})
    irradiance = torch.rand(16, 16, dtype=torch.float64) * 3
    expected = expected_counts(irradiance, values(noise=False)).round().float()
    assert torch.equal(expose(irradiance, camera, seed=0), expected)


def test_a_picture_has_no_gradient_and_leaves_its_input_alone() -> None:
    camera = Camera.model_validate(NUMBERS)
    irradiance = torch.ones(4, 4, requires_grad=True)
    assert not expose(irradiance, camera, seed=0).requires_grad
    plain = torch.ones(4, 4)
    expose(plain, camera, seed=0)
    assert torch.equal(plain, torch.ones(4, 4))


# Every number of a camera that acts on the noise-free picture, away from any saturation.
SHAPING = {
    "background_electrons": 800.0,
    "gain_electrons_per_count": 4.0,
    "offset_counts": 10.0,
    "dark_electrons": 30.0,
    "em_gain": 3.0,
    "full_well_electrons": 1500.0,
    "sharpening": 0.7,
    "sharpening_radius_px": 1.1,
}
NOISE = {
    "read_noise_electrons": 6.0,
    "read_noise_spread": 0.4,
    "row_noise_electrons": 4.0,
    "response_nonuniformity": 0.05,
    "dark_nonuniformity_electrons": 5.0,
    "hot_pixel_electrons": 300.0,
}


@pytest.mark.parametrize("colour", ["monochrome", "rgb", "bayer"])
@pytest.mark.parametrize("off", [False, True])
def test_gradients_of_every_number(colour: str, off: bool) -> None:
    """Also where the extras are off: a fit or a gradient descent starts from there."""
    zero = {"dark_electrons": 0.0, "em_gain": 1.0, "sharpening": 0.0}
    start = {**SHAPING, **(zero if off else {})}
    described = scene(**start, colour=colour, bit_depth=16)
    # Some pixels are full: there the full well alone acts.
    shape = (6, 7) if colour == "monochrome" else (3, 6, 7)
    irradiance = 0.3 + torch.rand(shape, dtype=torch.float64)
    irradiance[..., 2, 2] = 4.0

    def run(irradiance: torch.Tensor, *numbers: torch.Tensor) -> torch.Tensor:
        given = {f"camera.{n}": v for n, v in zip(start, numbers, strict=True)}
        return expected_counts(irradiance, Values(described, given, dtype=torch.float64))

    inputs = [irradiance, *(torch.tensor(v).double() for v in start.values())]
    for tensor in inputs:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(run, inputs, eps=1e-5, atol=1e-5, rtol=1e-5)


def unrounded(function: Any) -> Any:
    """Keep the slope of straight-through rounding, which differences of steps do not see."""

    def run(*inputs: torch.Tensor) -> torch.Tensor:
        with patch("osog.sensor.camera.rounded_straight_through", lambda counts: counts):
            return function(*inputs)

    return run


@pytest.mark.parametrize("colour", ["monochrome", "bayer"])
@pytest.mark.parametrize("off", [False, True])
def test_gradients_of_a_noisy_picture(colour: str, off: bool) -> None:
    zero = dict.fromkeys(NOISE, 0.0) | {"read_noise_electrons": 6.0, "hot_pixel_electrons": 300.0}
    start = {**SHAPING, **(zero if off else NOISE)}
    described = scene(**start, colour=colour, bit_depth=16, hot_pixels_per_million=1e5)
    shape = (6, 7) if colour == "monochrome" else (3, 6, 7)
    irradiance = 0.3 + torch.rand(shape, dtype=torch.float64)

    def run(irradiance: torch.Tensor, *numbers: torch.Tensor) -> torch.Tensor:
        given = {f"camera.{n}": v for n, v in zip(start, numbers, strict=True)}
        return noisy(irradiance, Values(described, given, dtype=torch.float64), 5)

    inputs = [irradiance, *(torch.tensor(v).double() for v in start.values())]
    for tensor in inputs:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(unrounded(run), inputs, eps=1e-5, atol=1e-5, rtol=1e-5)
    rounded = run(*inputs)
    assert torch.equal(rounded, rounded.round()), "counts are whole"
    through = torch.autograd.grad(rounded.sum(), inputs)
    smooth = torch.autograd.grad(unrounded(run)(*inputs).sum(), inputs)
    for one, other in zip(through, smooth, strict=True):
        torch.testing.assert_close(one, other, rtol=0.05, atol=0.05 * float(other.abs().max()))


def test_a_noisy_picture_has_the_noise_of_an_exposure() -> None:
    described = scene(**NOISE, em_gain=5.0, dark_electrons=20.0, hot_pixels_per_million=500.0)
    light = torch.full((400, 400), 0.6)
    one = noisy(light, Values(described), 3)
    other = expose(light, described.camera, 4)
    assert float(one.mean()) == pytest.approx(float(other.mean()), rel=2e-3)
    assert float(one.std()) == pytest.approx(float(other.std()), rel=0.02)
    # Both have the pixels of the same camera.
    rows = [image - image.mean(1, keepdim=True) for image in (one, other)]
    assert float((rows[0] * rows[1]).mean() / (one.std() * other.std())) > 0.05
    assert torch.equal(one, noisy(light, Values(described), 3))
    assert not torch.equal(one, noisy(light, Values(described), 4))


def test_noisy_without_noise_is_the_rounded_expectation() -> None:
    quiet = values(noise=False)
    irradiance = torch.rand(8, 8, dtype=torch.float64)
    assert torch.equal(noisy(irradiance, quiet, 0), expected_counts(irradiance, quiet).round())


@pytest.mark.parametrize("colour", ["rgb", "bayer"])
def test_colour_pictures_have_their_channels_last(colour: str) -> None:
    described = scene(colour=colour)
    colours = torch.tensor([0.9, 0.5, 0.2]).double()[:, None, None].expand(3, 8, 10)
    expected = expected_counts(colours, Values(described, dtype=torch.float64))
    assert expected.shape == (8, 10, 3)
    torch.testing.assert_close(expected[3, 4], 10 + torch.tensor([180.0, 100.0, 40.0]).double())
    picture = expose(colours, described.camera, 0)
    assert picture.shape == (8, 10, 3)
    assert picture.dtype == torch.float32
    assert torch.equal(picture, picture.round())
    grey = expected_counts(colours[0], Values(described, dtype=torch.float64))
    torch.testing.assert_close(grey, torch.full((8, 10, 3), 190.0, dtype=torch.float64))


@pytest.mark.parametrize("function", [
    lambda light, described: expose(light, described.camera, 0),
    lambda light, described: expected_counts(light, Values(described)),
])  # fmt: skip
def test_channels_that_a_camera_cannot_see_are_refused(function: Any) -> None:
    with pytest.raises(ValueError, match=r"monochrome: light of shape \(3, 4, 5\)"):
        function(torch.ones(3, 4, 5), scene())
    with pytest.raises(
        ValueError, match=r"bayer: light of shape \(2, 4, 5\) must be \(3, Ny, Nx\)"
    ):
        function(torch.ones(2, 4, 5), scene(colour="bayer"))


def test_a_jpeg_needs_eight_bits() -> None:
    with pytest.raises(SceneError, match="jpeg_quality = 90 needs bit_depth = 8, not 12"):
        scene(jpeg_quality=90)


def test_a_camera_that_stores_jpegs() -> None:
    numbers = {**NUMBERS, "bit_depth": 8, "gain_electrons_per_count": 8.0}
    light = torch.rand(40, 40)
    plain, stored = (
        expose(light, Camera.model_validate({**numbers, **more}), 0)
        for more in ({}, {"jpeg_quality": 60})
    )
    assert torch.equal(stored, stored.round())
    assert 1 < float((plain - stored).std()) < float(plain.std())

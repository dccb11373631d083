"""A render depends on its scene and seed, not on what else the program does with torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import osog
from osog.optics import IMAGINGS

CAMERA = {"background_electrons": 800, "bit_depth": 12, "read_noise_electrons": 3.0}


def scene_of(kind: str, **extra: object) -> osog.Scene:
    return osog.Scene.model_validate(
        {
            "grid": {"shape": [24, 28], "pixel_size_um": 0.15},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": shape["kind"],
                    "shape": shape,
                    "material": {"index": 1.37, "emission_per_um": 1.0},
                    "count": 2,
                }
                for shape in (
                    {"kind": "sphere", "radius_um": 0.5},
                    {"kind": "rod", "length_um": 2.0, "radius_um": 0.3},
                    {"kind": "box", "size_um": [1.0, 0.6, 0.4]},
                )
            ],
            "microscope": {"modality": {"kind": kind}, "numerical_aperture": 0.5},
            "camera": CAMERA,
            "numerics": {"accuracy": "draft"},
            **extra,
        }
    )


def outputs_of(scene: osog.Scene) -> list[torch.Tensor]:
    frame = osog.render(scene, "cpu", 1, ("image", "irradiance", "instances", "boxes", "opd"))
    return [frame.image, frame.irradiance, frame.instances, frame.boxes, frame.opd]


@pytest.fixture
def usual_torch():
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)


@pytest.mark.parametrize("kind", IMAGINGS)
def test_defaults_of_torch_change_no_bit(kind: str, usual_torch: None) -> None:
    scene = scene_of(kind)
    usual = outputs_of(scene)
    torch.set_default_dtype(torch.float64)
    for mine, other in zip(usual, outputs_of(scene), strict=True):
        assert mine.dtype == other.dtype
        assert torch.equal(mine, other)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device("meta")  # whatever is made there has no value at all
    again = outputs_of(scene)
    differentiable = osog.forward(scene, {"microscope.focus_um": 0.3})
    torch.set_default_device(None)
    assert all(torch.equal(mine, other) for mine, other in zip(usual, again, strict=True))
    assert torch.equal(differentiable, osog.forward(scene, {"microscope.focus_um": 0.3}))


def test_a_network_is_trained_on_what_is_rendered() -> None:
    renderer = osog.Renderer("cpu")
    frame = renderer.render(scene_of("brightfield"), outputs=("image", "opd"))
    network = torch.nn.Conv2d(1, 1, 3, padding=1)
    found = network(frame.image[None, None])
    torch.nn.functional.mse_loss(found, frame.opd[None, None]).backward()
    assert float(network.weight.grad.abs().sum()) > 0
    frame.image.mul_(0)
    assert float(renderer.render(scene_of("brightfield")).image.mean()) > 0, "nothing is shared"


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_seeds_may_be_numbers_of_numpy(kind: type) -> None:
    scene = scene_of("brightfield")
    assert torch.equal(osog.render(scene, seed=kind(5)).image, osog.render(scene, seed=5).image)
    a, b = (osog.forward(scene, seed=s, noise_seed=s) for s in (kind(5), 5))
    assert torch.equal(a, b)
    assert len(osog.explicit(scene, kind(5)).populations[0].particles) == 2


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, None])
def test_other_seeds_are_refused_in_words(seed: object) -> None:
    scene = scene_of("brightfield")
    for call in (
        lambda: osog.render(scene, seed=seed),
        lambda: osog.forward(scene, seed=seed),
        lambda: osog.ForwardModel(scene, seed),
        lambda: osog.explicit(scene, seed),
    ):
        with pytest.raises(osog.SceneError, match=r"seed = .* must be"):
            call()
    if seed is not None:
        with pytest.raises(osog.SceneError, match=r"noise_seed = .* must be"):
            osog.forward(scene, noise_seed=seed)


def test_the_largest_seed_has_noise_of_its_own() -> None:
    most = 2**62 - 1
    scene = scene_of("brightfield", series={"frames": 2})
    assert not torch.equal(osog.render(scene, seed=most).image, osog.render(scene, seed=0).image)


@pytest.mark.parametrize("camera", [CAMERA, None])
def test_coarse_pixels_are_reported_with_and_without_a_camera(camera: dict | None) -> None:
    grid = {"shape": [24, 24], "pixel_size_um": 1.0}
    scene = scene_of("hologram", grid=grid, camera=camera)
    texts = [caution.text for caution in osog.render(scene).warnings]
    assert any("undersample NA 0.5" in text for text in texts), texts
    fine = scene_of("hologram", camera=camera)
    assert not any("undersample" in caution.text for caution in osog.render(fine).warnings)

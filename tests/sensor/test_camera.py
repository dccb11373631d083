from __future__ import annotations

from typing import Any

import pytest
import torch

from osog.sample import Values
from osog.scene import Camera, Scene
from osog.sensor import expected_counts, expose

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

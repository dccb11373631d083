"""White balance, colour matrix and tone curve against their closed forms."""

from __future__ import annotations

import pytest
import torch

from osog.sample import Values
from osog.scene import Camera, Scene
from osog.sensor.camera import expected_counts, expose
from osog.sensor.colour_filter import demosaic, mosaic
from osog.sensor.colour_matrix import corrected
from osog.sensor.gamma import toned
from osog.sensor.white_balance import balanced

DOUBLE = torch.float64
OFFSET = torch.tensor(10.0, dtype=DOUBLE)
GAINS = torch.tensor([1.8, 1.0, 0.6], dtype=DOUBLE)
MATRIX = torch.tensor([[1.6, -0.5, -0.1], [-0.2, 1.4, -0.2], [0.0, -0.6, 1.6]], dtype=DOUBLE)


def colours() -> torch.Tensor:
    torch.manual_seed(3)
    return 20 + 80 * torch.rand(3, 6, 8, dtype=DOUBLE)


def test_gains_act_on_each_colour_and_keep_the_offset() -> None:
    found = balanced(colours(), GAINS, OFFSET)
    for channel, gain in enumerate(GAINS):
        torch.testing.assert_close(found[channel], 10 + gain * (colours()[channel] - 10))
    # On the raw picture of a Bayer sensor: the same as to balance three chips first.
    raw = balanced(mosaic(colours()), GAINS, OFFSET)
    torch.testing.assert_close(raw, mosaic(balanced(colours(), GAINS, OFFSET)))


def test_the_matrix_keeps_white_and_mixes_the_rest() -> None:
    grey = torch.full((3, 2, 2), 77.0, dtype=DOUBLE)
    torch.testing.assert_close(corrected(grey, MATRIX, OFFSET), grey)
    expected = 10 + torch.einsum("ij,jyx->iyx", MATRIX, colours() - 10)
    torch.testing.assert_close(corrected(colours(), MATRIX, OFFSET), expected)


def test_the_tone_curve_keeps_black_and_white_and_is_a_power_between() -> None:
    ends = torch.tensor([10.0, 255.0], dtype=DOUBLE)
    gamma = torch.tensor(2.2, dtype=DOUBLE)
    torch.testing.assert_close(toned(ends, gamma, OFFSET, 255.0), ends)
    x = torch.linspace(0.01, 1, 50, dtype=DOUBLE)
    y = (toned(10 + 245 * x, gamma, OFFSET, 255.0) - 10) / 245
    assert float((y - x ** (1 / 2.2)).abs().max()) < 0.035
    linear = toned(10 + 245 * x, torch.tensor(1.0, dtype=DOUBLE), OFFSET, 255.0)
    torch.testing.assert_close(linear, 10 + 245 * x)


def test_gradients() -> None:
    gamma = torch.tensor(2.2, dtype=DOUBLE, requires_grad=True)
    offset = OFFSET.clone().requires_grad_()
    picture = (colours() - 25).requires_grad_()  # some of it below the offset
    gains, matrix = GAINS.clone().requires_grad_(), MATRIX.clone().requires_grad_()
    assert torch.autograd.gradcheck(balanced, (picture, gains, offset))
    assert torch.autograd.gradcheck(corrected, (picture, matrix, offset))
    assert torch.autograd.gradcheck(lambda *a: toned(*a, 255.0), (picture, gamma, offset))


def scene_of(**camera: object) -> Scene:
    linear = {"background_electrons": 5000, "gain_electrons_per_count": 50, "offset_counts": 10}
    return Scene.parse({"grid": {"shape": [6, 8]}, "camera": {**linear, **camera}})


def test_the_whole_chain_acts_in_the_order_of_a_camera() -> None:
    """Raw, gains, colours of every pixel, matrix, tone curve."""
    light = colours() / 100
    scene = scene_of(
        colour="bayer",
        white_balance=GAINS.tolist(),
        colour_matrix=MATRIX.flatten().tolist(),
        gamma=2.2,
    )
    found = expected_counts(light, Values(scene, dtype=DOUBLE)).movedim(-1, 0)
    raw = 10 + mosaic(light) * 5000 / 50
    chain = demosaic(balanced(raw, GAINS, OFFSET).clamp(0, 255)).clamp(0, 255)
    chain = corrected(chain, MATRIX, OFFSET).clamp(0, 255)
    expected = toned(chain, torch.tensor(2.2, dtype=DOUBLE), OFFSET, 255.0).clamp(0, 255)
    torch.testing.assert_close(found, expected)
    assert expose(light, scene.camera, 0).shape == (6, 8, 3)  # type: ignore[arg-type]


def test_counts_are_differentiable_in_the_numbers_of_the_chain() -> None:
    names = ("camera.white_balance[0]", "camera.colour_matrix[1]", "camera.gamma")
    scene, light = scene_of(colour="rgb"), colours() / 100

    def picture(*numbers: torch.Tensor) -> torch.Tensor:
        values = Values(scene, dict(zip(names, numbers, strict=True)), dtype=DOUBLE)
        return expected_counts(light, values)

    start = [torch.tensor(v, dtype=DOUBLE, requires_grad=True) for v in (1.0, 0.0, 1.0)]
    assert torch.autograd.gradcheck(picture, start)


def test_colours_need_a_colour_camera() -> None:
    with pytest.raises(ValueError, match="white_balance needs a colour camera"):
        Camera(white_balance=(2.0, 1.0, 1.0))
    assert Camera(gamma=2.2).gamma == 2.2

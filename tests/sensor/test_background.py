from __future__ import annotations

from typing import Any

import pytest
import torch

from osog.sample import Values
from osog.scene import Scene, SceneError
from osog.sensor import with_background
from osog.sensor.clouds import clouds
from osog.sensor.dust import dust

DOUBLE = torch.float64
SHAPE = (40, 60)
DUSTY = {"dust_count": 12, "dust_radius_px": 4.0, "dust_darkness": 0.4}


def lit(light: torch.Tensor | None = None, seed: int = 0, **background: Any) -> torch.Tensor:
    scene = Scene.parse({"grid": {"shape": SHAPE}, "background": background})
    light = torch.ones(SHAPE, dtype=DOUBLE) if light is None else light
    return with_background(light, Values(scene, dtype=DOUBLE), seed)


def test_no_background_costs_nothing() -> None:
    light = torch.ones(SHAPE)
    assert with_background(light, Values(Scene.parse({}))) is light


def test_gradient_runs_over_the_frame_and_keeps_the_mean() -> None:
    image = lit(gradient_x=0.3, gradient_y=-0.2)
    assert float(image.mean()) == pytest.approx(1)
    # The middle of the corner pixel lies half a pixel inside of the border.
    corner = (1 - 0.15 * 59 / 60) * (1 + 0.1 * 39 / 40)
    assert float(image[0, 0]) == pytest.approx(corner)
    assert float(image[0, -1]) == pytest.approx((1 + 0.15 * 59 / 60) * (1 + 0.1 * 39 / 40))


def test_vignette_is_its_value_in_the_corners_and_quadratic() -> None:
    image = lit(vignette=0.4)
    corner = 1 - 0.4 * ((59 / 60) ** 2 + (39 / 40) ** 2) / 2
    assert [float(image[k]) for k in ((0, 0), (-1, 0), (0, -1), (-1, -1))] == [
        pytest.approx(corner)
    ] * 4
    assert float(image.max()) == pytest.approx(1, abs=1e-3)
    loss = 1 - image[20, 30:]
    x = (torch.arange(30, 60, dtype=DOUBLE) + 0.5) / 60 - 0.5
    torch.testing.assert_close(loss - loss[0], 0.8 * (x**2 - x[0] ** 2))


def test_haze_adds_light_that_the_illumination_does_not_shape() -> None:
    sample = torch.rand(SHAPE, dtype=DOUBLE)
    torch.testing.assert_close(lit(sample, haze=0.25), sample + 0.25)
    both = lit(sample, haze=0.25, gradient_x=0.5)
    torch.testing.assert_close(both, lit(sample, gradient_x=0.5) + 0.25)
    # Vignette and dust shade it, too.
    shaded = lit(sample, haze=0.25, vignette=0.5, **DUSTY)
    torch.testing.assert_close(shaded, lit(sample + 0.25, vignette=0.5, **DUSTY))


def test_it_acts_on_every_channel_alike() -> None:
    colours = torch.rand(3, *SHAPE, dtype=DOUBLE)
    numbers = {"gradient_y": 0.3, "haze": 0.1, "structured_haze": 0.1, **DUSTY}
    whole = lit(colours, **numbers)
    torch.testing.assert_close(whole[1], lit(colours[1], **numbers))


def test_dust_stays_between_pictures() -> None:
    first, other_seed = lit(seed=1, **DUSTY), lit(seed=2, **DUSTY)
    assert torch.equal(first, other_seed)
    assert not torch.equal(first, lit(seed=1, dust_seed=1, **DUSTY))
    sample = torch.rand(SHAPE, dtype=DOUBLE)
    torch.testing.assert_close(lit(sample, **DUSTY), sample * first)


def test_one_more_speck_leaves_the_others() -> None:
    radius = torch.tensor(2.0, dtype=DOUBLE)
    few, more = (1 - dust(SHAPE, count, radius, 0) for count in (6, 7))
    changed = ((more / few - 1).abs() > 1e-9).to(DOUBLE)
    assert 0 < float(changed.mean()) < 0.3


def test_specks_are_dark_discs_with_a_bright_rim() -> None:
    image = lit(**DUSTY)
    assert 0.6 <= float(image.min()) < 0.75
    alone = 1 - dust(SHAPE, 1, torch.tensor(4.0, dtype=DOUBLE), 0)
    assert 1.02 < float(alone.max()) <= 1.12
    wide = dust((200, 200), 30, torch.tensor(6.0, dtype=DOUBLE), 3)
    narrow = dust((200, 200), 30, torch.tensor(3.0, dtype=DOUBLE), 3)
    ratio = float((wide > 0.15).sum() / (narrow > 0.15).sum())
    assert ratio == pytest.approx(4, rel=0.15), "the area grows with the square of the radius"


def test_darkness_scales_the_shade() -> None:
    faint, dark = lit(**{**DUSTY, "dust_darkness": 0.1}), lit(**DUSTY)
    torch.testing.assert_close(4 * (1 - faint), 1 - dark)


def test_clouds_have_the_stated_mean_square_and_correlation() -> None:
    scale = torch.tensor(5.0, dtype=DOUBLE)
    many = torch.stack([clouds((200, 200), scale, seed) for seed in range(6)])
    assert float(many.min()) > 0
    assert float(many.square().mean().sqrt()) == pytest.approx(1, abs=0.06)
    logarithm = many.log()
    logarithm -= logarithm.mean()
    variance = logarithm.square().mean()
    assert float(variance.sqrt()) == pytest.approx(0.6, rel=0.06)
    for axis in (1, 2):
        shifted = (logarithm * torch.roll(logarithm, 5, axis)).narrow(axis, 5, 195).mean()
        assert float(shifted / variance) == pytest.approx(0.3679, abs=0.06)


def test_clouds_belong_to_the_sample() -> None:
    numbers = {"structured_haze": 0.3, "haze_scale_um": 1.0}
    assert torch.equal(lit(seed=4, **numbers), lit(seed=4, **numbers))
    assert not torch.equal(lit(seed=4, **numbers), lit(seed=5, **numbers))
    double = lit(seed=4, structured_haze=0.6, haze_scale_um=1.0)
    torch.testing.assert_close(double - 1, 2 * (lit(seed=4, **numbers) - 1))


def test_a_crop_keeps_the_background_of_its_frame() -> None:
    numbers = {"gradient_x": 0.3, "vignette": 0.4, "structured_haze": 0.2, "haze_scale_um": 1.0}
    whole = lit(**numbers, **DUSTY)
    crop = {"background": {**numbers, **DUSTY, "crop": (7, 11, *SHAPE)}}
    scene = Scene.parse({"grid": {"shape": (20, 25)}, **crop})
    part = with_background(torch.ones(20, 25, dtype=DOUBLE), Values(scene, dtype=DOUBLE))
    assert torch.equal(part, whole[7:27, 11:36])
    with pytest.raises(SceneError, match="40 × 50 px from row 7 and column 11 must lie within"):
        Scene.parse({"grid": {"shape": (40, 50)}, **crop})


NUMBERS = {
    "gradient_x": 0.2,
    "gradient_y": -0.3,
    "vignette": 0.3,
    "haze": 0.1,
    "structured_haze": 0.2,
    "haze_scale_um": 1.3,
    "dust_radius_px": 3.3,
    "dust_darkness": 0.3,
}


@pytest.mark.parametrize("off", [False, True])
def test_gradients(off: bool) -> None:
    """Also where everything is off: a fit starts from there."""
    zero = {"gradient_x", "gradient_y", "vignette", "haze", "structured_haze"}
    start = {n: 0.0 if off and n in zero else v for n, v in NUMBERS.items()}
    scene = Scene.parse(
        {"grid": {"shape": (12, 14)}, "background": {**start, "dust_count": 3}}
    )  # fmt: skip
    light = torch.rand(12, 14, dtype=DOUBLE)

    def run(light: torch.Tensor, *numbers: torch.Tensor) -> torch.Tensor:
        given = {f"background.{n}": v for n, v in zip(start, numbers, strict=True)}
        return with_background(light, Values(scene, given, dtype=DOUBLE), 3)

    inputs = [light, *(torch.tensor(v, dtype=DOUBLE) for v in start.values())]
    for tensor in inputs:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(run, inputs, eps=1e-5, atol=1e-6, rtol=1e-4)

"""Camera and background behind the optics: what `render` and `forward` make of them together."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from osog.rendering import Renderer, forward, render
from osog.scene import Scene
from osog.scene.parameters import continuous, replaced

DOUBLE = torch.float64
BACKGROUND = {
    "gradient_x": 0.2,
    "vignette": 0.3,
    "haze": 0.1,
    "structured_haze": 0.1,
    "haze_scale_um": 1.0,
    "dust_count": 4,
    "dust_radius_px": 3.0,
    "dust_darkness": 0.3,
}
CAMERA = {
    "dark_electrons": 40.0,
    "em_gain": 2.0,
    "gain_electrons_per_count": 4.0,
    "full_well_electrons": 50_000.0,
    "bit_depth": 16,
    "row_noise_electrons": 5.0,
    "motion_blur_px": 2.0,
    "motion_azimuth_deg": 25.0,
    "sharpening": 0.5,
}


def scene_of(modality: str = "brightfield", **blocks: Any) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [26, 30], "pixel_size_um": 0.2},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 0.8},
                    "material": {"index": 1.37},
                    "particles": [{"x_um": 2.9, "y_um": 2.3, "z_um": 0.4}],
                }
            ],
            "microscope": {"modality": {"kind": modality}, "numerical_aperture": 0.6},
            "numerics": {"accuracy": "draft", "padding_um": 1.0},
            **blocks,
        }
    )


@pytest.mark.parametrize("modality", ["brightfield", "fluorescence"])
def test_background_acts_without_a_camera(modality: str) -> None:
    plain = render(scene_of(modality), "cpu").image
    frame = render(scene_of(modality, background=BACKGROUND), "cpu", outputs=("irradiance",))
    assert frame.irradiance is not None
    assert torch.equal(frame.image, frame.irradiance)
    assert float((frame.image - plain).abs().max()) > 0.1
    still = Scene.parse({**scene_of(modality).to_dict(), "camera": {"motion_blur_px": 5.0}})
    moved = render(still, "cpu", outputs=("irradiance",)).irradiance
    assert moved is not None
    torch.testing.assert_close(moved, plain)  # the light before the camera is that of an instant


def test_a_phase_has_neither_background_nor_numbers_of_one() -> None:
    plain, bright = (scene_of("phase", background=b) for b in ({}, BACKGROUND))
    assert torch.equal(render(plain, "cpu").image, render(bright, "cpu").image)
    assert not [p for p in continuous(bright) if p.name.startswith("background.")]
    assert [p for p in continuous(scene_of()) if p.name == "background.gradient_x"]


def test_dust_and_uneven_pixels_stay_while_the_seed_changes() -> None:
    uneven = {"response_nonuniformity": 0.05, "bit_depth": 16, "gain_electrons_per_count": 1.0}
    scene = scene_of(background={**BACKGROUND, "structured_haze": 0.0}, camera=uneven)
    empty = scene.model_copy(update={"populations": ()})
    one, two, other_camera = (
        render(s, "cpu", seed).image
        for s, seed in (
            (empty, 1),
            (empty, 2),
            (replaced(empty, {"camera.pixel_seed": 3}), 1),
        )
    )

    def alike(a: torch.Tensor, b: torch.Tensor) -> float:
        flat = [(image / forward(empty).float() - 1).flatten() for image in (a, b)]
        return float(torch.corrcoef(torch.stack(flat))[0, 1])

    assert alike(one, two) > 0.85
    assert abs(alike(one, other_camera)) < 0.2


def test_forward_is_the_mean_of_renders_with_all_of_it() -> None:
    scene = scene_of(camera=CAMERA, background={**BACKGROUND, "structured_haze": 0.0})
    expected = forward(scene)
    renderer = Renderer("cpu")
    frames = torch.stack([renderer.render(scene, seed).image.double() for seed in range(150)])
    pull = (frames.mean(0) - expected) / (frames.std(0) / 150**0.5)
    assert abs(float(pull.mean())) < 0.2
    assert float(pull.std()) == pytest.approx(1, abs=0.15)


def test_a_noisy_forward_keeps_its_gradient() -> None:
    scene = scene_of(camera=CAMERA)
    focus = torch.tensor(0.0, dtype=DOUBLE, requires_grad=True)
    noisy = forward(scene, {"microscope.focus_um": focus}, noise_seed=1)
    clean = forward(scene, {"microscope.focus_um": focus})
    assert torch.equal(noisy, noisy.round())
    assert 50 < float((noisy - clean).detach().std()) < 200
    weights = torch.arange(noisy.numel(), dtype=DOUBLE).reshape(noisy.shape).sin()
    slopes = [float(torch.autograd.grad((image * weights).sum(), focus)[0])
              for image in (noisy, clean)]  # fmt: skip
    assert slopes[0] == pytest.approx(slopes[1], rel=0.1)
    assert torch.equal(noisy, forward(scene, noise_seed=1))
    assert not torch.equal(noisy, forward(scene, noise_seed=2))


def test_gradients_of_camera_and_background_through_the_engine() -> None:
    scene = scene_of(camera=CAMERA, background=BACKGROUND)
    values = {p.name: p.value for p in continuous(scene)}
    values = {n: v for n, v in values.items() if n.split(".")[0] in ("camera", "background")}
    assert len(values) > 15
    tensors = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for n, v in values.items()}
    image = forward(scene, tensors)
    weights = torch.randn(image.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    gradients = torch.autograd.grad((image * weights).sum(), list(tensors.values()))
    for (name, value), gradient in zip(values.items(), gradients, strict=True):
        h = 1e-4 * max(1.0, abs(value))
        above, below = (forward(scene, {**values, name: value + d}) for d in (h, -h))
        difference = float(((above - below) / (2 * h) * weights).sum())
        assert float(gradient) == pytest.approx(difference, rel=1e-3, abs=1e-6), name
        assert difference != 0, name


def test_motion_widens_the_margin() -> None:
    free = {"numerics": {"accuracy": "draft"}}
    still = render(scene_of(**free, camera={}), "cpu").plan
    moved = render(scene_of(**free, camera={"motion_blur_px": 40.0}), "cpu").plan
    assert moved.padding_um - still.padding_um >= 20 * 0.2


def test_too_long_an_exposure_is_said_with_the_right_one() -> None:
    bright = scene_of(camera={"background_electrons": 20_000.0})
    warnings = [w for w in render(bright, "cpu").warnings if "saturated" in w.text]
    assert len(warnings) == 1
    assert "white level of 255" in warnings[0].text or "full well" in warnings[0].text
    mended = replaced(bright, warnings[0].remedy)
    assert not [w for w in render(mended, "cpu").warnings if "saturated" in w.text]
    picture = render(mended, "cpu").image
    assert 150 < float(picture.max()) < 240
    assert not [w for w in render(scene_of(camera={}), "cpu").warnings if "saturated" in w.text]

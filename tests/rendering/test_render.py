"""What `render`, `forward` and their models promise, whatever the physics behind them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import osog
from osog.rendering import OUTPUTS, ForwardModel, Renderer, choose_device, forward, render
from osog.rendering.pipeline import SCATTERING
from osog.scene import Scene, SceneError
from osog.scene.parameters import replaced

DOUBLE = torch.float64
CAMERA = {"background_electrons": 4000, "gain_electrons_per_count": 25, "offset_counts": 10}


def scene_of(modality: str = "brightfield", camera: Any = None, **blocks: Any) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [40, 48], "pixel_size_um": 0.15},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 0.8},
                    "material": {"index": 1.37},
                    "count": 6,
                    "placement": {"z_um": [-2, 2]},
                },
                {
                    "name": "rod",
                    "shape": {"kind": "rod", "length_um": 3, "radius_um": 0.5},
                    "particles": [{"x_um": 3.2, "y_um": 2.8, "z_um": 1.5}],
                },
            ],
            "microscope": {"modality": {"kind": modality}, "numerical_aperture": 0.6},
            "camera": camera,
            **blocks,
        }
    )


MODALITIES = ("brightfield", "dic", "hologram", "phase", "fluorescence")


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("camera", [None, CAMERA])
def test_outputs(modality: str, camera: Any) -> None:
    scene = scene_of(modality, camera)
    frame = render(scene, "cpu", 1, outputs=OUTPUTS)
    assert frame.image.shape == (40, 48)
    assert frame.image.dtype == torch.float32
    assert bool(torch.isfinite(frame.image).all())
    assert frame.instances is not None and frame.instances.dtype == torch.int32
    assert set(frame.instances.unique().tolist()) <= set(range(8))
    assert frame.boxes is not None and frame.boxes.shape == (len(frame.particles), 5)
    assert len(frame.particles) == 7
    assert frame.opd is not None and frame.opd.shape == (40, 48)
    assert frame.depth is not None
    assert torch.equal(torch.isnan(frame.depth), frame.instances == 0)
    assert frame.irradiance is not None and frame.irradiance.shape == (40, 48)
    if modality == "fluorescence":
        assert frame.field is None
    else:
        assert frame.field is not None and frame.field.dtype == torch.complex64
    if camera and modality != "phase":
        assert torch.equal(frame.image, frame.image.round()), "counts are whole"
        assert 0 <= float(frame.image.min()) and float(frame.image.max()) <= 255
    elif modality != "phase":
        assert torch.equal(frame.image, frame.irradiance)
        assert float(frame.image.min()) >= 0
    assert "7 particles" in frame.explain
    assert frame.milliseconds > 0


def test_only_what_is_asked_for_is_computed() -> None:
    frame = render(scene_of(), "cpu")
    assert all(getattr(frame, name) is None for name in OUTPUTS if name != "image")


@pytest.mark.parametrize("modality", MODALITIES)
def test_same_seed_same_bits_other_seed_other_image(modality: str) -> None:
    scene = scene_of(modality, CAMERA)
    one, two, other = (render(scene, "cpu", seed).image for seed in (4, 4, 5))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_noise_and_particles_come_from_the_seed_alone() -> None:
    scene = osog.explicit(scene_of(camera=CAMERA), 4)
    torch.manual_seed(1)
    one = render(scene, "cpu", 4).image
    torch.manual_seed(2)
    assert torch.equal(render(scene, "cpu", 4).image, one)
    assert torch.equal(render(scene_of(camera=CAMERA), "cpu", 4).image, one)
    fresh = render(scene, "cpu", 5).image
    assert not torch.equal(fresh, one), "the noise is another"
    assert float((fresh - one).abs().mean()) < 5, "the particles are the same"


@pytest.mark.parametrize("modality", MODALITIES)
def test_forward_is_the_noise_free_render(modality: str) -> None:
    quiet = {**CAMERA, "noise": False, "bit_depth": 16, "gain_electrons_per_count": 1.0}
    for camera, tolerance in ((None, 0.0), (quiet, 0.51)):
        scene = scene_of(modality, camera)
        picture = render(scene, "cpu", 3).image.double()
        expected = forward(scene, seed=3)
        rounding = 1e-3 * float(expected.abs().max())  # float32 at the silhouettes
        assert float((picture - expected).abs().max()) < tolerance + rounding
        assert float((picture - expected).abs().mean()) < tolerance + rounding / 10


def test_mean_of_noisy_frames_is_forward() -> None:
    scene = osog.explicit(scene_of(camera={**CAMERA, "bit_depth": 12}), 0)
    expected = forward(scene)
    renderer = Renderer("cpu")
    frames = torch.stack([renderer.render(scene, seed).image.double() for seed in range(150)])
    sigma = frames.std(0) / 150**0.5
    pull = (frames.mean(0) - expected) / sigma
    assert abs(float(pull.mean())) < 0.15
    assert float(pull.std()) == pytest.approx(1, abs=0.1)


def test_forward_takes_values_in_place_of_the_scenes() -> None:
    scene = scene_of()
    values = {"microscope.focus_um": 1.3, "particles[6].x_um": 4.0}
    listed = replaced(osog.explicit(scene, 2), values)
    torch.testing.assert_close(forward(scene, values, 2), forward(listed), rtol=1e-9, atol=1e-9)


def test_float32_forward_agrees_with_float64() -> None:
    scene = scene_of("dic")
    single, double = forward(scene, dtype=torch.float32), forward(scene)
    assert single.dtype == torch.float32
    assert float((single - double).abs().max()) < 1e-3 * float(double.max())
    assert torch.equal(single, render(scene, "cpu").image)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the exit waves that are computed."""
    calls: list[int] = []
    inner = SCATTERING["scalar"]

    def scattered(*arguments: Any) -> Any:
        calls.append(1)
        return inner(*arguments)

    monkeypatch.setitem(SCATTERING, "scalar", scattered)
    return calls


def test_forward_model_reuses_the_exit_wave_while_only_optics_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = counted(monkeypatch)
    scene = scene_of("dic", CAMERA)
    model = ForwardModel(scene)
    first = model.image({})
    for name, value in (
        ("microscope.focus_um", 1.0),
        ("microscope.numerical_aperture", 0.55),
        ("microscope.modality.shear_um", 0.2),
        ("microscope.aberrations.coma_x", 0.1),
        ("camera.offset_counts", 20.0),
    ):
        tensor = torch.tensor(value, dtype=DOUBLE, requires_grad=True)
        image = model.image({name: tensor})
        assert not torch.equal(image, first), name
        (gradient,) = torch.autograd.grad(image.square().mean(), tensor)
        assert float(gradient) != 0, name
    assert len(calls) == 1
    for name, value in (("particles[0].x_um", 1.0), ("medium.index", 1.34),
                        ("microscope.wavelength_um", 0.5)):  # fmt: skip
        model.image({name: value})
        assert len(calls) == 2, name
        calls.pop()


def test_reused_waves_give_the_image_of_a_fresh_model() -> None:
    scene = scene_of("dic")
    model = ForwardModel(scene)
    model.image({"particles[0].x_um": 2.0})
    model.image({"microscope.focus_um": -3.0})
    values = {"microscope.focus_um": 1.0, "particles[0].x_um": 2.0}
    fresh = ForwardModel(scene)
    assert torch.equal(model.image(values), fresh.image(values))


@pytest.mark.parametrize(
    ("change", "fresh"),
    [
        ({"microscope.focus_um": 0.05}, False),  # far moves need other margins, so other grids
        ({"microscope.modality.shear_um": 0.1}, False),
        ({"camera.offset_counts": 20.0}, False),
        ({"populations.beads.material.index": 1.4}, True),
        ({"populations.beads.count": 7}, True),
        ({"medium.index": 1.3301}, True),
        ({"microscope.wavelength_um": 0.5501}, True),
        ({"populations.rod.visible": False}, True),
    ],
)
def test_live_renderer_reuses_only_what_still_holds(
    change: dict[str, Any], fresh: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = counted(monkeypatch)
    scene = scene_of("dic", CAMERA)
    renderer = Renderer("cpu")
    renderer.render(scene)
    changed = replaced(scene, change)
    image = renderer.render(changed).image
    assert len(calls) == (2 if fresh else 1)
    assert torch.equal(image, Renderer("cpu").render(changed).image)


def disc(x: float, y: float) -> dict[str, Any]:
    return {"x_um": x, "y_um": y, "z_um": 0.0, "orientation_deg": [0, 90, 0]}


def discs(*particles: dict[str, Any]) -> Scene:
    """Thin discs in one plane, seen with all the band that the grid carries."""
    body = {
        "name": "discs",
        "shape": {"kind": "cylinder", "length_um": 0.3, "radius_um": 0.9},
        "material": {"index": 1.5, "absorption_per_um": 0.5},
        "scattering": "projection",
        "particles": list(particles),
    }
    return scene_of(populations=[body], numerics={"accuracy": "fine", "slab_um": 0.2})


def test_overlapping_particles_multiply() -> None:
    """Phases add in one slab, so transmissions multiply: fields are neither added nor painted."""
    one, two = disc(3.0, 3.0), disc(3.7, 3.3)
    twice = {
        "populations.discs.material.index": 1.67,
        "populations.discs.material.absorption_per_um": 1.0,
    }
    # The same place: two discs are one disc with twice the index difference and absorption.
    torch.testing.assert_close(
        forward(discs(one, one)), forward(discs(one), twice), rtol=1e-9, atol=1e-9
    )
    # Apart: log of the transmission adds, which quantitative phase shows directly.
    plan_of_both = ForwardModel(discs(one, two)).plan
    opd = [render(discs(*p), "cpu", outputs=("opd",)).opd for p in ((one,), (two,), (one, two))]
    assert all(image is not None for image in opd)
    torch.testing.assert_close(opd[0] + opd[1], opd[2])  # type: ignore[operator]
    assert plan_of_both.slabs >= 1


def test_live_renderer_follows_the_seed() -> None:
    # All in one plane, so that the grids are the same for every seed.
    beads = {"name": "b", "shape": {"kind": "sphere", "radius_um": 0.8}, "count": 5}
    scene, renderer = scene_of(populations=[beads]), Renderer("cpu")
    for seed in (1, 2, 1):
        frame = renderer.render(scene, seed)
        assert torch.equal(frame.image, render(scene, "cpu", seed).image)


def test_order_of_particles_does_not_matter() -> None:
    scene = osog.explicit(scene_of("dic"), 3)
    populations = [
        p.model_copy(update={"particles": (p.particles or ())[::-1]}) for p in scene.populations
    ]
    turned = scene.model_copy(update={"populations": tuple(populations[::-1])})
    torch.testing.assert_close(forward(scene), forward(turned), rtol=1e-12, atol=1e-12)


def test_empty_scenes_are_flat() -> None:
    for modality, level in (("brightfield", 1.0), ("hologram", 1.0), ("dic", 1.0), ("phase", 0.0),
                            ("fluorescence", 0.0)):  # fmt: skip
        frame = render(scene_of(modality, populations=[]), "cpu", outputs=("image", "boxes"))
        assert float((frame.image - level).abs().max()) < 1e-6
        assert frame.boxes is not None and frame.boxes.shape == (0, 5)
        assert any("no particles" in caution.text for caution in frame.warnings)


def test_one_pixel_frames_render() -> None:
    frame = render(scene_of(camera=CAMERA, grid={"shape": [1, 1], "pixel_size_um": 0.15}), "cpu")
    assert frame.image.shape == (1, 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: render(s, "cpu", outputs=("picture",)), "'picture' is not one of image, field"),
        (lambda s: render(s, "tpu"), "'tpu' is not available here; choose auto, cpu"),
        (lambda s: render(s, "cpu", -1), "seed = -1 must be"),
        (lambda s: forward(s, seed=-1), "seed = -1 must be"),
        (lambda s: forward(s, {"microscope.focus": 1.0}), "does not exist; there is modality"),
        (lambda s: forward(s, {"particles[9].x_um": 1.0}), "only 7 particles"),
        (lambda s: forward(s, {"microscope.focus_um": torch.zeros(3)}), "takes one number"),
        (lambda s: forward(s, {"microscope.focus_um": float("inf")}), "must be finite"),
        (lambda s: forward(s, {"microscope.numerical_aperture": 5.0}), "numerical_aperture = 5"),
        (lambda s: forward(s, {"microscope.wavelength_um": -0.5}), "wavelength_um = -0.5"),
        (lambda s: forward(s, {"populations.beads.shape.radius_um": -1.0}), "radius_um = -1"),
        (lambda s: forward(s, {"particles[6].radius_um": -1.0}), "radius_um = -1"),
        (lambda s: ForwardModel(s).image({"camera.offset_counts": 1.0}), "has no camera|camera"),
    ],
)
def test_errors_are_sentences(call: Any, words: str) -> None:
    with pytest.raises(SceneError, match=words) as caught:
        call(scene_of())
    assert "\n" not in str(caught.value)


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(SceneError, match="is not available here"):
        choose_device("cuda:99")


def test_a_frame_shows_itself_in_one_line() -> None:
    shown = repr(render(scene_of("hologram"), "cpu", outputs=("image", "field", "boxes")))
    assert "\n" not in shown and len(shown) < 160
    for part in ("Frame(image ", "field ", "boxes ", "hologram", "particles", "seed 0", "cpu"):
        assert part in shown
    assert "opd" not in shown

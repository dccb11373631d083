"""Stacks, time series, and populations without labels."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import osog
from osog.fitting import FitError
from osog.rendering import OUTPUTS, ForwardModel, forward, render
from osog.rendering.pipeline import SCATTERING
from osog.scene import Scene, SceneError
from osog.scene.parameters import replaced

DOUBLE = torch.float64
CAMERA = {"background_electrons": 4000, "gain_electrons_per_count": 25, "offset_counts": 10}


def scene_of(camera: Any = None, frames: int = 1, focus: Any = 0.3, **blocks: Any) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [32, 36], "pixel_size_um": 0.15},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 0.7},
                    "material": {"index": 1.39},
                    "count": 4,
                    "placement": {"z_um": [-1, 1]},
                    "motion": {"diffusion_um2_per_s": 0.4, "flow_um_per_s": [1, 0, 0]},
                },
                {
                    "name": "rod",
                    "shape": {"kind": "rod", "length_um": 3, "radius_um": 0.4},
                    "motion": {"diffusion_um2_per_s": None, "rotational_diffusion_per_s": None},
                    "particles": [{"x_um": 2.4, "y_um": 2.2}],
                },
            ],
            "microscope": {"numerical_aperture": 0.6, "focus_um": focus},
            "camera": camera,
            "series": {"frames": frames, "interval_s": 0.3},
            "numerics": {"accuracy": "draft"},
            **blocks,
        }
    )


def test_a_stack_is_its_planes() -> None:
    planes = (-2.0, 0.3, 1.7)
    scene = scene_of(focus=planes)
    frame = render(scene, "cpu", 1, outputs=OUTPUTS)
    assert frame.image.shape == (3, 32, 36)
    assert frame.irradiance is not None and frame.irradiance.shape == (3, 32, 36)
    assert frame.field is None
    assert frame.instances is not None and frame.instances.shape == (32, 36)
    assert "3 planes -2 to 1.7 µm" in frame.explain
    model = ForwardModel(scene, 1)
    for image, plane in zip(model.image({}), planes, strict=True):
        alone = ForwardModel(replaced(scene, {"microscope.focus_um": plane}), 1)
        alone.plan = alone.plans[0] = model.plan
        torch.testing.assert_close(image, alone.image({}), rtol=1e-12, atol=1e-12)
    single = replaced(scene, {"microscope.focus_um": (0.3,)})
    assert render(single, "cpu", 1).image.shape == (1, 32, 36), "a list keeps its axis"


def test_a_stack_costs_one_wave(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    inner = SCATTERING["scalar"]
    monkeypatch.setitem(SCATTERING, "scalar", lambda *a: (calls.append(1), inner(*a))[1])
    render(scene_of(focus=[-1, 0, 1, 2]), "cpu")
    assert len(calls) == 1


def test_the_margin_is_that_of_the_farthest_plane() -> None:
    plan = render(scene_of(focus=[0, -9]), "cpu").plan
    assert plan.padding_um == render(scene_of(focus=-9.0), "cpu").plan.padding_um


def test_every_picture_has_its_own_noise() -> None:
    scene = scene_of(CAMERA, frames=2, focus=[0, 0, 1], populations=[])
    image = render(scene, "cpu", 3).image
    assert image.shape == (2, 3, 32, 36)
    flat = image.flatten(0, 1)
    assert len({tuple(p.flatten().tolist()) for p in flat}) == 6
    assert float((flat[0] - flat[1]).std()) > 0.5
    first = render(replaced(scene, {"microscope.focus_um": 0.0, "series.frames": 1}), "cpu", 3)
    assert torch.equal(first.image, image[0, 0])


def test_gradient_in_one_plane() -> None:
    scene = scene_of(CAMERA, focus=[-1.0, 0.5])
    name = "microscope.focus_um[1]"
    plane = torch.tensor(0.5, dtype=DOUBLE, requires_grad=True)
    model = ForwardModel(scene)
    image = model.image({name: plane})
    (slope,) = torch.autograd.grad(image.square().mean(), plane)
    with torch.no_grad():
        above, below = (model.image({name: 0.5 + d}) for d in (1e-5, -1e-5))
    difference = (above.square().mean() - below.square().mean()) / 2e-5
    assert float(slope) == pytest.approx(float(difference), rel=1e-6)
    assert torch.equal(above[0], below[0]) and not torch.equal(above[1], below[1])
    with pytest.raises(SceneError, match=r"such as microscope.focus_um\[0\]"):
        forward(scene, {"microscope.focus_um": 1.0})


def test_a_series_has_a_frame_for_every_label() -> None:
    frame = render(scene_of(CAMERA, frames=4), "cpu", 2, outputs=OUTPUTS)
    assert frame.image.shape == (4, 32, 36)
    assert frame.positions.shape == (4, 5, 3)
    assert frame.boxes is not None and frame.boxes.shape == (4, 5, 5)
    for name in ("instances", "opd", "depth", "irradiance"):
        assert getattr(frame, name).shape == (4, 32, 36), name
    assert torch.equal(frame.positions[0], frame.particles.position)
    torch.testing.assert_close(frame.boxes[..., 0] * 0.15, frame.positions[..., 0])
    assert "4 frames every 0.3 s" in frame.explain


def test_frame_t_does_not_depend_on_how_many_follow() -> None:
    for camera in (None, CAMERA):
        long, short = (render(scene_of(camera, frames=n), "cpu", 2) for n in (5, 3))
        assert torch.equal(long.image[:3], short.image)
        assert torch.equal(long.positions[:3], short.positions)
    alone = render(scene_of(camera), "cpu", 2)
    assert torch.equal(long.image[0], alone.image)


def test_each_frame_is_the_image_of_the_moved_particles() -> None:
    scene = scene_of(frames=3)
    frame = render(scene, "cpu", 2)
    assert float((frame.image[1] - frame.image[0]).abs().max()) > 0.05
    still = osog.explicit(replaced(scene, {"series.frames": 1}), 2)
    beads = still.populations[0].particles
    assert beads is not None
    moved = still.model_copy(
        update={
            "populations": (
                still.populations[0].model_copy(
                    update={
                        "particles": tuple(
                            bead.model_copy(
                                update=dict(zip(("x_um", "y_um", "z_um"), place, strict=True))
                            )
                            for bead, place in zip(beads, frame.positions[2].tolist(), strict=False)
                        )
                    }
                ),
            )
        }
    )
    beads_only = scene.model_copy(update={"populations": scene.populations[:1]})
    torch.testing.assert_close(
        render(beads_only, "cpu", 2).image[2], render(moved, "cpu").image, atol=1e-4, rtol=0
    )


def test_forward_of_a_series_follows_its_particles() -> None:
    scene = scene_of(frames=3)
    assert float((forward(scene, seed=2) - render(scene, "cpu", 2).image).abs().max()) < 2e-3
    name = "populations.beads.material.index"
    index = torch.tensor(1.39, dtype=DOUBLE, requires_grad=True)
    model = ForwardModel(scene, 2)
    (slope,) = torch.autograd.grad(model.image({name: index}).square().mean(), index)
    with torch.no_grad():
        above, below = (model.image({name: 1.39 + d}).square().mean() for d in (1e-6, -1e-6))
    assert float(slope) == pytest.approx(float(above - below) / 2e-6, rel=1e-4)


def test_debris_shows_but_has_no_labels() -> None:
    scene = scene_of()
    debris = scene.populations[0].model_copy(update={"labelled": False})
    scene = scene.model_copy(update={"populations": (debris, scene.populations[1])})
    frame = render(scene, "cpu", 1, outputs=OUTPUTS)
    full = render(scene_of(), "cpu", 1, outputs=OUTPUTS)
    assert torch.equal(frame.image, full.image) and len(frame.particles) == 5
    assert frame.instances is not None and frame.boxes is not None
    assert frame.depth is not None and frame.opd is not None
    assert frame.instances.unique().tolist() == [0, 5], "row 4 is the rod, and its number is 5"
    assert float(frame.boxes[:4, 2:4].abs().max()) == 0 and float(frame.boxes[4, 2]) > 0
    assert torch.equal(torch.isnan(frame.depth), frame.instances == 0)
    assert torch.equal(frame.opd, full.opd)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (scene_of(focus=[0, 1]), "lists 2 planes: a fit compares one picture"),
        (scene_of(frames=3), "series.frames = 3: a fit compares one picture"),
        (scene_of({"colour": "rgb"}), "camera.colour = rgb: a fit compares one grey picture"),
    ],
)
def test_a_fit_takes_one_grey_picture(scene: Scene, words: str) -> None:
    image = torch.ones(32, 36)
    with pytest.raises(FitError, match=words):
        osog.fit(image, scene, free=("particles[4].x_um",))
    with pytest.raises(FitError, match=words):
        osog.detect(image, scene)

"""Partially coherent images far out of focus, against plain sums over very many directions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.autograd import gradcheck

from osog import ForwardModel, Renderer, Scene, render
from osog.exit_wave import plan_sampling
from osog.exit_wave.sampling.source_error import light_in_use
from osog.optics import image
from osog.rendering.pipeline import SCATTERING
from osog.sample import Values, sample
from osog.waves.condenser_points import ring_numbers

ANNULUS = {"inner_numerical_aperture": 0.85, "outer_numerical_aperture": 1.0}


def beads(
    kind: str | dict[str, Any] = "brightfield",
    *,
    focus_um: float = 5.0,
    places: Any = ((0.0, 0.0, 0.0),),
    size: int = 64,
    pixel_um: float = 0.13,
    index: float = 1.45,
    accuracy: str = "standard",
    scattering: str = "auto",
    **optics: Any,
) -> Scene:
    middle = size * pixel_um / 2
    particles = [{"x_um": middle + x, "y_um": middle + y, "z_um": z} for x, y, z in places]
    lens = {"numerical_aperture": 0.8, "condenser_numerical_aperture": 0.5, **optics}
    return Scene.parse(
        {
            "grid": {"shape": [size, size], "pixel_size_um": pixel_um},
            "medium": {"name": "water"},
            "populations": [
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 0.5},
                    "material": {"index": index},
                    "scattering": scattering,
                    "particles": particles,
                }
            ],
            "microscope": {
                "modality": {"kind": kind} if isinstance(kind, str) else kind,
                "focus_um": focus_um,
                **lens,
            },
            "numerics": {"accuracy": accuracy},
        }
    )


def with_points(scene: Scene, points: int) -> Scene:
    optics = scene.microscope.model_copy(update={"source_points": points})
    return scene.model_copy(update={"microscope": optics})


def off(scene: Scene, points: int) -> float:
    """Difference from a plain sum over many directions, as a share of the rms contrast."""
    found, exact = render(scene, "cpu"), render(with_points(scene, points), "cpu")
    assert found.plan.interference_rings and not exact.plan.interference_rings
    assert found.plan.lights < 0.2 * points
    assert "exit waves for" in found.explain
    assert not [w for w in found.warnings if "stand for the light" in w.text]
    return float((found.image - exact.image).std() / exact.image.std())


@pytest.mark.parametrize(
    ("kind", "focus_um", "condenser", "points"),
    [
        ("brightfield", 0.0, 0.64, 500),
        ("brightfield", 5.0, 0.24, 400),
        ("brightfield", 5.0, 0.5, 700),
        ("brightfield", -9.0, 0.5, 1100),
        ("dic", 6.0, 0.5, 700),
        ("phase_contrast", 8.0, 0.0, 500),
        ({"kind": "darkfield", **ANNULUS}, 4.0, 0.0, 800),
        ({"kind": "shadowgraph", "divergence_mrad": 200}, 20.0, 0.0, 600),
    ],
)
def test_a_bead_looks_as_in_the_light_of_very_many_points(
    kind: str, focus_um: float, condenser: float, points: int
) -> None:
    scene = beads(kind, focus_um=focus_um, condenser_numerical_aperture=condenser)
    assert off(scene, points) < 0.01


@pytest.mark.parametrize(
    "optics",
    [
        {"oblique_numerical_aperture": 0.15, "oblique_azimuth_deg": 30.0},
        {"aberrations": {"coma_x": 0.08, "spherical": 0.05}},
        {"pupil": {"vectorial": True}},
        {"pupil": {"vectorial": True}, "aberrations": {"astigmatism_0": 0.05}},
        {"pupil": {"obstruction": 0.3, "apodisation": "aplanatic"}},
        {"condenser_stop": 0.6},
        {"numerical_aperture": 1.05, "condenser_numerical_aperture": 0.7, "focus_um": 3.0},
        {"modality": {"kind": "polarized", "analyzer_deg": 30.0}},
    ],
)
def test_any_lens_and_light_agree_with_the_plain_sum(optics: dict[str, Any]) -> None:
    kind = optics.pop("modality", {"kind": "brightfield"})
    scene = beads(kind, **{"focus_um": 4.0, "condenser_numerical_aperture": 0.5, **optics}, size=40)
    assert off(scene, 700) < 0.03


def test_light_from_outside_the_aperture_is_added_by_its_scatter() -> None:
    scene = beads(focus_um=3.0, condenser_numerical_aperture=1.1, size=40)
    assert render(scene, "cpu").plan.outer_rings
    # Hardly any contrast is left of a bead in so much light, 0.07 % rms.
    assert off(scene, 700) < 0.08


def test_a_crowd_out_of_focus_gets_points_for_the_fringes_between_its_members() -> None:
    generator = torch.Generator().manual_seed(4)
    places = (torch.rand(12, 3, generator=generator) - 0.5) * torch.tensor([8.0, 8.0, 0.5])
    scene = beads(places=places.tolist(), index=1.38, scattering="slabs")
    plan = render(scene, "cpu").plan
    assert sum(plan.scatter_rings) > 2 * plan.lights
    assert off(scene, 600) < 0.03
    alone = render(beads(), "cpu").plan
    assert sum(alone.scatter_rings) < 40


def test_the_weak_preview_interpolates_too() -> None:
    scene = beads(index=1.335, focus_um=6.0)
    numerics = scene.numerics.model_copy(update={"partial_coherence": "weak_object"})
    assert off(scene.model_copy(update={"numerics": numerics}), 700) < 0.01


def test_the_table_over_the_radius_is_the_sum_over_the_plane() -> None:
    scene = beads(focus_um=4.0, size=48)
    values = Values(scene, dtype=torch.float64)
    batch = sample(values.scene, 0, values)
    plan = plan_sampling(scene, batch)
    assert plan.interference_rings
    wave = SCATTERING["scalar"](batch, values, plan)
    table = image(wave, values).irradiance
    # A trace of coma leaves the image alone and the symmetry broken.
    bent = values.replaced({"microscope": {"aberrations": {"coma_x": values.constant(1e-9)}}})
    plane = image(wave, bent).irradiance
    assert float((table - plane).abs().max()) < 1e-2 * float(plane.std())


def test_gradients_are_those_of_the_picture() -> None:
    names = (
        "microscope.focus_um",
        "microscope.numerical_aperture",
        "microscope.condenser_numerical_aperture",
        "microscope.wavelength_um",
        "particles[0].x_um",
        "particles[0].radius_um",
    )
    scene = beads(focus_um=3.0, size=16, pixel_um=0.4)
    model = ForwardModel(scene, dtype=torch.float64, device="cpu")
    assert model.plan.interference_rings
    generator = torch.Generator().manual_seed(2)
    weight = torch.rand(16, 16, dtype=torch.float64, generator=generator)
    start = [3.0, 0.8, 0.5, 0.55, 3.2, 0.5]
    numbers = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in start]

    def total(*given: torch.Tensor) -> torch.Tensor:
        return (weight * model.image(dict(zip(names, given, strict=True)))).sum()

    assert gradcheck(total, numbers, eps=1e-6, atol=2e-6, rtol=2e-4)


@pytest.mark.parametrize(
    ("kind", "focus_um", "condenser", "points"),
    [
        ("brightfield", 5.0, 0.5, 64),
        ("brightfield", 10.0, 0.5, 200),
        ("brightfield", 5.0, 0.24, 16),
        ("dic", 10.0, 0.5, 100),
        ("phase_contrast", 5.0, 0.0, 32),
    ],
)
def test_too_few_points_are_said_with_their_error(
    kind: str, focus_um: float, condenser: float, points: int
) -> None:
    scene = beads(kind, focus_um=focus_um, condenser_numerical_aperture=condenser, size=96)
    exact = render(scene, "cpu").image
    frame = render(with_points(scene, points), "cpu")
    true = 100 * float((frame.image - exact).std() / exact.std())
    light = light_in_use(frame.scene, frame.particles, frame.plan)
    assert light is not None
    assert light.error_percent / 1.6 < true < 1.6 * light.error_percent
    (words,) = [w for w in frame.warnings if "points stand for the light" in w.text]
    assert f"about {light.wanted}" in words.text
    assert words.remedy == {"microscope.source_points": light.wanted}
    assert f"{points} source points"[-13:] in frame.explain and "contrast error" in frame.explain


def test_a_deep_sample_takes_an_exit_wave_for_every_point() -> None:
    """Where depth asks for as many exit waves as points, nothing is interpolated."""
    scene = beads(places=[(0, 0, -4.0), (1, 1, 4.0)], focus_um=0.0, scattering="slabs")
    plan = render(scene, "cpu").plan
    assert not plan.interference_rings and plan.lights > 100
    assert replace(plan, source_rings=ring_numbers(32)).lights < 40


def test_more_points_of_the_image_need_no_new_exit_waves(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    scatter = SCATTERING["scalar"]

    def counted(*given: Any) -> Any:
        made.append(1)
        return scatter(*given)

    monkeypatch.setitem(SCATTERING, "scalar", counted)
    renderer = Renderer("cpu")
    first, second = (renderer.render(beads(focus_um=z)) for z in (5.0, 5.3))
    assert first.plan.interference_rings != second.plan.interference_rings
    assert first.plan.domain_px == second.plan.domain_px and len(made) == 1
    assert torch.equal(second.image, render(beads(focus_um=5.3), "cpu").image)

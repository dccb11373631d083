"""Legal but awkward values: pictures stay right, gradients stay there."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from osog.rendering import forward, render
from osog.scene import Scene

DOUBLE = torch.float64


def scene(kind: dict[str, Any], optics: dict[str, Any], bead: bool = True, **more: Any) -> Scene:
    population = {
        "name": "bead",
        "shape": {"kind": "sphere", "radius_um": 0.6},
        "material": {"index": 1.38},
        "particles": [{"x_um": 1.6, "y_um": 1.6}],
    }
    return Scene.parse(
        {
            "grid": {"shape": [32, 32], "pixel_size_um": 0.1},
            "medium": {"index": 1.33},
            "populations": [population] if bead else [],
            "microscope": {"modality": kind, **optics},
            **more,
        }
    )


@pytest.mark.parametrize(("lens", "condenser"), [(0.3, 0.9), (0.1, 0.5), (0.5, 0.9)])
def test_an_overfilled_objective_keeps_its_bright_field(lens: float, condenser: float) -> None:
    optics = {
        "numerical_aperture": lens, "condenser_numerical_aperture": condenser, "focus_um": 2.0,
    }  # fmt: skip
    few = render(scene({"kind": "brightfield"}, optics), "cpu").image
    many = render(scene({"kind": "brightfield"}, {**optics, "source_points": 300}), "cpu").image
    assert float((few - many).abs().max()) < 0.08
    assert float(many.mean()) == pytest.approx(1, abs=0.01)


def test_the_bias_of_dic_keeps_one_unit_for_all_wavelengths() -> None:
    """No jump where single wavelengths pass the limit of a dark background, and no lost colour."""
    led = {"spectrum": {"kind": "led", "bandwidth_nm": 20.0}}

    def level(bias_deg: float) -> float:
        kind = {"kind": "dic", "bias_retardance_deg": bias_deg}
        return float(render(scene(kind, led, bead=False), "cpu").image.mean())

    assert level(5.0) < 0.01
    assert [level(bias) for bias in (5.8, 6.5, 20.0)] == pytest.approx([1, 1, 1], abs=0.01)
    assert level(360.0) < 0.01


@pytest.mark.parametrize("condenser", [0.3, 0.9])
@pytest.mark.parametrize(("bead", "pixel"), [(False, 0.1), (True, 0.27)])
def test_the_weak_object_preview_takes_any_condenser_and_no_particles(
    condenser: float, bead: bool, pixel: float
) -> None:
    light = scene(
        {"kind": "brightfield"},
        {"condenser_numerical_aperture": condenser},
        bead,
        numerics={"partial_coherence": "weak_object"},
    )
    image = render(light.updated({"grid.pixel_size_um": pixel}), "cpu").image
    assert float(image.mean()) == pytest.approx(1, abs=0.02)


def test_light_through_the_objective_is_not_steeper_than_it() -> None:
    kind = {"kind": "reflection", "illumination_numerical_aperture": 1.2}
    optics = {"numerical_aperture": 1.2, "immersion_index": 1.518, "source_points": 40}
    open_ = scene(kind, optics)
    wider = open_.updated({"microscope.modality.illumination_numerical_aperture": 1.4})
    assert torch.equal(render(wider, "cpu").image, render(open_, "cpu").image)


@pytest.mark.parametrize("kind", ["reflection", "iscat"])
def test_a_body_like_the_medium_still_has_a_gradient(kind: str) -> None:
    body = scene({"kind": kind}, {}).updated({"populations.bead.scattering": "slabs"})
    name = "populations.bead.material.index"
    index = torch.tensor(1.33, dtype=DOUBLE, requires_grad=True)
    weights = torch.randn(32, 32, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))

    def light(value: Any) -> torch.Tensor:
        return (forward(body, {name: value}) * weights).sum()

    (slope,) = torch.autograd.grad(light(index), index)
    difference = (light(1.33 + 1e-6) - light(1.33 - 1e-6)) / 2e-6
    assert float(slope) == pytest.approx(float(difference), rel=1e-3)


def test_a_closed_condenser_has_a_gradient_of_zero() -> None:
    name = "microscope.condenser_numerical_aperture"
    closed = torch.tensor(0.0, dtype=DOUBLE, requires_grad=True)
    image = forward(scene({"kind": "brightfield"}, {}), {name: closed})
    assert float(torch.autograd.grad(image.sum(), closed)[0]) == 0


def test_a_cover_glass_below_the_aperture_is_planned_for() -> None:
    optics = {"numerical_aperture": 1.3, "immersion_index": 1.518, "cover_glass": {"index": 1.3}}
    frame = render(scene({"kind": "fluorescence"}, optics, medium={"index": 1.333}), "cpu")
    assert bool(frame.image.isfinite().all())


def test_the_preview_says_that_it_is_scalar() -> None:
    optics = {"condenser_numerical_aperture": 0.3, "pupil": {"vectorial": True}}
    preview = scene({"kind": "brightfield"}, optics, numerics={"partial_coherence": "weak_object"})
    words = [caution.text for caution in render(preview, "cpu").warnings]
    assert any("the vectorial pupil does not act" in text for text in words)
    exact = preview.updated({"numerics.partial_coherence": "abbe"})
    assert not [c for c in render(exact, "cpu").warnings if "vectorial" in c.text]

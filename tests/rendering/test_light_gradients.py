"""`forward` against finite differences in every number of the light."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from osog.rendering import ForwardModel, forward
from osog.scene import Scene
from osog.scene.parameters import continuous

DOUBLE = torch.float64
CONDENSER = {
    "condenser_numerical_aperture": 0.3,
    "condenser_stop": 0.35,
    "oblique_numerical_aperture": 0.2,
    "oblique_azimuth_deg": 25.0,
}
# Modality, its numbers, numbers of the microscope, how partial coherence is computed.
LIGHTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a condenser with stop and shift": ({"kind": "brightfield"}, CONDENSER, "abbe"),
    "one tilted wave": (
        {"kind": "brightfield"},
        {"oblique_numerical_aperture": 0.4, "oblique_azimuth_deg": -70.0},
        "abbe",
    ),
    "one tilted wave beyond the aperture": (
        {"kind": "brightfield"},
        {"oblique_numerical_aperture": 0.8},
        "abbe",
    ),
    "DIC with oblique light": ({"kind": "dic"}, CONDENSER, "abbe"),
    "positive phase contrast": (
        {"kind": "phase_contrast", "ring_width": 0.25, "retardation_deg": 80.0},
        {},
        "abbe",
    ),
    "negative phase contrast": (
        {"kind": "phase_contrast", "polarity": "negative", "ring_width": 0.25},
        {},
        "abbe",
    ),
    "darkfield": (
        {"kind": "darkfield", "inner_numerical_aperture": 0.7, "outer_numerical_aperture": 0.9},
        {},
        "abbe",
    ),
    "darkfield with direct light": (
        {"kind": "darkfield", "inner_numerical_aperture": 0.5, "outer_numerical_aperture": 0.9},
        {},
        "abbe",
    ),
    "shadowgraph": ({"kind": "shadowgraph", "divergence_mrad": 60.0}, {}, "abbe"),
    "off-axis hologram": (
        {"kind": "off_axis_hologram", "carrier_per_um": 3.3, "carrier_azimuth_deg": 33.0,
         "reference_amplitude": 0.8},
        {},
        "abbe",
    ),
    "weak brightfield": ({"kind": "brightfield"}, CONDENSER, "weak_object"),
    "weak DIC": ({"kind": "dic", "extinction": 0.02}, CONDENSER, "weak_object"),
    "weak phase contrast": ({"kind": "phase_contrast", "ring_width": 0.25}, {}, "weak_object"),
}  # fmt: skip


def scene_of(light: str) -> Scene:
    modality, optics, coherence = LIGHTS[light]
    return Scene.parse(
        {
            "grid": {"shape": [16, 17], "pixel_size_um": 0.2},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "bodies",
                    "shape": {"kind": "ellipsoid", "semi_axes_um": [0.9, 0.7, 0.53]},
                    "material": {"index": 1.36, "absorption_per_um": 0.05},
                    "particles": [
                        {"x_um": 1.43, "y_um": 1.31, "z_um": 0.4, "orientation_deg": [31, 17, 9]},
                        {"x_um": 2.22, "y_um": 1.91, "z_um": -0.5, "orientation_deg": [9, 33, 59]},
                    ],
                    "scattering": "slabs",
                }
            ],
            "microscope": {
                "modality": modality,
                "numerical_aperture": 0.6,
                "source_points": 8,
                "focus_um": 1.2,
                **optics,
            },
            "camera": {"background_electrons": 3000},  # far from saturation, which is a kink
            "numerics": {"accuracy": "draft", "padding_um": 1.0, "partial_coherence": coherence},
        }
    )


def acts(name: str, light: str) -> bool:
    """Numbers of this test: the light, the lens, the medium, and some of the sample."""
    if name.startswith("microscope."):
        field = name.split(".")[1]
        if field.startswith("condenser"):  # an opening condenser turns a plane wave into a cone
            return field in LIGHTS[light][1]
        own = ("oblique", "modality", "numerical_aperture", "wavelength_um", "focus_um")
        return field.startswith(own)
    return name in (
        "medium.index",
        "particles[0].x_um",
        "particles[0].z_um",
        "populations.bodies.shape.semi_axes_um[2]",
        "populations.bodies.material.index",
        "populations.bodies.material.absorption_per_um",
    )


@pytest.mark.parametrize("light", LIGHTS)
def test_gradients_of_every_number_of_the_light(light: str) -> None:
    scene = scene_of(light)
    values = {row.name: row.value for row in continuous(scene) if acts(row.name, light)}
    assert {f"microscope.{name}" for name in LIGHTS[light][1]} <= set(values)
    tensors = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for n, v in values.items()}
    image = forward(scene, tensors)
    weights = torch.randn(image.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    gradients = torch.autograd.grad(
        (image * weights).sum(), list(tensors.values()), allow_unused=True
    )
    model = ForwardModel(scene)
    failed, idle = [], []
    for (name, value), gradient in zip(values.items(), gradients, strict=True):
        # Short steps: waves become evanescent one by one, with a tiny jump, as λ changes.
        h = (1e-4 if name.endswith("deg") else 4e-6) * max(1.0, abs(value) * 0.1)
        with torch.no_grad():
            above, below = (model.image({**values, name: value + d}) for d in (h, -h))
        column = (above - below) / (2 * h)
        difference = float((column * weights).sum())
        analytic = 0.0 if gradient is None else float(gradient)
        floor = 1e-4 * float(column.norm()) + 1e-14 * float(image.detach().norm()) / h
        if abs(difference - analytic) > 1e-3 * abs(difference) + floor:
            failed.append(f"{name}: {analytic:.6g} by the adjoint, {difference:.6g} by differences")
        if analytic == 0.0:
            idle.append(name)
    assert not failed, "\n".join(failed)
    used = {n for n in values if not n.startswith("microscope.oblique")}
    used |= {f"microscope.{name}" for name in LIGHTS[light][1]}
    assert not set(idle) & used


def test_an_upright_wave_knows_how_it_would_change_when_tilted() -> None:
    """The tilt has a derivative at zero, where the light is axial."""
    tilt = "microscope.oblique_numerical_aperture"
    scene = scene_of("one tilted wave").model_dump()
    scene["microscope"]["oblique_numerical_aperture"] = 0.0
    upright = Scene.parse(scene)
    value = torch.zeros((), dtype=DOUBLE, requires_grad=True)
    image = forward(upright, {tilt: value})
    weights = torch.randn(image.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(2))
    (slope,) = torch.autograd.grad((image * weights).sum(), value)
    model, h = ForwardModel(upright), 1e-5
    with torch.no_grad():
        column = (model.image({tilt: h}) - model.image({tilt: -h})) / (2 * h)
    assert float(slope) == pytest.approx(float((column * weights).sum()), rel=1e-4)
    assert float(column.abs().max()) > 1.0

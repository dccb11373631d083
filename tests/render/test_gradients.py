"""`forward` against finite differences in float64: every shape, modality and continuous number."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from osog.render import ForwardModel, forward
from osog.scene import Scene
from osog.scene.parameters import continuous

DOUBLE = torch.float64
SHAPES: dict[str, dict[str, Any]] = {
    "sphere": {"kind": "sphere", "radius_um": 0.8},
    "ellipsoid": {"kind": "ellipsoid", "semi_axes_um": [1.1, 0.7, 0.5]},
    "rod": {"kind": "rod", "length_um": 2.6, "radius_um": 0.5},
    "cylinder": {"kind": "cylinder", "length_um": 2.2, "radius_um": 0.6},
    "box": {"kind": "box", "size_um": [2.2, 1.3, 0.8]},
    "polyhedron": {
        "kind": "polyhedron", "habit": "hexagonal_prism", "size_um": [2.4, 1.4, 1.3],
    },
}  # fmt: skip
# Modality, condenser NA.
LIGHTS: list[tuple[str, float]] = [
    ("brightfield", 0.0),
    ("brightfield", 0.3),
    ("dic", 0.0),
    ("dic", 0.3),
    ("hologram", 0.0),
    ("phase", 0.0),
    ("fluorescence", 0.0),
]


def scene_of(shape: str, modality: str, condenser: float) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [22, 24], "pixel_size_um": 0.2},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "bodies",
                    "shape": SHAPES[shape],
                    "material": {"index": 1.38, "absorption_per_um": 0.05},
                    "particles": [
                        {"x_um": 1.93, "y_um": 1.81, "z_um": 0.6, "orientation_deg": [31, 17, 9],
                         "index": 1.37},
                        {"x_um": 2.72, "y_um": 2.41, "z_um": -0.7,
                         "orientation_deg": [-40, 33, 59]},
                    ],
                }
            ],
            "microscope": {
                "modality": {"kind": modality},
                "numerical_aperture": 0.6,
                "condenser_numerical_aperture": condenser,
                "source_points": 2 if condenser else 0,
                "focus_um": 1.2,
                "aberrations": {
                    "spherical": 0.03, "coma_x": 0.02, "astigmatism_0": 0.01, "zernike": {5: 0.02},
                },
            },
            "camera": None if modality == "phase" else {},
            "numerics": {"accuracy": "draft", "padding_um": 1.0},
        }
    )  # fmt: skip


def step(name: str) -> float:
    return 2e-4 if name.endswith("deg") or "_deg[" in name else 2e-5


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("modality", "condenser"), LIGHTS)
def test_gradients_of_every_continuous_number(shape: str, modality: str, condenser: float) -> None:
    scene = scene_of(shape, modality, condenser)
    values = {row.name: row.value for row in continuous(scene)}
    values = {n: v for n, v in values.items() if n != "microscope.immersion_index"}
    if condenser == 0:  # an opening condenser turns a plane wave into a cone
        values.pop("microscope.condenser_numerical_aperture", None)
    assert len(values) > 20
    tensors = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for n, v in values.items()}
    image = forward(scene, tensors)
    weights = torch.randn(image.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    loss = (image * weights).sum()
    gradients = torch.autograd.grad(loss, list(tensors.values()), allow_unused=True)

    model = ForwardModel(scene)
    failed = []
    for (name, value), gradient in zip(values.items(), gradients, strict=True):
        h = step(name) * max(1.0, abs(value) * 0.1)
        with torch.no_grad():
            above, below = (model.image({**values, name: value + d}) for d in (h, -h))
        column = (above - below) / (2 * h)
        difference = float((column * weights).sum())
        analytic = 0.0 if gradient is None else float(gradient)
        # A random projection may nearly vanish; rounding of the image is divided by the step.
        floor = 1e-4 * float(column.norm()) + 1e-14 * float(image.detach().norm()) / h
        if abs(difference - analytic) > 1e-3 * abs(difference) + floor:
            failed.append(f"{name}: {analytic:.6g} by the adjoint, {difference:.6g} by differences")
    assert not failed, "\n".join(failed)

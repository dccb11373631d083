"""Gradients do not depend on how many bodies are differentiated at a time."""

from __future__ import annotations

import pytest
import torch

import osog
from osog import Scene
from osog.exit_wave import deposit

SCENE = {
    "grid": {"shape": [48, 48], "pixel_size_um": 0.2},
    "populations": [
        {
            "name": "rods",
            "shape": {"kind": "rod", "length_um": 2.0, "radius_um": 0.1},
            "material": {"index": 1.4},
            "count": 20,
            "placement": {"z_um": [-15, 15]},
        },
    ],
    "microscope": {"numerical_aperture": 0.5},
    "numerics": {"accuracy": "draft"},
}


def test_fewer_bodies_at_a_time_give_the_same_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene.parse(SCENE)
    names = (
        "populations.rods.material.index",
        "populations.rods.shape.radius_um",
        "particles[3].x_um",
    )
    start = {names[0]: 1.4, names[1]: 0.1, names[2]: 4.0}

    def gradient() -> list[float]:
        values = {
            n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in start.items()
        }
        osog.forward(scene, values, seed=2).square().sum().backward()
        return [float(v.grad) for v in values.values()]

    whole = gradient()
    asked = []
    smaller = deposit.PatchBatch.smaller

    def counted(self, most: int):
        parts = list(smaller(self, most))
        asked.append(len(parts))
        return iter(parts)

    monkeypatch.setattr(deposit.PatchBatch, "smaller", counted)
    monkeypatch.setitem(deposit._POINTS_HELD, "cpu", 5000)
    assert gradient() == pytest.approx(whole, rel=1e-10)
    assert max(asked) > 3

"""Pictures change evenly while a body moves, turns and grows by nanometres."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from osog.rendering import ForwardModel
from osog.scene import Scene
from osog.scene.parameters import continuous

DOUBLE = torch.float64
SHAPES: dict[str, dict[str, Any]] = {
    "sphere": {"kind": "sphere", "radius_um": 0.8},
    "small sphere": {"kind": "sphere", "radius_um": 0.3},
    "coated sphere": {
        "kind": "coated_sphere", "radius_um": 0.9, "core_radius_um": 0.6, "core_index": 1.4,
    },
    "ellipsoid": {"kind": "ellipsoid", "semi_axes_um": [1.1, 0.7, 0.5]},
    "rod": {"kind": "rod", "length_um": 2.6, "radius_um": 0.5},
    "thin rod": {"kind": "rod", "length_um": 2.0, "radius_um": 0.25},
    "cylinder": {"kind": "cylinder", "length_um": 2.2, "radius_um": 0.6},
    "box": {"kind": "box", "size_um": [2.2, 1.3, 0.8]},
    "prism": {
        "kind": "polyhedron", "habit": "hexagonal_prism", "size_um": [2.4, 1.4, 1.3],
    },
    "red cell": {
        "kind": "red_cell", "diameter_um": 3.4, "rim_thickness_um": 1.2,
        "centre_thickness_um": 0.6, "crest_diameter_um": 2.4,
    },
    "vesicle": {"kind": "vesicle", "semi_axes_um": [1.2, 0.9, 0.8], "wall_um": 0.2},
    "tube": {"kind": "tube", "length_um": 2.4, "radius_um": 0.6, "wall_um": 0.2},
    "bent rod": {
        "kind": "bent_rod", "length_um": 2.6, "radius_um": 0.4, "bend_deg": 0.0, "taper": 0.1,
    },
    "bent cylinder": {
        "kind": "bent_cylinder", "length_um": 2.6, "radius_um": 0.4, "bend_deg": -70.0,
        "taper": 0.1,
    },
}  # fmt: skip
LEVELS = ("red cell", "bent rod", "bent cylinder")
"""Bodies looked at point by point: their derivatives are exact, but ripple over 3 nm."""
POSES = {"tilted": [31, 17, 9], "flat": [20, 0, 0], "along": [0, 0, 0], "standing": [0, 90, 0]}
ROUND = ("sphere", "small sphere", "coated sphere")
CASES = [
    (shape, pose, modality)
    for modality in ("fluorescence", "dic")
    for shape in SHAPES
    for pose in POSES
    if pose == "tilted" or (shape not in ROUND and modality == "fluorescence")
]


def scene_of(shape: str, pose: str, modality: str, accuracy: str, pixels: int = 32) -> Scene:
    optics = {"condenser_numerical_aperture": 0.3, "source_points": 3} if modality == "dic" else {}
    middle = pixels * 0.13 / 2 - 0.15
    return Scene.parse(
        {
            "grid": {"shape": [pixels, pixels], "pixel_size_um": 0.13},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "shape": SHAPES[shape],
                    "material": {"index": 1.36},
                    "scattering": "slabs",
                    "particles": [
                        {"x_um": middle, "y_um": middle - 0.063, "z_um": 0.31,
                         "orientation_deg": POSES[pose]}
                    ],
                }
            ],
            "microscope": {
                "modality": {"kind": modality}, "numerical_aperture": 0.8,
                "wavelength_um": 0.55, "focus_um": 0.4, **optics,
            },
            "numerics": {"accuracy": accuracy},
        }
    )  # fmt: skip


def numbers(scene: Scene, pose: str) -> dict[str, float]:
    """Place, sizes and, where the picture has a slope in them, angles."""
    found = {}
    for row in continuous(scene):
        name = row.name.split(".", 1)[-1]
        angle = "orientation" in name
        # An even picture on both sides of a symmetric pose has no slope in its tilt.
        if angle and (
            pose == "standing" or name[-2] == "2" or (name[-2] == "1" and pose != "tilted")
        ):
            continue
        particle, size = row.name.startswith("particles[0]"), "shape." in row.name
        if (particle or size) and not name.endswith("index") and "absorption" not in name:
            if angle or name[-4:] == "z_um" or name in ("x_um", "y_um") or size:
                found[row.name] = float(row.value)
    return found


def weights(pixels: int) -> Tensor:
    place = torch.arange(pixels, dtype=DOUBLE) - (pixels - 1) / 2
    window = torch.exp(-((place / (pixels / 4.5)) ** 2))
    wave = 1 + torch.cos(0.55 * place + 0.35 * place[:, None] + 0.4)
    return window[:, None] * window * wave


@pytest.mark.parametrize(("shape", "pose", "modality"), CASES)
def test_the_derivative_holds_over_nanometres(shape: str, pose: str, modality: str) -> None:
    scene = scene_of(shape, pose, modality, "standard")
    values = numbers(scene, pose)
    assert len(values) >= 4
    model = ForwardModel(scene, values=values)
    tensors = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for n, v in values.items()}
    image = model.image(tensors)
    seen = weights(image.shape[-1])
    slopes = torch.autograd.grad((image * seen).sum(), list(tensors.values()), allow_unused=True)
    for (name, value), slope in zip(values.items(), slopes, strict=True):
        analytic = 0.0 if slope is None else float(slope)
        # Angles in steps that move the tip of the body by as much.
        unit = 52.0 if "deg" in name else 1.0
        for h in (1e-4, 3e-3):
            step = h * unit
            with torch.no_grad():
                ends = [model.image({**values, name: value + d}) for d in (step, -step)]
            column = (ends[0] - ends[1]) / (2 * step)
            found = float((column * seen).sum())
            # A weighted sum may happen to be nearly 0.
            scale = max(abs(found), 0.1 * float((column * seen).abs().sum()))
            if shape in LEVELS and (h > 1e-4 or "[0]" in name):
                continue
            assert abs(found - analytic) <= 5e-3 * scale, (name, h, found, analytic)


SHIFTS = {"sphere": 0.2, "ellipsoid": 0.25, "rod": 0.25, "cylinder": 0.1, "box": 0.1, "prism": 0.1}
"""Per cent of the contrast in a fine plan."""


@pytest.mark.parametrize("modality", ["fluorescence", "dic"])
@pytest.mark.parametrize("shape", SHIFTS)
def test_a_body_moved_by_parts_of_a_sample_is_the_moved_picture(shape: str, modality: str) -> None:
    """Whole pixels of the frame are fractions of the samples that bodies are drawn on."""
    scene = scene_of(shape, "tilted", modality, "fine", 36)
    x, y = (f"particles[0].{axis}_um" for axis in "xy")
    place = {r.name: float(r.value) for r in continuous(scene) if r.name in (x, y)}
    model = ForwardModel(scene, values=place)
    samples = 0.13 / model.plan.pitch_um[0]
    assert all(0.05 < (k * samples) % 1 < 0.95 for k in (1, 2, 3))
    with torch.no_grad():
        first = model.image(place)
        contrast = float(first.max() - first.min())
        for right, down in ((1, 0), (0, 1), (2, 1), (1, 3)):
            moved = model.image({x: place[x] + right * 0.13, y: place[y] + down * 0.13})
            error = (moved[3 + down : 30 + down, 3 + right : 30 + right] - first[3:30, 3:30]).abs()
            assert 100 * float(error.max()) < SHIFTS[shape] * contrast

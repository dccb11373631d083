"""`forward` against finite differences in float64: every shape, modality and continuous number."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from osog.rendering import ForwardModel, forward
from osog.scene import MODALITIES, Microscope, Scene
from osog.scene.parameters import continuous

DOUBLE = torch.float64
SHAPES: dict[str, dict[str, Any]] = {
    "sphere": {"kind": "sphere", "radius_um": 0.8},
    "coated_sphere": {
        "kind": "coated_sphere", "radius_um": 0.9, "core_radius_um": 0.6, "core_index": 1.4,
    },
    "ellipsoid": {"kind": "ellipsoid", "semi_axes_um": [1.1, 0.7, 0.5]},
    "rod": {"kind": "rod", "length_um": 2.6, "radius_um": 0.5},
    "cylinder": {"kind": "cylinder", "length_um": 2.2, "radius_um": 0.6},
    "box": {"kind": "box", "size_um": [2.2, 1.3, 0.8]},
    "polyhedron": {
        "kind": "polyhedron", "habit": "hexagonal_prism", "size_um": [2.4, 1.4, 1.3],
    },
}  # fmt: skip
# Every shape in transmitted light, with one plane wave and with a condenser, and in emission.
CASES = [
    (shape, modality, condenser)
    for modality, condenser in (("brightfield", 0.0), ("dic", 0.3), ("fluorescence", 0.0))
    for shape in SHAPES
]
# Every modality, with a ball (exact, where the plan takes that) and a body that has a direction.
CASES += [
    (shape, modality, 0.3 if MODALITIES[modality].condenser else 0.0)
    for modality in MODALITIES
    for shape in ("sphere", "box")
    if (shape, modality, 0.3 if MODALITIES[modality].condenser else 0.0) not in CASES
]
# Numbers behind the light: one scene is enough for them.
BEHIND = ("camera.", "background.")
FIELD = "microscope.field_aberrations."
# Numbers behind the body, and those of the field among them, which take several times as long:
# every modality has them with a ball, and all but those of the field with a box.
LENS = tuple(f"microscope.{name}" for name in Microscope.model_fields if name != "wavelength_um")
SPARED = {"sphere": (), "box": (FIELD,)}
# Numbers that are 0 or 1 where nothing happens, and would pass a test there by standing still.
AWAKE: dict[str, Any] = {
    "field_aberrations": {
        "curvature_um": 0.3, "coma": 0.02, "astigmatism": 0.02, "distortion_percent": 0.4,
        "vignetting": 0.2,
    },
    "cover_glass": {"depth_um": 6.0, "thickness_um": 175.0},
    "immersion_index": 1.333,
    "pupil": {"obstruction": 0.2, "apodisation": "aplanatic"},
    "chromatic": {"axial_um_per_100nm": 0.2, "lateral_percent_per_100nm": 0.1},
}  # fmt: skip


def scene_of(shape: str, modality: str, condenser: float) -> Scene:
    optics: dict[str, Any] = {}
    if condenser:
        optics = {
            "condenser_numerical_aperture": condenser,
            "condenser_stop": 0.2,
            "oblique_numerical_aperture": 0.05,
            "oblique_azimuth_deg": 20.0,
            "source_points": 2,
        }
    kind: dict[str, Any] = {"kind": modality}
    if MODALITIES[modality].wave == "reflected":
        kind["interface_um"] = 2.5
    if MODALITIES[modality].wave == "emission":
        kind["background"] = 0.1
    return Scene.parse(
        {
            "grid": {"shape": [22, 24], "pixel_size_um": 0.2},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "bodies",
                    "shape": SHAPES[shape],
                    "material": {
                        "index": 1.38, "absorption_per_um": 0.05, "birefringence": 0.02,
                        "optic_axis": [0.8, 0.3, 0.5],
                    },
                    "particles": [
                        {"x_um": 1.93, "y_um": 1.81, "z_um": 0.6, "orientation_deg": [31, 17, 9],
                         "index": 1.37},
                        {"x_um": 2.72, "y_um": 2.41, "z_um": -0.7,
                         "orientation_deg": [-40, 33, 59]},
                    ],
                }
            ],
            "microscope": {
                "modality": kind,
                "numerical_aperture": 0.6,
                "focus_um": 1.2,
                "source_points": 2,
                "aberrations": {
                    "spherical": 0.03, "coma_x": 0.02, "astigmatism_0": 0.01, "zernike": {5: 0.02},
                    "osa": {6: 0.01},
                },
                **optics,
            },
            "camera": None if modality == "phase" else {
                "em_gain": 2.0, "dark_electrons": 20.0, "motion_blur_px": 1.5, "sharpening": 0.4,
                "full_well_electrons": 40000, "gain_electrons_per_count": 400,
            },
            "background": {
                "gradient_x": 0.1, "gradient_y": -0.05, "vignette": 0.1, "haze": 0.1,
                "structured_haze": 0.05,
            },
            "numerics": {"accuracy": "draft", "padding_um": 1.0},
        }
    )  # fmt: skip


def step(name: str) -> float:
    return 2e-4 if name.endswith("deg") or "_deg[" in name else 2e-5


def disagreements(scene: Scene, skip: tuple[str, ...] = ()) -> list[str]:
    """Numbers whose derivative by the adjoint is not the one by finite differences."""
    values = {
        row.name: row.value
        for row in continuous(scene)
        if not row.name.startswith(skip or "-")
        and row.limits[0] < row.value < row.limits[1]  # at a limit there is one side only
    }
    assert len(values) > 15
    # A number of the field that is asked for, even if it is 0, has the light imaged from every
    # part of the field, which takes several times as long: such are asked for by themselves.
    field = {name: v for name, v in values.items() if name.startswith(FIELD) and v == 0}
    others = {name: value for name, value in values.items() if name not in field}
    return [line for group in (field, others) if group for line in _disagreements(scene, group)]


def _disagreements(scene: Scene, values: dict[str, float]) -> list[str]:
    tensors = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for n, v in values.items()}
    image = forward(scene, tensors)
    weights = torch.randn(image.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    loss = (image * weights).sum()
    gradients = torch.autograd.grad(loss, list(tensors.values()), allow_unused=True)

    model = ForwardModel(scene, values=values)
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
    return failed


@pytest.mark.parametrize(("shape", "modality", "condenser"), CASES)
def test_gradients_of_every_continuous_number(shape: str, modality: str, condenser: float) -> None:
    scene = scene_of(shape, modality, condenser)
    one = (shape, modality) == ("rod", "dic")
    skip = () if one else BEHIND + SPARED.get(shape, LENS)
    if not scene.microscope.condenser_numerical_aperture:
        # An opening condenser turns a plane wave into a cone.
        skip = (*skip, "microscope.condenser", "microscope.oblique")
    assert not disagreements(scene, skip)


@pytest.mark.parametrize("modality", ["brightfield", "confocal", "polarized"])
def test_gradients_of_every_aberration_in_light_of_some_bandwidth(modality: str) -> None:
    data = scene_of("rod", modality, 0.0).to_dict()
    data["microscope"] |= AWAKE
    if modality == "brightfield":
        data["microscope"]["spectrum"] = {"kind": "led", "bandwidth_nm": 40.0}
    data["camera"]["colour"] = "bayer"
    only = ("particles", "populations", "camera", "background", "microscope.condenser",
            "microscope.oblique")  # fmt: skip
    assert not disagreements(Scene.parse(data), only)

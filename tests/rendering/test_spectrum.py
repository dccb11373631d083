"""Colours: the sum over wavelengths, chromatic aberration, and gradients of all their numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from osog.optics.spectrum import focus_shift, spectral_samples
from osog.rendering import ForwardModel, Renderer, forward, render
from osog.sample import Values
from osog.scene import Scene
from osog.scene.parameters import continuous, replaced

DOUBLE = torch.float64
COUNTS = {"background_electrons": 4000, "gain_electrons_per_count": 50, "noise": False,
          "bit_depth": 16}  # fmt: skip


def scene_of(spectrum: dict[str, Any], camera: Any = None, **microscope: Any) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [30, 34], "pixel_size_um": 0.15},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 0.7},
                    "material": {"index": 1.40, "absorption_per_um": 0.05},
                    "particles": [
                        {"x_um": 1.6, "y_um": 2.0, "z_um": 0.4},
                        {"x_um": 3.4, "y_um": 2.9, "z_um": -0.8},
                    ],
                }
            ],
            "microscope": {"numerical_aperture": 0.6, "spectrum": spectrum, **microscope},
            "camera": camera,
            "numerics": {"accuracy": "draft", "wavelengths": 4, "padding_um": 1.5,
                         "pitch_um": 0.12, "slab_um": 0.5},
        }
    )  # fmt: skip


@pytest.mark.parametrize("modality", ["brightfield", "dic", "hologram", "darkfield"])
def test_the_sum_over_wavelengths(modality: str) -> None:
    """Each line alone, rendered as a monochromatic scene on the same grids, weighted by hand."""
    scene = scene_of({"kind": "led", "bandwidth_nm": 60}, modality={"kind": modality})
    lines = spectral_samples(Values(scene, dtype=DOUBLE), 4, colour=False)
    total = torch.zeros(30, 34, dtype=DOUBLE)
    for line in lines:
        wavelength = float(line.wavelength_um)
        alone = scene.model_copy(
            update={
                "microscope": scene.microscope.model_copy(
                    update={"spectrum": Scene().microscope.spectrum, "wavelength_um": wavelength}
                )
            }
        )
        unit = 1.0
        if modality == "dic":  # the bias is a path difference; its background at 0.55 µm is 1
            bias = 90 * 0.55 / wavelength
            alone = replaced(alone, {"microscope.modality.bias_retardance_deg": bias})
            unit = 2 * math.sin(math.radians(bias / 2)) ** 2
        model = ForwardModel(scene)
        single = ForwardModel(alone)
        single.plan = single.plans[0] = model.plan
        total += line.weights * unit * single.image({})
    torch.testing.assert_close(forward(scene), total, rtol=1e-9, atol=1e-9)
    assert float((total - forward(alone)).abs().max()) > 0.005, "the lines differ"


def test_colour_cameras_see_white_where_nothing_is() -> None:
    for colour in ("rgb", "bayer"):
        scene = scene_of({"kind": "halogen"}, {**COUNTS, "colour": colour})
        image = render(scene, "cpu").image
        assert image.shape == (30, 34, 3)
        empty = scene.model_copy(update={"populations": ()})
        blank = render(empty, "cpu").image
        torch.testing.assert_close(blank, torch.full_like(blank, 85.0), atol=0.5, rtol=0)
        assert float((image[..., 0] - image[..., 2]).abs().max()) > 4, "edges have colours"
    frame = render(scene, "cpu", outputs=("irradiance", "field"))
    assert frame.irradiance is not None and frame.irradiance.shape == (3, 30, 34)
    assert frame.field is None, "several wavelengths have no common field"


def test_forward_is_the_noise_free_render_of_a_colour_camera() -> None:
    scene = scene_of({"kind": "white_led"}, {**COUNTS, "colour": "rgb"})
    expected = forward(scene)
    assert expected.shape == (30, 34, 3)
    assert float((render(scene, "cpu").image - expected).abs().max()) < 0.6


def test_phase_stays_grey_behind_a_colour_camera() -> None:
    scene = scene_of({"kind": "monochromatic"}, {"colour": "rgb"}, modality={"kind": "phase"})
    assert render(scene, "cpu").image.shape == (30, 34)


def test_green_beads_are_green_and_red_ones_red() -> None:
    for wavelength, channel in ((0.53, 1), (0.62, 0)):
        scene = scene_of(
            {"kind": "led", "bandwidth_nm": 30}, {**COUNTS, "colour": "rgb"},
            modality={"kind": "fluorescence"}, wavelength_um=wavelength,
        )  # fmt: skip
        light = render(scene, "cpu").image - 5.0
        assert int(light.sum((0, 1)).argmax()) == channel


def sharpness(image: torch.Tensor) -> float:
    return float(image.std())


def test_axial_colour_moves_the_focus_of_each_colour() -> None:
    """With +2 µm per 100 nm the plane that 600 nm shows lies 1 µm above that of 550 nm."""
    point = {
        "populations": [
            {"name": "p", "shape": {"kind": "sphere", "radius_um": 0.15},
             "particles": [{"x_um": 2.4, "y_um": 2.2}]}
        ]
    }  # fmt: skip
    scene = scene_of(
        {"kind": "led", "bandwidth_nm": 0.1}, modality={"kind": "fluorescence"},
        chromatic={"axial_um_per_100nm": 2.0}, numerical_aperture=0.9, wavelength_um=0.55,
    )  # fmt: skip
    scene = Scene.parse({**scene.to_dict(), **point})
    values = Values(scene, dtype=DOUBLE)
    for wavelength, rise in ((0.5, -1.0), (0.6, 1.0), (0.55, 0.0)):
        shift = focus_shift(values, torch.tensor(wavelength, dtype=DOUBLE))
        assert float(shift) == pytest.approx(rise)
    # A point in the plane 0 is therefore sharp in red while the microscope is focused below it.
    wide = replaced(scene, {"microscope.spectrum.bandwidth_nm": 100.0})
    wide = wide.model_copy(
        update={
            "camera": Scene.parse({"camera": {**COUNTS, "colour": "rgb"}}).camera,
            "numerics": wide.numerics.model_copy(update={"wavelengths": 8}),
        }
    )
    planes = np.linspace(-2, 2, 9)
    stack = replaced(wide, {"microscope.focus_um": tuple(planes)})
    light = render(stack, "cpu").image - 5.0
    peak = light.amax((1, 2))
    heights = [(peak[:, c] * torch.as_tensor(planes)).sum() / peak[:, c].sum() for c in range(3)]
    red, green, blue = (float(h) for h in heights)
    # Mean wavelengths of the channels under this line: about 585, 540 and 500 nm.
    assert (red, green, blue) == pytest.approx((-0.7, 0.2, 1.0), abs=0.25)


def test_lateral_colour_moves_red_outwards() -> None:
    beads = [{"x_um": 0.6 + 1.3 * k, "y_um": 2.175} for k in range(4)]
    scene = scene_of(
        {"kind": "white_led"}, {**COUNTS, "colour": "rgb"}, modality={"kind": "fluorescence"},
        chromatic={"lateral_percent_per_100nm": 4.0},
    )  # fmt: skip
    scene = scene.model_copy(
        update={
            "populations": Scene.parse(
                {"populations": [{"name": "p", "shape": {"kind": "sphere", "radius_um": 0.2},
                                  "particles": beads}]}
            ).populations,
            "numerics": scene.numerics.model_copy(update={"wavelengths": 12}),
        }
    )  # fmt: skip
    light = render(scene, "cpu", outputs=("irradiance",)).irradiance
    assert light is not None
    x = torch.arange(34.0)
    for k, bead in enumerate(beads):
        column = bead["x_um"] / 0.15
        window = (x - column).abs() < 4.1
        part = light[:, :, window].sum(1)
        red, _, blue = ((part * x[window]).sum(1) / part.sum(1)).tolist()
        outwards = (red - blue) * (1 if column > 16.5 else -1)
        # Some 120 nm lie between the mean wavelengths of red and blue.
        expected = 0.04 * 1.2 * abs(column - 16.5)
        assert outwards == pytest.approx(expected, rel=0.35, abs=0.03), k


@pytest.mark.parametrize("factor", [-1.5, 1.5])
def test_lateral_colour_leaves_the_microscopes_wavelength_alone(factor: float) -> None:
    narrow = {"kind": "led", "bandwidth_nm": 0.1}
    still = scene_of(narrow)
    moved = scene_of(narrow, chromatic={"lateral_percent_per_100nm": factor})
    torch.testing.assert_close(forward(moved), forward(still), atol=2e-3, rtol=0)


GRADIENTS = [
    ({"kind": "led", "bandwidth_nm": 40.0}, "brightfield", None),
    ({"kind": "led", "bandwidth_nm": 40.0}, "dic", {"colour": "rgb"}),
    ({"kind": "white_led", "blue_share": 0.35}, "brightfield", {"colour": "rgb"}),
    ({"kind": "halogen"}, "phase_contrast", {"colour": "bayer"}),
    ({"kind": "halogen"}, "fluorescence", {"colour": "rgb"}),
]


@pytest.mark.parametrize(("spectrum", "modality", "camera"), GRADIENTS)
def test_gradients(spectrum: dict[str, Any], modality: str, camera: Any) -> None:
    scene = scene_of(
        spectrum, camera, modality={"kind": modality},
        chromatic={"axial_um_per_100nm": 0.8, "lateral_percent_per_100nm": 0.4},
        aberrations={"spherical": 0.05}, source_points=4,
    )  # fmt: skip
    data = scene.to_dict()
    data["medium"]["abbe_number"] = 55.0
    data["populations"][0]["material"]["abbe_number"] = 30.0
    scene = Scene.parse(data)
    wanted = ("spectrum", "chromatic", "abbe_number", "wavelength_um", "medium.index", "focus_um",
              "material.index", "spherical", "numerical_aperture")  # fmt: skip
    values = {
        p.name: p.value
        for p in continuous(scene)
        if any(word in p.name for word in wanted) and "condenser" not in p.name
        and "oblique" not in p.name
    }  # fmt: skip
    assert len(values) >= 9
    tensors = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for n, v in values.items()}
    model = ForwardModel(scene)
    image = model.image(tensors)
    weights = torch.randn(image.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    gradients = torch.autograd.grad((image * weights).sum(), list(tensors.values()),
                                    allow_unused=True)  # fmt: skip
    failed, acting = [], 0
    for (name, value), gradient in zip(values.items(), gradients, strict=True):
        h = 2e-5 * max(1.0, abs(value) * 0.1)
        with torch.no_grad():
            above, below = (model.image({**values, name: value + d}) for d in (h, -h))
        column = (above - below) / (2 * h)
        difference, analytic = float((column * weights).sum()), float(gradient or 0.0)
        floor = 1e-4 * float(column.norm()) + 1e-14 * float(image.detach().norm()) / h
        if abs(difference - analytic) > 1e-3 * abs(difference) + floor:
            failed.append(f"{name}: {analytic:.6g} by the adjoint, {difference:.6g} by differences")
        acting += analytic != 0
    assert not failed, "\n".join(failed)
    assert acting >= len(values) - (3 if modality == "fluorescence" else 0)


def test_a_lamps_colour_moves_without_new_waves() -> None:
    renderer, scene = Renderer("cpu"), scene_of({"kind": "halogen"}, {**COUNTS, "colour": "rgb"})
    first = renderer.render(scene)
    warmer = replaced(
        scene,
        {"microscope.spectrum.temperature_k": 2000.0, "microscope.chromatic.axial_um_per_100nm": 1},
    )
    second = renderer.render(warmer)
    assert second.wave_inputs is first.wave_inputs
    assert not torch.equal(first.image, second.image)
    assert torch.equal(second.image, Renderer("cpu").render(warmer).image)
    other = renderer.render(replaced(scene, {"microscope.wavelength_um": 0.56}))
    assert other.wave_inputs is not first.wave_inputs, (
        "dispersion and focus refer to the microscope's wavelength"
    )

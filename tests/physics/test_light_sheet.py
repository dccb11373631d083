"""Laws of the light sheet: a Gaussian section that follows the focus and widens sideways."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from osog.optics import image as form_image
from osog.rendering import forward
from osog.sample import Values
from osog.scene import Scene

INDEX, EXCITING, PIXEL = 1.33, 0.488, 0.2


def beads(xs: list[float], z: float = 0.0, **modality: Any) -> Scene:
    """Beads of 0.3 µm radius in a row; 24 × 100 pixels of 0.2 µm."""
    return Scene.parse(
        {
            "grid": {"shape": [24, 100], "pixel_size_um": PIXEL},
            "medium": {"index": INDEX},
            "populations": [
                {
                    "shape": {"kind": "sphere", "radius_um": 0.3},
                    "material": {"emission_per_um": 1.0},
                    "particles": [{"x_um": x, "y_um": 2.4, "z_um": z} for x in xs],
                }
            ],
            "microscope": {
                "modality": {"kind": "light_sheet", **modality}, "numerical_aperture": 0.4,
            },
            "numerics": {"accuracy": "standard", "padding_um": 4.0, "pitch_um": 0.1},
        }
    )  # fmt: skip


def bead_light(off: float, width: float) -> float:
    """Emission of a bead whose centre lies off the middle of a sheet, by quadrature."""
    z = np.linspace(-0.3, 0.3, 2001)
    area = np.pi * (0.3**2 - z**2)
    return float(np.trapezoid(area * np.exp(-2 * (z + off) ** 2 / width**2), z))


def light(scene: Scene, left: int = 0, right: int = 100, **values: float) -> float:
    """Sum over the frame: of widefield light, whatever its focus, but for what leaves the frame."""
    named = {f"microscope.{k}": v for k, v in values.items()}
    return float(forward(scene, named)[:, left:right].sum()) * PIXEL**2


@pytest.mark.parametrize("waist", [0.6, 1.5])
def test_section_is_the_gaussian_of_the_sheet(waist: float) -> None:
    """The bead fades as exp(−2z²/w²) averaged over its volume, and in units of its volume."""
    for off in (0.0, 0.35, 0.7, 1.1):
        scene = beads([10.0], z=off, waist_um=waist)
        sheet = light(scene)
        wide = light(scene, **{"modality.waist_um": 400.0})
        expected = bead_light(off, waist) / bead_light(0.0, 1e6)
        assert sheet / wide == pytest.approx(expected, rel=0.018, abs=2e-4)


def test_sheet_follows_the_focus_with_its_offset() -> None:
    scene = beads([10.0], z=0.0, waist_um=1.2)
    near = light(scene)
    assert light(scene, focus_um=1.0) < 0.4 * near
    both = {"focus_um": 1.0, "modality.sheet_offset_um": -1.0}
    assert light(scene, **both) == pytest.approx(near, rel=3e-3)


def test_sheet_widens_away_from_its_waist() -> None:
    """A bead at distance d from the waist shines w₀/w(d) as bright, w = w₀√(1 + (d/x_R)²)."""
    waist = 0.8
    scene = beads([2.0, 18.0], waist_um=waist, waist_position=0.1)
    # The frame starts half a pixel before the centre of its first column.
    middle = 0.1 * 100 * PIXEL - PIXEL / 2
    rayleigh = np.pi * INDEX * waist**2 / EXCITING
    expected = []
    for x in (2.0, 18.0):
        width = waist * np.sqrt(1 + ((x - middle) / rayleigh) ** 2)
        expected.append(bead_light(0.0, width) * waist / width)
    ratio = light(scene, 50, 100) / light(scene, 0, 50)
    assert ratio == pytest.approx(expected[1] / expected[0], rel=6e-3)


def test_sheet_has_the_same_power_everywhere(bench: ModuleType) -> None:
    """Uniform emission integrates to √(π/2) w₀ of light at the waist and far from it."""
    table = bench.Bench(size=128, pixel_um=0.5)
    z = [0.5 * k for k in range(-60, 61)]
    slabs = torch.full((len(z), 128, 128), 0.5, dtype=torch.float64)
    emission = table.emission(slabs, z)
    emission = dataclasses.replace(emission, plan=dataclasses.replace(emission.plan, slab_um=0.5))
    scene = table.scene("light_sheet", waist_um=1.5, waist_position=0.2, numerical_aperture=0.3)
    picture = form_image(emission, Values(scene, dtype=torch.float64)).irradiance
    inside = picture[:, 20:-20]  # the domain is periodic, the sheet is not
    torch.testing.assert_close(
        inside, torch.full_like(inside, float(np.sqrt(np.pi / 2)) * 1.5), rtol=2e-3, atol=0
    )


def test_image_is_smooth_in_every_number_of_the_sheet() -> None:
    scene = beads([4.0, 9.0], z=0.2, waist_um=0.9, sheet_offset_um=0.3, waist_position=0.3)
    fields = (
        "waist_um",
        "sheet_offset_um",
        "waist_position",
        "excitation_wavelength_um",
        "background",
    )
    base = {
        f"microscope.modality.{n}": float(getattr(scene.microscope.modality, n)) for n in fields
    }
    base |= {"microscope.focus_um": 0.1, "microscope.modality.background": 0.1}
    tensors = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in base.items()}
    weights = torch.randn(24, 100, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    loss = (forward(scene, tensors) * weights).sum()
    gradients = torch.autograd.grad(loss, list(tensors.values()))
    for (name, value), gradient in zip(base.items(), gradients, strict=True):
        with torch.no_grad():
            up, down = (
                (forward(scene, {**base, name: value + h}) * weights).sum() for h in (1e-5, -1e-5)
            )
        assert float(gradient) == pytest.approx(float(up - down) / 2e-5, rel=1e-3)


@pytest.mark.parametrize("slab", [None, 1.0])
def test_a_thin_sheet_gives_the_same_light_at_every_height(slab: float | None) -> None:
    """At a low NA the depth of field is many sheets: the bead's light follows its section alone."""
    sums, waist = [], 1.0
    for z in (0.0, 0.35, 0.7, 1.4, 2.1):
        scene = beads([10.0], z=z, waist_um=waist).model_dump()
        scene["populations"][0]["shape"]["radius_um"] = 1.0
        scene["microscope"] |= {"numerical_aperture": 0.2, "focus_um": z}
        scene["numerics"] |= {"slab_um": slab}
        sums.append(light(Scene.parse(scene)))
    assert max(sums) / min(sums) < (1.01 if slab is None else 1.06)
    z = np.linspace(-1, 1, 2001)
    section = np.trapezoid(np.pi * (1 - z**2) * np.exp(-2 * z**2 / waist**2), z)
    wide = light(Scene.parse(scene), **{"modality.waist_um": 400.0}) / (4 / 3 * np.pi)
    assert np.mean(sums) / wide == pytest.approx(section, rel=0.01 if slab is None else 0.05)

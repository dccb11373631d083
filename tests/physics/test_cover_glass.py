"""Index mismatch and cover glass: path differences, ray tracing, Seidel's coefficient."""

from __future__ import annotations

from math import atan, pi, sqrt, tan
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.optical_bench import double
from osog.optics.cover_glass import CoverGlassPath
from osog.sample import Values
from osog.scene import Scene

WAVELENGTH = 0.55
K0 = 2 * pi / WAVELENGTH


def path_of(
    aperture: float, immersion: float, index: float = 1.33, focus: float = 0.0, **glass: Any
) -> CoverGlassPath:
    scene = Scene.parse(
        {
            "medium": {"index": index},
            "microscope": {
                "numerical_aperture": aperture,
                "immersion_index": immersion,
                "focus_um": focus,
                "cover_glass": glass,
            },
        }
    )
    values = Values(scene, dtype=torch.float64)
    path = CoverGlassPath.of(values, double(WAVELENGTH), double(index))
    assert path is not None
    return path


def phase(path: CoverGlassPath, sine: float) -> float:
    return float(path(double((sine / WAVELENGTH) ** 2)))


def test_depth_in_water_under_oil() -> None:
    path = path_of(1.2, 1.515, depth_um=10.0)
    assert phase(path, 1.2) == pytest.approx(-18.996436, abs=1e-6)
    assert phase(path, 0.6) == pytest.approx(-2.188001, abs=1e-6)
    assert phase(path, 0.0) == 0.0


def test_phase_is_the_length_of_the_ray() -> None:
    """n_s · path in the medium − n_i · path in immersion − n sin θ · sideways step, ray by ray."""
    index, immersion, glass, depth, excess, sine = 1.33, 1.515, 1.5255, 7.0, 12.0, 1.1
    path = path_of(1.2, immersion, depth_um=depth, thickness_um=182.0, focus_scale="object")

    def length(n: float, thickness: float) -> float:
        angle = atan(sine / sqrt(n**2 - sine**2))
        slant = thickness * sqrt(1 + tan(angle) ** 2)
        return n * slant - sine * thickness * tan(angle)

    stage = depth * immersion / index + excess * immersion / glass
    axial = index * depth + glass * excess - immersion * stage
    oblique = length(index, depth) + length(glass, excess) - length(immersion, stage)
    assert phase(path, sine) == pytest.approx(K0 * (oblique - axial), rel=1e-9)


def test_only_the_distance_of_the_focus_from_the_glass_counts() -> None:
    assert phase(path_of(1.2, 1.515, depth_um=13.0, focus=3.0), 1.0) == pytest.approx(
        phase(path_of(1.2, 1.515, depth_um=10.0), 1.0)
    )


def test_nothing_happens_with_matched_media() -> None:
    matched = path_of(0.9, 1.33, depth_um=50.0)
    assert phase(matched, 0.9) == 0.0
    glass = path_of(
        0.9, 1.0, depth_um=0.0, index=1.0, thickness_um=190.0, design_thickness_um=190.0
    )
    assert phase(glass, 0.9) == 0.0


def test_thick_glass_has_the_seidel_coefficient_of_a_plate() -> None:
    """W040 = t (n² − 1) NA⁴/8n³ for a plate in air, and no defocus: small u, fourth power."""
    index, excess = 1.5255, 20.0
    path = path_of(0.5, 1.0, depth_um=0.0, thickness_um=170.0 + excess)
    seidel = excess * (index**2 - 1) / (8 * index**3)
    for sine in (0.05, 0.1):
        assert phase(path, sine) == pytest.approx(K0 * seidel * sine**4, rel=0.02)


def test_waves_beyond_the_index_of_the_medium_stay_finite() -> None:
    path = path_of(1.45, 1.515, depth_um=10.0)
    sine = torch.tensor([1.32, 1.33, 1.4, 1.6], dtype=torch.float64, requires_grad=True)
    values = path((sine / WAVELENGTH) ** 2)
    (slope,) = torch.autograd.grad(values.sum(), sine)
    assert bool(torch.isfinite(values).all() & torch.isfinite(slope).all())


@pytest.mark.parametrize("name", ["immersion_index", "depth_um", "excess_um", "glass_index",
                                  "medium_index", "wavelength_um"])  # fmt: skip
def test_derivatives(name: str) -> None:
    from dataclasses import replace

    path = path_of(1.2, 1.515, depth_um=10.0, thickness_um=173.0, focus_scale="object")
    square = torch.tensor([0.3, 1.5, 4.0], dtype=torch.float64)

    def run(number: Tensor) -> Tensor:
        return replace(path, **{name: number})(square)

    start = getattr(path, name).clone().requires_grad_()
    assert torch.autograd.gradcheck(run, start, eps=1e-6, atol=1e-6)


def brightness(bench: ModuleType, focus: np.ndarray, **optics: Any) -> np.ndarray:
    """Irradiance of a point emitter at z = 0 in the middle, for several heights of the focus."""
    table = bench.Bench(size=96)
    emitter = torch.zeros(1, 96, 96, dtype=torch.float64)
    emitter[0, 48, 48] = 1.0
    wave = table.emission(emitter, [0.0])
    images = [table.image(wave, "fluorescence", focus_um=float(z), **optics) for z in focus]
    return np.array([float(image.irradiance[48, 48]) for image in images])


def best(focus: np.ndarray, light: np.ndarray) -> float:
    k = int(light.argmax())
    a, b, c = light[k - 1 : k + 2]
    return float(focus[k] + 0.5 * (a - c) / (a - 2 * b + c) * (focus[1] - focus[0]))


def test_best_focus_against_ray_tracing(bench: ModuleType) -> None:
    """The stage must overtravel: between d n_i/n_s (paraxial) and d tan θ_s/tan θ_i (marginal)."""
    depth, aperture, index, immersion = 20.0, 0.8, 1.33, 1.515
    paraxial = depth * immersion / index
    marginal = depth * sqrt(immersion**2 - aperture**2) / sqrt(index**2 - aperture**2)
    focus = np.arange(-5.0, -2.0, 0.2)
    optics = {"immersion_index": immersion, "cover_glass": {"depth_um": depth}}
    travel = depth - best(focus, brightness(bench, focus, **optics))
    assert paraxial + 0.2 < travel < marginal - 0.2
    # Primary spherical aberration is balanced half-way.
    assert travel == pytest.approx((paraxial + marginal) / 2, abs=0.15)


def test_object_scale_keeps_the_paraxial_focus(bench: ModuleType) -> None:
    """At low NA little but the paraxial focus is left: z = 0 is sharp, by the stage it is not."""
    focus = np.arange(-5.0, 5.1, 1.0)
    optics = {"numerical_aperture": 0.3, "immersion_index": 1.0}
    glass = {"depth_um": 10.0, "focus_scale": "object"}
    assert best(focus, brightness(bench, focus, cover_glass=glass, **optics)) == pytest.approx(
        0.0, abs=0.2
    )
    glass["focus_scale"] = "stage"
    assert best(focus, brightness(bench, focus, cover_glass=glass, **optics)) == pytest.approx(
        10 - 10 / 1.33, abs=0.15
    )


def test_each_colour_meets_its_own_glass_and_immersion() -> None:
    from osog import materials
    from osog.optics.spectrum import at_wavelength

    scene = Scene.parse(
        {
            "medium": "water",
            "microscope": {
                "numerical_aperture": 1.2,
                "immersion_index": 1.51771,
                "immersion_dispersion": "Immersion oil",
                "cover_glass": {"thickness_um": 180.0, "dispersion": "cover glass"},
                "spectrum": {"kind": "led"},
            },
        }
    )
    blue = at_wavelength(Values(scene, dtype=torch.float64), double(0.45))
    path = CoverGlassPath.of(blue, double(0.45), blue.medium.index)
    assert path is not None
    assert float(path.medium_index) == pytest.approx(materials.index("water", 0.45), abs=2e-6)
    oil = materials.index("immersion oil", 0.45)
    assert float(path.immersion_index) == pytest.approx(oil, abs=1e-5)
    shift = materials.index("cover glass", 0.45) - materials.index("cover glass", 0.55)
    assert float(path.glass_index) == pytest.approx(1.5255 + shift, abs=2e-5)

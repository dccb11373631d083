"""The weak-object transfer function: closed forms, and the derivative of Abbe's sum."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from osog.rendering import render
from osog.scene import Scene
from osog.waves import source_points

NA, WAVELENGTH = 0.8, 0.55
# Domain of 40 λ/NA, so that a normalised frequency of 0.1 is 4 steps.
WIDE = {"size": 165, "pixel_um": 40 * WAVELENGTH / NA / 165}


def cosine(table, nu: float) -> Tensor:  # type: ignore[no-untyped-def]
    x, _ = table.xy
    return torch.cos(2 * pi * round(40 * nu) * x / table.length_um)


def contrast(image: Tensor, nu: float) -> float:
    return float(2 * torch.fft.fft2(image, norm="forward")[0, round(40 * nu)].real)


def sources(ratio: float, count: int) -> tuple[Tensor, Tensor]:
    return source_points(
        torch.tensor(ratio * NA).double(), torch.tensor(WAVELENGTH).double(), count
    )


@pytest.mark.parametrize(
    ("ratio", "nu", "expected"),
    [(0.3, 1.0, 0.468097), (0.5, 1.0, 0.446610), (0.5, 1.2, 0.216576), (1.0, 0.5, 0.685038),
     (1.0, 1.0, 0.391002)],
)  # fmt: skip
def test_absorption_transfer_is_the_overlap_of_two_discs(
    bench: ModuleType, ratio: float, nu: float, expected: float
) -> None:
    """−H_α/2 = area(disc S ∩ disc 1 at distance ν) / πS²."""
    table = bench.Bench(**WIDE)
    wave = table.wave(
        1 - 0.1 * cosine(table, nu), *sources(ratio, 160 if ratio < 1 else 300), first_order=True
    )
    image = table.image(wave, "brightfield").irradiance
    assert -contrast(image, nu) / 0.2 == pytest.approx(expected, abs=0.012)


@pytest.mark.parametrize(
    ("ratio", "nu", "z", "expected"),
    [(0.5, 0.5, 1.0, 0.996550), (0.5, 0.5, 2.0, 0.460994), (0.3, 0.6, 1.0, 1.488005),
     (0.5, 1.0, 1.0, 0.656919)],
)  # fmt: skip
def test_phase_transfer_of_a_defocused_condenser(
    bench: ModuleType, ratio: float, nu: float, z: float, expected: float
) -> None:
    table = bench.Bench(**WIDE)
    wave = table.wave(1 + 0.1j * cosine(table, nu), *sources(ratio, 100), first_order=True)
    image = table.image(wave, "brightfield", focus_um=z).irradiance
    assert contrast(image, nu) / 0.1 == pytest.approx(expected, rel=0.015)
    in_focus = table.image(wave, "brightfield").irradiance
    torch.testing.assert_close(in_focus, torch.ones_like(in_focus), rtol=0, atol=1e-9)


def test_coherent_limit(bench: ModuleType) -> None:
    """H_φ = −2 sin(κz)."""
    table, nu, z = bench.Bench(**WIDE), 0.6, 0.7
    k = 2 * pi * 1.33 / WAVELENGTH
    kappa = (k**2 - (2 * pi * nu * NA / WAVELENGTH) ** 2) ** 0.5 - k
    wave = table.wave(1 + 0.1j * cosine(table, nu), first_order=True)
    image = table.image(wave, "brightfield", focus_um=z).irradiance
    expected = -2 * torch.sin(torch.tensor(kappa * z))
    assert contrast(image, nu) / 0.1 == pytest.approx(float(expected), rel=1e-6)


CASES: dict[str, dict[str, Any]] = {
    "brightfield": {},
    "dic": {"shear_um": 0.25, "azimuth_deg": 30.0, "bias_retardance_deg": 70.0, "extinction": 0.03},
    "phase_contrast": {"ring_radius": 0.55, "ring_width": 0.15},
    "shadowgraph": {},
}


@pytest.mark.parametrize("kind", CASES)
def test_it_is_the_derivative_of_the_whole_sum(bench: ModuleType, kind: str) -> None:
    """With aberrations, defocus and a condenser that is neither round nor centred."""
    table = bench.Bench(size=64, pixel_um=0.12)
    x, y = table.xy
    bump = torch.exp(-(((x - 3.4) / 0.5) ** 2) - ((y - 4.1) / 0.9) ** 2)
    points, weights = sources(0.7, 14)
    light = (points[3:] + torch.tensor([0.2, -0.1]), weights[3:] / weights[3:].sum())
    lens = {"focus_um": 1.3, "aberrations": {"coma_x": 0.07, "spherical": -0.05}, **CASES[kind]}

    def abbe(strength: float) -> Tensor:
        wave = table.wave(torch.exp((1j - 0.3) * strength * bump), *light)
        result: Tensor = table.image(wave, kind, **lens).irradiance
        return result

    background, size = abbe(0.0), 1e-4
    slope = (abbe(size) - abbe(-size)) / (2 * size)
    weak = table.wave(1 + (1j - 0.3) * 0.1 * bump, *light, first_order=True)
    preview = table.image(weak, kind, **lens).irradiance
    torch.testing.assert_close((preview - background) / 0.1, slope, rtol=0, atol=1e-6)
    assert float(slope.abs().max()) > 0.15


def scene(delta: float, coherence: str, kind: str = "brightfield") -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [48, 48], "pixel_size_um": 0.15},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "bodies",
                    "shape": {"kind": "ellipsoid", "semi_axes_um": [0.9, 0.7, 0.8]},
                    "material": {"index": 1.33 + delta, "absorption_per_um": 0.5 * delta},
                    "particles": [
                        {"x_um": 2.6, "y_um": 2.9, "z_um": 1.6, "orientation_deg": [20, 30, 0]},
                        {"x_um": 4.4, "y_um": 4.1, "z_um": -1.2},
                    ],
                    "scattering": "slabs",
                }
            ],
            "microscope": {
                "modality": {"kind": kind},
                "numerical_aperture": 0.7,
                "condenser_numerical_aperture": 0.4,
                "oblique_numerical_aperture": 0.1,
                "source_points": 8,
                "focus_um": 0.5,
            },
            "numerics": {"accuracy": "standard", "partial_coherence": coherence},
        }
    )


def mismatch(delta: float, kind: str = "brightfield") -> float:
    whole = render(scene(delta, "abbe", kind)).image.double()
    preview = render(scene(delta, "weak_object", kind)).image.double()
    return float((preview - whole).norm() / (whole - whole[0, 0]).norm())


@pytest.mark.parametrize("kind", CASES)
def test_preview_of_a_deep_sample_agrees_when_it_is_weak(kind: str) -> None:
    """Two bodies at different heights, with slabs, tilted light and obliquity."""
    assert mismatch(0.0003, kind) < 0.01


def test_error_grows_with_the_phase_and_is_stated() -> None:
    """About half the peak phase, which is 2π/0.55 × 0.01 × 1.6 = 0.18 rad here."""
    small, large = mismatch(0.002), mismatch(0.01)
    assert 2.5 < large / small < 10
    frame = render(scene(0.01, "weak_object"))
    assert "weak-object preview, contrast error ~9" in frame.explain
    assert 0.02 < large < 0.2
    assert not any("weak-object" in c.text for c in frame.warnings)
    (found,) = [c for c in render(scene(0.03, "weak_object")).warnings if "weak" in c.text]
    assert found.remedy == {"numerics.partial_coherence": "abbe"}


def test_recomputing_for_the_gradient_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from osog.rendering import forward

    light = scene(0.01, "weak_object")

    def slopes() -> list[Tensor]:
        values = {
            name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
            for name, value in (("microscope.wavelength_um", 0.55), ("particles[0].z_um", 1.6))
        }
        loss = forward(light, values).square().sum()
        return list(torch.autograd.grad(loss, list(values.values())))

    kept = slopes()
    monkeypatch.setattr("osog.exit_wave.first_order.KEPT_SAMPLES", 0)
    torch.testing.assert_close(slopes(), kept, rtol=1e-10, atol=0)


def test_values_are_never_negative(bench: ModuleType) -> None:
    table = bench.Bench(size=48)
    wave = table.wave(1 - 3 * torch.exp(-((table.from_centre / 0.8) ** 2)), first_order=True)
    assert float(table.image(wave, "brightfield").irradiance.min()) == 0.0
    multiplied = replace(wave, first_order=False)
    assert float(table.image(multiplied, "brightfield").irradiance.max()) > 1.5

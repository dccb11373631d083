"""Laws of coherent and partially coherent brightfield, with closed forms as oracles."""

from __future__ import annotations

from math import pi
from types import ModuleType

import pytest
import torch
from scipy.special import jv
from torch import Tensor

from helpers.optical_bench import grating
from osog.rendering import forward
from osog.scene import Scene
from osog.waves import source_points

NA, WAVELENGTH, INDEX = 0.8, 0.55, 1.33


def fundamental(image: Tensor, order: int) -> float:
    """Amplitude a of a cosine: image = mean + a cos(…) + …"""
    return float(2 * torch.fft.fft2(image, norm="forward")[0, order].real)


def sources(ratio: float, count: int) -> tuple[Tensor, Tensor]:
    return source_points(
        torch.tensor(ratio * NA, dtype=torch.float64),
        torch.tensor(WAVELENGTH, dtype=torch.float64),
        count,
    )


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("z", [0.0, 5.0])
def test_empty_background_is_one(bench: ModuleType, ratio: float, z: float) -> None:
    table = bench.Bench(size=48)
    empty = torch.ones(48, 48, dtype=torch.complex128)
    light = sources(ratio, 16) if ratio else (None, None)
    aberrations = {"spherical": 0.1, "coma_x": 0.1, "zernike": {4: 0.2}}
    image = table.image(
        table.wave(empty, *light), "brightfield", focus_um=z, aberrations=aberrations
    )
    torch.testing.assert_close(image.irradiance, torch.ones_like(image.irradiance))
    if image.field is not None:
        torch.testing.assert_close(image.field, torch.ones_like(image.field))


def test_cosine_grating_in_focus_and_beyond(bench: ModuleType) -> None:
    """Three orders pass: U = J0 + 2i J1 exp(iκz) cos θ."""
    table, order, depth = bench.Bench(size=96), 8, 0.5
    frequency = order / table.length_um
    assert frequency < NA / WAVELENGTH < 2 * frequency
    k = 2 * pi * INDEX / WAVELENGTH
    kappa = (k**2 - (2 * pi * frequency) ** 2) ** 0.5 - k
    x, _ = table.xy
    cosine = torch.cos(2 * pi * order * x / table.length_um)
    for z in (0.0, 1.3, -1.3):
        turn = torch.exp(torch.tensor(1j * kappa * z, dtype=torch.complex128))
        expected = jv(0, depth) + 2j * jv(1, depth) * turn * cosine
        image = table.image(table.wave(grating(table, order, depth)), "brightfield", focus_um=z)
        torch.testing.assert_close(image.field, expected)
        torch.testing.assert_close(image.irradiance, expected.abs() ** 2)


def test_grating_beyond_the_aperture_is_not_seen(bench: ModuleType) -> None:
    table = bench.Bench(size=96)
    image = table.image(table.wave(grating(table, 15, 0.5)), "brightfield")
    # The sampled grating aliases its sixth harmonic into the aperture: J6(0.5) = 3e-7.
    expected = torch.full_like(image.irradiance, jv(0, 0.5) ** 2)
    torch.testing.assert_close(image.irradiance, expected, rtol=0, atol=3e-6)


def test_weak_phase_defocus_contrast_has_the_coherent_sign(bench: ModuleType) -> None:
    """H_φ = −2 sin(κz): κ < 0, so a dense ridge is bright above itself."""
    table, order = bench.Bench(size=96), 8
    k = 2 * pi * INDEX / WAVELENGTH
    kappa = (k**2 - (2 * pi * order / table.length_um) ** 2) ** 0.5 - k
    for z in (0.4, -0.4):
        image = table.image(table.wave(grating(table, order, 1e-4)), "brightfield", focus_um=z)
        expected = -2 * torch.sin(torch.tensor(kappa * z))
        assert fundamental(image.irradiance, order) / 1e-4 == pytest.approx(
            float(expected), rel=1e-3
        )
        assert (fundamental(image.irradiance, order) > 0) == (z > 0)


# Domain of 40 λ/NA, so that a normalised frequency of 0.1 is 4 steps.
WIDE = {"size": 165, "pixel_um": 40 * WAVELENGTH / NA / 165}


@pytest.mark.parametrize(
    ("ratio", "nu", "expected"), [(0.3, 1.0, 0.468097), (0.5, 1.2, 0.216576), (1.0, 0.5, 0.685038)]
)
def test_weak_absorption_contrast_is_the_overlap_of_two_discs(
    bench: ModuleType, ratio: float, nu: float, expected: float
) -> None:
    table, order = bench.Bench(**WIDE), round(40 * nu)
    wave = table.wave(grating(table, order, 0.0, 1e-4), *sources(ratio, 160))
    image = table.image(wave, "brightfield")
    assert -fundamental(image.irradiance, order) / 2e-4 == pytest.approx(expected, abs=0.012)


@pytest.mark.parametrize(
    ("ratio", "nu", "z", "expected"),
    [(0.5, 0.5, 1.0, 0.996550), (0.5, 0.5, 2.0, 0.460994), (0.3, 0.6, 1.0, 1.488005)],
)
def test_weak_phase_contrast_of_a_defocused_condenser(
    bench: ModuleType, ratio: float, nu: float, z: float, expected: float
) -> None:
    table, order = bench.Bench(**WIDE), round(40 * nu)
    wave = table.wave(grating(table, order, 1e-4), *sources(ratio, 100))
    image = table.image(wave, "brightfield", focus_um=z)
    assert fundamental(image.irradiance, order) / 1e-4 == pytest.approx(expected, rel=0.01)


def test_order_of_the_source_points_does_not_matter(bench: ModuleType) -> None:
    table = bench.Bench(size=48)
    bump = torch.exp(2j * torch.exp(-((table.from_centre / 0.7) ** 2)))
    points, weights = sources(0.6, 12)
    one = table.image(table.wave(bump, points, weights), "brightfield", focus_um=1.0)
    two = table.image(
        table.wave(bump, points.flip(0), weights.flip(0)), "brightfield", focus_um=1.0
    )
    torch.testing.assert_close(one.irradiance, two.irradiance)


def test_intensity_is_never_negative(bench: ModuleType) -> None:
    """A low NA takes the way over the small grid, where interpolation could undershoot."""
    table = bench.Bench(size=96, pixel_um=0.2)
    torch.manual_seed(3)
    rough = torch.exp(6j * torch.rand(96, 96, dtype=torch.float64))
    image = table.image(table.wave(rough, *sources(0.3, 6)), "brightfield", numerical_aperture=0.3)
    assert float(image.irradiance.min()) >= 0.0
    assert float(image.irradiance.max()) > 2 * float(image.irradiance.mean())


@pytest.mark.parametrize(("z", "expected"), [(0.0, 0.97618), (2.0, 1.6604)])
def test_sphere_under_a_condenser_against_lorenz_mie(z: float, expected: float) -> None:
    """Centre of a sphere, R 1 µm, n 1.38, condenser half as wide as the objective.

    The numbers are Abbe sums of 200 points over the exact scalar Lorenz–Mie field.
    """
    scene = Scene.parse(
        {
            "grid": {"shape": [48, 48], "pixel_size_um": 0.1},
            "medium": {"index": INDEX},
            "populations": [
                {
                    "name": "sphere",
                    "shape": {"kind": "sphere", "radius_um": 1.0},
                    "material": {"index": 1.38},
                    "particles": [{"x_um": 2.4, "y_um": 2.4, "z_um": 0.0}],
                }
            ],
            "microscope": {
                "modality": {"kind": "brightfield"},
                "numerical_aperture": NA,
                "condenser_numerical_aperture": 0.5 * NA,
                "wavelength_um": WAVELENGTH,
                "source_points": 48,
                "focus_um": z,
            },
            "numerics": {"accuracy": "standard"},
        }
    )
    assert float(forward(scene)[24, 24]) == pytest.approx(expected, abs=0.025)

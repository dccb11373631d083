"""Laws of Zernike phase contrast: sign, strength, the width of the ring, halo."""

from __future__ import annotations

from math import pi, radians, sin
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import jv
from torch import Tensor

from helpers.optical_bench import grating
from osog.rendering import render
from osog.scene import Scene
from osog.waves import source_points

NA, WAVELENGTH = 0.8, 0.55
# Domain of 40 λ/NA: one frequency step is 0.025 NA/λ.
STEP = 0.025
WIDE = {"size": 165, "pixel_um": WAVELENGTH / NA / STEP / 165}
DEPTH, AMPLITUDE = 0.1, 0.5


def ring(radius: float, width: float, numbers: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    outer, inner = radius + width / 2, radius - width / 2
    return source_points(
        torch.tensor(outer * NA).double(),
        torch.tensor(WAVELENGTH).double(),
        numbers,
        torch.tensor(inner / outer).double(),
    )


def imaged(table, order: int, depth: float, numbers=(24,), **modality: Any) -> Tensor:  # type: ignore[no-untyped-def]
    light = ring(modality["ring_radius"], modality["ring_width"], numbers)
    wave = table.wave(grating(table, order, depth), *light)
    return table.image(wave, "phase_contrast", **modality).irradiance


def fundamental(image: Tensor, order: int) -> float:
    return float(2 * torch.fft.fft2(image, norm="forward")[0, order].real)


@pytest.mark.parametrize(("polarity", "sign"), [("positive", -1), ("negative", 1)])
def test_grating_in_the_limit_of_a_thin_ring(bench: ModuleType, polarity: str, sign: int) -> None:
    """I = |a e^{iξ} + e^{iφ} − 1|² in units of a²; no order hits the thin ring."""
    table, order = bench.Bench(**WIDE), 16
    image = imaged(table, order, DEPTH, polarity=polarity, ring_radius=0.5, ring_width=0.01)
    unit = AMPLITUDE**2
    expected = sign * 4 * AMPLITUDE * jv(0, DEPTH) * jv(1, DEPTH)
    assert expected == pytest.approx(sign * 0.099626, abs=1e-6)
    assert fundamental(image, order) * unit == pytest.approx(expected, rel=1e-4)
    mean = AMPLITUDE**2 * jv(0, DEPTH) ** 2 + 2 * jv(1, DEPTH) ** 2
    assert float(image.mean()) * unit == pytest.approx(mean, rel=1e-4)
    peak = 0.159102 if sign < 0 else 0.358353
    assert float(image[0, 0]) * unit == pytest.approx(peak, abs=1e-4)


@pytest.mark.parametrize(("polarity", "sign"), [("positive", -1), ("negative", 1)])
def test_orders_that_hit_a_real_ring_are_lost(bench: ModuleType, polarity: str, sign: int) -> None:
    """Of 24 points of a ring 0.60–0.65 NA, two lose an order of the grating of 0.35 NA/λ."""
    image = imaged(bench.Bench(**WIDE), 14, DEPTH, polarity=polarity, ring_radius=0.625,
                   ring_width=0.05)  # fmt: skip
    assert fundamental(image, 14) * AMPLITUDE**2 == pytest.approx(sign * 0.0913, abs=1e-4)
    assert float(image.mean()) * AMPLITUDE**2 == pytest.approx(0.2534, abs=1e-4)


@pytest.mark.parametrize("absorption", [0.0, 0.9])
@pytest.mark.parametrize("retardation", [40.0, 130.0])
def test_strength_follows_absorption_and_retardation(
    bench: ModuleType, absorption: float, retardation: float
) -> None:
    """1 + 2 φ sin ξ / a for a weak object."""
    image = imaged(bench.Bench(**WIDE), 16, 1e-4, ring_radius=0.5, ring_width=0.01,
                   absorption=absorption, retardation_deg=retardation)  # fmt: skip
    expected = -2 * sin(radians(retardation)) / (1 - absorption) ** 0.5
    assert fundamental(image, 16) / 1e-4 == pytest.approx(expected, rel=2e-3)


def by_quadrature(order: int, radius: float, width: float, a: float = AMPLITUDE) -> float:
    """(i/B) ∫ [T*(f_s) T(f_s + f) − T(f_s) T*(f_s − f)] over the ring, with sharp edges.

    The ring of the plate reaches to half the height of its soft edges, one step (a quarter of its
    width at most) beyond the light.
    """
    reach = width / 2 + min(STEP, width / 4)

    def plate(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rho = np.hypot(x, y)
        return np.where(np.abs(rho - radius) < reach, -1j * a, 1.0) * (rho < 1)

    rho = np.sqrt(np.linspace((radius - width / 2) ** 2, (radius + width / 2) ** 2, 202)[1:-1])
    angle = (np.arange(720) + 0.5) * 2 * pi / 720
    x, y = np.outer(rho, np.cos(angle)), np.outer(rho, np.sin(angle))
    f = order * STEP
    here, ahead, behind = plate(x, y), plate(x + f, y), plate(x - f, y)
    return float((1j * (here.conj() * ahead - here * behind.conj())).mean().real) / a**2


@pytest.mark.parametrize("order", [2, 4, 8, 20])
def test_a_wide_ring_passes_coarse_structure_weakly(bench: ModuleType, order: int) -> None:
    """What is coarser than the ring is blocked with the direct light: halo and shade-off."""
    shape = {"ring_radius": 0.6, "ring_width": 0.2}
    image = imaged(bench.Bench(**WIDE), order, 1e-4, (24, 26, 28, 30, 30, 32), **shape)
    measured = fundamental(image, order) / 1e-4
    assert measured == pytest.approx(by_quadrature(order, 0.6, 0.2), abs=0.12)
    full = -2 / AMPLITUDE
    assert (measured < 0.5 * full) == (order >= 8)


@pytest.mark.parametrize("coma", [0.0, 0.2])
def test_background_is_one(bench: ModuleType, coma: float) -> None:
    table = bench.Bench(size=48)
    wave = table.wave(torch.ones(48, 48, dtype=torch.complex128), *ring(0.6, 0.1, (6, 6)))
    image = table.image(wave, "phase_contrast", aberrations={"coma_x": coma}, absorption=0.99)
    torch.testing.assert_close(image.irradiance, torch.ones_like(image.irradiance))


def cell(**modality: Any) -> tuple[float, float, float]:
    """Irradiance inside a flat cell, in the ring just outside, and far away."""
    scene = Scene.parse(
        {
            "grid": {"shape": [80, 80], "pixel_size_um": 0.25},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "cell",
                    "shape": {"kind": "ellipsoid", "semi_axes_um": [4.0, 4.0, 1.0]},
                    "material": {"index": 1.36},
                    "particles": [{"x_um": 10.0, "y_um": 10.0, "z_um": 0.0}],
                }
            ],
            "microscope": {
                "modality": {"kind": "phase_contrast", **modality},
                "numerical_aperture": 0.4,
            },
            "numerics": {"accuracy": "standard"},
        }
    )
    image = render(scene).image
    axis = torch.arange(80) * 0.25 - 10.0
    radius = torch.hypot(axis[:, None], axis[None, :])
    inside = image[radius < 2.5].mean()
    halo = image[(radius > 4.3) & (radius < 5.3)].mean()
    return float(inside), float(halo), float(image[radius > 11.0].mean())


def test_a_cell_is_dark_with_a_bright_halo_in_positive_contrast() -> None:
    inside, halo, away = cell()
    assert inside < 0.75
    assert halo > 1.15
    assert abs(away - 1) < 0.5 * (halo - 1)


def test_a_cell_is_bright_with_a_dark_halo_in_negative_contrast() -> None:
    inside, halo, _ = cell(polarity="negative")
    assert inside > 1.4
    assert halo < 0.95


def test_a_wide_ring_shades_the_middle_of_a_cell_off() -> None:
    """The middle of a broad cell returns to the background, and halos come and go with it."""
    inside, halo, _ = zip(*[cell(ring_width=width) for width in (0.04, 0.1, 0.25)], strict=True)
    assert inside[0] < inside[1] < inside[2] < 1
    assert inside[2] > inside[0] + 0.5
    assert halo[1] > max(halo[0], halo[2]) + 0.1

"""Laws of confocal fluorescence: resolution, sectioning, what the pinhole lets through."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.special import j0
from torch import Tensor

from helpers.drawing import drawing_transfer
from osog.optics.confocal import jinc
from osog.rendering import ForwardModel, forward
from osog.scene import Scene

NA, EMITTED, EXCITING, INDEX = 0.8, 0.55, 0.488, 1.33
Reals = NDArray[np.float64]


def point(table) -> Tensor:  # type: ignore[no-untyped-def]
    """Point emitter in the middle of the domain, as it is drawn into slabs."""
    n = table.size * table.oversampling
    slab = torch.zeros(1, n, n, dtype=torch.float64)
    slab[0, n // 2, n // 2] = 1.0
    index = torch.fft.fftfreq(n, dtype=torch.float64)
    return torch.fft.ifft2(torch.fft.fft2(slab) * drawing_transfer(index, index)).real


def half_width(image: Tensor, pitch: float) -> float:
    """Full width at half maximum of the spot in the middle, between samples by Fourier series."""
    n = len(image)
    row = torch.fft.rfft(image[n // 2]) / n
    at = torch.linspace(0, 1.0, 4001, dtype=torch.float64)
    k = torch.arange(len(row), dtype=torch.float64)
    turns = torch.exp(2j * torch.pi * k * (n // 2 + at[:, None] / pitch) / n)
    weight = torch.where((k == 0) | (2 * k == n), 1.0, 2.0)
    line = (turns * row * weight).real.sum(1)
    beyond = int((line < line[0] / 2).nonzero()[0])
    return 2 * float(at[beyond])


def spread(radius: Reals, z: float, wavelength: float) -> Reals:
    """|∫ J₀(2πfr) exp(iκz) 2πf df|² over the pupil, per power: the PSF in 1/µm²."""
    node, weight = leggauss(300)
    limit = NA / wavelength
    f = limit * (node + 1) / 2
    kz = 2 * np.pi * np.sqrt((INDEX / wavelength) ** 2 - f**2)
    turn = np.exp(1j * (kz - 2 * np.pi * INDEX / wavelength) * z) * f * weight * limit / 2
    field = 2 * np.pi * (j0(2 * np.pi * radius[..., None] * f) * turn).sum(-1)
    return np.abs(field) ** 2 / (np.pi * limit**2)


def plane_light(z: float, airy_units: float) -> float:
    """∫ PSF_ex · (PSF_em ∗ disc) d²r by quadrature: the light of a uniform layer."""
    hole = airy_units * 1.22 * EMITTED / NA / 2
    r = np.linspace(0, 8.0, 401)
    table_r = np.linspace(0, 8.0 + hole, 1201)
    table = spread(table_r, z, EMITTED)
    node, weight = leggauss(24)
    rho, share = hole * (node + 1) / 2, weight * hole / 2
    angle = (np.arange(48) + 0.5) * np.pi / 48
    distance = np.sqrt(
        r[:, None, None] ** 2
        + rho[:, None] ** 2
        - 2 * r[:, None, None] * rho[:, None] * np.cos(angle)
    )
    passing = np.interp(distance, table_r, table).mean(-1) * 2 * np.pi @ (rho * share)
    return float(np.trapezoid(spread(r, z, EXCITING) * passing * 2 * np.pi * r, r))


def test_a_tiny_pinhole_squares_the_spot(bench: ModuleType) -> None:
    """Half width 0.369331 λ/NA of [2J₁(v)/v]⁴, against 0.514497 in widefield."""
    table = bench.Bench(size=320, pixel_um=0.05)
    emission = table.emission(point(table), [0.0])
    image = table.image(
        emission, "confocal", pinhole_airy_units=0.02, excitation_wavelength_um=EMITTED
    )
    assert half_width(image.irradiance, 0.05) == pytest.approx(0.369331 * EMITTED / NA, rel=4e-3)
    wide = table.image(emission, "fluorescence")
    assert half_width(wide.irradiance, 0.05) == pytest.approx(0.514497 * EMITTED / NA, rel=4e-3)


def test_resolution_reaches_beyond_widefield(bench: ModuleType) -> None:
    """The transfer ends at 2 NA (1/λ_ex + 1/λ_em), twice as far as that of widefield."""
    table = bench.Bench(size=320, pixel_um=0.05)
    image = table.image(table.emission(point(table), [0.0]), "confocal", pinhole_airy_units=0.2)
    transfer = torch.fft.rfft2(image.irradiance).abs()[0]
    frequency = torch.arange(len(transfer)) / table.length_um
    wide, end = 2 * NA / EMITTED, 2 * NA * (1 / EMITTED + 1 / EXCITING)
    beyond = transfer[(frequency > 1.15 * wide) & (frequency < 1.4 * wide)]
    assert float(beyond.min() / transfer[0]) > 3e-3
    assert float(transfer[frequency > end + 0.2].max() / transfer[0]) < 1e-6


def layer_light(bench: ModuleType, z: float, airy_units: float) -> float:
    """Light of a uniform layer at distance z from the focus."""
    table = bench.Bench(size=256, pixel_um=0.08)
    layer = table.emission(torch.ones(1, 256, 256, dtype=torch.float64), [0.0])
    image = table.image(layer, "confocal", pinhole_airy_units=airy_units, focus_um=z)
    assert float(image.irradiance.std()) < 1e-9
    wide = table.image(layer, "fluorescence", focus_um=z)
    assert float(wide.irradiance.mean()) == pytest.approx(1.0, rel=1e-9)
    return float(image.irradiance.mean())


@pytest.mark.parametrize("airy_units", [0.4, 1.0])
def test_sections_a_layer(bench: ModuleType, airy_units: float) -> None:
    """A uniform layer fades with defocus as the quadrature says; in widefield it does not.

    The soft edge of the pupil, two frequency steps wide, makes both spots 1.6 % more intense.
    """
    focus, expected = layer_light(bench, 0.0, airy_units), plane_light(0.0, airy_units)
    assert focus == pytest.approx(expected, rel=0.04)
    for z in (1.0, 2.0):
        ratio = plane_light(z, airy_units) / expected
        assert layer_light(bench, z, airy_units) / focus == pytest.approx(ratio, rel=0.01)


@pytest.mark.parametrize("z", [0.0, 2.0])
def test_an_open_pinhole_gives_the_light_of_widefield(bench: ModuleType, z: float) -> None:
    """All light of the spot passes, and the excitation alone resolves: its half width is left."""
    table = bench.Bench(size=320, pixel_um=0.05)
    emission = table.emission(point(table), [0.0])
    image = table.image(emission, "confocal", pinhole_airy_units=50.0, focus_um=z)
    wide = table.image(emission, "fluorescence", focus_um=z)
    ratio = float(image.irradiance.sum() / wide.irradiance.sum())
    assert ratio == pytest.approx(1.0, abs=0.03)
    if z == 0:
        width = half_width(image.irradiance, 0.05)
        assert width == pytest.approx(0.514497 * EXCITING / NA, rel=6e-3)


def test_smaller_pinholes_pass_less(bench: ModuleType) -> None:
    table = bench.Bench(size=128, pixel_um=0.08)
    emission = table.emission(point(table), [0.0])
    light = [
        float(table.image(emission, "confocal", pinhole_airy_units=a).irradiance.sum())
        for a in (0.25, 0.5, 1.0, 2.0)
    ]
    assert light[0] < light[1] < light[2] < light[3] < 1.0


def test_transform_of_a_disc() -> None:
    """Values by quadrature of (4/π)∫cos(xt)√(1−t²)dt, and the derivative by differences."""
    x = torch.tensor([0.0, 1e-4, 0.05, 0.3, 2.0, 3.8317, 40.0], dtype=torch.float64)
    angle = (np.arange(4000) + 0.5) * np.pi / 4000
    values = [2 * (np.cos(float(v) * np.cos(angle)) * np.sin(angle) ** 2).mean() for v in x]
    np.testing.assert_allclose(jinc(x).numpy(), values, atol=1e-9)
    assert torch.autograd.gradcheck(jinc, (x[1:].clone().requires_grad_(),), atol=1e-7)


def test_image_is_smooth_in_pinhole_and_excitation() -> None:
    scene = Scene.parse(
        {
            "grid": {"shape": [20, 20], "pixel_size_um": 0.12},
            "populations": [
                {
                    "shape": {"kind": "sphere", "radius_um": 0.4},
                    "material": {"emission_per_um": 1.0},
                    "particles": [{"x_um": 1.15, "y_um": 1.2, "z_um": 0.3}],
                }
            ],
            "microscope": {"modality": {"kind": "confocal"}, "numerical_aperture": 0.7},
            "numerics": {"accuracy": "draft", "padding_um": 1.0},
        }
    )
    base = {
        "microscope.modality.pinhole_airy_units": 1.0,
        "microscope.modality.excitation_wavelength_um": 0.488,
        "microscope.modality.background": 0.1,
        "microscope.numerical_aperture": 0.7,
    }
    tensors = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in base.items()}
    weights = torch.randn(20, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    loss = (forward(scene, tensors) * weights).sum()
    gradients = torch.autograd.grad(loss, list(tensors.values()))
    for (name, value), gradient in zip(base.items(), gradients, strict=True):
        with torch.no_grad():
            up, down = (
                (forward(scene, {**base, name: value + h}) * weights).sum() for h in (1e-5, -1e-5)
            )
        assert float(gradient) == pytest.approx(float(up - down) / 2e-5, rel=1e-3)


def test_far_slabs_share_point_spreads() -> None:
    """Fewer planes far from the focus give the image of all slabs, and move smoothly with it."""
    scene = Scene.parse(
        {
            "grid": {"shape": [40, 40], "pixel_size_um": 0.08},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 0.4},
                    "material": {"index": 1.36, "emission_per_um": 1.0},
                    "particles": [
                        {"x_um": 1.2, "y_um": 1.4, "z_um": 0.1},
                        {"x_um": 2.0, "y_um": 1.8, "z_um": 2.9},
                        {"x_um": 1.0, "y_um": 2.2, "z_um": -2.4},
                    ],
                }
            ],
            "microscope": {
                "modality": {"kind": "confocal", "pinhole_airy_units": 1.0},
                "wavelength_um": 0.52,
                "numerical_aperture": 1.2,
            },
        }
    )
    model = ForwardModel(scene, accuracy="draft")
    focus = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    image = model.image({"microscope.focus_um": focus})
    weights = torch.cos(torch.arange(image.numel(), dtype=torch.float64)).view_as(image)
    (slope,) = torch.autograd.grad((weights * image).sum(), focus)
    sums = [
        float((weights * model.image({"microscope.focus_um": 0.3 + step})).sum())
        for step in (1e-5, -1e-5)
    ]
    assert float(slope.detach()) == pytest.approx((sums[0] - sums[1]) / 2e-5, rel=1e-5)
    assert model.plan.near_um < 1.0
    model = ForwardModel(scene, accuracy="draft")
    model.plans = [dataclasses.replace(plan, near_um=float("inf")) for plan in model.plans]
    model.plan = model.plans[0]
    image, every = image.detach(), model.image({"microscope.focus_um": 0.3})
    assert 0 < float((image - every).abs().max()) < 4e-3 * float(every.max())


def test_round_pupils_need_no_plane() -> None:
    """A radius serves round pupils; naming a coma of 0 asks for the whole plane instead."""
    scene = Scene.parse(
        {
            "grid": {"shape": [48, 60], "pixel_size_um": 0.08},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 0.4},
                    "material": {"index": 1.36, "emission_per_um": 1.0},
                    "particles": [
                        {"x_um": 1.2, "y_um": 1.4, "z_um": 0.2},
                        {"x_um": 3.0, "y_um": 1.8, "z_um": 1.2},
                    ],
                }
            ],
            "microscope": {
                "modality": {"kind": "confocal", "pinhole_airy_units": 0.8},
                "wavelength_um": 0.52,
                "numerical_aperture": 1.1,
                "pupil": {"obstruction": 0.3},
                "aberrations": {"spherical": 0.1},
            },
        }
    )
    model = ForwardModel(scene, accuracy="standard")
    round_, plane = (model.image(v) for v in ({}, {"microscope.aberrations.coma_x": 0.0}))
    assert 0 < float((round_ - plane).abs().max()) < 5e-4 * float(plane.max())
    aperture = torch.tensor(1.1, dtype=torch.float64, requires_grad=True)
    name = "microscope.numerical_aperture"
    (slope,) = torch.autograd.grad(model.image({name: aperture}).square().sum(), aperture)
    sums = [float(model.image({name: 1.1 + h}).square().sum()) for h in (1e-5, -1e-5)]
    assert float(slope) == pytest.approx((sums[0] - sums[1]) / 2e-5, rel=1e-5)

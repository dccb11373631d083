"""Laws of tilted light, of stops in the condenser, and of the shadowgraph's small source."""

from __future__ import annotations

from math import pi, sin
from types import ModuleType
from typing import Any

import pytest
import torch
from scipy.special import jv
from torch import Tensor

from helpers.optical_bench import grating
from osog.rendering import forward, render
from osog.scene import Scene

NA, WAVELENGTH, INDEX = 0.8, 0.55, 1.33


@pytest.mark.parametrize("tilt", [0.5, 0.9, 1.1])
@pytest.mark.parametrize("z", [0.0, 1.7])
def test_orders_of_a_grating_in_one_tilted_wave(bench: ModuleType, tilt: float, z: float) -> None:
    """Those within the aperture interfere, each with the phase of its own k_z.

    Beyond the aperture the direct light is missing, and the image is relative to the incident wave.
    """
    table, order, depth = bench.Bench(size=120), 7, 0.3
    source = tilt * NA / WAVELENGTH
    wave = table.wave(
        grating(table, order, depth), torch.tensor([[source, 0.0]], dtype=torch.float64)
    )
    image = table.image(wave, "brightfield", focus_um=z)
    x, _ = table.xy
    k = 2 * pi * INDEX / WAVELENGTH
    incident = (k**2 - (2 * pi * source) ** 2) ** 0.5
    field = torch.zeros_like(wave.spectrum[0])
    for m in range(-4, 5):
        frequency = source + m * order / table.length_um
        if abs(frequency) < NA / WAVELENGTH:
            kappa = (k**2 - (2 * pi * frequency) ** 2) ** 0.5 - incident
            turn = 2 * pi * m * order * x / table.length_um + kappa * z
            field = field + 1j**m * jv(m, depth) * torch.exp(1j * turn)
    torch.testing.assert_close(image.irradiance, field.abs() ** 2, rtol=0, atol=3e-5)
    assert (float(image.irradiance.mean()) < 0.2) == (tilt > 1)


def body(modality: dict[str, Any] | None = None, **optics: Any) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [41, 41], "pixel_size_um": 0.15},
            "medium": {"index": INDEX},
            "populations": [
                {
                    "name": "body",
                    "shape": {"kind": "ellipsoid", "semi_axes_um": [1.2, 1.2, 0.8]},
                    "material": {"index": 1.37},
                    "particles": [{"x_um": 3.0, "y_um": 3.0, "z_um": 0.0}],
                }
            ],
            "microscope": {
                "modality": modality or {"kind": "brightfield"},
                "numerical_aperture": 0.5,
                "source_points": 12,
                **optics,
            },
            "numerics": {"accuracy": "standard"},
        }
    )


@pytest.mark.parametrize("condenser", [0.0, 0.2])
def test_oblique_light_makes_relief(condenser: float) -> None:
    """A dense body bends light towards its axis: what travels to +x is lost on the side of −x."""
    light = {"condenser_numerical_aperture": condenser, "oblique_numerical_aperture": 0.42}
    right = forward(body(oblique_azimuth_deg=0.0, **light))
    left = forward(body(oblique_azimuth_deg=180.0, **light))
    up = forward(body(oblique_azimuth_deg=90.0, **light))
    assert float(right[18:23, 24:28].mean()) > float(right[18:23, 13:17].mean()) + 0.2
    torch.testing.assert_close(left, right.flip(1), rtol=0, atol=0.02)
    torch.testing.assert_close(up, right.T, rtol=0, atol=0.02)


def test_many_small_tilts_are_a_condenser() -> None:
    """Abbe's sum over tilted waves of the scene is the image with the whole condenser."""
    condenser = {"condenser_numerical_aperture": 0.3, "source_points": 4, "focus_um": 1.0}
    whole = forward(body(**condenser))
    radius = 0.3 * 0.5**0.5  # one ring, at half the squared radius
    parts = [
        forward(body(oblique_numerical_aperture=radius, oblique_azimuth_deg=90.0 * k, focus_um=1.0))
        for k in range(4)
    ]
    # Grids are planned for each tilt, so that the images agree to their accuracy only.
    mean = sum(parts) / 4
    assert float((mean - whole).norm() / (whole - 1).norm()) < 0.01


def test_a_stopped_condenser_is_an_annulus() -> None:
    """The whole disc is the ring and the inner disc, by their shares of the area."""

    def seen(outer: float, points: int, stop: float = 0.0) -> Tensor:
        return forward(body(condenser_numerical_aperture=outer, condenser_stop=stop,
                            source_points=points, focus_um=2.0))  # fmt: skip

    whole, inner, ring = seen(0.4, 140), seen(0.24, 60), seen(0.4, 100, 0.6)
    mixed = 0.36 * inner + 0.64 * ring
    assert float((mixed - whole).norm() / (whole - 1).norm()) < 0.02
    assert float((ring - whole).norm() / (whole - 1).norm()) > 0.2


def test_a_stop_larger_than_the_aperture_makes_a_darkfield() -> None:
    frame = render(body(condenser_numerical_aperture=0.7, condenser_stop=0.8))
    assert float(frame.image[20, 0]) < 0.02
    assert float(frame.image.max()) > 0.01
    assert any("darkfield" in c.text for c in frame.warnings)


def test_a_shadowgraph_is_brightfield_of_its_own_small_source() -> None:
    """Half angle θ in the medium is a condenser NA of n sin θ."""
    angle = 120.0
    shadow = forward(body({"kind": "shadowgraph", "divergence_mrad": angle}, focus_um=5.0))
    aperture = INDEX * sin(1e-3 * angle)
    bright = forward(body(condenser_numerical_aperture=aperture, focus_um=5.0))
    torch.testing.assert_close(shadow, bright, rtol=0, atol=1e-12)
    collimated = forward(body({"kind": "shadowgraph", "divergence_mrad": 0.0}, focus_um=5.0))
    torch.testing.assert_close(collimated, forward(body(focus_um=5.0)), rtol=0, atol=1e-12)
    assert float((collimated - 1).abs().mean()) > 1.3 * float((shadow - 1).abs().mean())


@pytest.mark.parametrize("kind", ["hologram", "phase"])
def test_laser_light_is_never_oblique(kind: str) -> None:
    plain = forward(body({"kind": kind}))
    tilted = forward(body({"kind": kind}, oblique_numerical_aperture=0.3, condenser_stop=0.5))
    torch.testing.assert_close(plain, tilted, rtol=0, atol=0)

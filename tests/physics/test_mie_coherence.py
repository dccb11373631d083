"""Spheres in partially coherent light against Abbe's sum of exact oblique Lorenz-Mie fields."""

from __future__ import annotations

from functools import cache

import miepython
import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

from osog.exit_wave import light_points, plan_sampling
from osog.rendering import forward
from osog.sample import Values, sample
from osog.scene import Scene

WAVELENGTH, MEDIUM, APERTURE = 0.55, 1.33, 0.8
RADIUS, INDEX = 1.0, 1.38
SIDE, PIXEL = 64, 0.125
K = 2 * np.pi * MEDIUM / WAVELENGTH
PLANES = (-2.0, 2.0, 5.0)


@cache
def amplitude() -> CubicSpline:
    """(S1 + S2)/2 over the scattering angle, by miepython."""
    angle = np.linspace(0, np.pi / 1.5, 1500)
    s1, s2 = miepython.S1_S2(INDEX / MEDIUM, K * RADIUS, np.cos(angle), norm="bohren")
    return CubicSpline(angle, np.conj(s1 + s2) / 4)


def abbe(source: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Irradiance (plane, Y, X) of a sphere at sample (0, 0) of a domain six frames wide.

    Incident and scattered waves of every source point by the angular spectrum, hard pupil edge.
    """
    count = 6 * SIDE
    f = np.fft.fftfreq(count, PIXEL)
    light = np.zeros((len(PLANES), count, count))
    for (sx, sy), weight in zip(source, weights, strict=True):
        gx, gy = f[None, :] + sx, f[:, None] + sy
        radial2 = (2 * np.pi) ** 2 * (gx**2 + gy**2)
        inside = radial2 < (2 * np.pi * APERTURE / WAVELENGTH) ** 2
        kz = np.sqrt(np.maximum(K**2 - radial2, 1e-9))
        kzs = np.sqrt(K**2 - (2 * np.pi) ** 2 * (sx**2 + sy**2))
        cosine = (kz * kzs + (2 * np.pi) ** 2 * (gx * sx + gy * sy)) / K**2
        spectrum = -2 * np.pi / (K * kz) * amplitude()(np.arccos(np.clip(cosine, -1, 1)))
        for j, z in enumerate(PLANES):
            scattered = np.where(inside, spectrum * np.exp(1j * (kz - kzs) * z), 0)
            field = 1 + np.fft.ifft2(scattered) / PIXEL**2
            light[j] += weight * np.abs(field) ** 2
    return light


def condenser(ratio: float, rings: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre rings in the squared radius of a disc, 4 points more on each next one."""
    points, weights = [], []
    for i, (t, w) in enumerate(zip(*np.polynomial.legendre.leggauss(rings), strict=True)):
        number = 6 + 4 * i
        angle = 2 * np.pi * (np.arange(number) + 0.5 * (i % 2)) / number
        radius = np.sqrt((t + 1) / 2) * ratio * APERTURE / WAVELENGTH
        points.append(radius * np.stack([np.cos(angle), np.sin(angle)], 1))
        weights.append(np.full(number, w / 2 / number))
    return np.concatenate(points), np.concatenate(weights)


def test_the_oracle_gives_the_converged_value_at_the_centre() -> None:
    """1.6604 at +2 µm for S 0.5, from 200 source points without any grid."""
    assert abbe(*condenser(0.5, 6))[1, 0, 0] == pytest.approx(1.6604, abs=0.01)


@pytest.mark.parametrize("model", ["slabs", "mie"])
@pytest.mark.parametrize("ratio", [0.5, 0.9])
def test_brightfield_agrees_with_abbe_and_lorenz_mie(ratio, model) -> None:
    scene = Scene.parse(
        {
            "grid": {"shape": [SIDE, SIDE], "pixel_size_um": PIXEL},
            "medium": {"index": MEDIUM},
            "populations": [
                {
                    "shape": {"kind": "sphere", "radius_um": RADIUS},
                    "material": {"index": INDEX},
                    "particles": [{"x_um": SIDE // 2 * PIXEL, "y_um": SIDE // 2 * PIXEL}],
                    "scattering": model,
                }
            ],
            "microscope": {
                "numerical_aperture": APERTURE,
                "condenser_numerical_aperture": ratio * APERTURE,
                "wavelength_um": WAVELENGTH,
                "source_points": 16,
                "focus_um": list(PLANES),
            },
            "numerics": {"accuracy": "fine"},
        }
    )
    # The same points of the condenser: their number is not what is compared.
    values = Values(scene, dtype=torch.float64)
    plan = plan_sampling(scene, sample(scene, 0, values))
    assert plan.scattering == (model,)
    exact = abbe(*(t.numpy() for t in light_points(values, plan)))
    exact = np.roll(exact, (SIDE // 2, SIDE // 2), (1, 2))[:, :SIDE, :SIDE]
    for image, wanted in zip(forward(scene).numpy(), exact, strict=True):
        error = np.linalg.norm(image - wanted) / np.linalg.norm(wanted - 1)
        assert error < (0.04 if model == "slabs" else 0.025)

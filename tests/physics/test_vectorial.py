"""Polarisation through a lens of high NA, against Richards & Wolf and plain rotations."""

from __future__ import annotations

from math import asin, cos, pi, sin, sqrt
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import j0, j1, jn

from helpers.drawing import drawing_transfer
from helpers.optical_bench import double
from osog.optics.vectorial import dipole_weights, scattered_weights
from osog.scene import Scene, SceneError

WAVELENGTH, INDEX = 0.55, 1.33


def direction(sine: float, azimuth: float) -> NDArray[np.float64]:
    """Unit vector whose transverse part is sine/INDEX."""
    s = sine / INDEX
    return np.array([s * cos(azimuth), s * sin(azimuth), sqrt(1 - s * s)])


def upright(ray: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rodrigues' rotation that turns a ray onto the axis in its meridional plane."""
    axis = np.cross(ray, [0.0, 0.0, 1.0])
    s, c = float(np.linalg.norm(axis)), float(ray[2])
    if s == 0:
        return np.eye(3)
    x, y, z = axis / s
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + s * cross + (1 - c) * cross @ cross


@pytest.mark.parametrize(
    ("ray", "source"),
    [((1.1, 0.7), (0.0, 0.0)), ((0.9, -2.0), (0.6, 1.3)), ((0.0, 0.0), (0.9, 3.0))],
)
def test_scattered_light_is_that_of_an_induced_dipole(
    ray: tuple[float, float], source: tuple[float, float]
) -> None:
    """Far field (1 − k̂k̂ᵀ)p of a dipole p along the incident field, both lenses as rotations."""
    k, k_in = direction(*ray), direction(*source)
    there, here = upright(k), upright(k_in)
    scalar = (1 + k @ k_in) / 2
    f, f_in = k * INDEX / WAVELENGTH, k_in * INDEX / WAVELENGTH
    weights = scattered_weights(
        double(f[0]), double(f[1]), (double(f_in[0]), double(f_in[1])), double(WAVELENGTH),
        double(INDEX),
    )  # fmt: skip
    for axis in (0, 1):
        dipole = here.T @ np.eye(3)[axis]
        far = dipole - k * (k @ dipole)
        seen = (there @ far) / scalar
        assert abs(seen[2]) < 1e-12
        assert [float(w) for w in weights[axis]] == pytest.approx(list(seen[:2]), abs=1e-9)


def test_emission_of_dipoles_in_all_directions() -> None:
    k = direction(1.2, 0.4)
    f = k * INDEX / WAVELENGTH
    weights = dipole_weights(double(f[0]), double(f[1]), double(WAVELENGTH), double(INDEX))
    matrix = upright(k)[:2] @ (np.eye(3) - np.outer(k, k))
    expected = [matrix[0, 0], matrix[1, 1], sqrt(2) * matrix[0, 1], matrix[0, 2], matrix[1, 2]]
    assert [abs(float(w)) for w in weights] == pytest.approx([abs(e) for e in expected], abs=1e-12)
    # Both polarisations of three dipoles carry 2: every direction is lit alike.
    assert float(weights.square().sum()) == pytest.approx(2.0)


def test_light_on_the_axis_has_the_known_cross_polarisation() -> None:
    """1 ∓ t cos 2φ and −t sin 2φ, t = tan²(θ/2); its power is the dipole's (1 + cos²θ)/2."""
    sine, azimuth = 1.1, 0.5
    theta = asin(sine / INDEX)
    t = (1 - cos(theta)) / (1 + cos(theta))
    f = direction(sine, azimuth) * INDEX / WAVELENGTH
    zero = double(0.0)
    (xx, xy), (yx, yy) = scattered_weights(double(f[0]), double(f[1]), (zero, zero),
                                           double(WAVELENGTH), double(INDEX))  # fmt: skip
    assert float(xx) == pytest.approx(1 - t * cos(2 * azimuth), abs=1e-9)
    assert float(yy) == pytest.approx(1 + t * cos(2 * azimuth), abs=1e-9)
    assert float(xy) == pytest.approx(-t * sin(2 * azimuth), abs=1e-9) == float(yx)
    power = sum(float(w) ** 2 for w in (xx, xy, yx, yy)) / 2 * ((1 + cos(theta)) / 2) ** 2
    assert power == pytest.approx((1 + cos(theta) ** 2) / 2)


def richards_wolf(aperture: float, radius: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    """|I0|² + 2|I1|² + |I2|² by quadrature: the focus of unpolarised light, 1 at the origin."""
    alpha, k = asin(aperture / INDEX), 2 * pi * INDEX / WAVELENGTH
    node, weight = np.polynomial.legendre.leggauss(80)
    theta = (node + 1) * alpha / 2
    c, s = np.cos(theta), np.sin(theta)
    common = weight * np.sqrt(c) * s * np.exp(1j * k * z * c)
    v = k * radius[:, None] * s
    fields = [
        (common * (1 + c) * j0(v)).sum(1),
        (common * s * j1(v)).sum(1),
        (common * (1 - c) * jn(2, v)).sum(1),
    ]
    light = abs(fields[0]) ** 2 + 2 * abs(fields[1]) ** 2 + abs(fields[2]) ** 2
    origin = abs((weight * np.sqrt(c) * s * (1 + c)).sum()) ** 2
    result: NDArray[np.float64] = light / origin
    return result


@pytest.mark.parametrize("z", [0.0, 0.5])
def test_point_spread_of_richards_and_wolf(bench: ModuleType, z: float) -> None:
    aperture, size = 1.2, 192
    table = bench.Bench(size=size, pixel_um=0.08)
    slab = torch.zeros(1, size, size, dtype=torch.float64)
    slab[0, 96, 96] = 1.0
    index = torch.fft.fftfreq(size, dtype=torch.float64)
    mean = drawing_transfer(index, index)  # as bodies are drawn into slabs
    slab = torch.fft.ifft2(torch.fft.fft2(slab) * mean).real
    optics = {"numerical_aperture": aperture, "immersion_index": 1.33,
              "pupil": {"apodisation": "aplanatic", "vectorial": True}}  # fmt: skip

    def line(focus: float) -> NDArray[np.float64]:
        light = table.image(table.emission(slab, [0.0]), "fluorescence", focus_um=focus, **optics)
        row: NDArray[np.float64] = light.irradiance[96, 96:116].numpy()
        return row

    radius = np.arange(20) * table.pixel_um
    expected = richards_wolf(aperture, radius, z)
    light = line(z) / line(0.0)[0]
    assert np.abs(light - expected).max() < 0.006
    # The scalar spot is narrower: the longitudinal field fills the dark ring.
    dark = richards_wolf(aperture, radius, 0.0)[3:5].min()
    optics["pupil"] = {"apodisation": "aplanatic"}
    assert (line(0.0) / line(0.0)[0])[3:5].min() < 0.6 * dark


def test_energy_is_kept(bench: ModuleType) -> None:
    table = bench.Bench(size=64)
    disc = torch.sigmoid((1.0 - table.from_centre) / 0.1)[None]
    image = table.image(table.emission(disc, [0.0]), "fluorescence", focus_um=1.0,
                        pupil={"apodisation": "aplanatic", "vectorial": True})  # fmt: skip
    assert float(image.irradiance.mean()) == pytest.approx(float(disc.mean()), rel=1e-9)


def test_hologram_of_a_small_scatterer(bench: ModuleType) -> None:
    """Mean over both incident polarisations of |1 + E_x|² + |E_y|², frequency by frequency."""
    table = bench.Bench(size=32, pixel_um=0.15)
    bump = 3.0 * torch.exp(-((table.from_centre / 0.3) ** 2))
    wave = table.wave(torch.exp(1j * bump))
    image = table.image(wave, "hologram", focus_um=0.6, numerical_aperture=1.1,
                        immersion_index=1.33, pupil={"vectorial": True}).irradiance  # fmt: skip
    scalar = table.image(wave, "hologram", focus_um=0.6, numerical_aperture=1.1,
                         immersion_index=1.33).field  # fmt: skip
    fx, fy = wave.fx.numpy()[None, :], wave.fy.numpy()[:, None]
    spectrum = np.fft.fft2(scalar.numpy() - 1)
    s = np.clip(np.hypot(fx, fy) * WAVELENGTH / INDEX, 0, 0.999)
    theta, phi = np.arcsin(s), np.arctan2(fy, fx)
    t = np.tan(theta / 2) ** 2
    co = [1 + np.fft.ifft2(spectrum * (1 - sign * t * np.cos(2 * phi))) for sign in (1, -1)]
    cross = np.fft.ifft2(spectrum * t * np.sin(2 * phi))
    expected = (abs(co[0]) ** 2 + abs(co[1]) ** 2) / 2 + abs(cross) ** 2
    np.testing.assert_allclose(image.numpy(), expected, atol=1e-6)
    assert np.abs(image.numpy() - abs(scalar.numpy()) ** 2).max() > 1e-3


@pytest.mark.parametrize("kind", ["dic", "phase", "off_axis_hologram", "iscat"])
def test_modalities_of_one_polarisation_refuse(kind: str) -> None:
    with pytest.raises(
        SceneError, match=f"vectorial = true is not available for the modality {kind}"
    ):
        Scene.parse({"microscope": {"modality": {"kind": kind}, "pupil": {"vectorial": True}}})

"""Holograms of exact spheres against the radial diffraction integral with a hard pupil edge."""

from __future__ import annotations

import miepython
import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline
from scipy.special import j0

from osog.exit_wave import exit_wave, plan_sampling
from osog.optics import image
from osog.rendering import forward, render
from osog.sample import Values, sample
from osog.scene import Scene
from osog.sensor import pixels

WAVELENGTH, MEDIUM = 0.447, 1.34
SIDE, PIXEL = 64, 0.2
X, Y = 6.51, 6.27


def scene(radius, index, aperture, distance, **more) -> Scene:
    population = {
        "shape": {"kind": "sphere", "radius_um": radius},
        "material": {"index": index},
        "particles": [{"x_um": X, "y_um": Y, "z_um": -distance}],
    }
    population.update(more.pop("population", {}))
    return Scene.parse(
        {
            "grid": {"shape": [SIDE, SIDE], "pixel_size_um": PIXEL},
            "medium": {"index": MEDIUM},
            "populations": [population],
            "microscope": {
                "modality": {"kind": "hologram"},
                "numerical_aperture": aperture,
                "wavelength_um": WAVELENGTH,
                **more,
            },
        }
    )


def radial(radius, index, aperture, distance, rho, apodised=False):
    """Scattered field around the axis of a sphere: Gauss-Legendre sum over the cone, miepython.

    E(ρ) = −∫ sin θ e^{ik(cos θ − 1)z} (S1 + S2)/2 J0(kρ sin θ) dθ up to sin θ = NA/n, without any
    grid, domain or soft edge.
    """
    k = 2 * np.pi * MEDIUM / WAVELENGTH
    widest = np.arcsin(aperture / MEDIUM)
    count = int(1.2 * (k * rho.max() * np.sin(widest) + k * abs(distance) * 0.6) / np.pi + 80)
    node, weight = np.polynomial.legendre.leggauss(count)
    theta, weight = (node + 1) / 2 * widest, weight * widest / 2
    s1, s2 = miepython.S1_S2(index / MEDIUM, k * radius, np.cos(theta), norm="bohren")
    wave = np.conj(s1 + s2) / 4 * weight * np.sin(theta)
    wave = wave * np.exp(1j * k * (np.cos(theta) - 1) * distance)
    if apodised:
        wave = wave * np.sqrt(np.cos(theta))
    return -(j0(k * np.multiply.outer(rho, np.sin(theta))) @ wave)


def oracle(radius, index, aperture, distance, x=X, y=Y):
    """Scattered field (Y, X) in the frame."""
    axis = np.arange(SIDE) * PIXEL
    rho = np.hypot(axis[None, :] - x, axis[:, None] - y)
    nodes = np.linspace(0, rho.max() + 0.05, int(rho.max() / 0.02))
    return CubicSpline(nodes, radial(radius, index, aperture, distance, nodes))(rho)


CASES = [
    (1.5, 1.59, 1.2, 12.0),
    (0.75, 1.45, 1.2, 20.0),
    (0.5, 1.59, 0.8, 15.0),
    (1.0, 1.45, 0.6, -12.0),
]


@pytest.mark.parametrize(("radius", "index", "aperture", "distance"), CASES)
def test_scattered_field_is_exact_to_a_thousandth(radius, index, aperture, distance) -> None:
    ask = {"population": {"scattering": "mie"}}
    frame = render(scene(radius, index, aperture, distance, **ask), "cpu", 0, ("field",))
    exact = oracle(radius, index, aperture, distance)
    error = np.linalg.norm(frame.field.numpy() - 1 - exact) / np.linalg.norm(exact)
    assert error < 1e-3
    assert "Mie ×1, exact to 0.1 %" in frame.explain


@pytest.mark.parametrize(("radius", "index", "aperture", "distance"), CASES[:2])
def test_gradients_are_those_of_the_exact_hologram(radius, index, aperture, distance) -> None:
    """Derivatives of I by autograd, against finite differences of the oracle."""
    mine = scene(radius, index, aperture, distance, population={"scattering": "mie"})
    names = {
        "particles[0].x_um": X,
        "particles[0].y_um": Y,
        "particles[0].z_um": -distance,
        "populations[0].shape.radius_um": radius,
        "populations[0].material.index": index,
        "microscope.numerical_aperture": aperture,
    }

    def exact(values):
        x, y, z, r, n, na = values
        return np.abs(1 + oracle(r, n, na, -z, x, y)) ** 2

    start, h = np.array(list(names.values())), 1e-4
    leaves = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in names.items()}
    hologram = forward(mine, leaves)
    random = np.random.default_rng(1).standard_normal(hologram.shape)
    for i, name in enumerate(names):
        step = h * np.eye(len(start))[i]
        wanted = (exact(start + step) - exact(start - step)) / (2 * h)
        length = np.linalg.norm(wanted)
        # Along the derivative itself, and along noise, which no other derivative resembles.
        for weight in (wanted / length, random / np.linalg.norm(random)):
            (got,) = torch.autograd.grad(
                (hologram * torch.as_tensor(weight)).sum(), leaves[name], retain_graph=True
            )
            # The NA moves the edge of the pupil, which is two frequency steps wide.
            limit = 3e-3 if name.endswith("aperture") else 1e-3
            assert abs(float(got) - (wanted * weight).sum()) < limit * length, name


@pytest.mark.parametrize(
    ("radius", "index", "field"),
    [(0.75, 1.45, 0.311883 + 0.546042j), (1.5, 1.59, -1.232303 + 1.377937j)],
)
def test_field_on_the_axis_of_an_aplanatic_lens(radius, index, field) -> None:
    """NA 1.2, 12 µm above the sphere, with √(k_z/k): values of the radial integral, 6 digits."""
    mine = scene(
        radius,
        index,
        1.2,
        12.0,
        pupil={"apodisation": "aplanatic"},
        population={
            "particles": [{"x_um": 32 * PIXEL, "y_um": 32 * PIXEL, "z_um": -12.0}],
            "scattering": "mie",
        },
    )
    frame = render(mine, "cpu", 0, ("field",))
    assert radial(radius, index, 1.2, 12.0, np.zeros(1), True)[0] == pytest.approx(field, abs=2e-6)
    assert complex(frame.field[32, 32]) - 1 == pytest.approx(field, abs=2e-3)


def test_equal_spheres_and_single_ones_make_the_same_light() -> None:
    """Spheres that share one amplitude under no gradient are computed apart under one."""
    places = [{"x_um": 4.0, "y_um": 5.0, "z_um": z, "index": n} for z, n in
              ((-3.0, 1.5), (2.0, 1.5), (1.0, 1.45))]  # fmt: skip
    mine = scene(0.6, 1.5, 0.8, 0.0, population={"particles": places, "scattering": "mie"})
    together = forward(mine)
    leaf = torch.tensor(1.45, dtype=torch.float64, requires_grad=True)
    apart = forward(mine, {"particles[2].index": leaf})
    assert torch.allclose(together, apart.detach(), atol=1e-12)


def test_mie_and_slabs_agree_for_a_weak_sphere() -> None:
    """Signs, normalisation and the reference plane, on the axis and off it, through a condenser."""
    for condenser in (0.0, 0.4):
        fields = []
        for model in ("mie", "slabs"):
            # Off the axis of the frame, and 3 µm out of focus.
            mine = scene(
                0.8,
                MEDIUM + 0.01,
                0.8,
                3.0,
                modality={"kind": "brightfield"},
                condenser_numerical_aperture=condenser,
                source_points=6,
                population={"scattering": model},
            )
            values = Values(mine, dtype=torch.float64)
            batch = sample(mine, 0, values)
            plan = plan_sampling(mine, batch, accuracy="fine")
            wave = exit_wave(batch, values, plan)
            fields.append(image(wave, values).irradiance)
            fields[-1] = pixels(fields[-1], plan, integrate=False) - 1
        assert float((fields[0] - fields[1]).norm() / fields[0].norm()) < 0.02


def test_an_absorbing_sphere_takes_its_cross_section_out_of_the_light() -> None:
    """Optical theorem: the coefficient of frequency zero is −C_ext/2 over the area."""
    radius, aperture, mu = 1.0, 1.2, 1.5
    mine = scene(radius, 1.45, aperture, 0.0, population={
        "scattering": "mie", "material": {"index": 1.45, "absorption_per_um": mu},
    })  # fmt: skip
    values = Values(mine, dtype=torch.float64)
    batch = sample(mine, 0, values)
    plan = plan_sampling(mine, batch)
    spectrum = exit_wave(batch, values, plan).spectrum[0]
    area = plan.extent_um[0] * plan.extent_um[1]
    k = 2 * np.pi * MEDIUM / WAVELENGTH
    index = (1.45 - 1j * mu * WAVELENGTH / (4 * np.pi)) / MEDIUM
    extinction = miepython.efficiencies_mx(index, k * radius)[0] * np.pi * radius**2
    forwards = complex(spectrum[0, 0]) * area
    assert -2 * forwards.real == pytest.approx(extinction, rel=1e-6)


def test_the_scattered_wave_has_a_factor_of_its_own() -> None:
    described = scene(0.6, 1.5, 0.8, 9.0)
    name = "microscope.modality.scattered_amplitude"
    half, one, two = (forward(described, {name: a}) - 1 for a in (0.5, 1.0, 2.0))
    # I − 1 = 2 α Re E + α² |E|²: two of them give the third.
    power = (two - 2 * one) / 2
    assert float((half - (one / 2 - power / 4)).abs().max()) < 1e-12
    assert float(power.abs().max()) > 1e-3
    alpha = torch.tensor(0.9, dtype=torch.float64, requires_grad=True)
    image = forward(described, {name: alpha})
    (slope,) = torch.autograd.grad(image.square().sum(), alpha)
    above, below = (
        float(forward(described, {name: 0.9 + d}).square().sum()) for d in (1e-5, -1e-5)
    )
    assert float(slope) == pytest.approx((above - below) / 2e-5, rel=1e-6)

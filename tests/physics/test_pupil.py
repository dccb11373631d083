"""Laws of the pupil: Airy, Parseval, Strehl, focus. Numbers are closed forms."""

from __future__ import annotations

from math import pi, sin, sqrt
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.optical_bench import double
from osog.optics.pupil import Pupil
from osog.waves import defocus_per_um, propagator

NA, WAVELENGTH, INDEX = 0.8, 0.55, 1.33


def pupil(step: float, na: Tensor | float = NA, **terms: float) -> Pupil:
    named = tuple((int(name[1:]), double(c)) for name, c in terms.items())
    return Pupil(torch.as_tensor(na, dtype=torch.float64), double(WAVELENGTH), double(INDEX), step,
                 named)  # fmt: skip


def frequencies(step: float, reach: float = 1.1) -> tuple[Tensor, Tensor]:
    half = int(reach * NA / WAVELENGTH / step)
    axis = torch.arange(-half, half + 1, dtype=torch.float64) * step
    return axis[None, :], axis[:, None]


def airy_line(step: float, radius: np.ndarray) -> np.ndarray:
    """PSF along x at radii in units of λ/NA, 1 at the centre."""
    fx, fy = frequencies(step)
    line = pupil(step)(fx, fy).real.sum(0)
    phase = 2 * pi * fx.ravel()[:, None] * torch.as_tensor(radius * WAVELENGTH / NA)
    field = (line[:, None] * torch.cos(phase)).sum(0) / line.sum()
    return (field**2).numpy()


def test_airy_pattern() -> None:
    radius = np.linspace(0, 1, 4001)
    intensity = airy_line(NA / WAVELENGTH / 150, radius)
    first_zero = radius[(radius > 0.5) & (radius < 0.7)][
        intensity[(radius > 0.5) & (radius < 0.7)].argmin()
    ]
    assert first_zero == pytest.approx(0.609835, abs=5e-4)
    assert 2 * np.interp(-0.5, -intensity[radius < 0.6], radius[radius < 0.6]) == pytest.approx(
        0.514497, abs=5e-4
    )
    # Energy inside the first dark ring, relative to the whole by Parseval.
    step = NA / WAVELENGTH / 150
    fx, fy = frequencies(step)
    weight = pupil(step)(fx, fy).real
    whole = float((weight**2).sum() / weight.sum() ** 2) / step**2 / (WAVELENGTH / NA) ** 2
    inside = radius <= first_zero
    encircled = np.trapezoid(2 * pi * (radius * intensity)[inside], radius[inside])
    assert encircled / whole == pytest.approx(0.837785, abs=4e-3)


def test_energy_through_the_pupil_grows_with_the_square_of_the_aperture() -> None:
    step = NA / WAVELENGTH / 60

    def energy(na: Tensor) -> Tensor:
        fx, fy = frequencies(step)
        passed = pupil(step, na)(fx, fy)
        return (passed.abs() ** 2).sum()

    na = double(NA).requires_grad_()
    value = energy(na)
    (slope,) = torch.autograd.grad(value, na)
    assert float(slope * na.detach() / value.detach()) == pytest.approx(2.0, abs=0.02)
    numeric = (energy(double(NA + 1e-5)) - energy(double(NA - 1e-5))) / 2e-5
    assert float(slope) == pytest.approx(float(numeric), rel=1e-5)


def test_parseval(bench: ModuleType) -> None:
    """Energy of the image field is what the pupil passes of the spectrum."""
    table = bench.Bench(size=60)
    torch.manual_seed(1)
    wave = table.wave(torch.exp(1j * torch.rand(60, 60, dtype=torch.float64)))
    image = table.image(wave, "hologram", focus_um=3.0)
    spectrum = wave.spectrum[0].clone()
    spectrum[0, 0] += 1
    passed = pupil(1 / table.length_um)(wave.fx[None, :], wave.fy[:, None])
    expected = ((spectrum * passed).abs() ** 2).sum()
    assert float(image.irradiance.mean()) == pytest.approx(float(expected), rel=1e-12)


def test_propagation_keeps_energy_and_undoes_itself() -> None:
    fx, fy = frequencies(0.05, 0.9)
    args = (double(WAVELENGTH), double(INDEX))
    there = propagator(fx, fy, None, double(7.0), *args)
    back = propagator(fx, fy, None, double(-7.0), *args)
    torch.testing.assert_close(there * back, torch.ones_like(there))


def test_stable_kappa_is_the_difference_of_the_two_axial_wavenumbers() -> None:
    fx, fy = frequencies(0.1, 0.5)
    source = torch.tensor([0.7, -0.4], dtype=torch.float64)
    args = (double(WAVELENGTH), double(INDEX))

    def axial(x: Tensor, y: Tensor) -> Tensor:
        return 2 * pi * torch.sqrt((INDEX / WAVELENGTH) ** 2 - x**2 - y**2)

    plain = axial(fx + 0.7, fy - 0.4) - axial(double(0.7), double(-0.4))
    torch.testing.assert_close(defocus_per_um(fx, fy, source, *args), plain, rtol=0, atol=1e-10)
    # In single precision the stable form keeps its digits near the axis, the difference does not.
    small = torch.tensor([[1e-3]])
    exact = -((2 * pi * 1e-3) ** 2) / (2 * (2 * pi * INDEX / WAVELENGTH))
    single = defocus_per_um(
        small, torch.zeros(1, 1), None, torch.tensor(WAVELENGTH), torch.tensor(INDEX)
    )
    assert float(single) == pytest.approx(exact, rel=1e-5)


def test_light_that_cannot_travel_in_the_medium_is_cut() -> None:
    wide = Pupil(double(1.4), double(WAVELENGTH), double(INDEX), 0.02)
    inside, outside = double(0.99 * INDEX / WAVELENGTH), double(1.01 * INDEX / WAVELENGTH)
    assert float(wide(inside, double(0.0)).abs()) == pytest.approx(1.0)
    assert float(wide(outside, double(0.0)).abs()) == 0.0


def test_strehl_ratio_of_defocus_aberration() -> None:
    step = NA / WAVELENGTH / 100
    fx, fy = frequencies(step)
    aberrated = pupil(step, Z4=0.5)(fx, fy).sum().abs() ** 2
    clear = pupil(step)(fx, fy).sum().abs() ** 2
    expected = (sin(sqrt(3) * 0.5) / (sqrt(3) * 0.5)) ** 2
    assert expected == pytest.approx(0.773704, abs=1e-6)
    assert float(aberrated / clear) == pytest.approx(expected, abs=2e-3)


def test_axial_response_of_a_uniform_pupil() -> None:
    step = NA / WAVELENGTH / 120
    fx, fy = frequencies(step)
    clear = pupil(step)(fx, fy)
    there = clear * propagator(fx, fy, None, double(1.0), double(WAVELENGTH), double(INDEX))
    ratio = there.sum().abs() ** 2 / clear.sum().abs() ** 2
    assert float(ratio) == pytest.approx(0.429534, abs=2e-3)


def test_a_dense_bump_focuses_light_above_itself(bench: ModuleType) -> None:
    """Positive phase converges towards +z: bright at focus_um = +F, dark at −F."""
    table = bench.Bench(size=128)
    peak, sigma = 3.0, 2.0
    bump = torch.exp(1j * peak * torch.exp(-(table.from_centre**2) / (2 * sigma**2)))
    focal = 2 * pi * INDEX / WAVELENGTH * sigma**2 / peak
    middle = table.size // 2
    focus = np.linspace(-2 * focal, 2 * focal, 9)
    axis = [
        float(
            table.image(table.wave(bump), "brightfield", focus_um=float(z)).irradiance[
                middle, middle
            ]
        )
        for z in focus
    ]
    assert axis[6] > 2.0  # z = +F
    assert axis[2] < 0.5  # z = −F
    assert focus[int(np.argmax(axis))] > 0


def test_pure_phase_conjugates_through_focus(bench: ModuleType) -> None:
    """I(z; φ) = I(−z; −φ) exactly: the symmetry that a fit must name."""
    table = bench.Bench(size=48)
    phase = 1.5 * torch.exp(-((table.from_centre / 0.8) ** 2))
    one = table.image(table.wave(torch.exp(1j * phase)), "brightfield", focus_um=2.0)
    two = table.image(table.wave(torch.exp(-1j * phase)), "brightfield", focus_um=-2.0)
    torch.testing.assert_close(one.irradiance, two.irradiance)


def test_spherical_aberration_spreads_light_into_rings_above_focus(bench: ModuleType) -> None:
    """With φ = c√5(6ρ⁴ − 6ρ²) − aρ²z the rays cross in a caustic of rings for c z > 0 only."""
    table = bench.Bench(size=128)
    emitter = torch.zeros(1, 128, 128, dtype=torch.float64)
    emitter[0, 64, 64] = 1.0

    def picture(z: float, waves: float) -> Tensor:
        aberrations = {"spherical": waves}
        emission = table.emission(emitter, [0.0])
        image = table.image(emission, "fluorescence", focus_um=z, aberrations=aberrations)
        return image.irradiance

    def spread(image: Tensor) -> float:
        near = table.from_centre < 2.5
        return float((image * table.from_centre)[near].sum() / image[near].sum())

    assert spread(picture(3.0, 0.25)) > 1.3 * spread(picture(-3.0, 0.25))
    torch.testing.assert_close(picture(3.0, 0.25), picture(-3.0, -0.25))
    torch.testing.assert_close(picture(3.0, 0.0), picture(-3.0, 0.0))

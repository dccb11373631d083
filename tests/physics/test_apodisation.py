"""Obstruction and apodisation: closed forms and quadratures."""

from __future__ import annotations

from math import pi, sqrt
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import j1
from torch import Tensor

from helpers.optical_bench import double
from osog.optics.pupil import Pupil
from osog.sample import Values
from osog.waves import propagator

NA, WAVELENGTH, INDEX = 0.8, 0.55, 1.33


def pupil_of(bench: ModuleType, emission: bool | None, bins: int = 150, **shape: Any) -> Pupil:
    scene = bench.Bench().scene("brightfield", pupil=shape)
    step = NA / WAVELENGTH / bins
    return Pupil.of(
        Values(scene, dtype=torch.float64),
        double(WAVELENGTH),
        double(INDEX),
        (step, step),
        emission,
    )


def frequencies(pupil: Pupil) -> tuple[Tensor, Tensor]:
    half = int(1.05 * NA / WAVELENGTH / pupil.step)
    axis = torch.arange(-half, half + 1, dtype=torch.float64) * pupil.step
    return axis[None, :], axis[:, None]


def line(pupil: Pupil, radius: np.ndarray) -> np.ndarray:
    """PSF along x at radii in λ/NA, 1 at the centre."""
    fx, fy = frequencies(pupil)
    across = pupil(fx, fy).real.sum(0)
    turn = 2 * pi * fx.ravel()[:, None] * torch.as_tensor(radius * WAVELENGTH / NA)
    return ((across[:, None] * torch.cos(turn)).sum(0) / across.sum()).square().numpy()


def test_annular_pupil(bench: ModuleType) -> None:
    """[2J1(v)/v − ε² 2J1(εv)/εv]²/(1 − ε²)², ε = ½: zero at .500453, half width .455835 λ/NA."""
    radius = np.linspace(1e-6, 1.4, 2801)
    light = line(pupil_of(bench, None, obstruction=0.5), radius)
    v = 2 * pi * radius
    expected = ((2 * j1(v) / v - 0.25 * 2 * j1(v / 2) / (v / 2)) / 0.75) ** 2
    assert np.abs(light - expected).max() < 4e-3
    near = (radius > 0.4) & (radius < 0.6)
    assert radius[near][light[near].argmin()] == pytest.approx(0.500453, abs=2e-3)
    main = radius < 0.45
    width = 2 * np.interp(-0.5, -light[main], radius[main])
    assert width == pytest.approx(0.455835, abs=2e-3)


def test_obstruction_takes_its_area_and_vanishes_smoothly(bench: ModuleType) -> None:
    whole = pupil_of(bench, None)
    fx, fy = frequencies(whole)
    full = float(whole(fx, fy).real.sum())
    for share in (0.3, 0.7):
        left = float(pupil_of(bench, None, obstruction=share)(fx, fy).real.sum())
        assert left / full == pytest.approx(1 - share**2, abs=0.012)
    values = Values(
        bench.Bench().scene("brightfield"), {"microscope.pupil.obstruction": 0.0},
        dtype=torch.float64,
    )  # fmt: skip
    nothing = Pupil.of(values, double(WAVELENGTH), double(INDEX), (whole.step, whole.step))
    torch.testing.assert_close(nothing(fx, fy), whole(fx, fy))


def test_obstruction_of_a_plane_wave_leaves_the_scattered_light(bench: ModuleType) -> None:
    table = bench.Bench(size=48)
    wave = table.wave(torch.exp(0.3j * torch.exp(-((table.from_centre / 0.6) ** 2))))
    image = table.image(wave, "brightfield", pupil={"obstruction": 0.3}).irradiance
    assert float(image[0, 0]) < 1e-3 < float(image.max())


@pytest.mark.parametrize(("emission", "power"), [(True, 0.5), (False, 1.5)])
def test_axial_response_of_an_aplanatic_pupil(
    bench: ModuleType, emission: bool, power: float
) -> None:
    """|∫ exp(ikz(m − 1)) m^p dm|²: m dm is the area of the pupil, m^∓½ the aplanatic factor."""
    pupil = pupil_of(bench, emission, apodisation="aplanatic")
    fx, fy = frequencies(pupil)
    passed = pupil(fx, fy)
    there = passed * propagator(fx, fy, None, double(1.0), double(WAVELENGTH), double(INDEX))
    ratio = float(there.sum().abs().square() / passed.sum().abs().square())

    lowest, k = sqrt(1 - (NA / INDEX) ** 2), 2 * pi * INDEX / WAVELENGTH
    node, weight = np.polynomial.legendre.leggauss(40)
    m = (1 + lowest) / 2 + node * (1 - lowest) / 2
    field = (weight * np.exp(1j * k * (m - 1)) * m**power).sum() / (weight * m**power).sum()
    assert ratio == pytest.approx(abs(field) ** 2, abs=5e-4)


def test_collection_and_emission_differ_by_the_density_of_directions(bench: ModuleType) -> None:
    sine = double(0.7)
    f, zero = sine / WAVELENGTH, double(0.0)
    cosine = sqrt(1 - (0.7 / INDEX) ** 2)
    collected = pupil_of(bench, False, apodisation="aplanatic")(f, zero)
    emitted = pupil_of(bench, True, apodisation="aplanatic")(f, zero)
    assert float(collected.real) == pytest.approx(sqrt(cosine), rel=1e-9)
    assert float(emitted.real) == pytest.approx(1 / sqrt(cosine), rel=1e-9)
    by_modality = bench.Bench().scene("fluorescence", pupil={"apodisation": "aplanatic"})
    step = NA / WAVELENGTH / 150
    pupil = Pupil.of(Values(by_modality, dtype=torch.float64), double(WAVELENGTH), double(INDEX),
                     (step, step))  # fmt: skip
    assert float(pupil(f, zero).real) == pytest.approx(1 / sqrt(cosine), rel=1e-9)


def test_apodisation_stays_finite_where_waves_end(bench: ModuleType) -> None:
    table = bench.Bench(size=64)
    emitter = torch.exp(-((table.from_centre / 0.4) ** 2))[None]
    image = table.image(table.emission(emitter, [0.0]), "fluorescence", numerical_aperture=1.45,
                        immersion_index=1.518, pupil={"apodisation": "aplanatic"})  # fmt: skip
    assert bool(torch.isfinite(image.irradiance).all())
    assert float(image.irradiance.mean()) == pytest.approx(float(emitter.mean()), rel=1e-6)

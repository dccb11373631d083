"""Lines of a spectrum: their weights, the white of a camera, and what they can resolve."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
import pytest
import torch

from osog.optics.spectrum import (
    RESPONSES_UM,
    _daylight,
    at_wavelength,
    colour_response,
    planck_photons,
    spectral_samples,
)
from osog.sample import Values
from osog.scene import DIC, Scene, SceneError

DOUBLE = torch.float64
KINDS = ("led", "white_led", "halogen")


def values_of(kind: str, numbers: dict[str, Any] | None = None, **microscope: Any) -> Values:
    scene = Scene.parse({"microscope": {"spectrum": {"kind": kind}, **microscope}})
    return Values(scene, numbers, dtype=DOUBLE)


def mean(lines: list[Any], function: Any) -> torch.Tensor:
    return sum(line.weights * function(line.wavelength_um) for line in lines)  # type: ignore[return-value]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [4, 12])
def test_white_light_is_one_in_every_channel(kind: str, count: int) -> None:
    grey = spectral_samples(values_of(kind), count, colour=False)
    assert len(grey) == count
    assert float(mean(grey, torch.ones_like)) == pytest.approx(1)
    colour = spectral_samples(values_of(kind), count, colour=True)
    np.testing.assert_allclose(mean(colour, torch.ones_like).numpy(), [1, 1, 1])
    assert all(float(line.weights.min()) >= 0 for line in colour)


def test_monochromatic_light_is_one_line_and_grey() -> None:
    (line,) = spectral_samples(values_of("monochromatic"), 1, colour=True)
    assert float(line.wavelength_um) == 0.55
    np.testing.assert_allclose(line.weights.numpy(), [1, 1, 1])
    # Infrared light that no colour filter is made for is balanced all the same.
    far = values_of("led", wavelength_um=1.2)
    np.testing.assert_allclose(
        mean(spectral_samples(far, 6, colour=True), torch.ones_like).numpy(), [1, 1, 1]
    )


@pytest.mark.parametrize(("wavelength", "channel"), [(0.46, 2), (0.53, 1), (0.6, 0), (0.65, 0)])
def test_an_emission_has_its_colour(wavelength: float, channel: int) -> None:
    values = values_of("monochromatic", modality={"kind": "fluorescence"}, wavelength_um=wavelength)
    (line,) = spectral_samples(values, 1, colour=True)
    assert int(line.weights.argmax()) == channel
    other = [w for k, w in enumerate(line.weights.tolist()) if k != channel]
    assert float(line.weights[channel]) > 2 * max(other)


def test_a_flat_emission_is_white() -> None:
    wavelengths = torch.linspace(0.4, 0.7, 3001, dtype=DOUBLE)
    flat = colour_response(wavelengths).mean(0)
    balanced = flat / _daylight(flat)
    np.testing.assert_allclose(balanced.numpy(), float(balanced[1]), rtol=1e-3)
    assert float(colour_response(torch.tensor(RESPONSES_UM[1][0], dtype=DOUBLE))[1]) == 1


def test_planck_law_peaks_where_wien_says_for_photons() -> None:
    wavelengths = torch.linspace(0.3, 3, 100_001, dtype=DOUBLE)
    temperature = torch.tensor(3200.0, dtype=DOUBLE)
    peak = wavelengths[planck_photons(wavelengths, temperature).argmax()]
    assert float(peak) * 3200 == pytest.approx(3669.703, rel=1e-4)  # µm·K, photons per wavelength


@pytest.mark.parametrize("bandwidth", [10.0, 40.0])
def test_led_has_the_coherence_of_a_gaussian_line(bandwidth: float) -> None:
    """Two beams with a path difference: visibility exp(−2π²σ²Δ²/λ⁴), and no revival in range."""
    count = 12
    lines = spectral_samples(values_of("led", {"microscope.spectrum.bandwidth_nm": bandwidth}),
                           count, colour=False)  # fmt: skip
    sigma = bandwidth * 1e-3 / 2.3548
    coherence = 0.55**2 / (2 * pi * sigma)
    for share in (0.3, 1.0, 2.0, 3.5, 6.0):
        path = share * coherence
        wave = mean(lines, lambda w, p=path: torch.exp(2j * pi * p / w.to(torch.complex128)))
        # Second order of 1/λ: the line is a Gaussian in wavelength, and only nearly so in 1/λ.
        assert abs(complex(wave)) == pytest.approx(np.exp(-(share**2) / 2), abs=0.012)


@pytest.mark.parametrize("kind", ["white_led", "halogen"])
def test_sixteen_lines_are_enough_for_three_orders(kind: str) -> None:
    values = values_of(kind)
    few, many = (spectral_samples(values, n, colour=True) for n in (16, 200))
    for retardance in np.linspace(0, 1.65, 34):

        def light(wavelength: torch.Tensor, r: float = retardance) -> torch.Tensor:
            return torch.sin(pi * r / wavelength) ** 2

        np.testing.assert_allclose(mean(few, light).numpy(), mean(many, light).numpy(), atol=0.02)


def test_michel_levy_colours_come_in_order() -> None:
    """Crossed polars: grey, white, yellow, red, blue, green, yellow, pink (Bloss 1961)."""
    lines = spectral_samples(values_of("halogen"), 24, colour=True)

    def colour(retardance_nm: float) -> np.ndarray:
        def light(wavelength: torch.Tensor) -> torch.Tensor:
            return torch.sin(pi * retardance_nm * 1e-3 / wavelength) ** 2

        return mean(lines, light).numpy()

    red, green, blue = colour(0)
    assert max(red, green, blue) < 1e-12
    grey = colour(100)
    assert grey.max() < 0.5 and blue_over_red(grey) > 1
    white = colour(240)
    assert white.min() > 0.8
    red, green, blue = colour(350)
    assert red > green > blue and green > 0.6 and blue < 0.6 * red, "first-order yellow"
    red, green, blue = colour(520)
    assert red > 1.5 * green and red > blue > green, "first-order red"
    red, green, blue = colour(640)
    assert blue > green > red and blue > 2 * red, "second-order blue"
    red, green, blue = colour(760)
    assert green > red and green > blue, "second-order green"
    red, green, blue = colour(890)
    assert red > blue and green > blue, "second-order yellow"
    red, green, blue = colour(1060)
    assert red > green and blue > green, "second-order red"


def blue_over_red(colour: np.ndarray) -> float:
    return float(colour[2] / colour[0])


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("led", "microscope.spectrum.bandwidth_nm", 40.0),
        ("led", "microscope.wavelength_um", 0.55),
        ("white_led", "microscope.spectrum.blue_share", 0.4),
        ("halogen", "microscope.spectrum.temperature_k", 3000.0),
    ],
)
@pytest.mark.parametrize("colour", [False, True])
def test_lines_change_smoothly(kind: str, name: str, value: float, colour: bool) -> None:
    def reading(number: torch.Tensor) -> torch.Tensor:
        lines = spectral_samples(values_of(kind, {name: number}), 8, colour)
        return mean(lines, lambda w: torch.sin(7 / w) ** 2)

    number = torch.tensor(value, dtype=DOUBLE, requires_grad=True)
    (slope,) = torch.autograd.grad(reading(number).sum(), number)
    h = 1e-5 * value
    with torch.no_grad():
        difference = (reading(number + h) - reading(number - h)).sum() / (2 * h)
    assert float(slope) == pytest.approx(float(difference), rel=1e-6)
    assert float(slope) != 0


def test_path_differences_stay_while_the_wavelength_moves() -> None:
    values = values_of(
        "led",
        modality={"kind": "dic", "bias_retardance_deg": 90},
        aberrations={"spherical": 0.1, "zernike": {12: 0.2}, "osa": {6: 0.3}},
    )
    short = at_wavelength(values, torch.tensor(0.5, dtype=DOUBLE))
    optics = short.microscope
    assert float(optics.wavelength_um) == 0.5
    assert isinstance(optics.modality, DIC)
    for number, before in (
        (optics.modality.bias_retardance_deg, 90),
        (optics.aberrations.spherical, 0.1),
        (optics.aberrations.zernike[12], 0.2),
        (optics.aberrations.osa[6], 0.3),
    ):
        assert float(number) == pytest.approx(before * 1.1)
    assert not short.acts(optics.aberrations.coma_x), "absent terms stay absent"


def test_phase_is_measured_at_one_wavelength() -> None:
    with pytest.raises(SceneError, match="spectrum = led: quantitative phase is measured at one"):
        values_of("led", modality={"kind": "phase"})

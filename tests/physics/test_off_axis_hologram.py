"""Laws of off-axis holography: fringes, demodulation, the join behind the frame."""

from __future__ import annotations

from math import cos, pi, radians, sin
from types import ModuleType

import numpy as np
import pytest
import torch

from osog.rendering import forward, render
from osog.scene import Scene, SceneError
from osog.sensor import pixels

NA, WAVELENGTH = 0.8, 0.55


def test_demodulation_returns_the_field(bench: ModuleType) -> None:
    """Shift the sideband back to zero frequency, cut it out, divide by A/(1 + A²)."""
    table = bench.Bench(size=160, pixel_um=0.08)
    order, amplitude = 60, 0.7
    carrier = order / table.length_um
    assert carrier > 3 * NA / WAVELENGTH
    bump = torch.exp(1.1j * torch.exp(-((table.from_centre / 0.8) ** 2)))
    wave = table.wave(bump)
    image = table.image(wave, "off_axis_hologram", focus_um=2.0, carrier_per_um=carrier,
                        carrier_azimuth_deg=90.0, reference_amplitude=amplitude)  # fmt: skip
    _, y = table.xy
    # I contains A U* exp(2πi f_c y) and A U exp(−2πi f_c y).
    spectrum = torch.fft.fft2(image.irradiance * torch.exp(2j * pi * carrier * y))
    frequency = torch.fft.fftfreq(160, 0.08, dtype=torch.float64)
    spectrum[torch.hypot(frequency[:, None], frequency[None, :]) > 1.1 * NA / WAVELENGTH] = 0
    field = torch.fft.ifft2(spectrum) * (1 + amplitude**2) / amplitude
    plain = table.image(wave, "hologram", focus_um=2.0).field
    torch.testing.assert_close(field, plain, rtol=0, atol=1e-3)
    torch.testing.assert_close(image.field, plain)
    assert float((plain - 1).abs().max()) > 0.3


@pytest.mark.parametrize("azimuth", [0.0, 37.0, -120.0])
def test_fringes_are_straight_in_the_whole_frame(bench: ModuleType, azimuth: float) -> None:
    """Whatever the carrier, although the domain is periodic."""
    table = bench.Bench(size=96, pixel_um=0.08, pad=12)
    carrier, amplitude = 2.9173, 1.3
    bump = torch.exp(1.1j * torch.exp(-((table.from_centre / 0.8) ** 2)))
    image = table.image(table.wave(bump), "off_axis_hologram", carrier_per_um=carrier,
                        carrier_azimuth_deg=azimuth, reference_amplitude=amplitude)  # fmt: skip
    x, y = (c[12:-12, 12:-12] - 12 * 0.08 for c in table.xy)
    along = x * cos(radians(azimuth)) + y * sin(radians(azimuth))
    field = image.field[12:-12, 12:-12] + amplitude * torch.exp(2j * pi * carrier * along)
    expected = field.abs() ** 2 / (1 + amplitude**2)
    torch.testing.assert_close(image.irradiance[12:-12, 12:-12], expected, rtol=0, atol=1e-10)


def test_pixels_average_over_the_fringes_without_ringing(bench: ModuleType) -> None:
    """An empty hologram is 1 + 2A/(1 + A²) sinc(f_x p) sinc(f_y p) cos(2π f_c·r)."""
    table = bench.Bench(size=72, pixel_um=0.1, pad=8, oversampling=3)
    carrier, azimuth = 3.217, radians(28.0)
    fx, fy = carrier * cos(azimuth), carrier * sin(azimuth)
    empty = table.wave(torch.ones(216, 216, dtype=torch.complex128))
    image = table.image(empty, "off_axis_hologram", carrier_per_um=carrier,
                        carrier_azimuth_deg=28.0, reference_amplitude=0.6)  # fmt: skip
    seen = pixels(image.irradiance, table.plan, integrate=True)
    index = torch.arange(56, dtype=torch.float64) * 0.1
    phase = 2 * pi * (fx * index[None, :] + fy * index[:, None])
    visible = 1.2 / 1.36 * np.sinc(fx * 0.1) * np.sinc(fy * 0.1)
    torch.testing.assert_close(seen, 1 + visible * torch.cos(phase), rtol=0, atol=2e-3)
    inner = slice(3, -3)
    torch.testing.assert_close(
        seen[inner, inner], (1 + visible * torch.cos(phase))[inner, inner], rtol=0, atol=2e-4
    )


def scene(carrier: float, pixel: float, **more: object) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [40, 48], "pixel_size_um": pixel},
            "medium": {"index": 1.33},
            "microscope": {
                "modality": {
                    "kind": "off_axis_hologram",
                    "carrier_per_um": carrier,
                    "carrier_azimuth_deg": 0.0,
                },
                "numerical_aperture": 0.5,
            },
            **more,
        }
    )


@pytest.mark.parametrize("carrier", [2.0, 7.3])
def test_fringe_period(carrier: float) -> None:
    """Also where the fine grid must be finer than the pixels and than the lens asks for."""
    seen = forward(scene(carrier, 0.06))
    x = torch.arange(48, dtype=torch.float64) * 0.06
    expected = 1 + torch.cos(2 * pi * carrier * x)
    torch.testing.assert_close(seen, expected.expand(40, 48), rtol=0, atol=1e-9)


def test_the_fine_grid_holds_the_fringes_and_coarse_pixels_alias_them() -> None:
    """Pixels of 0.12 µm see 7.3 fringes per µm as 8.33 − 7.3 per µm, weakened by the average."""
    frame = render(scene(7.3, 0.12, camera={}))
    fine = frame.plan.pixel_size_um / frame.plan.oversampling
    assert 1 / (2 * fine) >= 7.3 + 0.5 / 0.55
    assert any("undersample the fringes" in c.text for c in frame.warnings)
    seen = forward(scene(7.3, 0.12, camera={}))
    x = torch.arange(48, dtype=torch.float64) * 0.12
    contrast = torch.tensor(np.sinc(7.3 * 0.12)) * torch.cos(2 * pi * (1 / 0.12 - 7.3) * x)
    relative = seen - seen.mean()
    slope = float((relative * contrast).sum() / (contrast * contrast).sum()) / 40
    residue = relative - slope * contrast
    assert float(residue.std() / relative.std()) < 0.03


def test_overlapping_orders_are_named() -> None:
    frame = render(scene(2.0, 0.06))
    (found,) = [c for c in frame.warnings if "orders overlap" in c.text]
    assert found.remedy == {"microscope.modality.carrier_per_um": pytest.approx(2.8)}
    assert not any("orders overlap" in c.text for c in render(scene(2.8, 0.06)).warnings)


def test_fringes_that_do_not_fit_in_memory_are_refused() -> None:
    data = scene(40.0, 0.2).to_dict()
    data["grid"]["shape"] = [1024, 1024]
    with pytest.raises(SceneError, match=r"carrier_per_um = 40 1/µm needs 17 .* at most 14"):
        render(Scene.parse(data))

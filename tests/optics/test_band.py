from __future__ import annotations

from math import pi

import pytest
import torch

from osog.optics.band import Band, intensity_grid, modulus_squared, real_image, resampled


def direct(spectrum: torch.Tensor, band: Band, shape: tuple[int, int]) -> torch.Tensor:
    """The Fourier sum, term by term."""
    ky = torch.arange(band.first[0], band.first[0] + band.shape[0], dtype=torch.float64)
    kx = torch.arange(band.first[1], band.first[1] + band.shape[1], dtype=torch.float64)
    y = torch.arange(shape[0], dtype=torch.float64) / shape[0]
    x = torch.arange(shape[1], dtype=torch.float64) / shape[1]
    left = torch.exp(2j * pi * y[:, None] * ky)
    right = torch.exp(2j * pi * kx[:, None] * x)
    return left @ spectrum @ right


@pytest.mark.parametrize("first", [(-4, -3), (0, 0), (2, 1), (-9, -8), (-4, 2)])
def test_field_is_the_fourier_sum(first: tuple[int, int]) -> None:
    band = Band(first, (6, 7), (0.1, 0.1))
    torch.manual_seed(0)
    spectrum = torch.randn(6, 7, dtype=torch.complex128)
    expected = direct(spectrum, band, (20, 24))
    torch.testing.assert_close(band.field(spectrum, (20, 24)), expected)
    torch.testing.assert_close(modulus_squared(spectrum, (20, 24)), expected.abs() ** 2)


@pytest.mark.parametrize("number", [8, 9])
def test_band_is_taken_from_fft_order(number: int) -> None:
    index = torch.fft.fftfreq(number, 1 / number, dtype=torch.float64)
    spectrum = (index[:, None] * 100 + index[None, :]).to(torch.complex128)
    band = Band.around((0.1, -0.2), 0.2, (number, number), (0.1, 0.1))
    assert band.first == (-1, -4)
    assert band.shape == (5, 5)
    cut = Band.around((0.4, -0.4), 0.2, (number, number), (0.1, 0.1))
    assert cut.first == (2, -4)  # ends where the spectrum ends
    assert cut.shape == ((number - 1) // 2 - 1, 3)
    fx, fy = band.frequencies(spectrum.real)
    torch.testing.assert_close(band.taken(spectrum).real, (fy * 100 + fx) / 0.1)
    unit = band.unit(spectrum)
    assert float(unit.abs().sum()) == 1.0
    assert unit[1, 4] == 1.0


def test_a_band_beside_zero_has_no_incident_wave() -> None:
    band = Band((2, 2), (3, 3), (0.1, 0.1))
    assert float(band.unit(torch.zeros(1, dtype=torch.complex128)).abs().sum()) == 0.0


def test_a_band_larger_than_the_grid_is_refused() -> None:
    band = Band((-3, -3), (7, 7), (0.1, 0.1))
    with pytest.raises(ValueError, match="does not fit a grid of 6"):
        band.field(torch.zeros(7, 7, dtype=torch.complex128), (6, 6))


def test_small_grid_holds_the_intensity_exactly() -> None:
    band = Band((-6, -5), (13, 11), (0.1, 0.1))
    small = intensity_grid(band.shape, (90, 96))
    assert small == (27, 24)
    torch.manual_seed(1)
    spectrum = torch.randn(13, 11, dtype=torch.complex128)
    torch.testing.assert_close(
        resampled(modulus_squared(spectrum, small), (90, 96)),
        modulus_squared(spectrum, (90, 96)),
    )
    assert intensity_grid(band.shape, (30, 25)) == (30, 25)  # would save little
    assert intensity_grid(band.shape, (20, 200)) == (20, 200)  # does not fit


def test_real_image_from_a_coarser_half_spectrum() -> None:
    y, x = torch.meshgrid(torch.arange(12.0), torch.arange(10.0), indexing="ij")
    y, x = y.double(), x.double()
    coarse = 1 + torch.cos(2 * pi * (2 * y / 12 - 3 * x / 10) + 0.4)
    yf, xf = torch.meshgrid(torch.arange(30.0), torch.arange(40.0), indexing="ij")
    fine = 1 + torch.cos(2 * pi * (2 * yf.double() / 30 - 3 * xf.double() / 40) + 0.4)
    spectrum = torch.fft.rfft2(coarse, norm="forward")
    torch.testing.assert_close(real_image(spectrum, (30, 40)), fine)

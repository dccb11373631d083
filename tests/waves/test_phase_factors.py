"""Complex numbers of unit modulus."""

from __future__ import annotations

from math import pi

import torch

from osog.waves import phase_factor, phasor

DOUBLE = torch.float64


def test_phasor_is_the_complex_exponential() -> None:
    phase = torch.linspace(-20, 20, 101, dtype=DOUBLE, requires_grad=True)
    torch.testing.assert_close(phasor(phase), torch.exp(1j * phase), rtol=0, atol=1e-14)
    (slope,) = torch.autograd.grad(phasor(phase).imag.sum(), phase)
    torch.testing.assert_close(slope, torch.cos(phase.detach()), rtol=0, atol=1e-14)


def test_a_shift_of_a_point_is_the_factor_of_its_spectrum() -> None:
    number, pitch = 16, 0.25
    frequency = torch.fft.fftfreq(number, pitch, dtype=DOUBLE)
    for place in (0, 3, 11):
        point = torch.zeros(number, dtype=DOUBLE)
        point[place] = 1
        factor = phase_factor(frequency, torch.tensor([place * pitch], dtype=DOUBLE))[0]
        torch.testing.assert_close(torch.fft.fft(point), factor, rtol=0, atol=1e-13)


def test_the_factor_is_double_whatever_the_frequency_is() -> None:
    frequency = torch.tensor([1.0])
    factor = phase_factor(frequency, torch.tensor([1000.25], dtype=DOUBLE))
    assert factor.dtype == torch.complex128
    expected = phasor(torch.tensor([[-2 * pi * 0.25]], dtype=DOUBLE))
    torch.testing.assert_close(factor, expected, rtol=0, atol=1e-10)

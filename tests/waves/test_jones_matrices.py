"""Polarising elements."""

from __future__ import annotations

from math import cos, pi, sin

import pytest
import torch

from osog.waves.jones_matrices import linear, polarizer_state, quarter_wave_plate, retarder

DOUBLE = torch.float64


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=DOUBLE)


@pytest.mark.parametrize("azimuth", [0.0, 0.4, pi / 2, -1.1])
def test_a_retarder_delays_its_slow_axis_and_keeps_the_light(azimuth: float) -> None:
    retardance = 1.3
    matrix = retarder(number(retardance), number(azimuth))
    slow, fast = linear(number(azimuth)), linear(number(azimuth + pi / 2))
    along = slow * complex(cos(retardance / 2), sin(retardance / 2))
    across = fast * complex(cos(retardance / 2), -sin(retardance / 2))
    torch.testing.assert_close(matrix @ slow, along, rtol=0, atol=1e-15)
    torch.testing.assert_close(matrix @ fast, across, rtol=0, atol=1e-15)
    unit = torch.eye(2, dtype=torch.complex128)
    torch.testing.assert_close(matrix.conj().T @ matrix, unit, rtol=0, atol=1e-15)


def test_crossed_quarter_wave_plates_cancel() -> None:
    polarizer = number(17.0)
    both = quarter_wave_plate(polarizer, 45.0) @ quarter_wave_plate(polarizer, -45.0)
    torch.testing.assert_close(both, torch.eye(2, dtype=torch.complex128), rtol=0, atol=1e-15)


def test_light_behind_a_polariser_has_unit_norm_and_the_asked_form() -> None:
    straight = polarizer_state(number(30.0), circular=False)
    torch.testing.assert_close(straight, linear(number(pi / 6)))
    circular = polarizer_state(number(30.0), circular=True)
    assert float(circular.norm()) == pytest.approx(1.0)
    assert complex(circular[1] / circular[0]) == pytest.approx(-1j, abs=1e-14)

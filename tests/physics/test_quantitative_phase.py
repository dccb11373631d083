"""Laws of quantitative phase: it recovers the object, unwraps, and keeps exact gradients."""

from __future__ import annotations

from math import pi
from types import ModuleType

import numpy as np
import pytest
import torch

from osog.optics import image
from osog.optics.phase import branches
from osog.sample import Values


@pytest.mark.parametrize("peak", [0.01, 2.0, 5.0, 14.0, -9.0])
def test_smooth_phase_is_recovered(bench: ModuleType, peak: float) -> None:
    """Wider than the resolution, so the pupil passes it; up to more than two turns."""
    table = bench.Bench(size=128)
    phase = peak * torch.exp(-((table.from_centre / 2.2) ** 2))
    measured = table.image(table.wave(torch.exp(1j * phase)), "phase").irradiance
    torch.testing.assert_close(measured, phase, rtol=0, atol=0.01 * abs(peak))


def test_background_stays_near_zero_when_the_object_fills_most_of_the_frame(
    bench: ModuleType,
) -> None:
    table = bench.Bench(size=96)
    height = (1 / (1 + torch.exp((table.from_centre - 4.0) / 0.25))) * 9.0
    measured = table.image(table.wave(torch.exp(1j * height)), "phase").irradiance
    assert float(measured[0, 0]) == pytest.approx(0.0, abs=0.05)
    assert float(measured[48, 48]) == pytest.approx(9.0, abs=0.3)  # the pupil rings


def test_aberrations_do_not_turn_the_background(bench: ModuleType) -> None:
    """The piston of a Zernike term on the axis is not a phase of the object."""
    table = bench.Bench(size=48)
    empty = table.wave(torch.ones(48, 48, dtype=torch.complex128))
    measured = table.image(empty, "phase", aberrations={"spherical": 0.3}).irradiance
    assert float(measured.abs().max()) < 1e-12


def test_padding_is_left_out_of_the_unwrapping(bench: ModuleType) -> None:
    table = bench.Bench(size=128, pad=16)
    phase = 8.0 * torch.exp(-((table.from_centre / 2.2) ** 2))
    measured = table.image(table.wave(torch.exp(1j * phase)), "phase").irradiance
    inner = slice(16, 112)
    torch.testing.assert_close(measured[inner, inner], phase[inner, inner], rtol=0, atol=0.08)


def test_branches_are_whole_turns(bench: ModuleType) -> None:
    table = bench.Bench(size=64)
    phase = 12.0 * torch.exp(-((table.from_centre / 1.5) ** 2))
    field = torch.exp(1j * phase)
    turns = branches(torch.angle(field), field, table.plan) / (2 * pi)
    torch.testing.assert_close(turns, turns.round(), rtol=0, atol=1e-12)
    assert float(turns.max()) == 2.0
    assert float(turns[0, 0]) == 0.0


@pytest.mark.parametrize("peak", [2.0, 10.0])
def test_gradient_is_exact_across_branches(bench: ModuleType, peak: float) -> None:
    """The derivative with respect to height is that of the angle, in whatever branch."""
    table = bench.Bench(size=64)
    shape = torch.exp(-((table.from_centre / 1.5) ** 2))
    values = Values(table.scene("phase", focus_um=0.5), dtype=torch.float64)
    torch.manual_seed(0)
    weights = torch.rand(64, 64, dtype=torch.float64)

    def total(height: torch.Tensor) -> torch.Tensor:
        wave = table.wave(torch.exp(1j * height * shape))
        return (weights * image(wave, values).irradiance).sum()

    height = torch.tensor(peak, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(total(height), height)
    numeric = (total(height.detach() + 1e-6) - total(height.detach() - 1e-6)) / 2e-6
    assert float(slope) == pytest.approx(float(numeric), rel=1e-7)


def test_rows_and_reliable_neighbours_give_the_same_phase_unless_there_is_a_vortex() -> None:
    from skimage.restoration import unwrap_phase

    from osog.optics.phase import unwrapped

    y, x = np.mgrid[-3:3:96j, -3:3:80j]
    smooth = 14 * np.exp(-(x**2) - y**2)
    wrapped = np.angle(np.exp(1j * smooth))
    quick = unwrapped(wrapped)
    assert np.allclose(quick - quick[0, 0], smooth - smooth[0, 0])
    vortex = np.angle((x + 1j * y) * np.exp(1j * smooth))
    assert np.array_equal(unwrapped(vortex), unwrap_phase(vortex, rng=0))

"""Plane waves of a plan, in the frame of their source points."""

from __future__ import annotations

from math import pi

import pytest
import torch

from osog.exit_wave.kernel_deconvolution import slab_correction
from osog.waves import ForwardWaves, SamplingPlan, UpwardWaves, bundles, plane_waves
from osog.waves.evanescence import CUT_OFF, FADED_NEPERS, FADING
from osog.waves.plane_waves import grid_frequencies

DOUBLE = torch.float64
WAVELENGTH, INDEX = 0.55, 1.33
PLAN = SamplingPlan(
    frame_shape=(20, 24),
    pixel_size_um=0.2,
    pad_px=(0, 0),
    domain_px=(20, 24),
    grid_shape=(40, 48),
    oversampling=1,
    slab_um=0.5,
    first_slab=-1,
    slabs=3,
    band=2.0,
    aperture=0.8,
    source_points=2,
    accuracy="standard",
    padding_wanted_um=0.0,
    padding_um=0.0,
)
SOURCE = torch.tensor([[0.0, 0.0], [0.6, -0.3]], dtype=DOUBLE)


def numbers() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(WAVELENGTH, dtype=DOUBLE), torch.tensor(INDEX, dtype=DOUBLE)


def axial(fx, fy):
    """k_z by its definition."""
    return 2 * pi * torch.sqrt((INDEX / WAVELENGTH) ** 2 - fx**2 - fy**2)


@pytest.mark.parametrize("kind", [ForwardWaves, UpwardWaves])
def test_kappa_is_the_difference_of_both_axial_wavenumbers(kind) -> None:
    waves = kind.of(PLAN, SOURCE, *numbers())
    kappa = waves.kappa
    if kind is ForwardWaves:
        kappa = kappa[:, waves.rows[:, None], waves.columns]
    assert float(waves.fx.abs().max()) <= PLAN.band
    for point, (sx, sy) in enumerate(SOURCE):
        x, y = waves.fx[None, :] + sx, waves.fy[:, None] + sy
        well = torch.hypot(x, y) < 0.97 * INDEX / WAVELENGTH
        expected = axial(x, y) - axial(sx, sy)
        torch.testing.assert_close(kappa[point][well], expected[well], rtol=0, atol=1e-12)


def test_waves_fade_between_two_shares_of_the_medium_s_wavenumber() -> None:
    waves = ForwardWaves.of(PLAN, SOURCE, *numbers())
    fy, fx = grid_frequencies(PLAN, SOURCE)
    share = torch.hypot(fx[None, :], fy[:, None]) * WAVELENGTH / INDEX
    assert not waves.decay[0][share <= FADING[0]].any()
    gone = waves.decay[0][share >= FADING[1]] * PLAN.slab_um
    torch.testing.assert_close(gone, torch.full_like(gone, FADED_NEPERS))
    assert bool((waves.decay >= 0).all()) and bool(waves.kappa.isfinite().all())


def test_light_that_comes_back_ends_at_its_own_border() -> None:
    wide = SamplingPlan(**{**vars(PLAN), "band": 3.0})
    waves = UpwardWaves.of(wide, SOURCE, *numbers())
    share = torch.hypot(waves.fx[None, :] + 0.6, waves.fy[:, None] - 0.3) * WAVELENGTH / INDEX
    assert torch.equal(waves.travels[1], share < CUT_OFF)
    assert float(waves.obliquity.max()) < 7.1


def test_obliquity_is_one_straight_ahead_and_falls_as_born_says() -> None:
    waves = ForwardWaves.of(PLAN, SOURCE, *numbers())
    assert float(waves.obliquity[0, 0, 0]) == pytest.approx(1.0, abs=1e-15)
    cosine = axial(waves.fx, torch.zeros(1, dtype=DOUBLE)) / (2 * pi * INDEX / WAVELENGTH)
    expected = (1 + cosine) / 2 / cosine
    torch.testing.assert_close(waves.obliquity[0, 0], expected, rtol=1e-12, atol=0)
    assert float(waves.stretch[0]) == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("kind", [ForwardWaves, UpwardWaves])
def test_every_wave_has_a_derivative_in_wavelength_and_index(kind) -> None:
    wide = SamplingPlan(**{**vars(PLAN), "band": 3.5})
    wavelength, index = (number.requires_grad_() for number in numbers())
    waves = kind.of(wide, SOURCE, wavelength, index)
    slopes = torch.autograd.grad(waves.kappa.sum() + waves.obliquity.sum(), (wavelength, index))
    assert all(bool(slope.isfinite()) for slope in slopes)


def test_waves_of_many_directions_are_made_a_few_at_a_time(monkeypatch) -> None:
    """While derivatives are followed all are made at once: both ways agree."""
    source = torch.cat([SOURCE, -SOURCE[1:], SOURCE.flip(1)[1:]])
    whole = ForwardWaves.of(PLAN, source.clone().requires_grad_(), *numbers())
    monkeypatch.setitem(bundles._BUNDLE_BYTES, "cpu", 2 * 16 * 40 * 48)
    asked = []
    monkeypatch.setattr(
        plane_waves, "_forward", lambda *a, f=plane_waves._forward: asked.append(a[2]) or f(*a)
    )
    parts = ForwardWaves.of(PLAN, source, *numbers())
    assert [len(few) for few in asked] == [2, 2]
    for name in ("kappa", "decay", "stretch", "obliquity"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name).detach())
    corrections = [slab_correction(waves, PLAN).detach() for waves in (parts, whole)]
    torch.testing.assert_close(*corrections)

"""Laws of DIC: sign, bias, extinction."""

from __future__ import annotations

from math import pi, radians, sin
from types import ModuleType

import pytest
import torch
from torch import Tensor

from osog.waves import source_points

SLOPE, SHEAR, BIAS = 0.5, 0.2, 60.0


def wedge(table) -> Tensor:  # type: ignore[no-untyped-def]
    """Along x: flat, up, flat, down, each a quarter of the domain, at 0.5 rad/µm."""
    x, _ = table.xy
    quarter = table.length_um / 4
    return SLOPE * ((x - quarter).clamp(0, quarter) - (x - 3 * quarter).clamp(0, quarter))


def levels(image: Tensor) -> tuple[float, float, float]:
    """Mean of the middle of the up-slope, the down-slope and the flat parts."""
    n = image.shape[1]
    window = n // 20

    def mean(centre: int) -> float:
        return float(image[:, centre - window : centre + window].mean())

    flat = (mean(n // 8) + mean(5 * n // 8)) / 2
    return mean(3 * n // 8), mean(7 * n // 8), flat


@pytest.fixture(scope="module")
def table(bench: ModuleType):  # type: ignore[no-untyped-def]
    return bench.Bench(size=240, pixel_um=40 / 240)


def test_wedge_levels_with_coherent_light(table) -> None:  # type: ignore[no-untyped-def]
    wave = table.wave(torch.exp(1j * wedge(table)))
    image = table.image(wave, "dic", shear_um=SHEAR, azimuth_deg=0.0, bias_retardance_deg=BIAS)
    up, down, flat = (0.25 * level for level in levels(image.irradiance))
    assert up == pytest.approx(0.294478, abs=6e-4)
    assert down == pytest.approx(0.208020, abs=6e-4)
    assert flat == pytest.approx(0.25, abs=6e-4)


@pytest.mark.parametrize(
    ("ratio", "up", "down"), [(0.3, 0.294484, 0.208019), (0.9, 0.294290, 0.208420)]
)
def test_wedge_levels_with_a_condenser(table, ratio: float, up: float, down: float) -> None:  # type: ignore[no-untyped-def]
    light = source_points(
        torch.tensor(ratio * 0.8, dtype=torch.float64), torch.tensor(0.55).double(), 24
    )
    wave = table.wave(torch.exp(1j * wedge(table)), *light)
    image = table.image(wave, "dic", shear_um=SHEAR, azimuth_deg=0.0, bias_retardance_deg=BIAS)
    measured = [0.25 * level for level in levels(image.irradiance)]
    assert measured == pytest.approx([up, down, 0.25], abs=4e-4)


@pytest.mark.parametrize("azimuth", [0.0, 90.0, 180.0, -90.0, 45.0])
@pytest.mark.parametrize("bias", [30.0, 120.0, -60.0])
def test_brightens_where_phase_rises_along_the_shear(
    bench: ModuleType, azimuth: float, bias: float
) -> None:
    """For 0 < b < π; a negative bias turns the relief over."""
    small = bench.Bench(size=64)
    x, y = small.xy
    along = (x - 3.2) * torch.cos(torch.tensor(radians(azimuth))) + (y - 3.2) * torch.sin(
        torch.tensor(radians(azimuth))
    )
    bump = 0.5 * torch.exp(-((small.from_centre / 0.9) ** 2))
    image = small.image(small.wave(torch.exp(1j * bump)), "dic", shear_um=0.3, azimuth_deg=azimuth,
                        bias_retardance_deg=bias).irradiance  # fmt: skip
    rising = image[(along < -0.3) & (small.from_centre < 1.0)].mean()
    falling = image[(along > 0.3) & (small.from_centre < 1.0)].mean()
    assert (float(rising - falling) > 0) == (bias > 0)
    assert abs(float(rising - falling)) > 0.1


def test_zero_bias_is_extinction_and_half_a_wave_is_parallel(bench: ModuleType) -> None:
    small = bench.Bench(size=32)
    empty = small.wave(torch.ones(32, 32, dtype=torch.complex128))
    dark = small.image(empty, "dic", bias_retardance_deg=0.0)
    assert float(dark.irradiance.abs().max()) < 1e-25
    leaking = small.image(empty, "dic", bias_retardance_deg=0.0, extinction=0.003)
    assert float(leaking.irradiance.mean()) == pytest.approx(0.003)
    parallel = small.image(empty, "dic", bias_retardance_deg=180.0)
    assert float(parallel.field.abs().mean()) == pytest.approx(1.0)


@pytest.mark.parametrize("leak", [0.0, 0.02])
@pytest.mark.parametrize("count", [1, 8])
def test_background_is_one_away_from_extinction(bench: ModuleType, leak: float, count: int) -> None:
    small = bench.Bench(size=32)
    light = source_points(torch.tensor(0.4).double(), torch.tensor(0.55).double(), count)
    empty = small.wave(torch.ones(32, 32, dtype=torch.complex128), *light)
    for bias in (10.0, 90.0, 200.0, -90.0, 300.0):
        image = small.image(empty, "dic", bias_retardance_deg=bias, extinction=leak)
        torch.testing.assert_close(image.irradiance, torch.ones_like(image.irradiance))
    # Nearer to extinction than 0.1 rad the unit is the incident light.
    image = small.image(empty, "dic", bias_retardance_deg=5.0, extinction=leak)
    share = sin(radians(2.5)) ** 2
    assert float(image.irradiance.mean()) == pytest.approx(share * (1 - leak) + leak)


def test_field_is_the_difference_of_two_sheared_images(bench: ModuleType) -> None:
    """½[e^{ib/2} U(r + s/2) − e^{−ib/2} U(r − s/2)] for a shear of 4 samples."""
    small = bench.Bench(size=64)
    bump = torch.exp(1j * torch.exp(-((small.from_centre / 0.9) ** 2)))
    wave = small.wave(bump)
    plain = small.image(wave, "brightfield", focus_um=1.0).field
    half = torch.exp(torch.tensor(1j * pi / 6, dtype=torch.complex128))
    ahead, behind = torch.roll(plain, -2, 1), torch.roll(plain, 2, 1)
    expected = 0.5 * (half * ahead - half.conj() * behind)
    image = small.image(wave, "dic", focus_um=1.0, shear_um=0.4, azimuth_deg=0.0,
                        bias_retardance_deg=60.0)  # fmt: skip
    torch.testing.assert_close(image.field, expected)
    leaked = 0.5 * (half * ahead + half.conj() * behind)
    share = 0.05
    image = small.image(wave, "dic", focus_um=1.0, shear_um=0.4, azimuth_deg=0.0,
                        bias_retardance_deg=60.0, extinction=share)  # fmt: skip
    total = expected.abs() ** 2 + share * leaked.abs() ** 2
    torch.testing.assert_close(image.irradiance, total / (0.25 * (1 - share) + share))


def bar(table, phase: float) -> Tensor:  # type: ignore[no-untyped-def]
    """Along x: half of the domain at a higher phase, with the mean at the two edges."""
    x, _ = table.xy
    quarter, pitch = table.length_um / 4, table.length_um / x.shape[1]
    high = (((x - 2 * quarter).abs() - quarter) / pitch).round()
    level = torch.exp(torch.tensor(1j * phase, dtype=torch.complex128))
    inside = torch.where(high < 0, 1.0, torch.where(high > 0, 0.0, 0.5))
    return 1 + (level - 1) * inside


@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.9])
def test_steep_edges_have_a_dark_line_on_both_sides(bench: ModuleType, ratio: float) -> None:
    """Light that an edge bends out of the aperture is missing whatever the shear.

    With the shear along the edges there is no relief, and the even line alone is left. In coherent
    light the field on an edge is the mean of both sides, so that I = cos²(φ/2).
    """
    table, phase = bench.Bench(size=160, pixel_um=0.1), 1.2
    light = source_points(
        torch.tensor(ratio * 0.8).double(), torch.tensor(0.55).double(), 32 if ratio else 1
    )
    wave = table.wave(bar(table, phase), *light)
    along = table.image(wave, "dic", azimuth_deg=90.0, bias_retardance_deg=90.0).irradiance[0]
    edges = along[[40, 120]]
    torch.testing.assert_close(edges[0], edges[1])
    assert float(edges[0]) < 0.85
    assert float(along[[0, 80]].mean()) > float(edges[0]) + 0.15
    if ratio == 0:
        expected = torch.cos(torch.tensor(phase / 2).double()) ** 2
        torch.testing.assert_close(edges[0], expected, rtol=0, atol=1e-6)
    across = table.image(wave, "dic", azimuth_deg=0.0, bias_retardance_deg=90.0).irradiance[0]
    flat = float(across[[0, 80]].mean())
    rising, falling = float(across[40]), float(across[120])
    assert rising > flat + 0.15
    assert falling < flat - 0.15
    # The even part of the relief is dark as well.
    assert (rising + falling) / 2 < flat - 0.05

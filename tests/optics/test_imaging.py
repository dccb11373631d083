"""Every modality against a slow reference that is written straight from the formula."""

from __future__ import annotations

import cmath
from dataclasses import replace
from math import pi, radians
from types import ModuleType

import pytest
import torch
from torch import Tensor

from osog.optics import IMAGINGS, image
from osog.optics.zernike import zernike
from osog.sample import Values
from osog.scene import MODALITY_TITLES
from osog.waves import source_points

NA, WAVELENGTH, INDEX, FOCUS = 0.8, 0.55, 1.33, 1.7


def slow_fields(wave, step: float, coma: float) -> list[Tensor]:  # type: ignore[no-untyped-def]
    """Image field of each source point on the whole grid, without band or window."""
    fields = []
    rows, columns = wave.spectrum.shape[-2:]
    fx = torch.fft.fftfreq(columns, 1 / columns, dtype=torch.float64)[None, :] * step
    fy = torch.fft.fftfreq(rows, 1 / rows, dtype=torch.float64)[:, None] * step
    for spectrum, source in zip(wave.spectrum, wave.source, strict=True):
        x, y = fx + source[0], fy + source[1]
        radius = torch.hypot(x, y)
        t = ((NA / WAVELENGTH - radius) / step).clamp(-1, 1)
        passed = 0.5 + 0.5 * torch.sin(pi * t / 2)
        aberration = 2 * pi * coma * zernike(8, x * WAVELENGTH / NA, y * WAVELENGTH / NA)
        limit = (INDEX / WAVELENGTH) ** 2
        axial = 2 * pi * torch.sqrt((limit - radius**2).clamp(min=0))
        incident = 2 * pi * torch.sqrt(limit - (source**2).sum())
        transfer = passed * torch.exp(1j * (aberration + (axial - incident) * FOCUS))
        transfer = torch.where(radius**2 < limit, transfer, 0)
        total = spectrum.clone()
        total[0, 0] += 1
        fields.append(torch.fft.ifft2(total * transfer, norm="forward"))
    return fields


@pytest.fixture(scope="module")
def sample(bench: ModuleType):  # type: ignore[no-untyped-def]
    table = bench.Bench(size=72, pixel_um=0.12)
    x, y = table.xy
    bump = 1.3 * torch.exp(-(((x - 4.0) / 0.5) ** 2) - ((y - 4.6) / 0.9) ** 2)
    return table, torch.exp(1j * bump - 0.2 * bump)


@pytest.mark.parametrize("ratio", [0.0, 0.4, 1.1])
@pytest.mark.parametrize("kind", ["brightfield", "dic"])
def test_windows_and_small_grids_change_nothing(sample, kind: str, ratio: float) -> None:  # type: ignore[no-untyped-def]
    """Also when part of the condenser lies outside the objective's aperture."""
    table, transmission = sample
    light = source_points(
        torch.tensor(ratio * NA).double(), torch.tensor(WAVELENGTH).double(), 9 if ratio else 1
    )
    wave = table.wave(transmission, *light)
    numbers = {"shear_um": 0.24, "azimuth_deg": 90.0, "bias_retardance_deg": 80.0}
    result = table.image(wave, kind, focus_um=FOCUS, aberrations={"coma_x": 0.07},
                         **(numbers if kind == "dic" else {}))  # fmt: skip
    step = 1 / table.length_um
    fields = slow_fields(wave, step, 0.07)
    empty = slow_fields(table.wave(torch.ones_like(transmission), *light), step, 0.07)
    if kind == "dic":
        half = cmath.exp(1j * radians(40.0))

        def sheared(field: Tensor) -> Tensor:
            ahead, behind = torch.roll(field, -1, 0), torch.roll(field, 1, 0)
            return 0.5 * (half * ahead - half.conjugate() * behind)

        fields, empty = [sheared(f) for f in fields], [sheared(f) for f in empty]
    share = [float(w) for w in wave.weights]
    light_sum = sum(w * f.abs() ** 2 for w, f in zip(share, fields, strict=True))
    background = sum(w * f.abs() ** 2 for w, f in zip(share, empty, strict=True)).mean()
    torch.testing.assert_close(result.irradiance, light_sum / background, rtol=0, atol=1e-10)
    if ratio == 0.0:
        unit = slow_fields(table.wave(torch.ones_like(transmission)), step, 0.07)[0]
        torch.testing.assert_close(result.field, fields[0] / unit.mean(), rtol=0, atol=1e-10)


def test_small_intensity_grid_of_a_low_aperture(sample) -> None:  # type: ignore[no-untyped-def]
    """NA 0.25 needs a third of the samples; the image is the same as on the full grid."""
    table, transmission = sample
    light = source_points(torch.tensor(0.15).double(), torch.tensor(WAVELENGTH).double(), 7)
    many = table.image(
        table.wave(transmission, *light), "brightfield", numerical_aperture=0.25, focus_um=4.0
    ).irradiance
    total = torch.zeros_like(many)
    for point, weight in zip(light[0], light[1], strict=True):
        single = table.wave(transmission, point[None], torch.ones(1, dtype=torch.float64))
        total += (
            weight
            * table.image(single, "brightfield", numerical_aperture=0.25, focus_um=4.0).irradiance
        )
    torch.testing.assert_close(many, total, rtol=0, atol=1e-12)


def test_recomputing_fields_for_the_gradient_changes_nothing(
    sample: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, transmission = sample
    light = source_points(torch.tensor(0.4).double(), torch.tensor(WAVELENGTH).double(), 6)
    wave = table.wave(transmission, *light)
    scene = table.scene("dic")

    def slope() -> Tensor:
        focus = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
        values = Values(scene, {"microscope.focus_um": focus}, dtype=torch.float64)
        (result,) = torch.autograd.grad(image(wave, values).irradiance.square().sum(), focus)
        return result

    kept = slope()
    monkeypatch.setattr("osog.optics.abbe.KEPT_SAMPLES", 0)
    assert float(slope()) == pytest.approx(float(kept), rel=1e-12)


def test_every_modality_of_the_scene_can_be_imaged() -> None:
    assert set(IMAGINGS) == set(MODALITY_TITLES)


def test_wrong_input_is_named(sample) -> None:  # type: ignore[no-untyped-def]
    table, transmission = sample
    wave = table.wave(transmission)
    with pytest.raises(ValueError, match="fluorescence images EmissionSlabs, not ExitWave"):
        table.image(wave, "fluorescence")
    points = source_points(torch.tensor(0.4).double(), torch.tensor(0.55).double(), 6)
    with pytest.raises(ValueError, match="needs one source point, but the wave has 6"):
        table.image(table.wave(transmission, *points), "hologram")


def test_single_precision_is_close_to_double(sample) -> None:  # type: ignore[no-untyped-def]
    table, transmission = sample
    wave = table.wave(transmission)
    single = replace(
        wave,
        spectrum=wave.spectrum.to(torch.complex64),
        source=wave.source.float(),
        weights=wave.weights.float(),
        wavelength_um=wave.wavelength_um.float(),
        medium_index=wave.medium_index.float(),
    )
    for kind in ("brightfield", "dic", "phase"):
        exact = table.image(wave, kind, focus_um=8.0).irradiance
        values = Values(table.scene(kind, focus_um=8.0), dtype=torch.float32)
        rough = image(single, values).irradiance
        assert rough.dtype == torch.float32
        torch.testing.assert_close(rough.double(), exact, rtol=0, atol=3e-5)


def test_only_the_distance_from_the_reference_plane_counts(sample) -> None:  # type: ignore[no-untyped-def]
    table, transmission = sample
    wave = table.wave(transmission)
    here = table.image(wave, "hologram", focus_um=2.0)
    there = table.image(replace(wave, reference_um=5.0), "hologram", focus_um=7.0)
    torch.testing.assert_close(here.field, there.field)
